"""Do the draws look like the data that the density was learned from? Classes, copies, neighbours, distances.

One datum for each chain: its end, without the noise of the density (E[y | x]). Floors are the same statistics of as many
real examples from the same source, those of the training or, where these are too many to be stored, further ones: what a
perfect learner would get, up to memorising. Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist, pdist

from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics import held_out
from mcmc_bench.metrics.declaration import Curve, Group, curve, metric, shared
from mcmc_bench.metrics.distances import clusters, maximum_mean_discrepancy, pair_distances, sliced_wasserstein
from mcmc_bench.metrics.groups.modes import FOUND
from mcmc_bench.metrics.held_out import NEIGHBOURS, Data, Floor, Judge, Neighbours
from mcmc_bench.metrics.intervals import over_replicates, shares_curve
from mcmc_bench.metrics.measured import Measured, NotGiven, evenly

GROUP = Group("examples", place=50)

#: Draws of a chain that are classified, at most.
CLASSIFIED_DRAWS = 50
#: Bandwidth of the Vendi score's kernel exp(−r²/2h²), in medians of the distance between held-out examples.
VENDI_BANDWIDTH = 1.0 / 3.0


# ------------------------------------------------------------ classes


@metric(GROUP, "Entropy of classes", "higher")
def class_entropy(measured: Measured) -> MetricValue | None:
    """Entropy, in natural logarithms, of the shares of the classes among the chains' ends without their noise; a class is
    what the target's classifier says: by default that of most of the five nearest training examples. What it is and its
    accuracy are stated with the target. Largest for equal shares. Peaks of all classes score as high as data: read it with
    the distinct share.
    """

    def entropy(data: Data) -> float:
        share = data.shares_of_classes
        positive = share[share > 0]
        return float(-(positive * np.log(positive)).sum())

    return _of_data(measured, "class_entropy", entropy) if _classes(measured) else None


@metric(GROUP, "Classes found", "higher", ideal=1.0, percent=True, card="classes found")
def classes_found(measured: Measured) -> MetricValue | None:
    """Share of the classes that hold at least a tenth of an equal share."""
    classes = _classes(measured)

    def found(data: Data) -> float:
        return float((data.shares_of_classes >= FOUND / classes).mean())

    return _of_data(measured, "classes_found", found, highest=1.0) if classes else None


@metric(GROUP, "Classes visited by a chain", "higher", card="classes per chain")
def classes_per_chain(measured: Measured) -> MetricValue | None:
    """Mean over chains of the number of classes among a chain's draws without their noise, of at most {CLASSIFIED_DRAWS} of
    them, evenly picked. Floor: the expected number among as many independent held-out examples by their true classes,
    without what the classifier confuses.
    """
    examples = measured.target.examples
    if examples is None or not examples.classes:
        return None
    if measured.failure:
        raise NotGiven(measured.failure)
    count = min(measured.kept, CLASSIFIED_DRAWS)
    if count < 2:
        raise NotGiven("a chain has one draw")
    values = []
    for draws in measured.replicates:
        x = draws.position[:, evenly(draws.position.shape[1], count)]  # (chain, draw, dim)
        classes = examples.classify(examples.denoised(x.reshape(-1, draws.dim))).reshape(x.shape[:2])
        values.append(float(np.mean([len(np.unique(visited)) for visited in classes])))
    assert examples.held_out_class is not None
    share = np.bincount(examples.held_out_class) / len(examples.held_out_class)
    floor = float((1.0 - (1.0 - share) ** count).sum())
    return over_replicates(values, lowest=1.0, highest=float(examples.classes), floor=floor)


@curve(GROUP)
def classes(measured: Measured) -> Curve:
    """The share of each class among the data, with intervals, and among held-out examples."""
    examples = measured.target.examples
    if examples is None or not examples.classes:
        raise NotGiven("the target has no classes")
    assert examples.held_out_class is not None
    of_held_out: npt.NDArray[np.int64] = np.bincount(examples.held_out_class, minlength=examples.classes)
    return {
        "classes": [float(k) for k in range(examples.classes)],
        **shares_curve([data.shares_of_classes for data in _data(measured)]),
        "held_out": (of_held_out / len(examples.held_out_class)).tolist(),
    }


# ------------------------------------------------------------ copies and nearest examples


@metric(GROUP, "Distinct data, share", "higher", ideal=1.0, percent=True, card="distinct")
def distinct_data(measured: Measured) -> MetricValue | None:
    """Clusters of the chains' ends without their noise over the number of chains. Two are one if closer than half the median
    distance between a held-out example and the nearest other.
    """

    def distinct(data: Data) -> float:
        if data.judge.copy_distance == 0.0:
            raise NotGiven("half of the held-out examples or more have a copy among them")
        return clusters(data.x, data.judge.copy_distance) / len(data.x)

    return _of_data(measured, "distinct_data", distinct, highest=1.0)


@metric(GROUP, "Nearest training example", "target")
def nearest_training(measured: Measured) -> MetricValue | None:
    """Median distance to the nearest training example. Floor: that of held-out examples. Far below it, training examples are
    copied; far above, draws look like none. Does not tell a collapse from diversity. Not given where the training examples
    are not stored.
    """
    examples = measured.target.examples
    if examples is not None and examples.training is None:
        raise NotGiven("the training examples are not stored", floor=examples.training_distance)
    return _of_data(
        measured,
        "nearest_training",
        lambda data: float(np.median(data.nearest_training)),
        floor=lambda judge: judge.training_floor(),
    )


@metric(GROUP, "Nearest held-out example", "target")
def nearest_held_out(measured: Measured) -> MetricValue | None:
    """Median distance to the nearest held-out example. Floor: that of other real examples. Far above it, draws look like
    none; below it, they are smoother than data. Says nothing of copies of the training.
    """
    return _of_data(
        measured,
        "nearest_held_out",
        lambda data: float(np.median(cdist(data.x, data.judge.examples.held_out).min(axis=1))),
    )


@metric(GROUP, "Distance of pairs", "target")
def pair_distance(measured: Measured) -> MetricValue | None:
    """Median distance between two draws. Floor: between real examples. 0 where all chains end in one place."""

    def median(data: Data) -> float:
        _need_pair(data)
        return float(np.median(pdist(data.x)))

    return _of_data(measured, "pair_distance", median)


# ------------------------------------------------------------ distances to held-out examples


@metric(GROUP, "Sliced Wasserstein-1 to held-out data", "lower", ideal=0.0, card="distance to data")
def data_sliced_wasserstein(measured: Measured) -> MetricValue | None:
    """Mean over 50 fixed random directions of the Wasserstein-1 distance between projections of the chains' ends without
    their noise and of as many held-out examples, the first ones and the same for all cells.
    """
    return _of_data(
        measured,
        "data_sliced_wasserstein",
        lambda data: sliced_wasserstein(data.x[: len(data.part)], data.part, data.judge.directions, 1),
    )


@metric(GROUP, "Maximum mean discrepancy to held-out data", "lower", ideal=0.0)
def data_discrepancy(measured: Measured) -> MetricValue | None:
    """As the maximum mean discrepancy of the distances, between the chains' ends without their noise and as many held-out
    examples; h is the median distance between held-out examples.
    """

    def discrepancy(data: Data) -> float:
        _need_pair(data)
        _need_bandwidth(data)
        return maximum_mean_discrepancy(*pair_distances(data.x, data.part), data.judge.bandwidth)

    return _of_data(measured, "data_discrepancy", discrepancy)


# ------------------------------------------------------------ neighbours


@metric(GROUP, "Precision", "higher")
def data_precision(measured: Measured) -> MetricValue | None:
    """Share of the chains' ends without their noise that lie within reach of a held-out example: nearer than its fifth
    neighbour (Kynkäänniemi et al. 2019, arXiv 1904.06991). Rewards copies, and ends that have collapsed to the middle of the
    data: they have a higher one than real examples.
    """
    return _of_data(measured, "data_precision", lambda data: _neighbours(data).precision, highest=1.0)


@metric(GROUP, "Recall", "higher")
def data_recall(measured: Measured) -> MetricValue | None:
    """Share of the held-out examples that lie nearer to a draw than its own fifth neighbour among the draws. Rewards garbage
    that is spread out.
    """
    return _of_data(measured, "data_recall", lambda data: _neighbours(data).recall, highest=1.0)


@metric(GROUP, "Density", "target")
def data_density(measured: Measured) -> MetricValue | None:
    """Mean number of held-out examples within whose reach a draw lies, over five (Naeem et al. 2020, arXiv 2002.09797).
    Floor: that of other real examples. Below it, draws lie where there are few data; far above it, they have collapsed to
    where there are most.
    """
    return _of_data(measured, "data_density", lambda data: _neighbours(data).density)


@metric(GROUP, "Coverage", "higher")
def data_coverage(measured: Measured) -> MetricValue | None:
    """Share of the held-out examples within whose reach some draw lies. Depends on the number of draws: read it beside its
    floor.
    """
    return _of_data(measured, "data_coverage", lambda data: _neighbours(data).coverage, highest=1.0)


def _neighbours(data: Data) -> Neighbours:
    if len(data.x) <= NEIGHBOURS:
        raise NotGiven(f"{len(data.x)} of the {NEIGHBOURS + 1} chains that neighbours need")
    return data.neighbours


# ------------------------------------------------------------ diversity and range


@metric(GROUP, "Vendi score", "target")
def vendi_score(measured: Measured) -> MetricValue | None:
    """Exponential of the entropy of the eigenvalues of K/n, K = exp(−r²/2h²) over pairs of draws, h a third of the median
    distance between held-out examples (Friedman and Dieng 2023, arXiv 2210.02410): an effective number of different draws.
    Grows with their number, and garbage scores above data: secondary, and only beside its floor.
    """

    def score(data: Data) -> float:
        _need_bandwidth(data)
        return held_out.vendi_score(data.x, VENDI_BANDWIDTH * data.judge.bandwidth)

    return _of_data(measured, "vendi_score", score)


@metric(GROUP, "Escaped share", "lower", ideal=0.0)
def escaped_share(measured: Measured) -> MetricValue | None:
    """Share of the chains' ends without their noise farther from the mean of real examples than one and a half times the
    farthest of them. Where chains have been before is not looked at.
    """

    def escaped(data: Data) -> float:
        return float((np.linalg.norm(data.x - data.judge.centre, axis=1) > data.judge.radius).mean())

    return _of_data(measured, "escaped_share", escaped, highest=1.0)


# ------------------------------------------------------------ what they share


def _of_data(
    measured: Measured,
    key: str,
    statistic: Callable[[Data], float],
    *,
    highest: float = np.inf,
    floor: Callable[[Judge], Floor] | None = None,
) -> MetricValue | None:
    """`statistic` (of the metric `key`) of each replicate's data, beside that of real examples; None for a target without examples."""
    if measured.target.examples is None:
        return None
    values = [statistic(data) for data in _data(measured)]
    judge, count = _judge(measured), measured.replicates[0].chains
    real: Floor = measured.reference.once(  # type: ignore[assignment]
        ("floor of examples", key, count), lambda: judge.floor(statistic, count) if floor is None else floor(judge)
    )
    return over_replicates(values, lowest=0.0, highest=highest, floor=real.value, floor_error=real.error)


def _classes(measured: Measured) -> int:
    """Number of classes of the examples; 0 without examples."""
    return 0 if measured.target.examples is None else measured.target.examples.classes


def _judge(measured: Measured) -> Judge:
    """The judge of a target, made once."""
    examples = measured.target.examples
    assert examples is not None
    return measured.reference.once(("judge of examples",), lambda: Judge(examples))  # type: ignore[return-value]


@shared
def _data(measured: Measured) -> list[Data]:
    """The chains' ends of each replicate without their noise."""
    if measured.failure:
        raise NotGiven(measured.failure)
    examples, judge = measured.target.examples, _judge(measured)
    assert examples is not None
    return [Data(judge, examples.denoised(draws.end)) for draws in measured.replicates]


def _need_pair(data: Data) -> None:
    if len(data.x) < 2:
        raise NotGiven("one chain, which makes no pair")


def _need_bandwidth(data: Data) -> None:
    if data.judge.bandwidth == 0.0:
        raise NotGiven("half of the pairs of held-out examples or more are the same")
