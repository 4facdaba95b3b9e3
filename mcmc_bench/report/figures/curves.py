"""Lines: a metric against a setting, and the error of estimates against what they cost.

Must not know how charts are drawn, nor any particular target, sampler, metric or setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.figures.chart import Chart, RuleLine, Scale, Series
from mcmc_bench.report.figures.palette import INK, Look
from mcmc_bench.report.selection import Selection, by_sampler

#: Pixels between the markers of samplers at the same setting.
DODGE, MOST_DODGE = 6.0, 24.0  # between two, and from the first to the last


@dataclass(frozen=True)
class SettingAxis:
    """The horizontal axis: a setting that was varied."""

    setting: str
    label: str
    scale: Scale
    rule: RuleLine | None = None  # across the chart, at a value that is worth one


@dataclass(frozen=True)
class MetricAxis:
    """The vertical axis: a metric, and the title of its chart."""

    metric: str
    title: str
    label: str
    scale: Scale = "linear"
    floor: str = ""  # name of a rule at what independent draws, or as many real data, have; without it one at the ideal
    limits: tuple[float, float] | None = None
    trivial: float | None = None  # samplers that have no other value are left out


def against_setting(selection: Selection, across: SettingAxis, up: MetricAxis, cells: Sequence[Cell]) -> Chart | None:
    """A metric against a setting, a line for each sampler, with closed forms dashed; None if no cell gives it."""
    setting, metric = across.setting, up.metric
    series: list[Series] = []
    lines = by_sampler(sorted(cells, key=lambda cell: cell.settings[setting]))
    floors = [found.floor for cell in cells if (found := cell.metric(metric)) is not None and found.floor is not None]
    for place, (sampler, ordered) in enumerate(lines.items()):
        look, measured = selection.looks[sampler], [cell.metric(metric) for cell in ordered]
        values = [found.value if found is not None else None for found in measured]
        if set(values) <= {up.trivial, None}:
            continue
        x = [cell.settings[setting] for cell in ordered]
        predicted = {
            a: found.predicted for a, found in zip(x, measured, strict=True) if found and found.predicted is not None
        }
        if len(predicted) > 1:
            name = f"{look.name}, closed form"
            series.append(Series(list(predicted), list(predicted.values()), look.colour, name, "dashed"))
        series.append(
            Series(
                x,
                values,
                look.colour,
                look.name,
                "points" if len(predicted) > 1 else "line",
                [found.low if found else None for found in measured],
                [found.high if found else None for found in measured],
                marker=look.marker,
                shift=min(DODGE, MOST_DODGE / len(lines)) * (place - (len(lines) - 1) / 2),
                notes=[_note(look, setting, cell, metric) for cell in ordered],
            )
        )
    if not series:
        return None
    log = across.scale == "log"
    every = sorted({x for one in series for x in one.x})
    return Chart(
        up.title,
        f"{up.title} against {numbers.plain_name(setting)}: {up.label}.",
        series,
        x_label=across.label,
        y_label=up.label,
        x_scale=across.scale,
        y_scale=up.scale if _positive(series) else "linear",
        x_ticks=every if log else None,
        x_tick_labels=[f"{value:g}" for value in every] if log else None,
        y_limits=up.limits,
        rules=[rule for rule in (_truth(selection.results, up, floors), across.rule) if rule is not None],
    )


def _truth(results: Results, up: MetricAxis, floors: Sequence[float]) -> RuleLine | None:
    """The rule at the floor or at the ideal value."""
    if up.floor:
        return RuleLine(float(np.mean(floors)), up.floor, dashed=True) if floors else None
    definition = results.definitions.get(up.metric)
    if definition is None or definition.ideal is None or up.scale == "log":
        return None
    return RuleLine(definition.ideal, "true")


def _note(look: Look, setting: str, cell: Cell, metric: str) -> str:
    found = cell.metric(metric)
    value = numbers.with_interval(found) if cell.outcome is Outcome.FINISHED else cell.outcome
    predicted = (
        f"; closed form {numbers.number(found.predicted)}" if found is not None and found.predicted is not None else ""
    )
    why = f": {found.note}" if found is not None and found.value is None and found.note else ""
    return f"{look.name}, {numbers.plain_name(setting)} {cell.settings[setting]:g}: {value}{why}{predicted}"


def _positive(series: Sequence[Series]) -> bool:
    return any(value is not None and value > 0 for one in series for value in one.y)


def error_against_cost(selection: Selection, cells: Sequence[Cell], width: float) -> Chart | None:
    """Error against evaluations, a line for each cell, with that of independent draws."""
    series: list[Series] = []
    oracle: tuple[list[float], list[float]] | None = None
    for cell in cells:
        curve, look = cell.curves.get("error"), selection.looks[cell.sampler]
        if not curve or not curve.get("evaluations"):
            continue
        if curve.get("oracle_error") and (oracle is None or curve["evaluations"][-1] > oracle[0][-1]):
            oracle = curve["evaluations"], curve["oracle_error"]
        if look.kind == "oracle":
            continue
        series.append(
            Series(
                curve["evaluations"],
                [v if v and v > 0 else None for v in curve["median"]],
                look.colour,
                look.name,
                low=[v or None for v in curve["low"]],
                high=[v or None for v in curve["high"]],
                band=True,
            )
        )
    if not series:
        return None
    if oracle is not None:
        series.insert(0, Series(*oracle, INK, "independent draws", "dashed"))
    everything = [v for one in series for v in one.y if v]
    if not everything:
        return None
    lowest, highest = max(min(everything), 1e-6), min(max(everything), 1e3)
    return Chart(
        "Error against cost",
        "worst squared error of a chain's estimates, in variances, against target evaluations",
        series,
        x_label="target evaluations after warmup",
        y_label="worst b² of a chain: median, and spread over chains",
        x_scale="log",
        y_scale="log",
        y_limits=(lowest / 1.6, highest * 1.6),
        rules=[RuleLine(0.01, "b² = 0.01", dashed=True)],
        width=width,
        height=260.0,
    )
