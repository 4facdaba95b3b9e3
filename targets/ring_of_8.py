"""Eight equal modes on a ring, far enough apart that each is a Gaussian of its own."""

import numpy as np

from mcmc_bench.core.target import Target

from .gaussian_mixture import mixture


def build(radius: float = 10.0, scale: float = 1.0) -> Target:
    """Σ N(mₖ, s² I)/8 with mₖ on a circle.

    Args:
        radius: of the circle.
        scale: s, the standard deviation of each mode.
    """
    if not (radius > 0 and scale > 0):
        raise ValueError(f"radius = {radius} and scale = {scale} must be greater than 0")
    angle = 2.0 * np.pi * np.arange(8) / 8
    return mixture(
        radius * np.column_stack([np.cos(angle), np.sin(angle)]),
        np.ones(8),
        scale,
        one_point=np.array([0.1, 0.05]) * scale**2 / radius,  # so near the centre that noise chooses the mode
        formula="Σ N(mₖ, s² I)/8, mₖ on a circle of radius r",
        description="Mode coverage at a glance: starts at the centre reach all eight modes only if something pushes "
        "them apart.",
        source="Goodfellow et al. mode-collapse toy; Metz et al. 2017, arXiv 1611.02163",
    )
