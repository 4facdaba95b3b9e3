"""Exact draws of a target, and the same statistics for them: what metrics compare with, besides the truth.

Everything is made once for a target and kept. Random streams have names, so that all cells of all runs are compared
with the same draws. Must not know any particular target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth

#: b² below which an estimate has reached low error: a tenth of a standard deviation.
LOW_ERROR = 0.01
#: Instead of coordinates, for targets that were learned from examples with more coordinates than that: the directions in
#: which the examples differ most. A pixel at the edge of all images says nothing.
DIAGNOSED_COMPONENTS = 8
#: Numbers (draws × dim) behind the variance within modes: its relative error is √(2 / numbers), 0.14 %.
SCATTER_NUMBERS = 1_000_000
#: Pairs of exact sets behind a floor.
FLOOR_PAIRS = 6
ASSIGNED_AT_ONCE = 50_000
#: The truth's own squared error may be at most this share of what is judged by it.
TRUTH_SHARE = 0.1
#: Exact numbers (draws × dim) behind probabilities that the truth does not give; at least 20 000 draws.
QUANTILE_NUMBERS, FEWEST_QUANTILE_DRAWS, MOST_QUANTILE_DRAWS = 2_000_000, 20_000, 1_000_000


@dataclass(frozen=True)
class Moments:
    """Expectation and variance of f = x (first dim entries) and f = x² (last dim entries) under the target."""

    expectation: Array  # (2 · dim,)
    variance: Array  # (2 · dim,)
    standard_error: Array  # (2 · dim,)
    #: (2 · dim,): expectation and variance exist, the variance is not 0, and the expectation is known so well that its
    #: own error is small against LOW_ERROR.
    usable: npt.NDArray[np.bool_]

    @property
    def truth_error(self) -> Array:
        """The part of b² of any estimate that is the truth's own error, (usable,): its squared standard error / variance."""
        return np.asarray(self.standard_error[self.usable] ** 2 / self.variance[self.usable])

    @classmethod
    def of(cls, truth: Truth | None, dim: int) -> Moments:
        """The moments that `truth` gives."""
        if truth is None:
            unknown = np.full(2 * dim, np.nan)
            return cls(unknown, unknown, unknown, np.zeros(2 * dim, dtype=bool))
        zero = np.zeros(dim)
        errors = (truth.mean_standard_error, truth.second_moment_standard_error)
        with np.errstate(invalid="ignore"):
            variance = np.concatenate([truth.variance, truth.variance_of_square])
        expectation = np.concatenate([truth.mean, truth.second_moment])
        standard_error = np.concatenate([zero if error is None else error for error in errors])
        usable = np.isfinite(expectation) & np.isfinite(variance) & (variance > 0)
        usable &= standard_error**2 <= TRUTH_SHARE * LOW_ERROR * np.where(usable, variance, 0.0)
        return cls(expectation, variance, standard_error, usable)


