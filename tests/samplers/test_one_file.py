"""A built-in sampler is one file and its planted faults are one more: everything that lists samplers finds them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("mcmc_bench", "targets", "benchmarks", "tests", "docs", "pyproject.toml", "README.md", "CONTRIBUTING.md")
LOOK = """
import json, subprocess, sys
sys.path[:0] = ["benchmarks/verify", "docs"]
import mcmc_bench, kill_table, tables
from mcmc_bench.checks.kernel.mutants import planted_source

fault = kill_table.FAULTS["walker_drift"]
tests = subprocess.run(
    [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/samplers", "-k", "walker"],
    capture_output=True, text=True,
).stdout
print(json.dumps({
    "listed": "walker" in mcmc_bench.list_samplers(),
    "table": "`walker`" in tables.sampler_table(),
    "stale table": bool(tables.difference(open("docs/samplers.md", encoding="utf-8").read())),
    "verified": sorted({"right walker", "wrong walker_drift"} & set(kill_table.stale({}))),
    "planted": "+ 0.1" in planted_source(fault.sampler, fault.replaced),
    "cells": sum(cell.sampler == "walker" for cell in mcmc_bench.load_suite("standard").cells),
    "tests": [line for line in tests.splitlines() if "::" in line],
}))
"""
FAULT = """
from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {"walker_drift": Fault("proposals drift", replaced=(("standard_normal()", "standard_normal() + 0.1"),))}
"""


@pytest.mark.slow
def test_a_built_in_sampler_is_found_by_everything_that_lists_samplers(tmp_path):
    for name in COPIED:
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copied(ROOT / name, tmp_path / name)
    samplers, planted = tmp_path / "mcmc_bench" / "samplers", tmp_path / "benchmarks" / "verify" / "planted"
    shutil.copy(samplers / "random_walk_metropolis.py", samplers / "walker.py")
    (planted / "walker.py").write_text(FAULT)
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["listed"]
    assert found["table"]
    assert found["stale table"], "the test of the documents asks for the row"
    assert found["verified"] == ["right walker", "wrong walker_drift"]
    assert found["planted"]
    assert found["cells"] > 0
    for battery in ("test_properties", "test_closed_forms", "test_settings"):
        assert any(battery in test for test in found["tests"]), battery
