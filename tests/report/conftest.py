"""Made-up results, their report, and a browser to open it in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up_results import made_up

from mcmc_bench.core.results import Results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return made_up(tmp_path / "results")


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the made-up results, written once."""
    from mcmc_bench.report import write_report  # imports Matplotlib

    folder = tmp_path_factory.mktemp("report")
    return write_report(made_up(folder), folder)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[str, str]]:
    """``browser(html, *flags)``: the document after loading in Chromium without network, and its log."""
    program = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if program is None:
        print("\nWARNING: no Chromium found: the page was NOT opened in a browser", file=sys.__stderr__)
        pytest.skip("no Chromium found: the page was not opened in a browser")

    def open_page(html: str, *flags: str) -> tuple[str, str]:
        folder = tmp_path_factory.mktemp("browser")
        file = folder / "page.html"
        file.write_text(html, encoding="utf-8")
        run = subprocess.run(
            [
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr",
                "--virtual-time-budget=5000",
                f"--user-data-dir={folder / 'profile'}",
                *flags,
                "--dump-dom",
                file.as_uri(),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout, run.stderr

    return open_page
