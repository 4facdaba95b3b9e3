"""All numbers: every cell and every metric, and the same as CSV.

Knows results only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from mcmc_bench.core.results import Results
from mcmc_bench.report.context import Context
from mcmc_bench.report.table import metric_table

TITLE, ORDER = "All numbers", 90
_IDENTITY = (
    "id",
    "experiment",
    "target",
    "sampler",
    "sampler_kind",
    "start",
    "budget",
    "warmup_share",
    "chains",
    "replicates",
    "outcome",
    "message",
    "selected",
    "stopped_chains",
    "divergences",
)


def build(context: Context) -> Mapping[str, Any]:
    """The table and its download."""
    results = context.results
    return {
        "table": metric_table(results),
        "csv": as_link(to_csv(results)),
        "any_examples": any(facts.examples is not None for facts in results.targets.values()),
    }


def to_csv(results: Results) -> str:
    """One line for each cell; for each metric its value, interval, floor and closed form, as far as any cell has them."""
    settings = list(dict.fromkeys(name for cell in results.cells for name in cell.settings))
    parts = [
        (key, part)
        for key in results.definitions
        for part in ("value", "low", "high", "floor", "floor_error", "predicted", "censored")
        if part == "value"
        or any(getattr(found, part) for cell in results.cells for found in cell.metric_values if found.metric == key)
    ]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        [*_IDENTITY, *settings, *results.verdicts, *(k if part == "value" else f"{k}_{part}" for k, part in parts)]
    )
    for cell in results.cells:
        by_metric = {found.metric: found for found in cell.metric_values}
        writer.writerow(
            [
                *(getattr(cell, name) for name in _IDENTITY),
                *(_exact(cell.settings.get(name)) for name in settings),
                *(cell.verdicts[key].verdict if key in cell.verdicts else "" for key in results.verdicts),
                *(_exact(getattr(by_metric[key], part)) if key in by_metric else "" for key, part in parts),
            ]
        )
    return stream.getvalue()


def _exact(value: float | bool | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value:.6g}"


def as_link(text: str) -> str:
    """The text as a ``data:`` address, which downloads from a page that is only a file."""
    return "data:text/csv;charset=utf-8," + quote(text, safe=",._-:;()+*/!")
