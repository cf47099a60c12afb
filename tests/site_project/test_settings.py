"""`.env.example`, settings.py and what a person sees who got a variable wrong."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

from site_project.processes import manage

ROOT = Path(__file__).resolve().parents[2]
READERS = {
    "text",
    "secret",
    "flag",
    "number",
    "choice",
    "words",
    "path",
    "database",
    "cache",
    "email",
}


def read_by_settings() -> set[str]:
    """Return the names that settings.py asks `env` for."""
    tree = ast.parse((ROOT / "site_project/settings.py").read_text())
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.func.attr in READERS
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def read_elsewhere() -> set[str]:
    """Return the names that other code of ours asks the environment for."""
    found = set()
    for package in ("accounts", "blog", "home", "mailing", "site_project"):
        for module in (ROOT / package).rglob("*.py"):
            # CHECK and RESET belong to `make demo`, FAULT to the tests of the engine.
            if module.name not in {"demo.py", "faults.py"}:
                code = module.read_text()
                found |= set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', code))
    return found


def example() -> list[str]:
    """Return the names of .env.example, also those that are commented out, in order."""
    text = (ROOT / ".env.example").read_text()
    return re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", text, re.MULTILINE)


def test_the_example_names_exactly_what_is_read() -> None:
    names = example()
    assert len(names) == len(set(names))
    assert set(names) == read_by_settings() | read_elsewhere()


def check(**variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        manage("check"),
        cwd=ROOT,
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_example_works_unchanged(tmp_path: Path) -> None:
    done = check(ENV_FILE=".env.example", VAR_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set. Copy .env.example to .env, or set SECRET_KEY"),
        ("DATABASE_URL", "postgress://me:s3cret@db/x", "DATABASE_URL is not a database URL."),
        ("SCHEDULER_INTERVAL", "0", "SCHEDULER_INTERVAL must be at least 1, not 0."),
        ("LOG_LEVEL", "loud", "LOG_LEVEL cannot be 'loud'."),
    ],
)
def test_a_wrong_variable_ends_in_one_sentence(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    done = check(
        **{"ENV_FILE": os.devnull, "SECRET_KEY": "x" * 50, "VAR_DIR": str(tmp_path), name: value}
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Configuration: {sentence}")
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
