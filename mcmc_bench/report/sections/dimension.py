"""The growth of the cost of an independent draw with the dimension of a target, where one target was run in several.

Decided by what results hold, never by name. Knows results only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.context import Context

TITLE, ORDER = "Dimension", 70

#: Real ESS of an evaluation, over that of an independent draw; the cost of an independent draw is its inverse.
METRIC = "efficiency"
FEWEST = 3  # dimensions, for a line to be fitted
#: Exponents hold for many dimensions: fewer are shown, but not fitted where enough others remain.
MANY = 10
#: A chain that is worth fewer independent draws than this says little about what one costs.
WORTH = 10.0


@dataclass(frozen=True)
class Growth:
    """Cost against dimension of one sampler on one family of targets."""

    family: str
    sampler: str
    points: list[tuple[int, Cell]]  # dimension and cell, in order
    fitted: list[int]  # the dimensions in the fit
    exponent: float | None  # of dim; None where too few are left
    low: float | None  # 95 % interval; None for two points
    high: float | None


def build(context: Context) -> Mapping[str, Any] | None:
    """A line for each sampler on each family of targets."""
    found = growths(context.results)
    return {"growths": found, "cost_of": cost, "interval": numbers.interval} if found else None


def growths(results: Results) -> list[Growth]:
    """All samplers on all families with cells in at least `FEWEST` dimensions."""
    found: dict[tuple[str, str, str, str], dict[int, Cell]] = defaultdict(dict)
    for cell in results.cells:
        facts = results.targets.get(cell.target)
        if facts is not None and cell.selected and cell.outcome is Outcome.FINISHED and cell.sampler_kind != "oracle":
            family = (cell.experiment, cell.start, facts.name, cell.sampler)
            found[family].setdefault(facts.dim, cell)
    return [
        _fit(name, sampler, sorted(cells.items()))
        for (_, _, name, sampler), cells in found.items()
        if len(cells) >= FEWEST
    ]


def cost(cell: Cell) -> tuple[float, float | None, float | None] | None:
    """Evaluations for an independent draw, with interval; None where the chains are too short to say."""
    found = cell.metric(METRIC)
    if found is None or found.value is None or found.censored or not found.value > 0:
        return None
    if (cell.value("real_ess") or 0.0) < WORTH:
        return None
    low, high = (None if end is None or end <= 0 else 1.0 / end for end in (found.high, found.low))
    return 1.0 / found.value, low, high


def _fit(family: str, sampler: str, points: Sequence[tuple[int, Cell]]) -> Growth:
    """Least squares of log cost on log dim."""
    usable = [(dim, found[0]) for dim, cell in points if (found := cost(cell)) is not None]
    many = [(dim, value) for dim, value in usable if dim >= MANY]
    usable = many if len(many) >= FEWEST else usable
    dims = [dim for dim, _ in usable]
    if len(usable) < FEWEST:
        return Growth(family, sampler, list(points), dims, None, None, None)
    line = stats.linregress(np.log(dims), np.log([value for _, value in usable]))
    half = float(stats.t.ppf(0.975, len(usable) - 2) * line.stderr)
    slope = float(line.slope)
    return Growth(family, sampler, list(points), dims, slope, slope - half, slope + half)
