"""The checkerboard: its closed form against quadrature over the squares, at any distance; its learned score beside it."""

import numpy as np
import pytest
from scipy import special

from mcmc_bench.catalog.files import CatalogError, load_target, training_set
from mcmc_bench.core.streams import stream

SIGMAS = (0.02, 0.1, 0.7, 8.0)


def by_quadrature(x, sigma, nodes=400):
    """log p and its gradient at points (n, 2): Gauss–Legendre over every dark square of the Gaussian around each point.

    It knows no distribution function, and products of strips only as the integral over a square.
    """
    at, weight = np.polynomial.legendre.leggauss(nodes)
    log_terms, slopes = [], []
    for row in range(4):
        for column in range(row % 2, 4, 2):
            logs, slope = np.zeros(len(x)), np.empty_like(x)
            for i, corner in enumerate((column - 2.0, row - 2.0)):
                z = (x[:, i, None] - (corner + 0.5 * (at + 1.0))) / sigma  # (n, node)
                log_value = -0.5 * z**2 + np.log(0.5 * weight / (sigma * np.sqrt(2.0 * np.pi)))
                logs += special.logsumexp(log_value, axis=1)
                slope[:, i] = (special.softmax(log_value, axis=1) * -z / sigma).sum(axis=1)
            log_terms.append(logs - np.log(8.0))
            slopes.append(slope)
    share = special.softmax(log_terms, axis=0)
    return special.logsumexp(log_terms, axis=0), np.einsum("kn,kni->ni", share, np.array(slopes))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_closed_form_is_the_integral(sigma):
    target = load_target("checkerboard", sigma=sigma)
    generator = stream("checkerboard", sigma)
    near = target.draw_exact(generator, 50)
    far = generator.uniform(-6.0, 6.0, (50, 2))  # up to 200 σ from the board
    edges = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, 2.0], [-2.0, 0.3], [1.0, 1.0]])
    points = np.concatenate([near, far, edges])
    value, gradient = target.log_density_and_gradient(points)
    expected, slope = by_quadrature(points, sigma)
    np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gradient, slope, rtol=1e-8, atol=1e-8 / sigma)
    # Power: the sign of the score, the noise forgotten, and a normaliser of 16 squares are seen.
    assert np.abs(-gradient - slope).max() > 0.1
    assert np.abs(value - np.log(2.0) - expected).min() > 0.1
    other = load_target("checkerboard", sigma=1.1 * sigma).log_density_and_gradient(points)
    assert np.abs(other[0] - expected).max() > 0.01


def test_density_sums_to_one():
    axis = np.linspace(-5.0, 5.0, 801)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    for sigma in (0.1, 0.3):
        density = np.exp(load_target("checkerboard", sigma=sigma).log_density_and_gradient(grid)[0])
        assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-9)


def test_smoothing_is_more_noise():
    target = load_target("checkerboard", sigma=0.3)
    np.testing.assert_allclose(target.at_noise(0.4).data, load_target("checkerboard", sigma=0.5).data)


def test_denoised_draws_are_on_the_board():
    """E[y | x] of noisy points lies in the hull of the board, and for little noise mostly on dark squares."""
    target = load_target("checkerboard", sigma=0.05)
    denoised = target.examples.denoised(target.draw_exact(stream("denoised"), 2000))
    assert np.abs(denoised).max() <= 2.0
    column, row = np.floor(denoised + 2.0).T
    assert ((column + row) % 2 == 0).mean() > 0.97


def test_examples_are_draws_without_noise():
    target = load_target("checkerboard")
    examples = target.examples
    assert np.abs(examples.training.mean(axis=0)).max() < 1e-15
    for points, square in ((examples.training, examples.training_class), (examples.held_out, examples.held_out_class)):
        column, row = np.floor(points + 2.0).astype(int).T
        assert ((column + row) % 2 == 0).all()
        np.testing.assert_array_equal(square, 2 * row + column // 2)
    # Chance of a right sample: 1e-6 for each square's count, four and a half sd and more.
    counts = np.bincount(examples.training_class[: len(examples.training) // 2], minlength=8)
    assert (np.abs(counts - 500) < 5.0 * np.sqrt(4000 * 7 / 64)).all()


def test_what_was_learned_is_in_the_coordinates_of_the_truth():
    training, held_out, _ = training_set("checkerboard_learned")
    learned, true = load_target("checkerboard_learned"), load_target("checkerboard")
    for one in (learned, true):
        np.testing.assert_array_equal(one.examples.training, training)
        np.testing.assert_array_equal(one.examples.held_out, held_out)


@pytest.mark.parametrize(("sigma", "most"), [(0.1, 0.08), (0.3, 0.01), (1.0, 0.001)])
def test_learned_score_is_near_the_true_one(sigma, most):
    """On fresh noisy draws, which neither training nor its held-out examples hold. Found: 0.054, 0.0056, 0.00036."""
    true = load_target("checkerboard", sigma=sigma)
    draws = true.draw_exact(stream("fresh", sigma), 4000)
    score = load_target("checkerboard_learned", sigma=sigma).log_density_and_gradient(draws)[1]
    expected = true.log_density_and_gradient(draws)[1]

    def error(found):
        return ((found - expected) ** 2).sum() / (expected**2).sum()

    assert error(score) < most
    # Power: the score of another noise level, or of the board with its colours exchanged, is not near.
    assert error(load_target("checkerboard_learned", sigma=1.5 * sigma).log_density_and_gradient(draws)[1]) > 1.5 * most
    if sigma < 1.0:
        mirrored = load_target("checkerboard_learned", sigma=sigma).log_density_and_gradient(draws * [-1.0, 1.0])[1]
        assert error(mirrored * [-1.0, 1.0]) > 3 * most


@pytest.mark.parametrize(
    ("name", "sigma", "message"),
    [
        ("checkerboard", 0.0, "sigma = 0.0 must be finite and at least 0.01"),
        ("checkerboard", np.inf, "sigma = inf must be finite"),
        ("checkerboard_learned", 0.05, "noise level 0.05 is below 0.1"),
        ("digits_memorised", -1.0, "sigma = -1.0 must be finite and at least 0.01"),
    ],
)
def test_wrong_noise_is_named(name, sigma, message):
    with pytest.raises(CatalogError, match=message):
        load_target(name, sigma=sigma)
