"""How the cost grows: with threads, chains, steps and dim; and that memory does not grow with steps.

Each row compares the cost of one unit of work at two sizes: 1 is linear.
"""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.sampling.replicate import Plan, run

ROUNDS = 9


def seconds(target, chains, steps, threads=1):
    """Wall time of MALA."""
    start = target.starts("exact", np.random.default_rng(1), chains)
    plan = Plan(0, steps, keep=False)
    before = time.perf_counter()
    run(target, load_sampler("mala"), {"step_size": 0.1}, plan, chains=chains, start=start, names=(1,), threads=threads)
    return time.perf_counter() - before


def turn_by_turn(large, small):
    """Seconds of the two functions, (round, 2), after one round that warms up."""
    return np.array([(large(), small()) for _ in range(ROUNDS + 1)])[1:]


def compare_units(note, case, unit, against, times, scale, asked=None):
    """Note the cost of one unit at two sizes; `scale` (2,) turns the seconds into that cost."""
    costs = times * scale
    low, middle, high = np.quantile(costs[:, 0] / costs[:, 1], [0.25, 0.5, 0.75])
    ours, other = np.median(costs, axis=0)
    note(case=case, unit=unit, against=against, ours=ours, other=other, ratio=middle, low=low, high=high, asked=asked)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: thread scaling cannot be measured here")
def test_threads(note):
    """Wall time × threads: 1 if two threads are worth two; an efficiency of 0.9 is a ratio of 1.11."""
    ring = load_target("ring_of_8")
    times = turn_by_turn(lambda: seconds(ring, 64, 100_000, threads=2), lambda: seconds(ring, 64, 100_000))
    case = "MALA on ring_of_8, 64 chains: two threads"
    compare_units(note, case, "s × threads", "one thread", times, np.array([2.0, 1.0]), asked=1.11)


@pytest.mark.parametrize(
    ("what", "large", "small"),
    [
        ("512 chains", (10, 512, 1000), (10, 64, 1000)),
        ("16000 steps", (10, 64, 16000), (10, 64, 2000)),
        ("dim 80", (80, 64, 1000), (10, 64, 1000)),
    ],
)
def test_cost_is_linear(note, what, large, small):
    """On student_t, whose density costs a fixed number of operations a coordinate."""
    targets = {dim: load_target("student_t", dim=dim) for dim in {large[0], small[0]}}

    def at(size):
        return lambda: seconds(targets[size[0]], *size[1:])

    scale = 1e9 / np.array([np.prod(large), np.prod(small)], dtype=float)
    times = turn_by_turn(at(large), at(small))
    compare_units(note, f"MALA on student_t: {what}", "ns per step, chain and dim", "an eighth of it", times, scale)


PEAK = """
from pathlib import Path
import resource
def peak():
    # Where there is /proc: a process inherits the peak of the one that started it in what `resource` says.
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.sampling.replicate import Plan, run
for steps in (100_000, 10_000_000):
    plan = Plan(0, steps, keep={keep})
    run(load_target("gaussian", dim=1), load_sampler("ula"), {{}}, plan, chains=1, start="exact", names=(1,))
    print(peak())
"""


def growth(keep):
    """MiB by which the peak of a process rises from 10⁵ to 10⁷ steps."""
    done = subprocess.run([sys.executable, "-c", PEAK.format(keep=keep)], capture_output=True, text=True, check=True)
    small, large = map(int, done.stdout.split())
    return (large - small) / (2**20 if sys.platform == "darwin" else 2**10)


def test_memory_is_bounded_by_the_draws_kept(note):
    """With running moments only, a hundred times the steps need no more memory; kept draws of 40 bytes a step do."""
    without, kept = growth(keep=False), growth(keep=True)
    case = "peak memory, from 10⁵ to 10⁷ steps: moments only"
    note(case=case, unit="MiB more", against="all draws kept", ours=without, other=kept, ratio=without / kept)
    assert without < 8
    assert kept > 300  # power: what growth looks like
