"""Cards: what the draws of one cell look like, and its most telling numbers. Several sections show them.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Judgement, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures import draws, images, shares
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.figures.palette import Look


@dataclass(frozen=True)
class CardNumber:
    """One line of a card."""

    name: str
    text: str
    judgement: Judgement | None  # if it passes or fails


@dataclass(frozen=True)
class Card:
    """The draws of one cell, or of the truth where `cell` is None."""

    cell: Cell | None
    look: Look | None
    draws: Chart | None
    histogram: Chart | None  # of log p, or of the classes of images
    numbers: list[CardNumber]

    @property
    def charts(self) -> list[Chart]:
        """Its charts, from top to bottom."""
        return [chart for chart in (self.draws, self.histogram) if chart is not None]


def _numbers(results: Results, cell: Cell) -> Iterator[CardNumber]:
    """The metrics of the cell that belong on cards; of those without a value the ones that a verdict judges."""
    for metric, definition in results.definitions.items():
        found = cell.metric(metric)
        if not definition.card or found is None:
            continue
        judgement = cell.verdicts.get(definition.verdict)
        if found.value is not None:
            text = numbers.percent(found) if definition.percent else numbers.in_sentence(found)
        elif judgement is not None and judgement.verdict != "not applicable":
            text = found.note or numbers.NOT_GIVEN
        else:
            continue
        decided = judgement is not None and judgement.verdict in ("pass", "fail")
        yield CardNumber(definition.card, text, judgement if decided else None)


def card(context: Context, target: str, cell: Cell | None) -> Card:
    """The card of a cell, or of the exact draws or held-out examples of a target."""
    results = context.results
    look = context.selection.looks[cell.sampler] if cell is not None else None
    chart = None
    if cell is None or cell.outcome is Outcome.FINISHED:
        of_images = images.are_images(results, target)
        chart = images.grid(results, target, cell) if of_images else draws.in_plane(results, target, cell, look)
    histogram = draws.log_density(cell, look) if cell and look else draws.true_log_density(results, target)
    histogram = histogram or shares.histogram_of_classes(results, target, cell, look)
    return Card(cell, look, chart, histogram, list(_numbers(results, cell)) if cell is not None else [])


def save(
    context: Context, rows: Sequence[Sequence[Card]], name: str, heading: str, row_titles: Sequence[str] = ()
) -> None:
    """Write cards as a figure: draws above histograms, a column for each cell. Nothing is written where none has draws."""
    charts: list[list[Chart | None]] = []
    titles: list[str] = []
    for index, cards in enumerate(rows):
        if any(card.draws is not None for card in cards):
            charts.append([card.draws for card in cards])
            titles.append(row_titles[index] if row_titles else "")
            if any(card.histogram is not None for card in cards):
                charts.append([card.histogram for card in cards])
                titles.append("")
    if charts:
        context.figures.charts(name, heading, charts, row_titles=titles)
