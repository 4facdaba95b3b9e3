"""ArviZ's diagnostics, the guard before them, z and silent failures."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats

from mcmc_bench.catalog.files import load_target
from mcmc_bench.metrics import Reference
from mcmc_bench.metrics.groups import convergence

from .conftest import autoregressive, evaluate, independent, make_draws, two_modes


def test_ranking_once_gives_what_arviz_gives() -> None:
    target = load_target("gaussian", dim=2)
    draws = make_draws(target, autoregressive(0.7, "as ArviZ", chains=8, draws=250))
    found = convergence.diagnose(draws, np.zeros((8, 250), dtype=np.int64), Reference.of(target))
    quantities = [*np.moveaxis(draws.position, 2, 0), draws.log_density]
    assert found.r_hat == pytest.approx(max(float(array_stats.rhat(q)) for q in quantities), rel=1e-9)
    assert found.ess_bulk == pytest.approx(min(float(array_stats.ess(q)) for q in quantities), rel=1e-9)
    tail = min(float(array_stats.ess(q, method="tail", prob=0.05)) for q in quantities)
    assert found.ess_tail == pytest.approx(tail, rel=1e-9)
    assert found.ess_log_density == pytest.approx(float(array_stats.ess(draws.log_density)), rel=1e-9)


def test_rank_normalising_an_indicator_changes_nothing() -> None:
    """Which is why mode indicators are not ranked."""
    mode = (autoregressive(0.7, "indicator", dim=1, chains=8, draws=250)[:, :, 0] > 0.5).astype(np.int64)
    bulk, r_hat = convergence._of_modes(mode, 2)
    assert bulk[1] == pytest.approx(float(array_stats.ess((mode == 1).astype(float))), rel=1e-9)
    assert r_hat[1] == pytest.approx(float(array_stats.rhat((mode == 1).astype(float), method="z_scale")), rel=1e-9)


def test_autoregression_has_its_known_effective_size() -> None:
    """N (1 − a)/(1 + a) = 105 of 2000; the least of three quantities, so within a third on either side."""
    a = 0.9
    target = load_target("gaussian", dim=2)
    draws = [make_draws(target, autoregressive(a, "known", r, chains=8, draws=250)) for r in range(4)]
    metric_value = evaluate(target, draws, "convergence")["ess_bulk_min"]
    assert metric_value.value == pytest.approx(2000 * (1 - a) / (1 + a), rel=0.35)


def test_collapsed_chains_have_no_effective_draws() -> None:
    """ArviZ's own answer for constants is ESS = N, a perfect score: the reason for the guard."""
    constant = np.full((4, 250), 3.0)
    assert float(array_stats.ess(constant)) == constant.size
    target = load_target("gaussian", dim=2)
    # Ascent at ελ = 0.02 after 250 steps: what is left of the way, 2.5e−6 of the true variance.
    position = np.sqrt(2.5e-6) * autoregressive(0.5, "ascent", chains=8, draws=250)
    draws = [make_draws(target, position), make_draws(target, np.ones((8, 250, 2)))]
    values = evaluate(target, draws, "convergence")
    for metric in ("ess_bulk_min", "ess_tail_min", "ess_log_density"):
        assert values[metric].value == 0.0
        assert "collapsed" in values[metric].note
    assert values["r_hat_max"].value is None
    # Without the guard the first would pass for converged.
    assert float(array_stats.ess(position[:, :, 0])) > 400
    assert float(array_stats.rhat(position[:, :, 0])) < 1.02


def test_one_collapsed_coordinate_is_enough() -> None:
    """The other coordinate moves, so that the sum over coordinates is half of the true one."""
    target = load_target("gaussian", dim=2)
    position = independent(target, "one coordinate") * np.array([1.0, 0.0])
    values = evaluate(target, [make_draws(target, position)] * 2, "convergence")
    assert values["within_chain_variance"].value == pytest.approx(0.5, abs=0.05)
    assert values["ess_bulk_min"].value == 0.0


def test_independent_draws_with_twice_the_variance_are_a_silent_failure() -> None:
    """ULA at ε = 1/λ: perfect diagnostics, wrong answer."""
    target = load_target("gaussian", dim=2)
    right = [make_draws(target, independent(target, "silent", r)) for r in range(4)]
    wrong = [make_draws(target, np.sqrt(2.0) * draws.position) for draws in right]
    values = evaluate(target, wrong, "convergence")
    assert values["ess_bulk_min"].value > 1000
    assert values["r_hat_max"].value < 1.01
    assert values["silent_failure"].value == 1.0
    values = evaluate(target, right, "convergence")
    assert values["silent_failure"].value == 0.0  # false failure of right code: 4 × 5 % / 1000 = 2e−4
    assert values["calibration"].value > 0.8


def test_slow_chains_are_no_silent_failure_for_they_warn() -> None:
    target = load_target("gaussian", dim=2)
    slow = [make_draws(target, autoregressive(0.995, "warn", r, chains=8, draws=250)) for r in range(4)]
    values = evaluate(target, slow, "convergence")
    assert values["r_hat_max"].value > 1.01
    assert values["silent_failure"].value == 0.0


def test_slow_modes_show_in_their_indicators() -> None:
    """Chains that each stay in their own mode: R-hat of an indicator is infinite, and reported as a bound."""
    target = two_modes(0.8, 5.0, 2)
    x = independent(target, "own mode", chains=8)
    stuck = np.where(np.arange(8) % 4 > 0, 1.0, -1.0)[:, None, None] * np.abs(x)
    metric_value = evaluate(target, [make_draws(target, stuck)] * 2, "convergence")["r_hat_max"]
    assert metric_value.censored
    assert metric_value.value > 2
    assert "no chain changes mode" in metric_value.note


def test_one_chain_has_no_r_hat() -> None:
    target = load_target("gaussian", dim=2)
    values = evaluate(target, [make_draws(target, independent(target, "one", chains=1))], "convergence")
    assert values["r_hat_max"].value is None
    assert "one chain" in values["r_hat_max"].note
    assert values["ess_bulk_min"].value > 100
