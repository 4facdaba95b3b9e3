"""A target whose density is a network that has learnt it from examples, at a noise level of one's choice.

Must not know what the examples are.
"""

from collections.abc import Callable

import numpy as np

from mcmc_bench.kernels.energy_network import log_density
from mcmc_bench.learning.network import Network
from mcmc_bench.target import Array, Target


def learned(network: Network, sigma: float, **about: object) -> Target:
    """The density exp(−E(x, σ)) of `network` in centred coordinates; `about` is what else is said of the target."""
    data = network.folded(sigma)
    width = np.hypot(network.scale, sigma)
    return Target(
        dim=network.dim,
        density=log_density,
        data=data,
        smoothed=lambda further: network.folded(float(np.hypot(sigma, further))),
        # Where noise drowns the data, the density is a Gaussian of this width, a little wider.
        draw_dispersed=lambda generator, n: 1.2 * width * generator.standard_normal((n, network.dim)),
        one_point=np.zeros(network.dim),  # the mean of the examples
        **about,  # type: ignore[arg-type]  # fields of Target
    )


def denoiser(network: Network, sigma: float) -> Callable[[Array], Array]:
    """E[y | x] = x + σ² ∇log p(x) for x = y + σ z (Robbins 1956, Miyasawa 1961; "Tweedie's formula")."""
    data = network.folded(sigma)

    def denoised(x: Array) -> Array:
        points = np.array(x, dtype=np.float64, order="C")
        values, score = np.empty(len(points)), np.empty_like(points)
        log_density(points, values, score, data)
        return points + sigma**2 * score

    return denoised
