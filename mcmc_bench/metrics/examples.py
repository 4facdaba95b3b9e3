"""Do the draws look like the data that the density was learned from? Classes, copies, neighbours, distances.

One datum for each chain: its end, without the noise of the density (E[y | x]). Floors are the same statistics of as many
real examples from the same source, those of the training or, where these are too many to be stored, further ones: what a
perfect learner would get, up to memorising. Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist, pdist, squareform

from mcmc_bench.core.draws import Array
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Examples
from mcmc_bench.metrics.definitions import CLASSIFIED_DRAWS
from mcmc_bench.metrics.distance import maximum_mean_discrepancy, pair_distances, projections, sliced_wasserstein
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, evenly
from mcmc_bench.metrics.modes import FOUND, clusters

#: Neighbours of precision, recall, density and coverage.
NEIGHBOURS = 5
#: Sets of real examples that a floor is the mean of. More would hardly make it more certain, since all come from the same
#: examples, see `Judge.floor`.
FLOOR_SETS = 40
#: Bandwidth of the Vendi score's kernel exp(−r²/2h²), in medians of the distance between held-out examples.
VENDI_BANDWIDTH = 1.0 / 3.0
#: Times the largest distance of a real example from their mean: beyond, a draw has left the data's range.
RANGE = 1.5

#: Resamples for the standard error of a median.
BOOTSTRAP = 200
OF_NEIGHBOURS = ("data_precision", "data_recall", "data_density", "data_coverage")

Curves = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Floor:
    """A statistic of as many real examples."""

    value: float
    error: float | None  # standard error; None where it cannot be known


class Judge:
    """Statistics of sets of data (n, dim) against held-out examples."""

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

    def without(self, count: int) -> dict[str, str]:
        """Which statistics sets of `count` data do not have, and why."""
        found = {}
        if self.copy_distance == 0.0:
            found["distinct_data"] = "half of the held-out examples or more have a copy among them"
        if self.bandwidth == 0.0:
            why = "half of the pairs of held-out examples or more are the same"
            found |= dict.fromkeys(("data_discrepancy", "vendi_score"), why)
        if count < 2:
            found |= dict.fromkeys(("pair_distance", "data_discrepancy"), "one chain, which makes no pair")
        if count <= NEIGHBOURS:
            found |= dict.fromkeys(OF_NEIGHBOURS, f"{count} of the {NEIGHBOURS + 1} chains that neighbours need")
        return found

    def statistics(self, x: Array) -> dict[str, float]:
        """All that a set of that size has."""
        held_out, without = self.examples.held_out, self.without(len(x))
        part = held_out[: len(x)]
        found: dict[str, Callable[[], float]] = {
            "distinct_data": lambda: clusters(x, self.copy_distance) / len(x),
            "nearest_held_out": lambda: float(np.median(cdist(x, held_out).min(axis=1))),
            "pair_distance": lambda: float(np.median(pdist(x))),
            "data_sliced_wasserstein": lambda: sliced_wasserstein(x[: len(part)], part, self.directions, 1),
            "data_discrepancy": lambda: maximum_mean_discrepancy(*pair_distances(x, part), self.bandwidth),
            "vendi_score": lambda: vendi_score(x, VENDI_BANDWIDTH * self.bandwidth),
            "escaped_share": lambda: float((np.linalg.norm(x - self.centre, axis=1) > self.radius).mean()),
        }
        return (
            self._classes(x)
            | {name: statistic() for name, statistic in found.items() if name not in without}
            | (self._neighbours(x) if OF_NEIGHBOURS[0] not in without else {})
        )

    def nearest_training(self, x: Array) -> Array:
        """Distance (n,) of data to the nearest training example."""
        assert self.examples.training is not None, "the training examples are not stored"
        return np.asarray(cdist(x, self.examples.training).min(axis=1))

    def _classes(self, x: Array) -> dict[str, float]:
        """Nothing for data without classes."""
        if not self.examples.classes:
            return {}
        share = np.bincount(self.examples.classify(x), minlength=self.examples.classes) / len(x)
        positive = share[share > 0]
        return {
            "class_entropy": float(-(positive * np.log(positive)).sum()),
            "classes_found": float((share >= FOUND / self.examples.classes).mean()),
        }

    def _neighbours(self, x: Array) -> dict[str, float]:
        """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020)."""
        between = cdist(x, self.examples.held_out)
        own = cdist(x, x)
        own.sort(axis=1)
        inside = between <= self.reach  # (n, m)
        values = (
            inside.any(axis=1).mean(),
            (between <= own[:, NEIGHBOURS][:, None]).any(axis=0).mean(),
            inside.sum(axis=1).mean() / NEIGHBOURS,
            (between.min(axis=0) <= self.reach).mean(),
        )
        return {name: float(value) for name, value in zip(OF_NEIGHBOURS, values, strict=True)}

    def floor(self, count: int) -> dict[str, Floor]:
        """Means over sets of `count` real examples, of the training where they are stored.

        All sets come from the same N examples, which are a sample too. Were a statistic a mean over the data, sets of n of
        variance v would have the variance v (1 − n/N) among themselves, and their mean, however many they are, that of
        all N: v n/N. So much is added to what the number of sets leaves. Nothing is known where a set holds all N.
        """
        generator, real = stream("floor of examples", count), self.examples.real
        count = min(count, len(real))
        sets = [self.statistics(real[generator.choice(len(real), count, replace=False)]) for _ in range(FLOOR_SETS)]
        left = len(real) - count
        share = 1.0 / FLOOR_SETS + count / left if left else 0.0
        found = {}
        for name in sets[0]:
            values = [one[name] for one in sets]
            error = float(np.std(values, ddof=1) * np.sqrt(share)) if left else None
            found[name] = Floor(float(np.mean(values)), error)
        if self.examples.training is not None:
            # A training example is its own nearest one: here, held-out examples are what is asked for.
            found["nearest_training"] = _median(self.nearest_training(self.examples.held_out))
        return found


def _median(values: Array) -> Floor:
    """The median, with its error by the bootstrap."""
    generator = stream("error of a median", len(values))
    again = values[generator.integers(len(values), size=(BOOTSTRAP, len(values)))]
    return Floor(float(np.median(values)), float(np.median(again, axis=1).std(ddof=1)))


def vendi_score(x: Array, bandwidth: float) -> float:
    """exp of the entropy of the eigenvalues of K/n, K = exp(−r²/2h²) (Friedman and Dieng 2023): effective number."""
    kernel = np.exp(-squareform(pdist(x, "sqeuclidean")) / (2.0 * bandwidth**2)) / len(x)
    values = np.linalg.eigvalsh(kernel)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def rows(measured: Measured) -> tuple[list[MetricValue], Curves]:
    """All rows of the group; none for targets that were not learned. The shares of the classes are a curve."""
    examples = measured.target.examples
    if examples is None:
        return [], {}
    judge: Judge = measured.reference.once(("judge of examples",), lambda: Judge(examples))  # type: ignore[assignment]
    count = measured.replicates[0].chains
    floor: dict[str, Floor] = measured.reference.once(("floor of examples", count), lambda: judge.floor(count))  # type: ignore[assignment]
    without = judge.without(count)
    not_given = [measured.not_given([name], why)[0] for name, why in without.items()]
    if any(measured.failed):
        names = [*floor, *(["classes_per_chain"] if examples.classes else [])]
        return measured.not_given(names, measured.failure) + not_given, {}
    data = [examples.denoised(draws.end) for draws in measured.replicates]
    each = [judge.statistics(x) for x in data]
    if examples.training is not None:
        for one, x in zip(each, data, strict=True):
            one["nearest_training"] = float(np.median(judge.nearest_training(x)))
    highest: dict[str, float] = dict.fromkeys(
        ("classes_found", "distinct_data", "data_precision", "data_recall", "data_coverage", "escaped_share"), 1.0
    )
    found = [
        over_replicates(
            name, [one[name] for one in each], lowest=0.0, highest=highest.get(name, np.inf),
            floor=real.value, floor_error=real.error,
        )
        for name, real in floor.items()
    ] + not_given  # fmt: skip
    if examples.training is None:
        row = measured.not_given(["nearest_training"], "the training examples are not stored")[0]
        found.append(replace(row, floor=examples.training_distance))
    if not examples.classes:
        return found, {}
    found.append(_classes_per_chain(measured, examples))
    return found, {"classes": _classes(examples, data)}


def _classes_per_chain(measured: Measured, examples: Examples) -> MetricValue:
    """How many classes the draws of a chain visit."""
    name, count = "classes_per_chain", min(measured.kept, CLASSIFIED_DRAWS)
    if count < 2:
        return measured.not_given([name], "a chain has one draw")[0]
    values = []
    for draws in measured.replicates:
        x = draws.position[:, evenly(draws.position.shape[1], count)]  # (chain, draw, dim)
        classes = examples.classify(examples.denoised(x.reshape(-1, draws.dim))).reshape(x.shape[:2])
        values.append(float(np.mean([len(np.unique(visited)) for visited in classes])))
    assert examples.held_out_class is not None
    share = np.bincount(examples.held_out_class) / len(examples.held_out_class)
    floor = float((1.0 - (1.0 - share) ** count).sum())
    return over_replicates(name, values, lowest=1.0, highest=float(examples.classes), floor=floor)


def _classes(examples: Examples, data: Sequence[Array]) -> dict[str, list[float]]:
    """Shares of the classes among the data of each replicate (n, dim), with intervals, and among held-out examples."""

    def shares(classes: npt.NDArray[np.int64]) -> Array:
        return np.asarray(np.bincount(classes, minlength=examples.classes) / len(classes))

    assert examples.held_out_class is not None
    each = np.stack([shares(examples.classify(x)) for x in data])  # (replicate, class)
    found = [over_replicates("", list(column), lowest=0.0, highest=1.0) for column in each.T]
    value = [float(row.value or 0.0) for row in found]
    return {
        "classes": [float(k) for k in range(examples.classes)],
        "value": value,
        "low": [v if row.low is None else row.low for v, row in zip(value, found, strict=True)],
        "high": [v if row.high is None else row.high for v, row in zip(value, found, strict=True)],
        "held_out": [float(share) for share in shares(examples.held_out_class)],
    }
