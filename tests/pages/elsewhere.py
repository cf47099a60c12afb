"""Runs code in processes of their own that share the database and the caches of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """Return the environment of a process that works beside this one."""
    name = connection.settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    return os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "site_project.settings",
    }


def run(code: str) -> None:
    command = [sys.executable, "-c", code]
    subprocess.run(command, check=True, cwd=ROOT, env=environment(), timeout=60)
