"""Twenty-five equal modes on a square grid: from each, four neighbours within reach of a long step."""

import dataclasses

from mcmc_bench.core.target import Target

from .gaussian_mixture import build as build_layout


def build(spacing: float = 2.0, scale: float = 0.25) -> Target:
    """Σ N(mₖ, s² I)/25 with mₖ on a 5 × 5 grid.

    Args:
        spacing: between neighbours.
        scale: s, the standard deviation of each mode.
    """
    if not (spacing > 0 and scale > 0):
        raise ValueError(f"spacing = {spacing} and scale = {scale} must be greater than 0")
    target = build_layout(layout="grid", modes=25, separation=spacing / scale, scale=scale)
    return dataclasses.replace(
        target,
        formula="Σ N(mₖ, s² I)/25, mₖ on a 5 × 5 grid",
        description="Many modes side by side: how far a sampler spreads from one of them.",
        source="Metz et al. 2017, arXiv 1611.02163; Azadi et al. 2019, arXiv 1810.06758",
    )
