"""Every smoothed density: log (p ∗ N(0, σ² I)) and its score, against the convolution done by quadrature, and by draws.

False failures: none by quadrature; by draws one in a million per quantity (`check_mean`).
"""

import numpy as np
import pytest
from scipy import special
from statistical import WrongMean, check_mean

from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.streams import stream

SIGMAS = (0.1, 1.0, 7.0)


def convolution(target, points, sigma, nodes=161):
    """log ∫ p(x − σ z) N(z) dz at planar points (n, 2), by the trapezoidal rule, and its gradient, which is
    E[∇log p] under the weights of the integrand. The rule converges exponentially as long as its step is small against p.
    """
    axis = np.linspace(-8.0, 8.0, nodes)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    log_weight = -0.5 * (z**2).sum(axis=1) - np.log(2.0 * np.pi) + 2.0 * np.log(axis[1] - axis[0])
    values, scores = np.empty(len(points)), np.empty_like(points)
    for i, x in enumerate(points):
        log_density, gradient = target.log_density_and_gradient(x - sigma * z)
        values[i] = special.logsumexp(log_density + log_weight)
        scores[i] = np.exp(log_density + log_weight - values[i]) @ gradient
    return values, scores


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gaussian", {"dim": 2, "condition": 9.0}),
        ("song_ermon", {}),
        ("ring_of_8", {}),
        ("grid_of_25", {}),
        ("gaussian_mixture", {"modes": 3, "weights": "decreasing"}),
    ],
)
@pytest.mark.parametrize("sigma", [0.3, 2.0])
def test_smoothed_density_is_the_convolution(name, parameters, sigma):
    target = load_target(name, **parameters)
    blurred = target.at_noise(sigma)
    points = blurred.draw_exact(stream("convolution", target.label), 12)
    values, scores = convolution(target, points, sigma, nodes=321)
    log_density, gradient = blurred.log_density_and_gradient(points)
    np.testing.assert_allclose(gradient, scores, rtol=1e-7, atol=1e-8)
    constant = log_density - values  # p is known up to one constant; a Gaussian's depends on σ
    np.testing.assert_allclose(constant, constant[0], atol=1e-8)
    if name != "gaussian":
        np.testing.assert_allclose(constant, 0.0, atol=1e-8)
    # Power: the noise forgotten, and σ in the place of σ².
    for wrong in (0.0, np.sqrt(sigma)):
        assert np.abs(target.at_noise(wrong).log_density_and_gradient(points)[1] - scores).max() > 1e-3


@pytest.mark.parametrize("sigma", SIGMAS)
def test_noisy_draws_fit_the_smoothed_score(exactly_smoothed_target, sigma):
    """Stein's identities E s = 0 and E xᵢ sᵢ = −1 for draws with noise added; not without the noise in the score."""
    noisy = exactly_smoothed_target.at_noise(sigma)
    draws = noisy.draw_exact(stream("noisy", exactly_smoothed_target.label), 4000)

    def check(target):
        score = target.log_density_and_gradient(draws)[1]
        check_mean(score, np.zeros(noisy.dim), "E s")
        check_mean(-draws * score, np.ones(noisy.dim), "E −x s")

    check(noisy)
    if sigma == SIGMAS[-1]:
        with pytest.raises(WrongMean):
            check(exactly_smoothed_target)


def test_no_noise_is_the_target_itself(smoothed_target):
    np.testing.assert_array_equal(smoothed_target.smoothed(0.0), smoothed_target.data)
    once = smoothed_target.at_noise(5.0)
    np.testing.assert_allclose(smoothed_target.at_noise(3.0).at_noise(4.0).data, once.data, rtol=1e-12)
    assert once.label.startswith(smoothed_target.name)
    assert once.pointer is smoothed_target.pointer  # other numbers, no other code


def test_wrong_noise_is_named():
    target = load_target("song_ermon")
    for sigma in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match=f"sigma = {sigma} must be finite and at least 0"):
            target.at_noise(sigma)
    with pytest.raises(ValueError, match="banana has no smoothed density"):
        load_target("banana").at_noise(1.0)


def test_every_mixture_and_gaussian_declares_it():
    for name in ("gaussian", "gaussian_mixture", "song_ermon", "ring_of_8", "grid_of_25", "forty_modes", "bimodal"):
        assert load_target(name).smoothed is not None


def test_starts_are_as_wide_as_the_smoothed_density(smoothed_target):
    noisy = smoothed_target.at_noise(20.0)
    dispersed = noisy.starts("dispersed", stream("wide"), 2000)
    assert (dispersed.var(axis=0) > 300).all()
