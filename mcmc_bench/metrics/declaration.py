"""The declaration of a metric: one function in one file of `mcmc_bench.metrics.groups`, with all that others say of it.

The name of the function is the key of the metric, its docstring the definition on the page. Whatever lists, orders, titles,
formats or computes metrics looks here. Must not know any metric.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mcmc_bench.core.results import Definition, Direction, MetricValue
from mcmc_bench.metrics.measured import Measured, NotGiven

T = TypeVar("T")
Function = Callable[[Measured], MetricValue | None]
Curve = dict[str, list[float]]


@dataclass(frozen=True)
class Group:
    """Metrics that a suite asks for together, by `name`; groups stand on the page in the order of `place`."""

    name: str
    place: int


@dataclass(frozen=True, eq=False)
class Metric:
    """A declared metric."""

    key: str
    group: Group
    definition: Definition
    function: Function

    def of(self, measured: Measured) -> MetricValue | None:
        """The value for one cell; without a number, and with the reason, where there is none; None: not listed."""
        try:
            found = self.function(measured)
        except NotGiven as reason:
            found = MetricValue("", None, replicates=len(measured.replicates), floor=reason.floor, note=str(reason))
        if found is not None:
            found.metric = self.key
        return found


@dataclass(frozen=True, eq=False)
class DeclaredCurve:
    """A declared curve of a cell: what the report draws beside the metrics of a group."""

    key: str
    group: Group
    function: Callable[[Measured], Curve]

    def of(self, measured: Measured) -> Curve | None:
        """The curve of one cell; None where there is none."""
        try:
            return self.function(measured)
        except NotGiven:
            return None


def metric(
    group: Group,
    title: str,
    direction: Direction,
    *,
    ideal: float | None = None,
    percent: bool = False,
    printed: bool = False,
    card: str = "",
    verdict: str = "",
    beside: str = "{}",
) -> Callable[[Function], Metric]:
    """Declare the decorated function as a metric.

    The function takes a `Measured` and returns a `MetricValue`, whose key is filled in; None where the metric is not even
    listed for such a target or sampler. It raises `NotGiven` with the reason where there is no number. Its docstring is the
    definition; a name of the module in braces stands for its value.

    Args:
        group: where it belongs.
        title: head of its column.
        direction: which way is better; "target": nearest to `ideal`.
        ideal: the best value, where there is one.
        percent: whether sentences and cards show it in per cent.
        printed: whether it has a column on paper, where there is no room for all.
        card: its word under the drawings of a cell; empty: not shown there.
        verdict: key of the verdict that it stands beside and whose colour it has; empty: of none.
        beside: how it stands beside that verdict: "{}" is the number.
    """

    def declare(function: Function) -> Metric:
        text = " ".join(inspect.cleandoc(function.__doc__ or "").split()).format_map(function.__globals__)
        definition = Definition(
            title=title,
            definition=text,
            direction=direction,
            group=group.name,
            ideal=ideal,
            percent=percent,
            printed=printed,
            card=card,
            verdict=verdict,
            beside=beside,
        )
        return Metric(function.__name__, group, definition, function)

    return declare


def curve(group: Group) -> Callable[[Callable[[Measured], Curve]], DeclaredCurve]:
    """Declare the decorated function as a curve; its name is the key. It raises `NotGiven` where there is none."""

    def declare(function: Callable[[Measured], Curve]) -> DeclaredCurve:
        return DeclaredCurve(function.__name__, group, function)

    return declare


def shared(compute: Callable[[Measured], T]) -> Callable[[Measured], T]:
    """The decorated function, computed once for each cell: work that several metrics need."""

    @functools.wraps(compute)
    def once(measured: Measured) -> T:
        return measured.once(compute)

    return once
