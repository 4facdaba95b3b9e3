"""Findings about ascent and samplers on learned densities, by their starts and the noise levels that they go down.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.findings.ends import (
    DISTANCE,
    DISTINCT,
    agree_but_for,
    bounds,
    distinct_ends,
    ends,
    pairs_but_for,
    value_of,
)
from mcmc_bench.report.selection import Selection, temperature
from mcmc_bench.report.sentences import capitalised, code, given, join, metric_of, name, noun_for, number

PAIRS = "pair_distance"


def read(selection: Selection, cells: Sequence[Cell]) -> Iterator[Markup]:
    """The findings on cells of one target."""
    found = (
        _dispersed_ascent(selection, cells),
        _start_noise(selection, cells),
        _largest_noise(selection, cells),
        _one_level(selection, cells),
    )
    return (one for one in found if one is not None)


def _dispersed_ascent(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """The distinct ends of ascent at one level, from each start."""
    ascents = [cell for cell in cells if cell.sampler_kind == "optimiser"]
    dispersed = [cell for cell in ascents if cell.start == "dispersed"]
    if not any((floor := metric_of(cell, DISTINCT).floor) and bounds(cell, DISTINCT)[1] < floor for cell in dispersed):
        return None
    said = [Markup("{}, after {} evaluations").format(ends(selection, cell), cell.budget) for cell in dispersed]
    found = Markup("<b>Ascent from dispersed starts.</b> At one noise level, {} ends at {}.").format(
        name(dispersed[0]), join(said)
    )
    once = next((cell for cell in ascents if cell.start == "one_point"), None)
    return found if once is None else found + Markup(" From one start it ends at {}.").format(ends(selection, once))


def _start_noise(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """Samplers that add noise of their own and samplers that only carry that of their starts."""
    carried, own = [], []
    for one, random in pairs_but_for(cells, "start_noise", 0.0, 1.0):
        if temperature(one) != 1.0 or not given(one, PAIRS):
            continue
        if value_of(one, PAIRS) == 0.0 and bounds(random, DISTINCT)[0] > 0.5:
            carried.append(
                Markup(
                    "{} ends at {} from random starts, but at {} when all chains start at one point. It adds no noise, so "
                    "its ends differ only because its starts do{}."
                ).format(
                    capitalised(name(random)),
                    distinct_ends(selection, random),
                    distinct_ends(selection, one),
                    _distance_of_pairs(selection, random),
                )
            )
        elif bounds(one, DISTINCT)[0] > 0.5:
            own.append(Markup("{} still ends at {}").format(name(one), distinct_ends(selection, one)))
    if not carried:
        return None
    found = Markup("<b>Without noise, the starts decide.</b> ") + Markup(" ").join(carried)
    adds = "it adds noise" if len(own) == 1 else "they add noise"
    return found + Markup(" From one point, {}: {} on the way.").format(join(own), adds) if own else found


def _distance_of_pairs(selection: Selection, cell: Cell) -> Markup:
    """The distance of its ends from each other, in brackets; "" where it is not known."""
    if not given(cell, PAIRS):
        return Markup("")
    floor = metric_of(cell, PAIRS).floor
    noun = noun_for(selection.results, cell.target)
    real = "" if floor is None else f"; of two real {noun}s: {numbers.number(floor)}"
    return Markup(" (median distance of two ends: {}{})").format(number(cell, PAIRS), real)


def _largest_noise(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """The ends of ascent down the noise levels, by the level at which it starts."""
    ascents = [
        cell
        for cell in cells
        if cell.settings.get("temperature") == 0.0 and "largest_noise" in cell.settings and cell.start == "dispersed"
    ]
    for much in ascents:
        for little in ascents:
            levels = (much.settings["largest_noise"], little.settings["largest_noise"])
            if not (levels[0] > levels[1] and agree_but_for(much, little, "largest_noise")):
                continue
            if bounds(much, DISTINCT)[1] < bounds(little, DISTINCT)[0]:
                return Markup(
                    "<b>Ascent that starts at less noise keeps more ends apart.</b> Without noise on the way, chains that start "
                    "at σ = {:g} end at {}; chains that start at σ = {:g} end at {}."
                ).format(levels[0], distinct_ends(selection, much), levels[1], ends(selection, little))
    return None


def _one_level(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """Samplers with full noise whose ends still depend on their starts."""
    said = []
    for one in cells:
        for dispersed in cells:
            if (one.start, dispersed.start) != ("one_point", "dispersed") or one.sampler_kind == "optimiser":
                continue
            if not agree_but_for(one, dispersed, "start"):
                continue
            if temperature(one) == 1.0 and bounds(one, DISTANCE)[0] > bounds(dispersed, DISTANCE)[1]:
                floor = metric_of(one, DISTANCE).floor
                noun = noun_for(selection.results, one.target)
                real = "" if floor is None else f"; as many real {noun}s: {numbers.number(floor)}"
                said.append(
                    Markup("{} for {} (dispersed starts: {}{})").format(
                        number(one, DISTANCE), name(one), number(dispersed, DISTANCE), real
                    )
                )
    if not said:
        return None
    return Markup(
        "<b>One noise level does not mix.</b> On {}, chains with full noise still depend on their starts at the end of the "
        "budget. Distance to held-out {}s from one start: {}."
    ).format(code(cells[0].target), noun_for(selection.results, cells[0].target), join(said))
