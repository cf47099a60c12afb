"""The demonstration: `make demo`. Everything lives in .demo/, and no mail leaves this computer.

With CHECK=1 it proves itself and ends: starts, waits for letters, signs in as each role, stops.
RESET=1 begins with an empty .demo/.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from site_project.processes import Together, manage

FOLDER = Path(".demo")
PASSWORD = "demo-pass-1"  # noqa: S105 - accounts that exist only here
_READY_SECONDS = 90.0
_LETTERS_SECONDS = 60.0
_LETTERS_WANTED = 20
# A letter takes as long as at a real server, so that a mailing can be watched on its way.
_SECONDS_PER_LETTER = "0.5"

_ACCOUNTS = (
    ("user@demo.test", "a garden school; one of its mailings is being sent now", "/admin/"),
    ("other@demo.test", "a bookshop, in Russian; sees nothing of the garden school", "/admin/"),
    ("manager@demo.test", "sees everything, may block users and stop mailings", "/admin/users/"),
    ("blogger@demo.test", "writes posts, which a manager approves", "/admin/pages/"),
    ("admin@demo.test", "superuser", "/admin/groups/"),
)


def main() -> int:
    started = time.monotonic()
    check = os.environ.get("CHECK") == "1"
    if os.environ.get("RESET") == "1":
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    port, smtp_port = _free_port(8000), _free_port(1025)
    site = f"http://127.0.0.1:{port}"
    env = _environment(site, smtp_port)
    for step, command in (
        ("database", ("migrate", "-v0")),
        ("accounts", ("create_users", "--force")),
        ("sample data", ("seed", "-v0", "--send")),
        ("style sheets", ("collectstatic", "-v0", "--noinput")),
    ):
        _say(step)
        result = subprocess.run(  # noqa: S603 - our own commands
            manage(*command), env=env, capture_output=True, text=True, check=False
        )
        if result.returncode:
            sys.stderr.write(result.stdout + result.stderr)
            return result.returncode
    caught_before = _caught()
    together = Together(env)
    together.catch_signals()
    try:
        together.start("mail catcher", manage("mailcatcher", "--delay", _SECONDS_PER_LETTER))
        if not together.wait_until_listening("127.0.0.1", smtp_port):
            sys.stderr.write("The mail catcher did not start.\n")
            return 1
        together.start("cluster", manage("qcluster"))
        together.start("web server", _web_server(port))
        if not _wait_until_ready(site, together):
            return 1
        _card(site, time.monotonic() - started)
        if check:
            return _check(site, together, caught_before)
        ended = together.wait()
        if ended is not None:
            sys.stderr.write(f"The {ended} has ended, so all was stopped.\n")
        return 0 if ended is None else 1
    finally:
        together.stop()


def _environment(site: str, smtp_port: int) -> dict[str, str]:
    secret = FOLDER / "secret"
    if not secret.exists():
        secret.write_text(secrets.token_urlsafe(50))
        secret.chmod(0o600)
    folder = FOLDER.resolve()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV"}
    }
    return inherited | {
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secret.read_text(),
        "DEBUG": "off",
        "SITE_URL": site,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "VAR_DIR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "SERVE_MEDIA": "on",
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        "DEFAULT_FROM_EMAIL": "Mailing service <letters@demo.test>",
        "MAIL_LOOPBACK_ONLY": "on",
        "MAIL_CATCHER_DIR": str(folder / "mail"),
        "DEMO_PASSWORD": PASSWORD,
        "LOG_LEVEL": "WARNING",
    }


def _web_server(port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "site_project.wsgi",
        f"--bind=127.0.0.1:{port}",
        "--workers=2",
        "--threads=4",
        "--log-level=warning",
    ]


def _free_port(first: int) -> int:
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"No port from {first} to {first + 99} is free.")


def _wait_until_ready(site: str, together: Together) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and not together.stop_asked.is_set():
        if (name := together.ended()) is not None:
            sys.stderr.write(f"The {name} did not start.\n")
            return False
        try:
            with urllib.request.urlopen(f"{site}/readyz", timeout=5):  # noqa: S310 - ours
                return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.3)
    sys.stderr.write("The site did not answer in time.\n")
    return False


def _say(step: str) -> None:
    sys.stdout.write(f"  {step} …\n")
    sys.stdout.flush()


def _card(site: str, seconds: float) -> None:
    lines = [
        "",
        f"  Ready in {seconds:.0f} s".ljust(35) + "stop: Ctrl-C · start over: make demo RESET=1",
        "",
        f"  Site         {site}/",
        f"  Dashboard    {site}/admin/",
        f"  Caught mail  {site}/mail/",
        "",
        f"  Accounts, password {PASSWORD}:",
        *(f"  {email:<18} {what}" for email, what, _page in _ACCOUNTS),
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


# --- CHECK=1 --------------------------------------------------------------------------------------


def _caught() -> set[str]:
    return {path.name for path in (FOLDER / "mail").glob("*.eml")}


def _check(site: str, together: Together, caught_before: set[str]) -> int:
    deadline = time.monotonic() + _LETTERS_SECONDS
    caught = 0
    while caught < _LETTERS_WANTED and time.monotonic() < deadline:
        if together.ended() is not None or together.stop_asked.is_set():
            break
        time.sleep(0.5)
        caught = len(_caught() - caught_before)
    sys.stdout.write(f"  {caught} letters caught\n")
    if caught < _LETTERS_WANTED:
        sys.stderr.write("Letters did not arrive in time.\n")
        return 1
    for email, _what, page in _ACCOUNTS:
        if not _can_sign_in(site, email, page):
            sys.stderr.write(f"{email} cannot sign in and open {page}\n")
            return 1
        sys.stdout.write(f"  {email} signed in and opened {page}\n")
    return 0


def _can_sign_in(site: str, email: str, page: str) -> bool:
    """Sign in over HTTP like a browser, then open a page that this role may see."""
    browser = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    browser.addheaders = [("Referer", site)]
    login = f"{site}/accounts/login/"
    try:
        form = browser.open(login, timeout=30).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        fields = {
            "csrfmiddlewaretoken": token[1] if token else "",
            "login": email,
            "password": PASSWORD,
        }
        browser.open(login, urllib.parse.urlencode(fields).encode(), timeout=30)
        answer = browser.open(f"{site}{page}", timeout=30)
    except urllib.error.HTTPError:
        return False
    # What is refused leads back to /admin/; the page explorer leads on to what a person may see.
    return answer.url == f"{site}{page}" or (page != "/admin/" and page in answer.url)


if __name__ == "__main__":
    sys.exit(main())
