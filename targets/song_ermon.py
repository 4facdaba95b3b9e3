"""The two-mode toy of Song and Ermon: noise gives the right spread within the modes, in the wrong proportions."""

import numpy as np

from mcmc_bench.core.target import Target

from .gaussian_mixture import mixture


def build() -> Target:
    """0.8 N((5, 5), I) + 0.2 N((−5, −5), I)."""
    return mixture(
        np.array([[5.0, 5.0], [-5.0, -5.0]]),
        np.array([0.8, 0.2]),
        1.0,
        # Not the origin, so that no symmetry holds a chain; every chain without noise climbs to the larger mode.
        one_point=np.array([0.5, 0.0]),
        formula="0.8 N((5, 5), I) + 0.2 N((−5, −5), I)",
        description="Two modes that no local move connects: each keeps the share of the chains that started near it.",
        source="Song and Ermon 2019, arXiv 1907.05600, section 3.2.2",
    )
