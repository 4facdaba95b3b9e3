"""Learns an inverse mass matrix: the covariance of the chains' positions. Must not know how the chains move."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mcmc_bench.core.arrays import Array

MassMatrix = Literal["none", "diagonal", "dense"]
MASS_MATRICES: tuple[MassMatrix, ...] = ("none", "diagonal", "dense")


class Welford:
    """Mean and covariance of points that come in batches, by the update of Chan, Golub and LeVeque 1979."""

    def __init__(self, dim: int, *, dense: bool) -> None:
        self.count, self.mean = 0, np.zeros(dim)
        self._scatter = np.zeros((dim, dim) if dense else dim)

    def update(self, points: Array) -> None:
        """A batch (n, dim)."""
        n, mean = len(points), points.mean(axis=0)
        centred, shift = points - mean, mean - self.mean
        weight = self.count * n / (self.count + n)
        if self._scatter.ndim == 2:
            self._scatter += centred.T @ centred + weight * np.outer(shift, shift)
        else:
            self._scatter += (centred**2).sum(axis=0) + weight * shift**2
        self.count += n
        self.mean += shift * n / self.count

    @property
    def covariance(self) -> Array:
        """(dim,) or (dim, dim)."""
        return self._scatter / max(self.count - 1, 1)


def usable(covariance: Array, count: int) -> Array:
    """A covariance that can be an inverse mass matrix: of `count` draws, shrunk towards its diagonal, and nowhere zero."""
    diagonal = covariance if covariance.ndim == 1 else np.diag(covariance)
    positive = diagonal[np.isfinite(diagonal) & (diagonal > 0)]
    floor = 1e-10 * positive.max() if len(positive) else 1.0
    safe = np.where(np.isfinite(diagonal) & (diagonal > floor), diagonal, floor)
    if covariance.ndim == 1:
        return np.ascontiguousarray(safe)
    # Neighbouring draws of a chain are alike: a tenth of them is what the whole matrix is trusted with.
    trust = count / (count + 10.0 * len(safe))
    shrunk = trust * np.where(np.isfinite(covariance), covariance, 0.0)
    np.fill_diagonal(shrunk, safe)
    return np.ascontiguousarray(shrunk)
