"""The sample data as a running site, for what looks at it with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from site_project.processes import Together, manage
from tests.browser.service import Service, free_port

# A letter takes as long as at a real server, so that some are on their way.
SECONDS_PER_LETTER = "0.5"


@contextmanager
def showcase() -> Iterator[Service]:
    """Run the site while the block lasts."""
    with TemporaryDirectory(prefix="mailing-showcase-") as folder:
        service = Service(Path(folder), free_port(), free_port(), catches=False)
        catcher = Together(service.env())
        try:
            catcher.start("mail catcher", manage("mailcatcher", "--delay", SECONDS_PER_LETTER))
            catcher.wait_until_listening("127.0.0.1", service.smtp_port)
            site = service.start()
            try:
                yield service
            finally:
                site.stop()
        finally:
            catcher.stop()
