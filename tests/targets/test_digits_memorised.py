"""The smoothed training images: against a plain log-sum-exp, and what samplers that follow them give back."""

import numpy as np
import pytest
from scipy import special

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.metrics.held_out import Judge
from mcmc_bench.sampling.replicate import Plan, run


def plain(x, examples, sigma):
    """log p without the (2π)^{−dim/2} and its gradient, one difference after the other."""
    difference = examples - x[:, None]  # (n, example, dim)
    exponent = -0.5 * (difference**2).sum(axis=2) / sigma**2
    score = np.einsum("nk,nki->ni", special.softmax(exponent, axis=1), difference) / sigma**2
    return special.logsumexp(exponent, axis=1) - np.log(len(examples)) - examples.shape[1] * np.log(sigma), score


@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.75, 8.0])
def test_density_is_the_plain_sum(sigma):
    target = load_target("digits_memorised", sigma=sigma)
    examples = target.examples.training
    points = np.concatenate(
        [
            target.draw_exact(stream("memorised", sigma), 20),
            target.starts("dispersed", stream("memorised", sigma), 20),
            target.examples.held_out[:10],
            examples[:5],
        ]
    )
    value, score = target.log_density_and_gradient(points)
    expected, slope = plain(points, examples, sigma)
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-8)
    np.testing.assert_allclose(score, slope, atol=1e-10 / sigma**2)
    # Power: one image left out, the sign, σ for σ², and no normaliser.
    assert np.abs(plain(points, examples[1:], sigma)[1] - slope).max() > 1e-9 / sigma**2
    assert np.abs(-score - slope).max() > 1e-3 / sigma**2
    if sigma != 1.0:
        assert np.abs(score * sigma - slope).max() > 1e-3 / sigma**2
        assert np.abs(value + 64 * np.log(sigma) - expected).max() > 0.5


def test_it_is_given_where_the_learned_one_is():
    """The same coordinates, images and noise."""
    learned = load_target("digits", sigma=0.3)
    exact = learned.counterpart.target()
    assert exact.examples.shape == learned.examples.shape
    np.testing.assert_array_equal(exact.examples.training, learned.examples.training)
    np.testing.assert_array_equal(exact.data, load_target("digits_memorised", sigma=0.3).data)
    assert learned.counterpart.name == "digits_memorised"
    assert not learned.counterpart.is_source


@pytest.mark.slow
def test_samplers_that_follow_it_give_training_images_back():
    """Annealed Langevin on it ends on copies, on the learned score between them, as far as held-out images are.

    A copy is nearer than half the distance from a held-out image to the next. Found: 100 % copies against none or few.
    """
    settings = {"largest_noise": 8.0, "smallest_noise": 0.1, "levels": 20, "steps": 20, "step_size": 0.001}
    nearest = {}
    for name in ("digits_memorised", "digits"):
        target = load_target(name, sigma=0.1)
        judge = Judge(target.examples)
        ends = run(
            target,
            load_sampler("annealed_langevin"),
            settings,
            Plan(0, 1),
            chains=64,
            start="dispersed",
            names=("memorises", name),
        ).end
        images = target.examples.denoised(ends)
        distance = np.sqrt(((images[:, None] - target.examples.training) ** 2).sum(axis=2).min(axis=1))
        nearest[name] = distance, (distance < judge.copy_distance).mean()
    assert np.median(nearest["digits_memorised"][0]) < 1e-6
    assert nearest["digits_memorised"][1] > 0.9
    assert np.median(nearest["digits"][0]) > 1.5
    assert nearest["digits"][1] < 0.1
