"""Tunes the noise that draws begin in by the starts alone: as wide as they are. Costs no transition.

Source: Song and Ermon 2020, arXiv 2006.09011, technique 1. Must not know any kernel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcmc_bench.core.arrays import Array


def distance(x: Array) -> float:
    """The largest distance between two of the starts `x` (chain, dim)."""
    return max(float(np.sqrt(((x - point) ** 2).sum(axis=1)).max()) for point in x)


def scale(x: Array) -> float:
    """The root mean square of the coordinates of the starts `x` (chain, dim)."""
    return float(np.sqrt((x**2).mean()))


#: The width of starts, by the name of the rule.
WIDTHS: dict[str, Callable[[Array], float]] = {"distance": distance, "scale": scale}
