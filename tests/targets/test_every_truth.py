"""Every truth: against the exact sampler, against quadrature of the density itself, and modes against both.

False failures: `check_mean` fails a right target with probability 1e-6 per quantity, for sums of 20 000 terms whose
skewness is small; heavy-tailed moments, whose sums are not Gaussian, are checked by quantiles and by the density alone.
"""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from statistical import WrongMean, check_mean

from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import QUANTILE_LEVELS

DRAWS = 20_000


def light(target):
    """The coordinates whose square has a variance of the order of a Gaussian's."""
    truth = target.truth
    return np.isfinite(truth.variance_of_square) & (truth.variance_of_square < 4.0 * truth.second_moment**2)


def check_draws(target, draws):
    """Quantiles, moments and E log p of `draws` (n, dim) are the truth's."""
    truth = target.truth
    below = draws[:, :, None] <= truth.quantiles  # (n, dim, level)
    check_mean(below, np.broadcast_to(QUANTILE_LEVELS, below.shape[1:]), "share below the quantiles")
    log_density = target.log_density_and_gradient(draws)[0]
    if truth.log_density_quantiles is not None:
        inside = log_density[:, None] <= truth.log_density_quantiles
        check_mean(inside, np.array(QUANTILE_LEVELS), "share below the quantiles of log p")
    finite, moderate = np.isfinite(truth.second_moment), light(target)
    if finite.any():
        check_mean(draws[:, finite], truth.mean[finite], "E x")
    if moderate.any():
        check_mean(draws[:, moderate] ** 2, truth.second_moment[moderate], "E x²")
        deviation = (draws[:, moderate] ** 2 - truth.second_moment[moderate]) ** 2
        check_mean(deviation, truth.variance_of_square[moderate], "Var x²")
    check_mean(log_density, truth.mean_log_density, "E log p")


