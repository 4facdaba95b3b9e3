"""Eight modes on an octagon, every other one with less than half the mass of its neighbours."""

import numpy as np

from mcmc_bench.core.target import Target

from .gaussian_mixture import mixture


def build(radius: float = 7.0) -> Target:
    """Σ wₖ N(mₖ, I), mₖ at the corners of an octagon, wₖ = 0.175 and 0.075 in turn.

    Args:
        radius: of the octagon.
    """
    if not 0 < radius < np.inf:
        raise ValueError(f"radius = {radius} must be finite and greater than 0")
    angle = 2.0 * np.pi * np.arange(8) / 8
    return mixture(
        radius * np.column_stack([np.cos(angle), np.sin(angle)]),
        np.tile([0.175, 0.075], 4),
        1.0,
        one_point=np.array([0.1, 0.05]),
        formula="Σ wₖ N(mₖ, I), mₖ on an octagon of radius 7, wₖ = 0.175, 0.075, …",
        description="Modes near enough to be found and far enough that their weights come out wrong.",
        source="closed form",
    )
