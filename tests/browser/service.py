"""The whole service as its users meet it: web server, cluster and mail catcher as processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from site_project.processes import Together, manage

PASSWORD = "demo-pass-1"
_READY_SECONDS = 60


@dataclass
class Service:
    """A seeded installation in a folder of its own, on SQLite."""

    folder: Path
    port: int
    smtp_port: int
    catches: bool = True
    """Whether a mail catcher of its own takes the letters; if not, somebody else does."""

    @property
    def site(self) -> str:
        """The one name that browsers allow passkeys for without https."""
        return f"http://localhost:{self.port}"

    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "a-key-for-browser-tests-only-that-is-longer-than-fifty-characters",
            "SITE_URL": self.site,
            "VAR_DIR": str(self.folder),
            "STATIC_ROOT": str(self.folder / "static"),
            "SERVE_MEDIA": "on",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.smtp_port}",
            "DEFAULT_FROM_EMAIL": "Mailing service <letters@service.test>",
            "MAIL_LOOPBACK_ONLY": "on",
            "MAIL_CATCHER_DIR": str(self.folder / "mail"),
            "DEMO_PASSWORD": PASSWORD,
            "LOG_LEVEL": "WARNING",
        }

    def manage(self, *arguments: str) -> None:
        subprocess.run(manage(*arguments), env=self.env(), check=True, timeout=120)

    def start(self) -> Together:
        for command in (
            ("migrate", "-v0"),
            ("create_users", "--force", "-v0"),
            ("seed", "-v0"),
            ("collectstatic", "-v0", "--noinput"),
        ):
            self.manage(*command)
        together = Together(self.env())
        if self.catches:
            together.start("mail catcher", manage("mailcatcher"))
            together.wait_until_listening("127.0.0.1", self.smtp_port)
        together.start("cluster", manage("qcluster"))
        together.start(
            "web server",
            [
                *(sys.executable, "-m", "gunicorn", "site_project.wsgi"),
                *(f"--bind=127.0.0.1:{self.port}", "--threads=4", "--log-level=warning"),
            ],
        )
        self._wait(together)
        return together

    def _wait(self, together: Together) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if (name := together.ended()) is not None:
                raise RuntimeError(f"the {name} did not start")
            try:
                with urllib.request.urlopen(f"{self.site}/readyz", timeout=5):  # noqa: S310 - ours
                    return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the site did not answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
