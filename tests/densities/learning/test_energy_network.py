"""The compiled density of a network: against the formula in NumPy, finite differences, block by block, and far out."""

from pathlib import Path

import numpy as np
import pytest

from mcmc_bench.catalog.files import content_folder
from mcmc_bench.core.streams import stream
from mcmc_bench.densities.learning.network import LAYERS, noise_features, read
from mcmc_bench.kernels.energy_network import log_density

SIGMAS = (0.1, 0.17, 0.5, 0.75, 2.0, 8.0, 20.0)  # 20: above the noise of the training


@pytest.fixture(scope="module")
def digits():
    return read(Path(content_folder("targets")) / "data" / "digits.weights.npz")


def evaluate(network, x, sigma):
    values, gradient = np.empty(len(x)), np.empty_like(x)
    log_density(x, values, gradient, network.folded(sigma))
    return values, gradient


def formula(network, x, sigma, sign=-1.0):
    """−E(x, σ) as the docstring of `mcmc_bench.densities.learning.network` has it, with no folding; `sign` is that of ½‖hW‖²."""
    a, s = network.arrays, network.scale
    covariance, h = s**2 * np.eye(network.dim), x / np.sqrt(sigma**2 + s**2)
    if "directions" in a:
        onto = a["directions"] @ a["directions"].T
        covariance = a["directions"] @ np.diag(a["variances"]) @ a["directions"].T
        covariance += a["rest"] * (np.eye(network.dim) - onto)
        h = x @ a["directions"] / np.sqrt(sigma**2 + s * np.sqrt(a["variances"]))
    features = noise_features(np.log(sigma))
    for layer in range(1, LAYERS + 1):
        stretch, shift = np.split(features @ a[f"noise_{layer}"], 2)
        v = h @ a[f"weight_{layer}"] * (1.0 + stretch) + a[f"bias_{layer}"] + shift
        h = v / 2.0 * (1.0 + v / np.sqrt(v**2 + 4.0))
    gain = h @ a["linear"] + sign * 0.5 * ((h @ a["quadratic"]) ** 2).sum(axis=1)
    known = 0.0 if sigma > network.highest_noise else s / sigma * gain
    return known - 0.5 * (x.T * np.linalg.solve(covariance + sigma**2 * np.eye(network.dim), x.T)).sum(axis=0)


def points(network, n, sigma, name="points"):
    return np.hypot(network.scale, sigma) * stream(name, sigma).standard_normal((n, network.dim))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_density_is_the_formula(digits, network, along_directions, sigma):
    for net in (digits, network, along_directions):
        x = points(net, 20, sigma)
        np.testing.assert_allclose(evaluate(net, x, sigma)[0], formula(net, x, sigma), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_gradient_is_that_of_the_density(digits, along_directions, sigma):
    """Along random directions, by central differences of fourth order; one that is wrong by a thousandth must fail."""
    for net in (digits, along_directions):
        x = points(net, 20, sigma)
        direction = stream("direction", sigma).standard_normal(x.shape)
        direction /= np.linalg.norm(direction, axis=1)[:, None]
        h = 1e-3 * np.hypot(net.scale, sigma)
        one, two = (
            evaluate(net, x + k * h * direction, sigma)[0] - evaluate(net, x - k * h * direction, sigma)[0]
            for k in (1, 2)
        )
        difference = (8.0 * one - two) / (12.0 * h)
        gradient = evaluate(net, x, sigma)[1]
        slope = (gradient * direction).sum(axis=1)
        allowed = 1e-7 * np.linalg.norm(gradient, axis=1)
        assert (np.abs(slope - difference) < allowed).all()
        assert (np.abs(1.001 * slope - difference) > allowed).any()


@pytest.mark.parametrize("chains", [1, 3, 16, 128])
def test_block_is_point_by_point(digits, chains):
    x = points(digits, chains, 0.5)
    values, gradient = evaluate(digits, x, 0.5)
    for chain in range(chains):
        alone = evaluate(digits, x[chain : chain + 1].copy(), 0.5)
        np.testing.assert_allclose(values[chain], alone[0][0], rtol=1e-12)
        np.testing.assert_allclose(gradient[chain], alone[1][0], atol=1e-11)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_energy_rises_along_every_ray(digits, network, along_directions, sigma):
    """E → ∞, by itself: far out the score points back, along random rays and along those on which E rises least.

    Power: with the sign of ½‖hW‖² turned round, E falls for ever along some of the same rays at σ = 0.1.
    """
    for net in (digits, network, along_directions):
        rays = stream("rays", sigma).standard_normal((200, net.dim))
        uphill = points(net, 40, sigma, "uphill")
        for _ in range(20):  # climb on the sphere of radius 1000 towards low E
            uphill *= 1000.0 / np.linalg.norm(uphill, axis=1)[:, None]
            gradient = evaluate(net, uphill, sigma)[1]
            uphill += 100.0 * gradient / np.linalg.norm(gradient, axis=1)[:, None]
        rays = np.concatenate([rays, uphill])
        rays /= np.linalg.norm(rays, axis=1)[:, None]
        # By then the squares outweigh the linear part of G, w·h.
        radii = 1e3 * np.hypot(net.scale, sigma) * 4.0 ** np.arange(5)
        along = []
        for radius in radii:
            values, score = evaluate(net, radius * rays, sigma)
            assert ((score * rays).sum(axis=1) < 0.0).all()
            along.append(values)
        assert (np.diff(along, axis=0) < 0.0).all()
        if sigma == 0.1:
            mutant = [formula(net, radius * rays, sigma, sign=1.0) for radius in radii]
            assert (np.diff(mutant, axis=0) > 0.0).any()


@pytest.mark.parametrize(
    ("sigma", "message"),
    [
        (0.05, "noise level 0.05 is below 0.1, the lowest that the network was trained with"),
        (0.0, "noise level 0 is below 0.1"),
        (-1.0, "noise level -1 is below 0.1"),
        (float("nan"), "noise level nan is not a finite number"),
        (float("inf"), "noise level inf is not a finite number"),
        ("much", "noise level 'much' is not a finite number"),
    ],
)
def test_noise_that_was_not_learned_is_refused(network, sigma, message):
    with pytest.raises(ValueError, match=message):
        network.folded(sigma)


def test_above_the_noise_of_the_training_only_its_gaussian_is_left(network):
    x = points(network, 10, 20.0)
    values, gradient = evaluate(network, x, 20.0)
    total = network.scale**2 + 20.0**2
    np.testing.assert_allclose(values, -0.5 * (x**2).sum(axis=1) / total, rtol=1e-14)
    np.testing.assert_allclose(gradient, -x / total, rtol=1e-14)
