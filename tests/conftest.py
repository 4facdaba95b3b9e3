"""What all tests share: the root of the checkout, and running a program in a process of its own, elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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
