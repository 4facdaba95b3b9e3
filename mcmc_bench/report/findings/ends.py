"""The ends of chains on learned densities: how cells are compared, and phrases for what they end at.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.selection import Selection, temperature
from mcmc_bench.report.sentences import given, metric_of, noun_for, number

#: Share of ends that differ, share of classes found, distance to held-out data.
DISTINCT, CLASSES, DISTANCE = "distinct_data", "classes_found", "data_sliced_wasserstein"


# ------------------------------------------------------------ cells


def pair_without_and_with_noise(cells: Sequence[Cell]) -> tuple[Cell, Cell] | None:
    """The pair, without noise and with it, between which most is lost; the same settings but for the noise, if there are such."""
    pairs = list(pairs_but_for(cells, "temperature", 0.0, 1.0)) or [
        (without, with_noise)
        for without in cells
        for with_noise in cells
        if without.sampler_kind == "optimiser"
        and with_noise.sampler_kind in ("biased", "exact")
        and temperature(with_noise) == 1.0
        and (without.target, without.start) == (with_noise.target, with_noise.start)
    ]

    def lost(pair: tuple[Cell, Cell]) -> tuple[float, bool]:
        return round(value_of(pair[1], DISTINCT) - value_of(pair[0], DISTINCT), 2), pair[0].start == "dispersed"

    return max(pairs, key=lost, default=None)


def pairs_but_for(cells: Sequence[Cell], setting: str, first: float, second: float) -> Iterator[tuple[Cell, Cell]]:
    """Pairs of cells that agree in target, sampler and all settings but one, which has the two values."""
    for one in cells:
        for other in cells:
            has_both = one.settings.get(setting) == first and other.settings.get(setting) == second
            if has_both and agree_but_for(one, other, setting):
                yield one, other


def agree_but_for(one: Cell, other: Cell, setting: str) -> bool:
    """Whether two cells agree in all but a setting, or in all but the start if `setting` is "start"."""
    rest = [{key: value for key, value in cell.settings.items() if key != setting} for cell in (one, other)]
    same_start = one.start == other.start or setting in ("start", "start_noise")
    fields = ("target", "sampler", "budget", "chains")
    return same_start and rest[0] == rest[1] and all(getattr(one, name) == getattr(other, name) for name in fields)


def value_of(cell: Cell, metric: str) -> float:
    """The value; NaN where there is none."""
    value = cell.value(metric)
    return float("nan") if value is None else value


def bounds(cell: Cell, metric: str) -> tuple[float, float]:
    """The interval of a metric that is given; of no width where it has none."""
    found = metric_of(cell, metric)
    value = value_of(cell, metric)
    return (value if found.low is None else found.low), (value if found.high is None else found.high)


# ------------------------------------------------------------ phrases


def distinct_ends(selection: Selection, cell: Cell) -> Markup:
    """``"127.6 (127–128) distinct images"``, linked; the number is of one replicate."""
    noun = noun_for(selection.results, cell.target)
    is_one = round(cell.chains * value_of(cell, DISTINCT), 3) == 1
    return Markup("{} {}").format(number(cell, DISTINCT, cell.chains), noun if is_one else f"distinct {noun}s")


def ends(selection: Selection, cell: Cell) -> Markup:
    """``"128 distinct images of 128 chains, in 10 of 10 classes"``."""
    return distinct_ends(selection, cell) + Markup(" of {} chains").format(cell.chains) + in_classes(selection, cell)


def in_classes(selection: Selection, cell: Cell) -> Markup:
    """``", in 10 of 10 classes"``; "" for data without classes."""
    facts = selection.results.targets[cell.target].examples
    if facts is None or not facts.classes or not given(cell, CLASSES):
        return Markup("")
    return Markup(", in {} of {} classes").format(number(cell, CLASSES, facts.classes), facts.classes)


def of_real(selection: Selection, cell: Cell, metric: str) -> Markup:
    """``"; for as many real images it is 0.06"``; "" where that is not known."""
    floor = metric_of(cell, metric).floor
    noun = noun_for(selection.results, cell.target)
    if floor is None:
        return Markup("")
    return Markup("; for as many real {}s it is {}").format(noun, numbers.number(floor))
