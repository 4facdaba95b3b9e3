"""Distances, their floors, and the gap of log p."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.target import Target
from mcmc_bench.metrics import Reference
from mcmc_bench.metrics.distances import (
    energy_distance,
    kernel_stein_discrepancy,
    maximum_mean_discrepancy,
    pair_distances,
    projections,
    sliced_wasserstein,
)

from .conftest import evaluate, independent, make_draws, two_modes

DISTANCES = ("sliced_wasserstein_1", "sliced_wasserstein_2", "energy_distance", "maximum_mean_discrepancy")


def _gaussian_points(name: str, n: int = 500, dim: int = 3) -> np.ndarray:
    target = load_target("gaussian", dim=dim)
    return independent(target, name, chains=1, draws=n)[0]


def test_one_projection_is_wasserstein_in_one_dimension() -> None:
    x, y = _gaussian_points("w x", dim=1), 1.5 * _gaussian_points("w y", dim=1)
    assert sliced_wasserstein(x, y, np.ones((1, 1)), 1) == pytest.approx(wasserstein_distance(x[:, 0], y[:, 0]))


def test_a_shift_has_its_known_distance() -> None:
    """Shifted by v: W1 = W2 = |v·θ| along θ, so that SW2² = mean (v·θ)²."""
    x, v, directions = _gaussian_points("shift"), np.array([1.0, 2.0, 0.0]), projections(3)
    along = v @ directions
    assert sliced_wasserstein(x, x + v, directions, 1) == pytest.approx(np.abs(along).mean())
    assert sliced_wasserstein(x, x + v, directions, 2) == pytest.approx(np.sqrt((along**2).mean()))


def test_the_floor_is_what_independent_draws_score(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    """Over 8 replicates the mean lies within a factor 3 of the floor, itself a mean of 6; junk is far above."""
    found, junk = evaluate(toy, spoiled["independent"], "distance"), evaluate(toy, spoiled["junk"], "distance")
    for metric in DISTANCES:
        assert found[metric].floor / 3 < found[metric].value < 3 * found[metric].floor
        assert junk[metric].value > 4 * found[metric].floor


def _with_the_diagonal(x: np.ndarray, y: np.ndarray, bandwidth: float) -> float:
    """The mutant: the pairs of a point with itself are summed, the sum is divided by n(n − 1)."""
    n = len(x)
    kernels = [np.exp(cdist(a, b) ** 2 / (-2 * bandwidth**2)) for a, b in ((x, x), (y, y), (x, y))]
    squared = kernels[0].sum() / (n * (n - 1)) + kernels[1].sum() / (n * (n - 1)) - 2 * kernels[2].mean()
    return float(np.sqrt(squared))


def test_the_diagonal_would_leave_a_floor() -> None:
    x, y = _gaussian_points("mmd x"), _gaussian_points("mmd y")
    n, right = len(x), maximum_mean_discrepancy(*pair_distances(x, y), bandwidth=2.0)
    floor = np.sqrt(2 / (n - 1))
    assert _with_the_diagonal(x, y, 2.0) == pytest.approx(floor, rel=0.3)
    assert right < 0.6 * floor


def test_means_over_different_points_only() -> None:
    """Three points by hand."""
    x, y = np.array([[0.0], [1.0], [3.0]]), np.array([[10.0], [10.0], [13.0]])
    within_x, within_y, between = (1 + 3 + 2) / 3, (0 + 3 + 3) / 3, (10 + 10 + 13 + 9 + 9 + 12 + 7 + 7 + 10) / 9
    assert energy_distance(*pair_distances(x, y)) == pytest.approx(np.sqrt(2 * between - within_x - within_y))


@pytest.mark.parametrize(("x", "y"), [(1, 5), (5, 1), (1, 1)])
def test_sets_of_one_have_no_distance_and_not_the_best_one(x: int, y: int) -> None:
    distances = pair_distances(_gaussian_points("one x", x), _gaussian_points("one y", y))
    assert np.isnan(energy_distance(*distances))
    assert np.isnan(maximum_mean_discrepancy(*distances, bandwidth=1.0))


def test_not_a_number_stays_one() -> None:
    lost = np.full((3, 2), np.nan)
    distances = pair_distances(lost, _gaussian_points("lost", 3, 2))
    assert np.isnan(energy_distance(*distances))
    assert np.isnan(maximum_mean_discrepancy(*distances, bandwidth=1.0))


def test_one_draw_makes_no_pairs(toy: Target) -> None:
    found = evaluate(toy, [make_draws(toy, independent(toy, "one draw", chains=1, draws=1))] * 2, "distance")
    for metric in ("energy_distance", "maximum_mean_discrepancy"):
        assert found[metric].value is None
        assert found[metric].note == "one draw, which makes no pair"
    target = load_target("gaussian", dim=3)
    assert np.isnan(kernel_stein_discrepancy(np.zeros((1, 3)), target, np.ones(3)))


def test_peaks_lie_above_the_typical_set() -> None:
    """Draws on the peak of N(0, I) in ten dimensions: the gap is d/2 = 5 nats, √(d/2) = 2.2 sd."""
    target = load_target("gaussian", dim=10)
    peak = [make_draws(target, 1e-3 * independent(target, "peak", r)) for r in range(2)]
    found = evaluate(target, peak, "distance")
    assert found["log_density_gap"].value == pytest.approx(5.0, rel=1e-3)
    assert found["log_density_gap_sd"].value == pytest.approx(np.sqrt(5.0), rel=0.08)
    wide = [make_draws(target, np.sqrt(1.2) * independent(target, "wide", r)) for r in range(2)]
    assert evaluate(target, wide, "distance")["log_density_gap"].value == pytest.approx(-1.0, rel=0.1)


def test_stein_discrepancy_sees_spread_and_is_blind_to_weights() -> None:
    target = two_modes(0.8, 5.0, 2)
    x = independent(target, "stein", chains=1, draws=500)[0]
    centre = np.sign(x) * 5.0
    scale = np.ones(2)
    right = kernel_stein_discrepancy(x, target, scale)
    inflated = kernel_stein_discrepancy(centre + 1.5 * (x - centre), target, scale)
    missed = kernel_stein_discrepancy(np.abs(x), target, scale)
    assert inflated > 4 * max(right, 0.03)
    assert missed < 2 * max(right, 0.03)


def test_stein_discrepancy_is_given_where_there_is_no_exact_sampler(toy: Target) -> None:
    stored = independent(toy, "stored", chains=1, draws=4000)[0]
    target = dataclasses.replace(toy, draw_exact=None, reference_draws=stored, name="without exact sampler")
    found = evaluate(target, [make_draws(toy, independent(toy, "stored", r)) for r in range(2)])
    assert found["kernel_stein_discrepancy"].value < 5 * found["kernel_stein_discrepancy"].floor
    assert found["sliced_wasserstein_1"].value < 3 * found["sliced_wasserstein_1"].floor
    assert "kernel_stein_discrepancy" not in evaluate(toy, [make_draws(toy, independent(toy, "x"))], "distance")


def test_histogram_of_log_density(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    from mcmc_bench import metrics

    _, curves = metrics.evaluate_cell(
        spoiled["independent"], toy, Reference.of(toy), budget=400, warmup_share=0.0, groups=["distance"]
    )
    histogram = {name: np.array(values) for name, values in curves["log_density_histogram"].items()}
    width = np.diff(histogram["edges"])
    assert (histogram["cell"] * width).sum() == pytest.approx(1.0, abs=0.02)
    assert (histogram["oracle"] * width).sum() == pytest.approx(1.0, abs=0.02)
    assert np.abs(histogram["cell"] - histogram["oracle"]).max() * width[0] < 0.06
