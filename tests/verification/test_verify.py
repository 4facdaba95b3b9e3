"""`verify` passes right kernels and sees planted faults; its statistics have the rate of false alarms that they promise."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mcmc_bench.catalog import list_samplers, load_sampler
from mcmc_bench.cli import app
from mcmc_bench.streams import stream
from mcmc_bench.verification.findings import mean_zero, same_law, within
from mcmc_bench.verification.planting import planted_source
from mcmc_bench.verification.verify import ALPHA, STAGES, TESTS, verify

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "verify"


def script(name):
    specification = importlib.util.spec_from_file_location(f"verify_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


FAULTS = script("faults").FAULTS
RECORD = json.loads((FOLDER / "record.json").read_text())
#: Seen in the first stage, on record.
QUICK = [name for name, one in RECORD["wrong"].items() if one["chains"] == STAGES[0]]
#: One of every second sampler is planted again here; all of them take minutes, see benchmarks/verify/kill_table.py.
AGAIN = list({FAULTS[name].sampler: name for name in QUICK}.values())[::2]


@pytest.mark.slow
@pytest.mark.parametrize("name", list_samplers())
def test_right_kernels_pass(name):
    """In the first stage; all stages are on record. A right kernel fails with probability below 1e-6 / 3."""
    result = verify(load_sampler(name), stages=STAGES[:1])
    assert result.passed, [str(finding) for finding in result.findings if not finding.passed]
    assert 1 <= len(result.findings) <= TESTS


@pytest.mark.slow
@pytest.mark.parametrize("name", AGAIN)
def test_faults_are_seen(name, tmp_path):
    fault = FAULTS[name]
    assert not verify(load_sampler(fault.sampler, samplers_folder=fault.write(tmp_path)), stages=STAGES[:1]).passed


def test_all_faults_are_on_record_as_seen_and_all_kernels_as_right():
    assert set(RECORD["wrong"]) == set(FAULTS)
    assert len(FAULTS) >= 25
    assert set(RECORD["right"]) == set(list_samplers())
    assert all(one["passed"] for one in RECORD["right"].values())
    assert not any(one["passed"] for one in RECORD["wrong"].values())
    assert len(QUICK) >= 0.9 * len(FAULTS)
    assert {fault.sampler for fault in FAULTS.values()} >= set(list_samplers()) - {
        "gradient_ascent", "oracle", "preconditioned_ula",
    }  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_can_still_be_planted(name):
    fault = FAULTS[name]
    source = planted_source(fault.sampler, fault.replaced)
    compile(source, name, "exec")
    assert source != planted_source(fault.sampler, ())


def test_a_fault_that_fits_nowhere_is_named():
    with pytest.raises(ValueError, match=r"does not stand in mala\.py, nor in the kernels"):
        planted_source("mala", [("no such text", "")])


def test_the_tables_are_those_of_the_record():
    text = (ROOT / "docs" / "verification.md").read_text()
    for name in RECORD["right"]:
        assert f"| `{name}` | passed |" in text
    for name in RECORD["wrong"]:
        assert f"| `{FAULTS[name].sampler}` | {FAULTS[name].what} |" in text


# ---- the statistics ----


def test_false_alarms_of_the_tests():
    """At level 0.05 over 400 right cases: fewer than 40, which a rate of 0.05 exceeds with probability 2e-5."""
    alarms = {"same law": 0, "mean zero": 0}
    for case in range(400):
        generator = stream("false alarms", case)
        x, reference = generator.standard_normal(1000), generator.standard_normal(4000)
        alarms["same law"] += not same_law("", "", x, reference, 0.05).passed
        alarms["mean zero"] += not mean_zero("", "", np.tanh(x), 0.05).passed
    assert all(count < 40 for count in alarms.values()), alarms
    assert alarms["mean zero"] > 5  # a test that never fires is none


def test_the_tests_see_what_they_say_they_see():
    generator = stream("power")
    x, reference = generator.standard_normal(4000), generator.standard_normal(16000)
    level = ALPHA / len(STAGES) / TESTS
    seen = same_law("", "", x, reference, level).detectable
    assert not same_law("", "", x + 2.6 * seen, reference, level).passed  # a shift by s moves a share by 0.4 s
    assert same_law("", "", x, reference, level).passed
    assert same_law("", "", x + 0.04, reference, level, margin=0.02).passed
    assert not mean_zero("", "", x + mean_zero("", "", x, level).detectable * 1.5, level).passed
    assert not mean_zero("", "", np.where(x > 3, np.nan, x), level).passed
    assert not mean_zero("", "", np.where(x > 3, 1e300, x), level).passed
    assert not same_law("", "", np.where(x > 1, np.nan, x), reference, level).passed
    assert within("", "", 0.5, 1.0).passed
    assert not within("", "", np.nan, 1.0).passed


def test_constant_values():
    assert mean_zero("", "", np.zeros(10), 1e-6).passed
    assert not mean_zero("", "", np.ones(10), 1e-6).passed


# ---- the command ----


def test_the_command(tmp_path):
    done = CliRunner().invoke(app, ["verify", "ula", "--quick"])
    assert done.exit_code == 0, done.output
    assert "ula: biased as predicted, as far as can be seen (2048 chains" in done.output
    file = FAULTS["ula_noise"].write(tmp_path)
    done = CliRunner().invoke(app, ["verify", str(file), "--quick"])
    assert done.exit_code == 1
    assert "ula: FAILED" in done.output
    done = CliRunner().invoke(app, ["verify", "ula", "--set", "step=1"])
    assert done.exit_code == 2
    assert "did you mean 'step_size'" in done.output
