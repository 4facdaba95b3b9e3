"""b², real ESS, evaluations to low error and the test for bias, on draws with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcmc_bench import metrics
from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.draws import Cost, Draws
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import QUANTILE_LEVELS, Target
from mcmc_bench.metrics import Reference
from mcmc_bench.metrics.groups.bias import bias_p_values
from mcmc_bench.metrics.measured import Measured

from .conftest import autoregressive, evaluate, independent, make_draws, two_modes

CHAINS, DRAWS = 64, 1000


def gaussian_replicates(a: float, name: str, scale: float = 1.0, thin: int = 1) -> tuple[Target, list[Draws]]:
    target = load_target("gaussian", dim=2)
    return target, [
        make_draws(target, scale * autoregressive(a, name, r, chains=CHAINS, draws=DRAWS), thin) for r in range(4)
    ]


@pytest.mark.parametrize(("dim", "expected"), [(1, 45), (10, 336), (100, 730)])
def test_independent_draws_to_low_error_for_x_alone(dim: int, expected: float) -> None:
    """The median of the largest of dim χ²₁ over 0.01; 2000 samples give it to 4 % (1 sd), asserted to 12 %."""
    from scipy import stats

    assert stats.chi2.ppf(0.5 ** (1 / dim), 1) * 100 == pytest.approx(expected, rel=0.015)
    reference = Reference.of(load_target("gaussian", dim=dim))
    both = stats.chi2.ppf(0.5 ** (1 / (2 * dim)), 1) * 100  # x and x² of a Gaussian are uncorrelated
    assert reference.draws_to_low_error == pytest.approx(both, rel=0.12)


def test_independent_draws_are_worth_themselves() -> None:
    """256 chains: real ESS has a relative sd of √(2 / (256 · 4)) = 4 %; asserted within 5 sd (1e−6)."""
    target, replicates = gaussian_replicates(0.0, "worth")
    found = evaluate(target, replicates, "accuracy")
    assert found["efficiency"].value == pytest.approx(1.0, rel=0.22)
    assert found["real_ess"].value == pytest.approx(DRAWS, rel=0.22)
    assert found["gradients_to_low_error_ratio"].value == pytest.approx(1.0, rel=0.4)
    assert not found["gradients_to_low_error_ratio"].censored
    ratio = found["bias_squared_average"].value / found["bias_squared_average"].floor
    assert 0.1 < ratio < 4  # a mean of 16 χ²₁: 1e−5 on either side


def test_efficiency_is_a_share_of_what_was_spent_and_not_of_what_was_allowed() -> None:
    """Exact arithmetic: draws that used two evaluations each, in a budget of four for each, are worth half."""
    target, replicates = gaussian_replicates(0.0, "worth")
    dear = [replace(draws, cost=Cost(sampling_evaluations=2.0 * draws.transitions)) for draws in replicates]
    found = evaluate(target, dear, "accuracy", budget=4 * DRAWS)
    assert found["real_ess"].floor == 2.0 * DRAWS
    assert found["efficiency"].value == pytest.approx(found["real_ess"].value / (2.0 * DRAWS))


def test_a_transition_costs_what_was_counted_where_no_chain_left() -> None:
    """Exact arithmetic: a replicate of which a chain became non-finite, with ten times the transitions, has no say."""
    target, (good, *_) = gaussian_replicates(0.0, "worth")
    good = replace(good, cost=Cost(sampling_evaluations=10.0 * good.transitions))
    left = replace(good, transitions=10 * good.transitions, stopped_at=np.zeros_like(good.stopped_at))
    measured = Measured([good, left], target, Reference.of(target), budget=99, warmup_share=0.0)
    assert measured.ideal == 10.0 * good.transitions
    assert measured.evaluations_per_transition == 10.0
    not_counted = Measured([left, left], target, Reference.of(target), budget=99, warmup_share=0.5)
    assert not_counted.ideal == 49.5


def test_autoregression_is_worth_its_known_share() -> None:
    """Real ESS of x is N (1 − a)/(1 + a), of x² N (1 − a²)/(1 + a²); 5 sd of 5 % for the mean over both."""
    a = 0.9
    target, replicates = gaussian_replicates(a, "share")
    found = evaluate(target, replicates, "accuracy")
    inverse = 0.5 * ((1 + a) / (1 - a) + (1 + a**2) / (1 - a**2))
    assert found["real_ess"].value == pytest.approx(DRAWS / inverse, rel=0.3)
    assert found["real_ess_worst"].value == pytest.approx(DRAWS * (1 - a) / (1 + a), rel=0.4)
    with pytest.raises(AssertionError):  # power: the wrong formula is told from the right one
        assert found["real_ess"].value == pytest.approx(DRAWS * (1 - a), rel=0.3)


def test_a_bias_is_no_rate() -> None:
    """Variance doubled, as by ULA at ε = 1/λ: b² of x² is (2 − 1)²/2, so that real ESS stays at 4 whatever N."""
    target, replicates = gaussian_replicates(0.0, "doubled", scale=np.sqrt(2.0))
    found = evaluate(target, replicates, "accuracy")
    assert found["bias_squared_max"].value == pytest.approx(0.5, rel=0.1)
    assert found["bias_squared_average"].value == pytest.approx(0.25, rel=0.1)
    assert found["real_ess"].value == pytest.approx(4.0, rel=0.1)
    assert found["gradients_to_low_error"].censored
    assert found["gradients_to_low_error"].value == DRAWS
    assert found["calibration_p_value"].value < 1e-6


def test_variance_inflated_by_a_fifth() -> None:
    target, replicates = gaussian_replicates(0.0, "inflated", scale=np.sqrt(1.2))
    found = evaluate(target, replicates, "accuracy")
    assert found["bias_squared_max"].value == pytest.approx(0.2**2 / 2, rel=0.2)
    assert found["calibration_p_value"].value < 1e-6


def test_squares_alone_are_blind_to_a_symmetric_collapse() -> None:
    """All chains in one mode of ½N(±10, 1): b²(x) = 100/101 = 0.99, b²(x²) below 1e−3."""
    target = two_modes(0.5, 10.0, 1)
    draws = make_draws(target, np.abs(independent(target, "symmetric", chains=4, draws=1000)))
    moments = Reference.of(target).moments
    from mcmc_bench.metrics.estimates import bias_squared, chain_estimates

    x, square = bias_squared(chain_estimates(draws).mean(axis=0), moments)
    assert x == pytest.approx(0.99, abs=0.01)
    assert square < 1e-3
    found = evaluate(target, [draws], "accuracy", "convergence")
    assert found["r_hat_max"].value < 1.01
    assert found["bias_squared_max"].value == pytest.approx(0.99, abs=0.01)


def test_errors_of_coordinates_do_not_cancel() -> None:
    """Two coordinates off by +½ and −½ sd: their mean is right, b² is ¼."""
    target = load_target("gaussian", dim=2)
    shift = np.array([0.5, -0.5])
    draws = [make_draws(target, independent(target, "cancel", r) + shift) for r in range(4)]
    assert evaluate(target, draws, "accuracy")["bias_squared_max"].value > 0.2


def test_thinning_does_not_hide_or_invent_errors() -> None:
    """Independent draws, one kept in ten: without the correction they would seem to need ten times as many."""
    target, replicates = gaussian_replicates(0.0, "thinned", thin=10)
    ratio = evaluate(target, replicates, "accuracy")["gradients_to_low_error_ratio"].value
    assert 0.5 < ratio < 2.0
    target, replicates = gaussian_replicates(0.95, "slow", thin=10)
    _, whole = gaussian_replicates(0.95, "slow")
    thinned, full = (evaluate(target, some, "accuracy")["gradients_to_low_error"] for some in (replicates, whole))
    assert thinned.value == pytest.approx(full.value, rel=0.3)
    assert thinned.censored == full.censored


def test_infinite_moments_are_not_given_and_quantiles_are() -> None:
    target = load_target("student_t", dim=2, degrees_of_freedom=1.0)
    draws = [make_draws(target, independent(target, "cauchy", r)) for r in range(4)]
    found = evaluate(target, draws)
    for metric in ("bias_squared_average", "bias_squared_max", "real_ess", "efficiency", "gradients_to_low_error"):
        assert found[metric].value is None
        assert "infinite" in found[metric].note
    assert found["within_mode_variance_ratio"].value is None
    assert found["sliced_wasserstein_2"].value is None
    assert found["calibration_p_value"].value > 1e-4  # fails right code once in 10⁴
    wide = [make_draws(target, 1.3 * draws_.position) for draws_ in draws]
    assert evaluate(target, wide, "accuracy")["calibration_p_value"].value < 1e-6
    assert np.isfinite(metrics.selection_score(draws, target))


def _p_value_of_stuck_chains(level: float, generator: np.random.Generator) -> float:
    """The least p-value for chains that never cross a quantile, each on the right side with the right probability."""
    shares = (generator.random((64, 1, 1)) < level).astype(float)
    return float(bias_p_values(shares, np.array([level]), np.zeros((1, 1))).min())


def test_the_bias_test_keeps_its_level_for_stuck_chains() -> None:
    """An exact kernel that never crosses the 5 % quantile, started right, is not called biased.

    400 sets of 64 chains, each rejected at 1 % with probability below 1 %: more than 15 with probability below 1e−5.
    Student's t alone rejects the 4 % of sets in which no chain is below, and is the mutant.
    """
    generator = stream("metrics tests", "stuck")
    p = np.array([_p_value_of_stuck_chains(0.05, generator) for _ in range(400)])
    assert (p < 0.01).sum() <= 15
    none_below = np.zeros((64, 1, 1))
    assert bias_p_values(none_below, np.array([0.05]), np.zeros((1, 1))).min() > 0.01
    assert none_below.std() == 0  # Student's t would divide by this


def test_the_bias_test_is_uniform_for_independent_draws() -> None:
    """Of 200 sets, at most 10 with a corrected p-value below 1 % (probability 2e−5) and many that are not below ½."""
    target = load_target("gaussian", dim=2)
    levels = np.array(QUANTILE_LEVELS)
    generator = stream("metrics tests", "uniform p")
    quantiles = target.truth.quantiles
    p = []
    for _ in range(200):
        x = generator.standard_normal((32, 60, 2))
        shares = (x[:, :, :, None] <= quantiles).mean(axis=1)
        p.append(bias_p_values(shares, levels, np.zeros_like(quantiles)).min() * quantiles.size)
    assert (np.array(p) < 0.01).sum() <= 10
    assert (np.array(p) > 0.5).sum() >= 50


def test_selection_score_prefers_the_better_and_never_one_that_left() -> None:
    target, good = gaussian_replicates(0.5, "score")
    _, slow = gaussian_replicates(0.95, "score")
    _, biased = gaussian_replicates(0.5, "score", scale=np.sqrt(2.0))
    collapsed = [make_draws(target, 1e-9 * draws.position) for draws in good]
    scores = [metrics.selection_score(some, target) for some in (good, slow, biased, collapsed)]
    assert scores[0] > max(scores[1:])
    left = good[0].position.copy()
    left[3, 500:] = np.nan
    assert metrics.selection_score([make_draws(target, left), *good[1:]], target) == -np.inf


def test_without_a_truth_the_score_still_prefers_what_mixes() -> None:
    import dataclasses

    target, good = gaussian_replicates(0.5, "score")
    _, slow = gaussian_replicates(0.95, "score")
    unknown = dataclasses.replace(target, truth=None, draw_exact=None)
    assert metrics.selection_score(good, unknown) > metrics.selection_score(slow, unknown)
