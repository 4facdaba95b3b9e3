"""Sets of data against held-out examples: what the metrics of learned targets are made of.

Must not know any particular target, nor which metrics there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist, pdist, squareform

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.examples import Examples
from mcmc_bench.core.streams import stream
from mcmc_bench.metrics.distances import projections

#: Neighbours of precision, recall, density and coverage.
NEIGHBOURS = 5
#: Sets of real examples that a floor is the mean of. More would hardly make it more certain, since all come from the same
#: examples, see `Judge.floor`.
FLOOR_SETS = 40
#: Times the largest distance of a real example from their mean: beyond, a datum is outside the data's range.
RANGE = 1.5
#: Resamples for the standard error of a median.
BOOTSTRAP = 200


@dataclass(frozen=True)
class Floor:
    """A statistic of as many real examples."""

    value: float
    error: float | None  # standard error; None where it cannot be known


@dataclass(frozen=True)
class Neighbours:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020)."""

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(eq=False)
class Data:
    """A set of data, seen by a judge: the points `picked` of `source` (…, dim), which are not copied to be kept."""

    judge: Judge
    source: Array
    picked: npt.NDArray[np.int64] | None = None  # None: all

    @property
    def x(self) -> Array:
        """The points, (n, dim)."""
        return self.source if self.picked is None else self.source[self.picked]

    @cached_property
    def shares_of_classes(self) -> Array:
        """Share of the data in each class, (class,)."""
        examples = self.judge.examples
        return np.bincount(examples.classify(self.x), minlength=examples.classes) / len(self.x)

    @property
    def part(self) -> Array:
        """As many held-out examples, the first ones."""
        return self.judge.examples.held_out[: len(self.x)]

    @cached_property
    def neighbours(self) -> Neighbours:
        """Precision, recall, density and coverage."""
        between = cdist(self.x, self.judge.examples.held_out)
        own = cdist(self.x, self.x)
        own.sort(axis=1)
        inside = between <= self.judge.reach  # (n, m)
        return Neighbours(
            precision=float(inside.any(axis=1).mean()),
            recall=float((between <= own[:, NEIGHBOURS][:, None]).any(axis=0).mean()),
            density=float(inside.sum(axis=1).mean() / NEIGHBOURS),
            coverage=float((between.min(axis=0) <= self.judge.reach).mean()),
        )

    @property
    def nearest_training(self) -> Array:
        """Distance (n,) of each datum to the nearest training example."""
        training = self.judge.examples.training
        assert training is not None, "the training examples are not stored"
        return np.asarray(cdist(self.x, training).min(axis=1))


class Judge:
    """Held-out examples, and the distances among them that sets of data are judged by."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self.directions = projections(examples.held_out.shape[1])
        held_out = examples.held_out
        self.centre = examples.real.mean(axis=0)
        self.radius = RANGE * float(np.linalg.norm(examples.real - self.centre, axis=1).max())
        self.bandwidth = float(np.median(pdist(held_out)))
        between = cdist(held_out, held_out)
        np.fill_diagonal(between, np.inf)
        between.sort(axis=1)
        self.copy_distance = 0.5 * float(np.median(between[:, 0]))
        self.reach = between[:, NEIGHBOURS - 1]  # of each held-out example to its fifth neighbour
        self._real_sets: dict[int, list[Data]] = {}

    def floor(self, statistic: Callable[[Data], float], count: int) -> Floor:
        """Mean of `statistic` over sets of `count` real examples, of the training where they are stored.

        All sets come from the same N examples, which are a sample too. Were a statistic a mean over the data, sets of n of
        variance v would have the variance v (1 − n/N) among themselves, and their mean, however many they are, that of
        all N: v n/N. So much is added to what the number of sets leaves. Nothing is known where a set holds all N.
        """
        values = [statistic(one) for one in self._sets(count)]
        count = min(count, len(self.examples.real))
        left = len(self.examples.real) - count
        share = 1.0 / FLOOR_SETS + count / left if left else 0.0
        error = float(np.std(values, ddof=1) * np.sqrt(share)) if left else None
        return Floor(float(np.mean(values)), error)

    def _sets(self, count: int) -> list[Data]:
        if count not in self._real_sets:
            generator, real = stream("floor of examples", count), self.examples.real
            size = min(count, len(real))
            self._real_sets[count] = [
                Data(self, real, generator.choice(len(real), size, replace=False)) for _ in range(FLOOR_SETS)
            ]
        return self._real_sets[count]

    def training_floor(self) -> Floor:
        """Median distance of the held-out examples to the nearest training one, with its error by the bootstrap.

        A training example is its own nearest one: here, held-out examples are what is asked for.
        """
        values = Data(self, self.examples.held_out).nearest_training
        generator = stream("error of a median", len(values))
        again = values[generator.integers(len(values), size=(BOOTSTRAP, len(values)))]
        return Floor(float(np.median(values)), float(np.median(again, axis=1).std(ddof=1)))


def vendi_score(x: Array, bandwidth: float) -> float:
    """exp of the entropy of the eigenvalues of K/n, K = exp(−r²/2h²) (Friedman and Dieng 2023): effective number."""
    kernel = np.exp(-squareform(pdist(x, "sqeuclidean")) / (2.0 * bandwidth**2)) / len(x)
    values = np.linalg.eigvalsh(kernel)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
