"""The opening: what noise does and does not do in these results, in sentences and pictures.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmc_bench.report import cards
from mcmc_bench.report.cards import Card
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures import images, shares
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.findings import learned, noise
from mcmc_bench.report.findings.noise import NoiseFindings
from mcmc_bench.report.selection import temperature

TITLE, ORDER = "Verdict", 10
#: Pixels of the chart beside the caution.
WIDTH = 400.0


def build(context: Context) -> Mapping[str, Any]:
    """The sentences with their cells; first of learned densities, if there are such, then of all others."""
    found = noise.read(context.selection)
    hero = _hero(context, found)
    arrays = context.results.draws(found.headline.without) if found.headline is not None else None
    proportions, samplers = _proportions(context, found)
    return {
        "found": found,
        "hero": hero,
        "shown_chains": 0 if arrays is None else len(arrays["position"]),
        "proportions": proportions,
        "proportions_samplers": samplers,
        **_learned(context),
    }


def _hero(context: Context, found: NoiseFindings) -> list[Card]:
    """Exact draws, then without noise, then with it."""
    if found.headline is None:
        return []
    target = found.headline.target
    cells = [None, found.headline.without, *found.headline.with_noise]
    shown = [card for card in (cards.card(context, target, cell) for cell in cells) if card.draws is not None]
    cards.save(context, [shown], "verdict", f"{target}: without noise and with it")
    return shown


def _proportions(context: Context, found: NoiseFindings) -> tuple[Chart | None, list[str]]:
    """The shares of the modes in the cell of the caution and those beside it, without noise too where that was run."""
    if found.imbalance is None:
        return None, []
    target = found.imbalance.cell.target
    cells = [contrast.without for contrast in found.contrasts if contrast.target == target]
    # A schedule with its noise turned down would look like the one at full noise; the sentence has it.
    cells += [cell for cell in (found.imbalance.cell, *found.imbalance.others) if temperature(cell) == 1.0]
    chart = shares.of_modes(context.selection, cells, WIDTH)
    samplers = [cell.sampler for cell in cells]
    if chart is not None:
        context.figures.charts("proportions", f"{target}: right spread, wrong proportions", [[chart]], samplers)
    return chart, samplers


def _learned(context: Context) -> dict[str, Any]:
    """The same of densities that were learned from examples; `learned` is None where nothing is said of them."""
    found = learned.read(context.selection)
    if found is None:
        return {"learned": None}
    cells = [None, found.without, found.with_noise]
    shown = [cards.card(context, found.target, cell) for cell in cells]
    cards.save(context, [shown], "images", f"{found.target}: without noise and with it")
    return {
        "learned": found,
        "learned_hero": shown,
        "examples": context.results.targets[found.target].examples,
        "shown_images": min(images.SHOWN, found.with_noise.chains),
    }