def exact_draws(target, n=DRAWS):
    return target.draw_exact(stream("truth", target.label), min(n, 4_000_000 // target.dim))


def test_exact_sampler_and_truth_agree(exact_target):
    draws = exact_draws(exact_target)
    assert draws.shape[1] == exact_target.dim
    check_draws(exact_target, draws)


def test_a_wrong_sampler_is_caught(exact_target):
    """Power: draws a tenth too wide fail, and draws of which half are shifted by half the distance of the quartiles."""
    draws = exact_draws(exact_target)
    with pytest.raises(WrongMean):
        check_draws(exact_target, 1.1 * draws)
    low, high = exact_target.truth.quantiles[-1, [1, 3]]
    shifted = draws.copy()
    shifted[::2, -1] += 0.5 * (high - low)
    with pytest.raises(WrongMean):
        check_draws(exact_target, shifted)


@pytest.mark.parametrize("name", ["mean", "second_moment", "variance_of_square", "mean_log_density", "quantiles"])
def test_a_wrong_truth_is_caught(name):
    """Power: each number of a truth wrong by a tenth of its scale, on the ring of eight."""
    target = load_target("ring_of_8")
    value = getattr(target.truth, name)
    wrong = {"mean": lambda: value + 1.0, "quantiles": lambda: value + 0.5}.get(name, lambda: 1.1 * value)()
    mutant = dataclasses.replace(target, truth=dataclasses.replace(target.truth, **{name: wrong}))
    with pytest.raises(WrongMean):
        check_draws(mutant, exact_draws(target))


@pytest.mark.parametrize("name", ["gaussian", "banana"])
def test_wrong_quantiles_of_log_density_are_caught(name):
    """Power: those of one dimension less or more."""
    target = load_target(name)
    wrong = -0.5 * stats.chi2.isf(QUANTILE_LEVELS, target.dim + 1)
    mutant = dataclasses.replace(target, truth=dataclasses.replace(target.truth, log_density_quantiles=wrong))
    check_draws(target, exact_draws(target))
    with pytest.raises(WrongMean, match="quantiles of log p"):
        check_draws(mutant, exact_draws(target))


def test_exact_sampler_keeps_to_its_stream(exact_target):
    """The same generator gives the same draws, and any number of them."""
    first = exact_target.draw_exact(stream("same"), 50)
    np.testing.assert_array_equal(first, exact_target.draw_exact(stream("same"), 50))
    assert not np.array_equal(first, exact_target.draw_exact(stream("other"), 50))
    assert exact_target.draw_exact(stream("none"), 0).shape == (0, exact_target.dim)


def moments_of_the_density(target, points=2001):
    """E x, E x², Var x² and E log p of a planar target, from its density alone: the trapezoidal rule on a grid three
    times as wide as 100 000 exact draws.
    """
    draws = target.draw_exact(stream("box"), 100_000)
    low, high = draws.min(axis=0), draws.max(axis=0)
    axes = [np.linspace(a - (b - a), b + (b - a), points) for a, b in zip(low, high, strict=True)]
    log_density = np.empty((points, points))
    for row, first in enumerate(axes[0]):
        log_density[row] = target.log_density_and_gradient(np.column_stack([np.full(points, first), axes[1]]))[0]
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    marginals = [weight.sum(axis=1), weight.sum(axis=0)]
    powers = np.array([[p @ axis**k for p, axis in zip(marginals, axes, strict=True)] for k in (1, 2, 4)])
    return powers[0], powers[1], powers[2] - powers[1] ** 2, float((weight * log_density).sum())


def test_truth_is_the_integral_of_the_density(planar_target):
    """No sampler and no closed form in between: only the density that chains see."""
    mean, second, variance_of_square, mean_log_density = moments_of_the_density(planar_target)
    truth, scale = planar_target.truth, np.sqrt(planar_target.truth.second_moment)
    np.testing.assert_allclose(mean, truth.mean, atol=1e-6 * scale.max())
    np.testing.assert_allclose(second, truth.second_moment, rtol=1e-5)
    np.testing.assert_allclose(variance_of_square, truth.variance_of_square, rtol=1e-5)  # the box cuts off 5e-6 of it
    np.testing.assert_allclose(mean_log_density, truth.mean_log_density, atol=1e-5)


def test_quantiles_are_in_order(target_with_truth):
    quantiles = target_with_truth.truth.quantiles
    assert quantiles.shape == (target_with_truth.dim, len(QUANTILE_LEVELS))
    assert (np.diff(quantiles, axis=1) > 0).all()


def test_constrained_truth_and_draws_agree(target_with_constrained_truth):
    """Exact draws, or stored ones, in the parameters as people write them.

    Stored draws are thinned ones of the run itself: then twice the bound, and the truth's own error beside it.
    """
    target = target_with_constrained_truth
    constrained, stored = target.constrained, target.draw_exact is None
    draws = constrained.of(target.reference_draws if stored else exact_draws(target))
    assert draws.shape[1] == len(constrained.names)
    below = draws[:, :, None] <= constrained.truth.quantiles
    levels = np.broadcast_to(QUANTILE_LEVELS, below.shape[1:])

    def check(shares):
        if stored:
            error = np.hypot(shares.std(axis=0) / np.sqrt(len(shares)), constrained.truth.quantile_share_standard_error)
            assert (np.abs(shares.mean(axis=0) - levels) < 10 * error).all()
        else:
            check_mean(shares, levels, "share below the quantiles")

    check(below.astype(float))
    # Power: the quantiles of each parameter moved by half the distance of its quartiles.
    shift = 0.5 * (constrained.truth.quantiles[:, 3] - constrained.truth.quantiles[:, 1])
    with pytest.raises(AssertionError):
        check((draws[:, :, None] <= constrained.truth.quantiles + shift[:, None, None][:, 0]).astype(float))
    moderate = constrained.truth.variance_of_square < 4.0 * constrained.truth.second_moment**2
    if not stored and moderate.any():
        check_mean(draws[:, moderate], constrained.truth.mean[moderate], "E x")
        check_mean(draws[:, moderate] ** 2, constrained.truth.second_moment[moderate], "E x²")


def test_modes_hold_their_share_of_exact_draws(target_with_modes):
    """Two-sided binomial test of each mode, Bonferroni, one in a million in all.

    Power: a weight off by a tenth, the others in proportion, fails.
    """
    modes = target_with_modes.modes
    assert modes.weights.sum() == pytest.approx(1.0, abs=1e-12)
    number = modes.assign(exact_draws(target_with_modes, 200_000))
    assert (number == -1).mean() < 5e-4
    counts = np.bincount(number[number >= 0], minlength=len(modes.weights))

    def smallest_p(weights):
        tests = [stats.binomtest(int(k), int(counts.sum()), w) for k, w in zip(counts, weights, strict=True)]
        return min(test.pvalue for test in tests) * len(weights)

    assert smallest_p(modes.weights) > 1e-6
    if len(modes.weights) > 1:
        wrong = modes.weights.copy()
        wrong[wrong.argmax()] *= 0.9
        assert smallest_p(wrong / wrong.sum()) < 1e-6


def test_points_of_no_mode(target_with_modes):
    modes = target_with_modes.modes
    assert modes.assign(np.full((1, target_with_modes.dim), np.nan)) == -1
    if len(modes.weights) > 1:
        assert modes.assign(np.full((1, target_with_modes.dim), 1e6)) == -1


def test_mode_locations_are_zeros_of_the_gradient(target_with_modes):
    """Within a hundredth of the mode's width, one Newton step, or to the last digits where no width is declared.

    A target whose components overlap says so with `at_peaks=False`: its locations need not be peaks, and one of a wide
    component in high dimension may belong to another mode.
    """
    modes = target_with_modes.modes
    own = modes.assign(modes.locations) == np.arange(len(modes.weights))
    assert own.all() or not modes.at_peaks, "a location belongs to another mode: correct it, or declare at_peaks=False"
    gradient = target_with_modes.log_density_and_gradient(modes.locations)[1]
    if modes.precision is not None:
        width = modes.precision.min(axis=1) ** -0.5
        assert (np.abs(gradient[own]).max(axis=1) * width[own] < 0.01).all()
    elif modes.at_peaks:
        assert np.abs(gradient).max() < 1e-9, (
            "no zeros of the gradient: correct the locations, or declare at_peaks=False"
        )
    else:
        assert np.abs(gradient).max() > 1e-9, "the locations are peaks: remove at_peaks=False"
    # Power: the same locations moved by a tenth of the distance between quartiles are no zeros.
    moved = target_with_modes.log_density_and_gradient(
        modes.locations + 0.1 * np.ptp(target_with_modes.truth.quantiles, axis=1)
    )[1]
    assert np.abs(moved).max() > 0.01


def test_precision_is_the_curvature_at_the_mode(target_with_gaussian_modes):
    """The stored eigenvalues are those of minus the Hessian, by differences of the gradient."""
    modes = target_with_gaussian_modes.modes
    own = modes.assign(modes.locations) == np.arange(len(modes.weights))
    for location, precision in zip(modes.locations[own], modes.precision[own], strict=True):
        step = 1e-4 * precision.max() ** -0.5
        shifts = step * np.eye(target_with_gaussian_modes.dim)
        forward, backward = (
            target_with_gaussian_modes.log_density_and_gradient(location + sign * shifts)[1] for sign in (1, -1)
        )
        hessian = -(forward - backward) / (2.0 * step)
        found = np.linalg.eigvalsh(0.5 * (hessian + hessian.T))
        np.testing.assert_allclose(found, np.sort(precision), rtol=1e-4)