@dataclass(eq=False)
class Reference:
    """Exact draws of one target and the statistics of them that metrics are compared with; see `Reference.of`."""

    target: Target
    draws: int
    _cache: dict[tuple[object, ...], object] = field(default_factory=dict)

    @staticmethod
    def of(target: Target, draws: int = 2000) -> Reference:
        """The reference of `target`, the same object at every call.

        Args:
            target: with an exact sampler or stored reference draws; without either, metrics that need exact draws
                are not given.
            draws: number of exact draws whose log densities and modes are shown.
        """
        return _reference(target, draws)

    @property
    def available(self) -> bool:
        """Whether there are exact or reference draws at all."""
        return self.target.draw_exact is not None or self.target.reference_draws is not None

    @cached_property
    def moments(self) -> Moments:
        """Expectations and variances of x and x²."""
        return Moments.of(self.target.truth, self.target.dim)

    @cached_property
    def points(self) -> Array:
        """Exact draws, (draws, dim)."""
        return self.sample(self.draws, "shown")

    @cached_property
    def log_density(self) -> Array:
        """Log density of `points`."""
        return self.target.log_density_and_gradient(self.points)[0]

    @cached_property
    def mode(self) -> npt.NDArray[np.int64]:
        """Mode of `points`; all 0 for a target without known modes."""
        return self.assign(self.points)

    @cached_property
    def mean_log_density(self) -> float:
        """E log p, from the truth or else from `points`."""
        truth = self.target.truth
        if truth is not None and np.isfinite(truth.mean_log_density):
            return float(truth.mean_log_density)
        return float(self.log_density.mean()) if self.available else float("nan")

    @cached_property
    def log_density_sd(self) -> float:
        """Standard deviation of log p under the target."""
        return float(self.log_density.std(ddof=1)) if self.available else float("nan")

    def sample(self, n: int, name: object) -> Array:
        """`n` exact draws (n, dim), the same at every call with the same `name`, independent for different names.

        From stored reference draws where there is no exact sampler: fewer if there are fewer; sets of different
        names may then share draws.
        """
        key = ("sample", n, name)
        if key not in self._cache:
            generator = stream("reference", self.target.label, n, name)
            if self.target.draw_exact is not None:
                self._cache[key] = np.asarray(self.target.draw_exact(generator, n), dtype=np.float64)
            else:
                stored = self.target.reference_draws
                assert stored is not None, f"{self.target.label} has neither exact nor reference draws"
                self._cache[key] = stored[generator.permutation(len(stored))[:n]]
        return self._cache[key]  # type: ignore[return-value]

    def once(self, key: tuple[object, ...], compute: Callable[[], object]) -> object:
        """`compute()`, kept under `key`."""
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    def floor(self, name: str, n: int, statistic: Callable[[Array, Array], float]) -> float:
        """Mean of `statistic` between pairs of exact sets of `n` draws each; the first of a pair plays the draws.

        Reference draws are halved, so that the two sets of a pair share none.
        """

        def between_exact_sets() -> float:
            values = []
            for pair in range(FLOOR_PAIRS):
                both = self.sample(2 * n, ("floor", pair))
                half = len(both) // 2
                values.append(statistic(both[:half], both[half : 2 * half]))
            return float(np.mean(values))

        return float(self.once(("floor", name, n), between_exact_sets))  # type: ignore[arg-type]

    def assign(self, x: Array) -> npt.NDArray[np.int64]:
        """Modes of points (n, dim); all 0 where the target has no known modes."""
        if self.target.modes is None:
            return np.zeros(len(x), dtype=np.int64)
        return np.asarray(self.target.modes.assign(x))

    @cached_property
    def scatter(self) -> Array:
        """Variance within each mode summed over coordinates, (mode,), of exact draws under the same assignment.

        Where there is only one mode and everything belongs to it: from the truth. NaN where it is infinite or not
        known.
        """
        modes, truth = self.target.modes, self.target.truth
        if modes is None or (len(modes.weights) == 1 and modes.radius == np.inf and modes.assignment is None):
            usable = self.moments.usable[: self.target.dim]
            if truth is not None and np.isfinite(truth.variance).all() and usable.all():
                return np.array([truth.variance.sum()])
            if truth is not None or not self.available:
                return np.array([np.nan])
        if not self.available:
            return np.full(1 if modes is None else len(modes.weights), np.nan)
        draws = SCATTER_NUMBERS // self.target.dim
        points = self.sample(draws, "scatter")
        squares, counts = scatter(points, self.assign(points), 1 if modes is None else len(modes.weights))
        del self._cache["sample", draws, "scatter"]
        return squares / np.where(counts > 1, counts - 1, np.nan)

    @cached_property
    def unassigned(self) -> float:
        """Share of exact draws that belong to no mode."""
        return float((self.mode < 0).mean()) if self.available else float("nan")

    def nearest_distance(self, n: int) -> float:
        """Median distance of an exact draw to the nearest other of `n`; mean over a few sets."""

        def median() -> float:
            found = []
            for index in range(FLOOR_PAIRS):
                points = self.sample(n, ("nearest", index))
                found.append(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))
            return float(np.mean(found))

        return float(self.once(("nearest", n), median))  # type: ignore[arg-type]

    @cached_property
    def bandwidth(self) -> float:
        """Median distance between exact draws."""
        return float(np.median(pdist(self.points[:500])))

    @cached_property
    def components(self) -> Array | None:
        """Principal components (dim, k) of the held-out examples; None without examples or for few coordinates."""
        examples = self.target.examples
        if examples is None or self.target.dim <= DIAGNOSED_COMPONENTS:
            return None
        return principal_components(examples.held_out, DIAGNOSED_COMPONENTS)

    @cached_property
    def worst_of_normal(self) -> Array:
        """Samples of max Z² over f = x and x², Z normal with the correlations of f: n·b²max of n independent draws.

        By the central limit theorem, with the correlations taken from exact draws: Z is a sum of standardised
        f of exact draws with independent normal weights, which needs no factorisation.
        """
        usable = self.moments.usable
        if not usable.any():
            return np.array([np.nan])
        generator = stream("reference", "worst of normal", self.target.label)
        if not self.available:  # correlations not known: taken as independent
            return np.asarray((generator.standard_normal((2000, usable.sum())) ** 2).max(axis=1))
        f = np.concatenate([self.points, self.points**2], axis=1)[:, usable]
        f = (f - f.mean(axis=0)) / f.std(axis=0)
        z = generator.standard_normal((2000, len(f))) @ f / np.sqrt(len(f))
        return np.asarray((z**2).max(axis=1))

    @property
    def draws_to_low_error(self) -> float:
        """Independent draws after which the median of b²max is below LOW_ERROR (45 at d = 1 for x alone)."""
        return float(np.median(self.worst_of_normal)) / LOW_ERROR

    @property
    def many(self) -> Array:
        """Exact draws (n, dim) behind probabilities that the truth does not give."""
        draws = min(MOST_QUANTILE_DRAWS, max(FEWEST_QUANTILE_DRAWS, QUANTILE_NUMBERS // self.target.dim))
        return self.sample(draws, "quantiles")

    @cached_property
    def quantiles(self) -> tuple[Array, Array] | None:
        """Quantiles of every coordinate and then of log p, and the standard errors of the shares below them.

        Both of shape (quantity, level). Those of the truth come with its errors; others are from exact draws. Without exact draws: coordinates only; None if nothing is known.
        """
        truth, levels = self.target.truth, np.array(QUANTILE_LEVELS)
        known = None if truth is None else truth.quantiles
        if not self.available:
            if truth is None or known is None:
                return None
            return known, _errors(truth.quantile_share_standard_error, known)
        points = self.many
        log_density = self.target.log_density_and_gradient(points)[0]
        values = np.quantile(np.column_stack([points, log_density]), levels, axis=0).T  # (dim + 1, level)
        errors = np.tile(np.sqrt(levels * (1 - levels) / len(points)), (len(values), 1))
        if truth is not None and known is not None:
            values[:-1], errors[:-1] = known, _errors(truth.quantile_share_standard_error, known)
        if truth is not None and truth.log_density_quantiles is not None:
            values[-1] = truth.log_density_quantiles
            errors[-1] = _errors(truth.log_density_quantile_share_standard_error, values[-1])
        return values, errors

    def shares_of_modes(self, points: Array) -> Array:
        """Share of `points` (n, dim) in each known mode, (mode,)."""
        assert self.target.modes is not None
        counts = np.zeros(len(self.target.modes.weights))
        for first in range(0, len(points), ASSIGNED_AT_ONCE):  # each has a distance to every mode
            mode = self.assign(points[first : first + ASSIGNED_AT_ONCE])
            counts += np.bincount(mode[mode >= 0], minlength=len(counts))
        return np.asarray(counts / len(points))


def _errors(given: Array | None, values: Array) -> Array:
    """Standard errors of shares as a truth gives them; None means zero."""
    return np.zeros_like(values) if given is None else given


def principal_components(points: Array, count: int) -> Array:
    """The directions (dim, count) in which `points` (n, dim) differ most, of length 1; the largest entry is positive."""
    directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][:count].T
    largest = np.abs(directions).argmax(axis=0)
    return np.asarray(directions * np.sign(directions[largest, np.arange(directions.shape[1])]))


@lru_cache(maxsize=64)
def _reference(target: Target, draws: int) -> Reference:
    return Reference(target, draws)


def scatter(points: Array, mode: npt.NDArray[np.int64], modes: int) -> tuple[Array, Array]:
    """Sum of squared distances to the mean of its mode, and number of points, for each mode (mode,)."""
    inside = mode >= 0
    points, mode = points[inside], mode[inside]
    counts = np.bincount(mode, minlength=modes).astype(float)
    # Two passes: subtracting the mean first keeps the tiny spread of gradient ascent from rounding.
    sums = np.stack([np.bincount(mode, column, minlength=modes) for column in points.T], axis=1)
    centred = points - (sums / np.maximum(counts, 1.0)[:, None])[mode]
    return np.asarray(np.bincount(mode, (centred**2).sum(axis=1), minlength=modes), dtype=np.float64), counts
