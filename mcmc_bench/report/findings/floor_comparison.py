"""Which figures of samplers on learned densities are worse than those of as many real examples, in sentences.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from scipy import stats

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.figures.images import thing
from mcmc_bench.report.selection import Selection, temperature
from mcmc_bench.report.sentences import join, name, number

#: A figure is beyond that of real examples if it would be so by chance in 5 % of the cases, over all figures of a sampler.
LEVEL = 0.05
#: Compared with as many real ones, in the order of the sentence.
AGAINST_REAL = (
    ("data_sliced_wasserstein", "sliced Wasserstein-1"),
    ("data_discrepancy", "maximum mean discrepancy"),
    ("data_precision", "precision"),
    ("data_recall", "recall"),
    ("data_density", "density"),
    ("data_coverage", "coverage"),
    ("class_entropy", "entropy of classes"),
    ("vendi_score", "Vendi score"),
    ("pair_distance", "distance of pairs"),
    ("nearest_held_out", "distance to the nearest held-out example"),
    ("nearest_training", "distance to the nearest training example"),
)


def of(selection: Selection, cell: Cell) -> Markup | None:
    """Which figures differ from what as many real ones have, on the worse side, by more than both errors."""
    known, worse = beyond(selection, cell)
    if not known:
        return None
    noun = thing(selection.results, cell.target)
    if not worse:
        return Markup(
            "<b>Against real {}s.</b> None of {} of {} can be told from that of as many real ones {}."
        ).format(noun, numbers.count(known, "figure"), name(cell), _judged(known))
    return Markup("<b>Not as good as real {}s.</b> Of {} of {}, {} beyond what as many real ones have {}: {}.").format(
        noun,
        numbers.count(known, "figure"),
        name(cell),
        "one is" if len(worse) == 1 else f"{len(worse)} are",
        _judged(known),
        join([_figure(cell, one) for one in worse]),
    )


def of_others(selection: Selection, cells: Sequence[Cell], headline: Cell) -> Markup | None:
    """The same of the other samplers with all their noise that begin where that of the headline does: how many, and the farthest.

    Of those of other experiments, such as have other budgets, the samplers that the headline's own does not have.
    """
    said = []
    alike = [cell for cell in cells if (cell.target, cell.start) == (headline.target, headline.start)]
    there = {cell.sampler for cell in alike if cell.experiment == headline.experiment}
    for cell in alike:
        if cell.experiment != headline.experiment and cell.sampler in there:
            continue
        if cell is headline or temperature(cell) != 1.0:
            continue
        known, worse = beyond(selection, cell)
        if not known:
            continue
        rest = Markup(", farthest {}").format(_figure(cell, max(worse, key=lambda one: one.errors))) if worse else ""
        said.append(Markup("{} of {} for {}{}").format(len(worse) or "none", known, name(cell), rest))
    if not said:
        return None
    return Markup(
        "<b>The other samplers with their noise.</b> Figures beyond those of as many real {}s, judged likewise: {}."
    ).format(thing(selection.results, headline.target), Markup("; ").join(said))


@dataclass(frozen=True)
class Figure:
    """A figure that is worse than that of real ones."""

    metric: str
    title: str
    floor: float
    errors: float  # difference, in standard errors of it


def beyond(selection: Selection, cell: Cell) -> tuple[int, list[Figure]]:
    """How many figures have an interval and a floor with its error, and those of them that are worse than the floor."""
    found = []
    for metric, title in AGAINST_REAL:
        row = cell.metric(metric)
        if row is None or row.value is None or row.low is None or row.high is None:
            continue
        if row.floor is None or row.floor_error is None:
            continue
        # An end of the interval may have been cut where the metric ends: the other has its width.
        freedom = float(row.replicates - 1)
        own = max(row.value - row.low, row.high - row.value) / float(stats.t.ppf(0.975, freedom))
        error = float(np.hypot(own, row.floor_error))
        difference = row.value - row.floor
        errors = abs(difference) / error if error else float("inf") if difference else 0.0
        direction = selection.results.definitions[metric].direction
        better = (direction == "lower" and difference < 0.0) or (direction == "higher" and difference > 0.0)
        # Welch's degrees of freedom, the floor's error being as good as known.
        freedom = freedom * (error / own) ** 4 if own else float("inf")
        found.append((Figure(metric, title, row.floor, 0.0 if better else errors), freedom))
    limit = 1.0 - 0.5 * LEVEL / max(1, len(found))
    return len(found), [one for one, freedom in found if one.errors > float(stats.t.ppf(limit, freedom))]


def _judged(figures: int) -> str:
    """In brackets: by what a figure is beyond that of real ones."""
    every = f"all {figures} figures" if figures > 1 else "one figure"
    return f"(judged by the errors of both, at 95 % over {every})"


def _figure(cell: Cell, one: Figure) -> Markup:
    return Markup("{} {} (real: {})").format(one.title, number(cell, one.metric), numbers.number(one.floor))
