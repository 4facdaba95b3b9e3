"""`verify` passes right kernels, sees planted faults, and says what it cannot tell; its record is of these sources."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mcmc_bench.catalog.files import list_samplers, load_sampler, load_target
from mcmc_bench.checks.kernel import exact
from mcmc_bench.checks.kernel.flows import volume_error
from mcmc_bench.checks.kernel.mutants import planted_source
from mcmc_bench.checks.kernel.targets import functionals, verification_targets
from mcmc_bench.checks.kernel.verify import STAGES, TESTS, verify
from mcmc_bench.cli.app import app
from mcmc_bench.core.sampler import Sampler

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "benchmarks" / "verify"
#: Chains: the record has all stages, and this is a look at whether it still holds.
FEW = (1024,)


def script(name):
    specification = importlib.util.spec_from_file_location(f"verify_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


faults = script("faults")
sys.modules["faults"] = faults  # as the script of the tables imports it
kill_table = script("kill_table")
FAULTS, CONTROLS = faults.FAULTS, faults.CONTROLS
RECORD = json.loads((FOLDER / "record.json").read_text())
#: Seen in the first stage, on record, and cheap: one of every second sampler is planted again here.
QUICK = [name for name in FAULTS if RECORD.get(f"wrong {name}", {}).get("chains") == STAGES[0]]
DEAR = ("annealed_importance", "parallel_tempering", "nuts", "jittered_hmc")
AGAIN = list({FAULTS[name].sampler: name for name in QUICK if FAULTS[name].sampler not in DEAR}.values())[::2]
#: One of each kind; all of them are on record, and take ten minutes.
RIGHT = (
    "ula",
    "randomised_hmc",
    "obabo",
    "adjusted_mclmc",
    "reverse_sde",
    "sgld",
    "oracle",
    "gradient_ascent",
    "barker",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_right_kernels_pass(name):
    """A right kernel fails with probability below 1e-6."""
    result = verify(load_sampler(name), stages=FEW)
    assert result.passed, [str(finding) for finding in result.findings if not finding.passed]
    assert 1 <= len(result.findings) <= TESTS


@pytest.mark.long
@pytest.mark.parametrize("name", AGAIN)
def test_faults_are_seen(name, tmp_path):
    fault = FAULTS[name]
    assert verify(load_sampler(fault.sampler, samplers_folder=fault.write(tmp_path)), stages=(2048,)).failed


@pytest.mark.slow
def test_a_planted_sampler_without_a_fault_passes(tmp_path):
    assert verify(load_sampler("obabo", samplers_folder=CONTROLS["obabo"].write(tmp_path)), stages=FEW).passed


# ---- the record ----


def test_what_is_on_record():
    """Nothing that is not there; right kernels pass, faults are seen, and every sampler has one."""
    gone = sorted(set(RECORD) - set(kill_table.wanted()))
    assert not gone, f"remove from benchmarks/verify/record.json, or plant again: {gone}"
    assert all(one["verdict"] == ("FAILED" if name.startswith("wrong ") else "passed") for name, one in RECORD.items())
    assert len(QUICK) >= 0.75 * len(FAULTS), "too few on record: run python benchmarks/verify/kill_table.py"
    without = set(list_samplers()) - {"gradient_ascent", "oracle"} - {fault.sampler for fault in FAULTS.values()}
    assert not without, f"write {', '.join(f'benchmarks/verify/planted/{name}.py' for name in sorted(without))}"


def test_the_record_is_of_these_sources():
    """Not a failure: a kernel may be edited, and the tables made again later; but it is said in every run of the tests."""
    stale = kill_table.stale(RECORD)
    if stale:
        samplers = " ".join(sorted({sampler for sampler, _ in stale.values()}))
        pytest.xfail(
            f"{len(stale)} verdicts are missing or of other sources: run python benchmarks/verify/kill_table.py {samplers}"
        )


def test_the_script_takes_names_of_samplers(capsys):
    assert kill_table.chosen(["ula", "mala"]) == {"ula", "mala"}
    assert kill_table.chosen([]) == set(list_samplers())
    with pytest.raises(SystemExit) as ended:
        kill_table.chosen(["unadjusted"])
    assert ended.value.code == 2
    assert "unknown sampler: 'unadjusted'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        kill_table.chosen(["--help"])
    assert ended.value.code == 0


@pytest.mark.parametrize("name", [pytest.param(name, id=f"{fault.sampler}-{name}") for name, fault in FAULTS.items()])
def test_faults_can_still_be_planted(name):
    fault = FAULTS[name]
    source = planted_source(fault.sampler, fault.replaced)
    compile(source, name, "exec")
    assert source != planted_source(fault.sampler, ())


def test_a_fault_that_fits_nowhere_is_named():
    with pytest.raises(ValueError, match=r"does not stand in mala\.py, nor in the kernels"):
        planted_source("mala", [("no such text", "")])


def test_the_tables_are_those_of_the_record():
    assert kill_table.tables(RECORD) in (ROOT / "docs" / "verification.md").read_text()


# ---- slow is not wrong ----


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "verdict"),
    [
        ("random_walk_metropolis", {"step_size": 0.02}, "inconclusive"),
        ("random_walk_metropolis", {"step_size": 1e4}, "inconclusive"),  # nothing is ever accepted, and it says so
        ("hmc", {"step_size": 0.02, "num_integration_steps": 1}, "inconclusive"),
        ("hmc", {"step_size": 0.5**0.5}, "passed"),  # half turns of a direction at every transition
        ("ula", {"step_size": 1e-4}, "inconclusive"),
    ],
)
def test_a_right_kernel_that_is_slow(name, settings, verdict):
    result = verify(load_sampler(name), settings, stages=FEW)
    assert not result.failed, [str(finding) for finding in result.findings if finding.failed]
    assert result.inconclusive == (verdict == "inconclusive")
    assert result.passed == (verdict == "passed")


def test_slow_kernels_are_told_from_those_that_do_not_forget(tmp_path):
    for name in ("walk_stuck", "hmc_momentum"):
        fault = FAULTS[name]
        result = verify(load_sampler(fault.sampler, samplers_folder=fault.write(tmp_path)), stages=(2048,))
        assert {finding.check for finding in result.findings if finding.failed} <= {exact.MOVES, exact.FORGETS}
        assert result.failed


# ---- what cannot be verified ----


def stays(target, generator, start, draws, settings):
    return np.tile(start, (draws, 1, 1))


def test_nothing_to_test_is_not_passed():
    sampler = Sampler(
        kind="exact", description="", source="", draw=stays, name="stays", requires=("a density of part of its data",)
    )
    result = verify(sampler)
    assert not result.verified
    assert not result.passed
    assert not result.failed


def test_unstable_settings_are_refused():
    with pytest.raises(
        ValueError, match=r"baoab with step_size = 5.*has no stationary distribution.*choose a smaller step"
    ):
        verify(load_sampler("baoab"), {"step_size": 5})


@pytest.mark.parametrize("name", ["ula", "obabo"])
def test_a_wrong_prediction_is_seen(name):
    """The bias is tested where it is large: a prediction of none fails, in the first stage."""
    sampler = load_sampler(name)
    own = sampler.stationary_variance
    wrong = replace(sampler, stationary_variance=lambda s, k: np.where(np.isfinite(own(s, k)), 1.0 / k, np.inf))
    assert verify(wrong, stages=(2048,)).failed


# ---- parts ----


def test_stein_has_mean_zero():
    """Five standard errors, one target; |Stein| is at most a few: false alarm 6e-7 each."""
    for target in verification_targets():
        x = target.draw_exact(np.random.default_rng(1), 200_000)
        stein = functionals(target, x)["Stein"]
        assert abs(stein.mean()) < 5.0 * stein.std() / np.sqrt(len(stein))
        doubled = 2.0 * x
        assert abs(functionals(target, doubled)["Stein"].mean()) > 5.0 * stein.std() / np.sqrt(len(stein))


@pytest.mark.parametrize("name", ["adjusted_mclmc", "mclmc", "hmc"])
def test_flows_keep_volume(name):
    sampler, target = load_sampler(name), load_target("banana")
    generator = np.random.default_rng(2)
    q, p = target.draw_exact(generator, 1), generator.standard_normal((1, 2))
    settings = {**sampler.with_defaults({}), "step_size": 0.05}
    assert volume_error(sampler.flow, target, settings, q, p) < 1e-5

    def without_kinetic_change(*arguments):
        end, momentum = sampler.flow(*arguments)
        return end, momentum / np.linalg.norm(momentum, axis=1, keepdims=True) * np.linalg.norm(arguments[3], axis=1)[
            :, None
        ]

    assert volume_error(without_kinetic_change, target, settings, q, p) > 1e-3


# ---- the command ----


def test_an_interruption_keeps_nothing_and_says_so(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["mcmc_bench.checks.kernel.verify"], "verify", interrupted)
    done = CliRunner().invoke(app, ["verify", "ula", "--quick"])
    assert done.exit_code == 130
    assert "interrupted: nothing is kept" in done.output


def test_the_command(tmp_path):
    run = CliRunner().invoke
    done = run(app, ["verify", "ula", "--quick"])
    assert done.exit_code == 0, done.output
    assert "ula: biased as predicted, as far as can be seen (2048 chains" in done.output
    file = FAULTS["ula_noise"].write(tmp_path)
    done = run(app, ["verify", str(file), "--quick"])
    assert done.exit_code == 1
    assert "ula: FAILED" in done.output
    done = run(app, ["verify", "ula", "--set", "step=1"])
    assert done.exit_code == 2
    assert "did you mean 'step_size'" in done.output
    done = run(app, ["verify", "baoab", "--set", "step_size=5"])
    assert done.exit_code == 2
    assert "no stationary distribution" in done.output
    done = run(app, ["verify", "ula", "--quick", "--set", "step_size=0.0001"])
    assert done.exit_code == 4
    assert "ula: inconclusive" in done.output
    (tmp_path / "stays.py").write_text(
        "from mcmc_bench.core.sampler import Sampler\n"
        "SAMPLER = Sampler(kind='exact', description='', source='', draw=lambda *a: None, "
        "requires=('a density of part of its data',))\n"
    )
    done = run(app, ["verify", str(tmp_path / "stays.py")])
    assert done.exit_code == 3
    assert "not verified" in done.output
