"""Timing against stated floors: compiles the C sources, runs both sides turn by turn, prints and stores the ratios.

Nothing here asserts a time: a slow machine is not a defect, and a ratio that is higher than what is asked is printed
as such. Knows no target and no sampler.
"""

import ctypes
import json
import os
import platform
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from mcmc_bench.core.provenance import describe_environment

HERE = Path(__file__).resolve().parent
RATIOS_FILE = HERE.parents[1] / "reports" / "speed" / "ratios.json"
ROUNDS = 15
RATIOS = pytest.StashKey[list]()

COMPILE = ["-O3", "-march=native", "-ffast-math", "-fopenmp-simd", "-fPIC", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]


def pytest_configure(config):
    config.stash[RATIOS] = []


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread():
    """As in the project's own runs."""
    import scipy.linalg.cython_blas  # noqa: F401 - loads the BLAS, so that it is found

    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="session")
def c_library(tmp_path_factory):
    """``c_library(name)``: the library made from ``c/name.c``."""
    compiler = shutil.which(os.environ.get("CC", "gcc"))
    if compiler is None:
        pytest.skip("no C compiler (gcc, or what CC names): the floors cannot be measured here")

    def build(name):
        folder = tmp_path_factory.mktemp(name)
        subprocess.run([compiler, *COMPILE, "-c", HERE / "c" / f"{name}.c", "-o", folder / "code.o"], check=True)
        # Linked without -ffast-math, which would make the whole process flush subnormal numbers to zero.
        subprocess.run([compiler, "-shared", folder / "code.o", "-lm", "-o", folder / "code.so"], check=True)
        return ctypes.CDLL(str(folder / "code.so"))

    return build


@pytest.fixture(scope="session")
def address():
    """``address(array)``: what a C function takes for an array of doubles."""

    def of(array):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))

    return of


@pytest.fixture
def compare(benchmark, request):
    """``compare(case, unit, scale, ours, floors, asked)``: run `ours` and every floor turn by turn.

    Args:
        case: what is measured.
        unit: of the numbers printed, e.g. "ns per step and chain".
        scale: seconds of one call × scale = the number in that unit.
        ours: a function of no argument.
        floors: functions of no argument, by name.
        asked: the largest ratio ours / floor that is wanted, by name of the floor; None where nothing is asked.
    """

    def go(case, unit, scale, ours, floors, asked):
        seconds = {name: [] for name in ("ours", *floors)}

        def timed(name, function):
            before = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - before)

        def others():
            for name, function in floors.items():
                timed(name, function)

        benchmark.group = case
        benchmark.pedantic(lambda: timed("ours", ours), setup=others, rounds=ROUNDS, warmup_rounds=1)
        measured = {name: np.array(values[1:] or values) for name, values in seconds.items()}  # the first one warms up
        for name in floors:
            ratio = measured["ours"] / measured[name]  # of neighbours in time: drift of the machine cancels
            low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75])
            record(
                request.config,
                case=case,
                unit=unit,
                against=name,
                asked=asked[name],
                ours=statistics.median(measured["ours"]) * scale,
                other=statistics.median(measured[name]) * scale,
                ratio=middle,
                low=low,
                high=high,
            )

    return go


@pytest.fixture
def note(request):
    """``note(case=…, unit=…, against=…, ours=…, other=…, ratio=…)``: a row that was measured in another way."""

    def go(**row):
        record(request.config, **{"asked": None, "low": row["ratio"], "high": row["ratio"], **row})

    return go


def record(config, **row):
    """Keep a row of the table."""
    config.stash[RATIOS].append({key: value.item() if hasattr(value, "item") else value for key, value in row.items()})


def pytest_terminal_summary(terminalreporter, config):
    """The table of ratios; also as JSON."""
    rows = config.stash[RATIOS]
    if not rows:
        return
    terminalreporter.section("ratios: ours / other, median and quartiles of neighbours in time")
    for case in dict.fromkeys(row["case"] for row in rows):
        terminalreporter.write_line(case)
        for row in (row for row in rows if row["case"] == case):
            asked = "" if row["asked"] is None else f"asked ≤ {row['asked']:g}"
            if asked:
                asked += ": kept" if row["ratio"] <= row["asked"] else ": MISSED"
            terminalreporter.write_line(
                f"  {row['against']:42} {row['ours']:9.3g} / {row['other']:9.3g} {row['unit']:24} "
                f"= {row['ratio']:5.2f} [{row['low']:.2f}, {row['high']:.2f}]  {asked}"
            )
    RATIOS_FILE.parent.mkdir(parents=True, exist_ok=True)
    stored = {"environment": describe_environment(1), "machine": platform.machine(), "rounds": ROUNDS, "ratios": rows}
    RATIOS_FILE.write_text(json.dumps(stored, indent=1) + "\n")
    terminalreporter.write_line(f"stored in {RATIOS_FILE}")
