"""Reference runs: right on known answers, and refused where two samplers agree on nothing or the density is at fault."""

import dataclasses
import textwrap

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from mcmc_bench.catalog.files import load_target
from mcmc_bench.checks.truth.agreement import Goals
from mcmc_bench.checks.truth.long_runs import ReferenceRunError, reference
from mcmc_bench.cli.app import app

#: Runs end by what they have reached: the time is for a machine that hangs.
HOUR = 3600.0
QUICK = Goals(error=0.02, r_hat=1.03, ess=1000.0, seconds=HOUR)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def correlated():
    target = load_target("gaussian", dim=6, condition=1e4)
    return target, *reference(dataclasses.replace(target, truth=None), goals=QUICK)


def test_a_known_truth_comes_out(correlated):
    """z of every number against the closed form, with the run's own errors over 64 chains: 5.5 is one in a million for
    each of Student's t with 63 degrees of freedom."""
    target, content, draws = correlated
    found = content["coordinates"]
    for name, truth in (("mean", target.truth.mean), ("second_moment", target.truth.second_moment)):
        assert (np.abs(found[name] - truth) < 5.5 * found[f"{name}_standard_error"]).all()
    assert (found["mean_standard_error"] < 0.022 * np.sqrt(target.truth.variance)).all()
    log_density = content["log_density"]
    assert abs(log_density["mean"] + 3.0) < 5.5 * log_density["mean_standard_error"]
    # Quantiles: the shares below them under the truth.
    shares = stats.norm.cdf(found["quantiles"] / np.sqrt(target.truth.second_moment)[:, None])
    assert (np.abs(shares - [0.05, 0.25, 0.5, 0.75, 0.95]) < 5.5 * found["quantile_share_standard_error"] + 1e-4).all()
    assert draws.shape[1] == 6


def test_errors_are_neither_too_small_nor_too_large(correlated):
    """The spread of z over the six means: chi-squared, from 1e-6 to 1 − 1e-6."""
    target, content, _ = correlated
    found = content["coordinates"]
    # In coordinates in which they are independent of each other: those of the target are highly correlated.
    z = (found["mean"] - target.truth.mean) / found["mean_standard_error"]
    covariance = np.linalg.inv(target.data.reshape(6, 6))
    scale = np.sqrt(np.diag(covariance))
    z = np.linalg.solve(np.linalg.cholesky(covariance / np.outer(scale, scale)), z)
    assert stats.chi2.ppf(1e-6, len(z)) < (z**2).sum() < stats.chi2.isf(1e-6, len(z))


@pytest.mark.parametrize("name", ["song_ermon", "neal_funnel"])
def test_what_the_samplers_cannot_do_is_refused(name):
    """Modes that no chain changes, started from all of them; a funnel. With every check and its number.

    The error asked for is reached at once, since no length would help: the runs are as short as they can be.
    """
    target = dataclasses.replace(load_target(name), truth=None)
    with pytest.raises(ReferenceRunError, match="FAILED: hmc: largest R-hat") as refused:
        reference(target, goals=dataclasses.replace(QUICK, error=100.0))
    assert "passed: " in str(refused.value)
    assert "this target needs a sampler that is not here yet" in str(refused.value)


WRONG = """
    import numpy as np
    from mcmc_bench.core.target import Target, point_density

    @point_density
    def log_density(x, gradient, data):
        for i in range(2):
            gradient[i] = -FACTOR * x[i]
        return -0.5 * (x[0] ** 2 + x[1] ** 2)

    def build() -> Target:
        return Target(
            dim=2, density=log_density, draw_dispersed=lambda generator, n: 2.0 * generator.standard_normal((n, 2)),
            one_point=np.ones(2),
        )
"""


def run(folder, factor, *arguments):
    (folder / "mine.py").write_text(textwrap.dedent(WRONG.replace("FACTOR", factor)))
    return CliRunner().invoke(app, ["reference", "mine", "--targets", str(folder), "--minutes", "60", *arguments])


def test_a_wrong_gradient_is_refused_though_both_samplers_agree(tmp_path):
    """HMC and MALA are exact with any gradient: it is Stein's identities that see it."""
    outcome = run(tmp_path, "1.2", "--error", "0.02")
    assert outcome.exit_code == 1
    assert "FAILED: hmc: Stein" in outcome.output
    assert not list(tmp_path.glob("*.reference.*"))


def test_the_command_writes_what_the_catalog_reads(tmp_path):
    outcome = run(tmp_path, "1.0", "--error", "0.02")
    assert outcome.exit_code == 0, outcome.output
    target = load_target("mine", targets_folder=tmp_path)
    assert target.truth.origin == "reference run"
    np.testing.assert_allclose(target.truth.second_moment, 1.0, atol=0.15)
    assert target.reference_draws.shape[1] == 2
    # What people wrote into the file stays when it is made again, and another density is noticed.
    file = tmp_path / "mine.reference.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"remarks": ""', '"remarks": "seen"'), encoding="utf-8")
    assert run(tmp_path, "1.0", "--error", "0.03").exit_code == 0
    assert '"remarks": "seen"' in file.read_text(encoding="utf-8")


def test_a_target_with_a_truth_of_its_own_is_left_alone():
    outcome = CliRunner().invoke(app, ["reference", "banana"])
    assert outcome.exit_code == 2
    assert "banana has a truth of its own (exact)" in outcome.output
    assert CliRunner().invoke(app, ["reference", "phi4", "--error", "2"]).exit_code == 2


@pytest.mark.slow
def test_other_samplers_can_be_asked_for(tmp_path):
    """NUTS and HMC agree on a Gaussian; the same sampler twice is no check."""
    target = load_target("gaussian", dim=2)
    content, _ = reference(target, samplers=("nuts", "hmc"), goals=Goals(error=0.02, ess=1000.0, seconds=HOUR))
    assert content["note"].startswith("NUTS, ")
    assert "agrees with HMC" in content["note"]
    assert not any(what.startswith("nuts: energy") for what in content["checks"])
    np.testing.assert_allclose(content["coordinates"]["mean"], 0.0, atol=0.1)
    with pytest.raises(ValueError, match="samplers = hmc, hmc must be two different ones of hmc, mala, nuts"):
        reference(target, samplers=("hmc", "hmc"))
