"""The Russian catalogue: complete, and compiled from what is in the repository."""

from __future__ import annotations

import shutil
import subprocess
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
