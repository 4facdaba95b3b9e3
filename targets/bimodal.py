"""Two modes of different width in fifty dimensions: the wide one has three quarters of the mass and no peak.

At the centre of the wide component the narrow one's tail is nine times as dense: the density has one maximum, and an
ascent ends there from everywhere, although three quarters of the draws lie elsewhere.
"""

import numpy as np

from mcmc_bench.core.target import Target

from .gaussian_mixture import mixture


def build(dim: int = 50) -> Target:
    """0.75 N(0, I) + 0.25 N(4e₁, 0.36 I).

    Args:
        dim: dimension, at least 1.
    """
    if dim < 1:
        raise ValueError(f"dim = {dim} must be at least 1")
    locations = np.zeros((2, dim))
    locations[1, 0] = 4.0
    # Between the two, at a typical distance from both: the centres of the components are nowhere near a draw, and a
    # Langevin chain put there rejects for ever.
    start = np.where(np.arange(dim) % 2 == 0, 0.8, -0.8)
    start[0] = 2.0
    return mixture(
        locations,
        np.array([0.75, 0.25]),
        np.array([1.0, 0.6]),
        one_point=start,
        formula="0.75 N(0, I) + 0.25 N(4e₁, 0.36 I)",
        description="High dimension: the mass of a mode has little to do with its height.",
        source="closed form",
        tags=("high-dimensional",) if dim >= 20 else (),
    )
