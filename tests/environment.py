"""Sets the environment before pytest-django reads the settings; loaded with `-p tests.environment`.

The suite runs on SQLite and files; DATABASE_URL and CACHE_URL in the environment choose others.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="mailing-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

Path(_folder, "static").mkdir()  # whitenoise warns of a folder that is not there

os.environ |= {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "a-key-for-tests-only-that-is-longer-than-fifty-characters",
    "DEBUG": "off",
    "SITE_URL": "http://testserver",
    "VAR_DIR": _folder,
    "STATIC_ROOT": f"{_folder}/static",
    "EMAIL_URL": "smtp://127.0.0.1:2",  # nobody listens there: a test that sends says to whom
    "DEFAULT_FROM_EMAIL": "Mailing service <letters@service.test>",
    "MAIL_CATCHER_DIR": f"{_folder}/mail",
    "SERVE_MEDIA": "on",
    "LOG_LEVEL": "ERROR",
    "DEMO_PASSWORD": "",
}
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_folder}/unused.sqlite3")

if os.environ.get("CACHE_URL", "").startswith("redis"):
    # Clearing a cache empties a whole database of Redis, so each worker of xdist has its own.
    _server, _slash, _number = os.environ["CACHE_URL"].rpartition("/")
    _worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["CACHE_URL"] = f"{_server}/{int(_number) + _worker}"
