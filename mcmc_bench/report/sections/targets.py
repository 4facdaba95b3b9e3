"""Target by target: the density, a card for each cell, errors against cost, and traces and ranks of the chains.

Must not know any particular target or sampler.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mcmc_bench.core.results import Cell
from mcmc_bench.report import cards, numbers
from mcmc_bench.report.cards import Card
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures import curves, draws, images, shares, traces
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.selection import Panel, finished

TITLE, ORDER = "Targets", 80
#: Pixels of charts that stand two in a row.
WIDTH = 400.0


@dataclass(frozen=True)
class TargetPart:
    """All that is shown of one target."""

    target: str
    rows: list[tuple[Panel, list[Card]]]
    error: Chart | None
    occupancy: Chart | None
    samplers: list[str]  # of both charts
    pictures: list[tuple[str, Markup]]  # traces and ranks: kind and address
    axis: str  # the coordinate that the pictures show

    @property
    def charts(self) -> list[Chart]:
        """Those there are."""
        return [chart for chart in (self.error, self.occupancy) if chart is not None]


def build(context: Context) -> Mapping[str, Any] | None:
    """A part for each target, in the order of the suite."""
    results = context.results
    if not results.targets:
        return None
    problems: list[str] = []
    parts = [_part(context, target, problems) for target in results.targets]
    _save_errors(context, parts)
    return {
        "parts": parts,
        "not_drawn": problems[-1] if problems else "",
        "any_images": any(images.are_images(results, target) for target in results.targets),
    }


def _part(context: Context, target: str, problems: list[str]) -> TargetPart:
    context.announce(target)
    selection, slug = context.selection, context.slugs[target]
    rows = []
    for panel in selection.panels:
        cells = [cell for cell in panel.of(target) if selection.looks[cell.sampler].kind != "oracle"]
        if cells:
            shown = [cards.card(context, target, None), *(cards.card(context, target, cell) for cell in cells)]
            rows.append((panel, [card for card in shown if card.draws is not None or card.cell is not None]))
    starts = [f"start: {numbers.plain_name(panel.start)}" for panel, _ in rows]
    cards.save(context, [row for _, row in rows], f"target_{slug}", target, starts)
    first = finished(rows[0][0].of(target)) if rows else []
    learned = context.results.targets[target].examples is not None
    return TargetPart(
        target,
        rows,
        curves.error_against_cost(selection, first, WIDTH),
        shares.of_modes(selection, first, WIDTH),
        list(dict.fromkeys(cell.sampler for cell in first)),
        _traces_and_ranks(context, first, slug, problems),
        "the direction in which held-out examples differ most" if learned else "the first coordinate",
    )


def _traces_and_ranks(
    context: Context, cells: Sequence[Cell], slug: str, problems: list[str]
) -> list[tuple[str, Markup]]:
    """Pictures of the samplers that sample, along one coordinate; a failure of ArviZ is added to `problems`."""
    if len(context.results.cells) > draws.MANY_CELLS:  # pictures of all of them would make the page slow to open
        return []
    positions = {}
    portrait = context.results.portrait(cells[0].target) if cells else None
    for cell in cells:
        arrays = context.results.draws(cell) if cell.sampler_kind in ("biased", "exact") else None
        if arrays is not None:
            positions[numbers.sampler_name(cell.sampler)] = draws.first_coordinate(arrays["position"], portrait)
    try:
        pictures = traces.traces_and_ranks(positions)
    except Exception as error:  # noqa: BLE001 - another version of ArviZ must not cost the whole page; it is said there
        problems.append(f"{type(error).__name__}: {error}")
        return []
    found = []
    for kind, png in zip(("traces", "ranks"), pictures or (), strict=False):
        context.figures.png(f"{kind}_{slug}", png)
        found.append((kind, Markup(f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}")))
    return found


def _save_errors(context: Context, parts: Sequence[TargetPart]) -> None:
    found = [part for part in parts if part.error is not None]
    if found:
        samplers = [sampler for part in found for sampler in part.samplers]
        titles = [part.target for part in found]
        context.figures.charts("error", "Error against cost", [[part.error] for part in found], samplers, titles)
