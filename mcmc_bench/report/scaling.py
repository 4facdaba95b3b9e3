"""How the cost of low error grows with the dimension of a target, where one target was run in several.

Decided by what results hold, never by name. Knows results only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mcmc_bench.results import Cell, Results

#: Evaluations to low error, over what independent draws need: their own number grows with the dimension too.
METRIC = "gradients_to_low_error_ratio"
FEWEST = 3  # dimensions, for a line to be fitted


@dataclass(frozen=True)
class Growth:
    """Cost against dimension of one sampler on one family of targets."""

    family: str
    sampler: str
    points: list[tuple[int, Cell]]  # dimension and cell, in order
    fitted: list[int]  # the dimensions in the fit: where low error was reached
    exponent: float | None  # of dim; None where too few are left
    low: float | None  # 95 % interval; None for two points
    high: float | None


def growths(results: Results) -> list[Growth]:
    """All samplers on all families with cells in at least `FEWEST` dimensions."""
    found: dict[tuple[str, str, str, str], dict[int, Cell]] = defaultdict(dict)
    for cell in results.cells:
        facts = results.targets.get(cell.target)
        if facts is not None and cell.selected and cell.outcome == "finished" and cell.sampler_kind != "oracle":
            family = (cell.experiment, cell.start, facts.name, cell.sampler)
            found[family].setdefault(facts.dim, cell)
    return [
        _fit(name, sampler, sorted(cells.items()))
        for (_, _, name, sampler), cells in found.items()
        if len(cells) >= FEWEST
    ]


def _fit(family: str, sampler: str, points: Sequence[tuple[int, Cell]]) -> Growth:
    """Least squares of log cost on log dim, over the cells that reached low error."""
    usable = []
    for dim, cell in points:
        row = cell.row(METRIC)
        if row is not None and row.value is not None and not row.censored and np.isfinite(row.value) and row.value > 0:
            usable.append((dim, row.value))
    dims = [dim for dim, _ in usable]
    if len(usable) < FEWEST:
        return Growth(family, sampler, list(points), dims, None, None, None)
    line = stats.linregress(np.log(dims), np.log([value for _, value in usable]))
    half = float(stats.t.ppf(0.975, len(usable) - 2) * line.stderr)
    slope = float(line.slope)
    return Growth(family, sampler, list(points), dims, slope, slope - half, slope + half)
