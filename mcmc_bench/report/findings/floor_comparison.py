"""Findings about metrics of samplers on learned densities that are worse than those of as many real examples.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from scipy import stats

from mcmc_bench.core.results import Cell, MetricValue
from mcmc_bench.report import numbers
from mcmc_bench.report.selection import Selection, temperature
from mcmc_bench.report.sentences import join, name, noun_for, number

#: A metric counts as worse if it would seem so by chance in 5 % of the cases, over all metrics of a sampler.
LEVEL = 0.05
#: The metrics that are compared with those of as many real examples, in the order of the sentence.
AGAINST_REAL = (
    "data_sliced_wasserstein",
    "data_discrepancy",
    "data_precision",
    "data_recall",
    "data_density",
    "data_coverage",
    "class_entropy",
    "vendi_score",
    "pair_distance",
    "nearest_held_out",
    "nearest_training",
)


@dataclass(frozen=True)
class WorseMetric:
    """A metric that is worse than that of real examples."""

    metric: str
    title: str
    floor: float
    errors: float  # difference, in standard errors of it


def of_headline(selection: Selection, cell: Cell) -> Markup | None:
    """A sentence that lists the metrics of `cell` that are worse than those of as many real examples."""
    compared, worse = worse_than_real(selection, cell)
    if not compared:
        return None
    noun = noun_for(selection.results, cell.target)
    if not worse:
        return Markup(
            "<b>Against real {noun}s.</b> Of {metrics} of {name}, none is worse than for as many real {noun}s {limit}."
        ).format(noun=noun, metrics=numbers.count(compared, "metric"), name=name(cell), limit=_limit(compared))
    return Markup(
        "<b>Not as good as real {noun}s.</b> Of {metrics} of {name}, {count} worse than for as many real {noun}s {limit}: "
        "{worse}."
    ).format(
        noun=noun,
        metrics=numbers.count(compared, "metric"),
        name=name(cell),
        count="1 is" if len(worse) == 1 else f"{len(worse)} are",
        limit=_limit(compared),
        worse=join([_worse(cell, one) for one in worse]),
    )


def of_others(selection: Selection, cells: Sequence[Cell], headline: Cell) -> Markup | None:
    """A sentence that counts the same for the other samplers with full noise and the headline's start.

    A sampler of the headline's experiment is not taken from other experiments too, which may have other budgets.
    """
    said = []
    alike = [cell for cell in cells if (cell.target, cell.start) == (headline.target, headline.start)]
    there = {cell.sampler for cell in alike if cell.experiment == headline.experiment}
    for cell in alike:
        if cell.experiment != headline.experiment and cell.sampler in there:
            continue
        if cell is headline or temperature(cell) != 1.0:
            continue
        compared, worse = worse_than_real(selection, cell)
        if not compared:
            continue
        most = max(worse, key=lambda one: one.errors, default=None)
        rest = Markup(", most clearly {}").format(_worse(cell, most)) if most is not None else ""
        said.append(Markup("{} of {} for {}{}").format(len(worse) or "none", compared, name(cell), rest))
    if not said:
        return None
    return Markup(
        "<b>The other samplers with noise.</b> Metrics worse than for as many real {}s, judged in the same way: {}."
    ).format(noun_for(selection.results, headline.target), Markup("; ").join(said))


def worse_than_real(selection: Selection, cell: Cell) -> tuple[int, list[WorseMetric]]:
    """The number of metrics that have an interval and a floor with its error, and those that are worse than the floor."""
    found = []
    for metric in AGAINST_REAL:
        value = cell.metric(metric)
        definition = selection.results.definitions.get(metric)
        if value is None or definition is None:
            continue
        compared = _errors_from_floor(value, definition.direction)
        if compared is not None and value.floor is not None:
            errors, freedom = compared
            found.append((WorseMetric(metric, definition.title, value.floor, errors), freedom))
    limit = 1.0 - 0.5 * LEVEL / max(1, len(found))
    return len(found), [one for one, freedom in found if one.errors > float(stats.t.ppf(limit, freedom))]


def _errors_from_floor(found: MetricValue, direction: str) -> tuple[float, float] | None:
    """Distance of a value from its floor in standard errors, 0 on the better side, and its degrees of freedom."""
    if found.value is None or found.low is None or found.high is None:
        return None
    if found.floor is None or found.floor_error is None:
        return None
    # An end of the interval may have been cut where the metric ends: the other has its width.
    freedom = float(found.replicates - 1)
    own = max(found.value - found.low, found.high - found.value) / float(stats.t.ppf(0.975, freedom))
    error = float(np.hypot(own, found.floor_error))
    difference = found.value - found.floor
    errors = abs(difference) / error if error else float("inf") if difference else 0.0
    better = (direction == "lower" and difference < 0.0) or (direction == "higher" and difference > 0.0)
    # Welch's degrees of freedom, the floor's error being as good as known.
    freedom = freedom * (error / own) ** 4 if own else float("inf")
    return (0.0 if better else errors), freedom


def _limit(metrics: int) -> str:
    """In brackets: from where on a metric counts as worse."""
    over = f" over all {metrics} metrics" if metrics > 1 else ""
    return f"(beyond the errors of both, at 95 %{over})"


def _worse(cell: Cell, one: WorseMetric) -> Markup:
    return Markup("{} {} (real: {})").format(one.title, number(cell, one.metric), numbers.number(one.floor))
