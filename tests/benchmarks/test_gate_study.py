"""The study of the gate: its faults can be planted in the samplers of today, and its tables are those in the guide."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.sampling.replicate import Plan, run

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "gate"


def script(name):
    specification = importlib.util.spec_from_file_location(f"gate_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


FAULTS = script("faults").FAULTS


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_faults_can_be_planted(name, tmp_path):
    """Each changes what the sampler draws, with the same random numbers."""
    fault = FAULTS[name]
    wrong = load_sampler(fault.sampler, samplers_folder=fault.write(tmp_path))
    target, plan = load_target("song_ermon"), Plan(warmup=0, transitions=50)
    draws = [
        run(target, sampler, {"step_size": 0.3}, plan, chains=4, start="exact", names=("tests", "faults")).position
        for sampler in (load_sampler(fault.sampler), wrong)
    ]
    assert not np.array_equal(*draws)


def test_a_fault_that_cannot_be_planted_is_said(tmp_path):
    fault = script("faults").Fault("mala", "nothing", "none", (("not in the source", ""),))
    with pytest.raises(ValueError, match=r"does not stand in mala\.py"):
        fault.write(tmp_path)


def test_the_guide_has_the_numbers_of_the_study():
    """The tables are made from the published study, and not by hand."""
    tables = script("tables")
    study = json.loads(tables.STUDY.read_text("utf-8"))
    guide = tables.GUIDE.read_text("utf-8")
    assert tables.written(guide, study) == guide
    study["equal"]["false_alarms"]["0.001"]["count"] += 1
    assert tables.written(guide, study) != guide


def test_the_study_keeps_its_promises():
    """What the documentation promises of the gate, in the published numbers."""
    study = json.loads((ROOT / "reports/published/gate/study.json").read_text("utf-8"))
    equal, faults = study["equal"], study["faults"]
    assert equal["comparisons"] >= 3000
    for level, found in equal["false_alarms"].items():
        assert found["low"] <= float(level), "more false alarms than promised"
    assert equal["undecided_cells"] <= 0.2
    wrong = [fault for fault in faults.values() if fault["spoils"] == "correctness"]
    assert sum(fault["replicate_factors"]["1"]["regression"]["share"] >= 0.95 for fault in wrong) >= 6
    for fault in faults.values():
        if fault["spoils"] == "none":
            assert fault["replicate_factors"]["1"]["correctness"]["share"] <= 0.05, "an exact kernel was called biased"
