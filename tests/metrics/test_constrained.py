"""b² on the scale of the parameters as people write them, and what the truth's own error does to it."""

import dataclasses

import numpy as np
import pytest

import mcmc_bench
from mcmc_bench.catalog.files import load_target
from mcmc_bench.metrics import evaluate
from mcmc_bench.metrics.reference import Moments, Reference
from mcmc_bench.metrics.verdicts import RESOLUTION


def values_of(target, **settings):
    tree = mcmc_bench.sample(target, "oracle", draws=4000, chains=8, seed=1, **settings)
    return evaluate(tree, target).set_index("metric")


def test_exact_draws_are_at_the_floor():
    """b² of exact draws, averaged over 20 functions, over its floor: five times is far beyond 1e-6."""
    found = values_of(load_target("eight_schools_noncentred"))
    metric_value = found.loc["constrained_bias_squared_average"]
    assert metric_value["floor"] == pytest.approx(1 / 32_000)
    assert metric_value["value"] < 5 * metric_value["floor"]
    assert found.loc["constrained_bias_squared_max", "note"].startswith("worst: ")


def test_a_wrong_scale_is_seen_there_and_named():
    """log τ moved by 0.3: τ is a third too large, and the note says whose b² is worst."""
    target = load_target("eight_schools_noncentred")
    constrained = dataclasses.replace(
        target.constrained, of=lambda x: target.constrained.of(x + 0.3 * (np.arange(10) == 9))
    )
    metric_value = values_of(dataclasses.replace(target, constrained=constrained)).loc["constrained_bias_squared_max"]
    assert metric_value["value"] > 0.05
    assert "τ" in metric_value["note"]


def test_targets_without_such_parameters_have_no_such_metrics():
    assert "constrained_bias_squared_max" not in values_of(load_target("banana")).index


def test_a_coarse_truth_judges_nothing():
    """An expectation whose own error is a tenth of a standard deviation is no yardstick for 0.1."""
    truth = load_target("lotka_volterra").truth
    assert Moments.of(truth, 8).usable.all()
    coarse = dataclasses.replace(truth, mean_standard_error=0.1 * np.sqrt(truth.variance))
    usable = Moments.of(coarse, 8).usable
    assert not usable[:8].any()
    assert usable[8:].all()


def test_the_floor_holds_the_truths_own_error():
    target = load_target("lotka_volterra")
    tree = mcmc_bench.sample(target, "hmc", draws=100, chains=8, seed=2, step_size=0.02, num_integration_steps=5)
    metric_value = evaluate(tree, target).set_index("metric").loc["bias_squared_average"]
    assert metric_value["floor"] == pytest.approx(1 / 800 + Moments.of(target.truth, 8).truth_error.mean())


def test_efficiency_is_not_given_beyond_what_the_truth_resolves():
    """Chains of 20 000 independent draws, whose b² of 5e-5 is less than the 9e-4 of the truth's own error."""
    target = load_target("gaussian", dim=2)
    errors = {
        name: 0.03 * np.sqrt(scale)
        for name, scale in (
            ("mean_standard_error", target.truth.variance),
            ("second_moment_standard_error", target.truth.variance_of_square),
        )
    }
    tree = mcmc_bench.sample(target, "oracle", draws=20_000, chains=4, seed=1)
    found = evaluate(tree, dataclasses.replace(target, truth=dataclasses.replace(target.truth, **errors)))
    efficiency = found.set_index("metric").loc["efficiency"]
    assert efficiency["value"] is None or np.isnan(efficiency["value"])
    assert "truth's own standard error" in efficiency["note"]
    assert evaluate(tree, target).set_index("metric").loc["efficiency", "value"] > 0.5


def test_a_coarse_truth_gives_no_verdict():
    """Quantiles known to 0.2 of their mass: neither a fail nor a pass, however many draws there are."""
    target = load_target("gaussian", dim=2)
    tree = mcmc_bench.sample(target, "oracle", draws=2000, chains=16, seed=1)

    def resolution(one):
        found = evaluate(tree, one).set_index("metric")
        return found.loc["bias_resolution", "value"], found.loc["calibration_p_value", "value"]

    truth = dataclasses.replace(target.truth, quantiles=1.3 * target.truth.quantiles)
    fine, coarse = (
        resolution(dataclasses.replace(target, truth=dataclasses.replace(truth, quantile_share_standard_error=error)))
        for error in (None, np.full((2, 5), 0.2))
    )
    assert fine[0] < RESOLUTION
    assert fine[1] < 1e-6  # the quantiles are wrong, and it is seen
    assert coarse[0] > RESOLUTION
    assert coarse[1] > 0.05


def test_a_coarse_truth_gives_no_spread():
    """The true variance of a target of one mode is the truth's, if that is known well enough in every coordinate."""
    target = load_target("lotka_volterra")
    assert np.isfinite(Reference.of(target).scatter).all()
    error = 0.2 * np.sqrt(target.truth.variance) * (np.arange(8) == 3)
    coarse = dataclasses.replace(target, truth=dataclasses.replace(target.truth, mean_standard_error=error))
    assert np.isnan(Reference.of(coarse).scatter).all()
