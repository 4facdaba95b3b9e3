"""What a user waits for before anything happens: the command's help, and the import, against bare Python."""

import subprocess
import sys
import time

import numpy as np
import pytest

ROUNDS = 7


def seconds(*arguments):
    """Wall time of a Python process."""
    before = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - before


@pytest.mark.parametrize(
    ("case", "arguments"),
    [
        ("mcmc-bench --help (asked: under 0.3 s)", ("-m", "mcmc_bench", "--help")),
        ("import mcmc_bench", ("-c", "import mcmc_bench")),
    ],
)
def test_start_up(note, case, arguments):
    times = np.array([(seconds(*arguments), seconds("-c", "pass")) for _ in range(ROUNDS + 1)])[1:]
    ours, bare = np.median(times, axis=0)
    low, middle, high = np.quantile(times[:, 0] / times[:, 1], [0.25, 0.5, 0.75])
    note(case=case, unit="s", against="bare Python", ours=ours, other=bare, ratio=middle, low=low, high=high)
