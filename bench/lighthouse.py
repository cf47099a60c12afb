"""What Lighthouse says of the public pages, on the sample data and as a phone sees them.

    python -m bench.lighthouse            writes bench/results/lighthouse.json
    python -m bench.lighthouse install    only installs Lighthouse, into bench/cache/

Needs node (20 or newer), npm and chromium. Ends with 1 if a score is under 95.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench import report
from bench.report import Row, row
from bench.showcase import showcase
from tests.browser.conftest import CHROMIUM
from tests.browser.service import Service

VERSION = "12.8.2"  # the last that runs on node 20
FOLDER = Path(__file__).parent / "cache" / "lighthouse"
PROGRAM = FOLDER / "node_modules/.bin/lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
BAR = 95
REPEATS = 3
PAGES = {
    "front page": "/",
    "blog": "/blog/",
    "post": "/blog/what-0900-means-twice-a-year/",
    "log-in": "/accounts/login/",
    "sign-up": "/accounts/signup/",
}


def main() -> int:
    install()
    if sys.argv[1:] == ["install"]:
        return 0
    rows: list[Row] = []
    with showcase() as service:
        for name, path in PAGES.items():
            subprocess.run(  # the first visit makes the pictures
                ["curl", "-fsS", "-o", os.devnull, service.site + path], check=True, timeout=120
            )
            runs = [scores(service, path) for _ in range(REPEATS)]
            rows += [
                row(f"{name}, {c}", [run[c] for run in runs], "", ">=", BAR, "sqlite")
                for c in CATEGORIES
            ]
    report.show(rows)
    print(
        f"\n{report.machine()}, Lighthouse {VERSION}\nwritten to {report.write('lighthouse', rows)}"
    )
    return 0 if all(r.holds for r in rows) else 1


def install() -> None:
    if PROGRAM.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", f"lighthouse@{VERSION}"]
    subprocess.run(
        command, cwd=FOLDER, check=True, env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"}
    )


def scores(service: Service, path: str) -> dict[str, float]:
    """Return the score of each category, from 0 to 100; tell on standard error what was amiss."""
    command = [
        *(str(PROGRAM), service.site + path, "--quiet", "--output=json"),
        "--only-categories=" + ",".join(CATEGORIES),
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    ]
    done = subprocess.run(
        command, env={**os.environ, "CHROME_PATH": CHROMIUM}, capture_output=True, timeout=300
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    result = json.loads(done.stdout)
    for category in CATEGORIES:
        for audit in result["categories"][category]["auditRefs"]:
            found = result["audits"][audit["id"]]
            if audit["weight"] and (found["score"] or 0) < 0.9 and found["score"] is not None:
                print(f"{path} {category}: {found['title']}", file=sys.stderr)
    return {name: 100 * result["categories"][name]["score"] for name in CATEGORIES}


if __name__ == "__main__":
    sys.exit(main())
