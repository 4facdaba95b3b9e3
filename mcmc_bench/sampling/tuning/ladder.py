"""Spaces a ladder of temperatures so that all pairs of neighbours reject alike. Must not know how replicas move."""

from __future__ import annotations

import numpy as np

from mcmc_bench.core.arrays import Array


def even(ladder: Array, rejection: Array) -> Array:
    """A ladder with the same ends whose pairs reject alike, from the rejection rate of each of its pairs.

    The sum of the rates up to a temperature hardly depends on the ladder (Syed et al. 2022): it is cut into equal parts.
    """
    total = np.concatenate([[0.0], np.cumsum(np.clip(rejection, 1e-3, 1.0))])
    equal = np.linspace(0.0, total[-1], len(ladder))
    return np.asarray(np.interp(equal, total, ladder))
