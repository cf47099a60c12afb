"""The Russian catalogue: complete, and compiled from what is in the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

RUSSIAN = Path(settings.LOCALE_PATHS[0]) / "ru" / "LC_MESSAGES" / "django.po"

pytestmark = pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")


def compile_to(target: Path) -> str:
    """Compile the catalogue; return what the compiler says of its size."""
    result = subprocess.run(
        ["msgfmt", "--check", "--statistics", "--output-file", target, RUSSIAN],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


def test_every_text_has_its_translation(tmp_path: Path) -> None:
    statistics = compile_to(tmp_path / "django.mo")
    assert "untranslated" not in statistics
    assert "fuzzy" not in statistics


def test_the_compiled_catalogue_is_fresh(tmp_path: Path) -> None:
    compile_to(tmp_path / "django.mo")
    assert (tmp_path / "django.mo").read_bytes() == RUSSIAN.with_suffix(".mo").read_bytes()


SOURCES = ("accounts", "blog", "home", "mailing", "site_project", "templates", "manage.py")


def test_the_catalogue_has_every_text_of_the_sources(tmp_path: Path) -> None:
    """Collect the texts anew, beside the repository, and look whether any is missing or changed."""
    for name in SOURCES:
        source = Path(settings.BASE_DIR) / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "static")
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "--locale=ru", "--no-location", "-v0"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": str(Path(settings.BASE_DIR) / ".env.example"),
            "VAR_DIR": str(tmp_path / "var"),
        },
        check=True,
        timeout=120,
    )
    collected = tmp_path / RUSSIAN.relative_to(settings.BASE_DIR)
    missing = subprocess.run(
        ["msgattrib", "--no-obsolete", "--no-wrap", "--untranslated", collected],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    changed = subprocess.run(
        ["msgattrib", "--no-obsolete", "--no-wrap", "--only-fuzzy", collected],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert missing + changed == "", "run `make messages` and translate what is new"
