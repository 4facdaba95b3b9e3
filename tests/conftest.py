"""What all tests share: where compiled code is kept, their order, and running a program in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config):
    """Both processes of a session, and every program that a test starts, read what one of them has compiled.

    Beside pytest's own memory, and not in the user's: what tests plant is of no use to anyone else.
    """
    os.environ.setdefault("MCMC_BENCH_CACHE_DIR", str(ROOT / ".pytest_cache" / "compiled"))


def pytest_collection_modifyitems(items):
    """The tests at the root come first: they start programs, and one of them at the end would be waited for."""
    items.sort(key=lambda item: item.path.parent != ROOT / "tests")


def pytest_terminal_summary(terminalreporter):
    """What could not be tested here stands in a section of its own, so that nobody takes a skipped test for a passed one."""
    reasons = {report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])}
    missing = sorted(reason.removeprefix("Skipped: ") for reason in reasons if "NOT TESTED" in reason)
    if missing:
        terminalreporter.section("NOT TESTED here", yellow=True, bold=True)
        for reason in missing:
            terminalreporter.write_line(reason, yellow=True)


@pytest.fixture(scope="session")
def root():
    """The root of the checkout that is tested."""
    return ROOT


@pytest.fixture
def python(tmp_path):
    """Runs a Python program in a process of its own, from an empty folder: ``python(program) -> what it printed``."""

    def go(*arguments, folder=tmp_path, path=(), **environment):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "MPLBACKEND": "agg", **environment},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return go


SMALL = """
[suite]
title = "Small"
budget = 200
chains = 8
replicates = 2
max_draws = 50

[[experiment]]
name = "main"
targets = ["song_ermon"]
samplers = [{ name = "mala", step_size = [0.2, 0.8] }, "gradient_ascent", "oracle"]
"""


@pytest.fixture(scope="session")
def small_suite(tmp_path_factory):
    """A suite of four cells."""
    file = tmp_path_factory.mktemp("suite") / "small.toml"
    file.write_text(SMALL)
    return file


@pytest.fixture(scope="session")
def small_run(small_suite, tmp_path_factory):
    """The results folder of `small_suite`, with all draws stored; run in this process. Not to be changed."""
    from mcmc_bench.experiments.run import run

    folder = tmp_path_factory.mktemp("small")
    run(small_suite, output=folder, executor="inline", keep_draws=True)
    return folder
