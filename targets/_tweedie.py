"""Data without their noise, by the score of the noisy ones. Must not know what the density is."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array


def denoiser(density: Any, data: Array, sigma: float) -> Callable[[Array], Array]:
    """E[y | x] = x + σ² ∇log p(x) for x = y + σ z (Robbins 1956, Miyasawa 1961; "Tweedie's formula").

    Args:
        density: in block form, of the noisy x.
        data: what it is computed from.
        sigma: σ.
    """

    def denoised(x: Array) -> Array:
        points = np.array(x, dtype=np.float64, order="C")
        values, score = np.empty(len(points)), np.empty_like(points)
        density(points, values, score, data)
        return points + sigma**2 * score

    return denoised
