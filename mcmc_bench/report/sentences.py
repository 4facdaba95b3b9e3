"""Parts of sentences about cells: names, and numbers that link to their cell.

Must not know what is measured, nor any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup, escape

from mcmc_bench.core.results import Cell, MetricValue, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.selection import temperature


def link(cell: Cell, text: str) -> Markup:
    """`text` as a link to the line of `cell` in the table."""
    return Markup('<a class="number" href="#cell-{}">{}</a>').format(cell.id, text)


def given(cell: Cell, *metrics: str) -> bool:
    """Whether the cell has a value for every one of `metrics`."""
    return all(cell.value(metric) is not None for metric in metrics)


def metric_of(cell: Cell, metric: str) -> MetricValue:
    """The value of a metric that is given."""
    found = cell.metric(metric)
    assert found is not None, f"cell {cell.id} has no {metric}"
    assert found.value is not None, f"cell {cell.id} has no {metric}"
    return found


def number(cell: Cell, metric: str, times: float = 1.0) -> Markup:
    """``"1.05 (1.03–1.07)"``, linked; `times` turns a share into a count."""
    found = metric_of(cell, metric)
    value, low, high = (None if x is None else times * x for x in (found.value, found.low, found.high))
    return link(cell, numbers.in_sentence(replace(found, value=value, low=low, high=high)))


def name(cell: Cell) -> str:
    """The sampler, and its temperature where that is not 1: turned down, it is another sampler."""
    turned = temperature(cell)
    plain = numbers.sampler_name(cell.sampler)
    if cell.sampler_kind == "optimiser" or turned == 1.0:
        return plain
    return f"{plain} without noise" if turned == 0.0 else f"{plain} at temperature {turned:g}"


def noun_for(results: Results, target: str) -> str:
    """The noun for one draw from a density that was learned from examples: "image" or "point"."""
    facts = results.targets[target].examples
    return "image" if facts is not None and facts.shape is not None else "point"


def capitalised(text: str) -> str:
    """`text` as a sentence begins."""
    return text[:1].upper() + text[1:]


def join(parts: Sequence[Markup]) -> Markup:
    """``"a, b and c"``."""
    if len(parts) < 2:
        return parts[0] if parts else Markup("")
    return Markup(", ").join(parts[:-1]) + Markup(" and ") + parts[-1]


def code(target: str) -> Markup:
    """The name of a target."""
    return Markup("<code>{}</code>").format(target)


def with_code(text: str) -> Markup:
    """`text`, in which what stands between backticks is shown as code."""
    parts = text.split("`")
    return Markup("").join(code(part) if index % 2 else escape(part) for index, part in enumerate(parts))
