"""Is what targets say about themselves true? Exact draws against stored quantiles and mode weights, all targets at once.

One test for each target over independent replicates of the oracle, one Holm family over all of them. Works on results
alone. Must not know any particular target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmc_bench.comparison.inference import Means, against_known, seen
from mcmc_bench.core.multiple_tests import holm
from mcmc_bench.core.results import Cell, Results

#: Family-wise rate of false alarms over all targets.
ALPHA = 0.001


@dataclass(frozen=True)
class Calibration:
    """The result of the oracle on one target."""

    target: str
    replicates: int
    events: int  # sets of known probability that were tested
    p_value: float  # the smallest, times the number of events (Bonferroni)
    adjusted: float  # Holm's, over all targets
    worst: str  # the event with the smallest p-value
    deviation: float  # of its share from its probability
    resolution: float  # the largest deviation, over all events, that would have been missed with probability 5 %

    @property
    def passed(self) -> bool:
        """True if draws and truth belong together, as far as can be seen."""
        return self.adjusted > ALPHA


def calibrate(results: Results) -> list[Calibration]:
    """The calibration of every target that has a finished oracle cell with enough replicates, in their order.

    Where a target has several, the one with most replicates counts.

    Raises:
        ValueError: there is none.
    """
    cells: dict[str, Cell] = {}
    for cell in results.cells:
        if cell.sampler_kind == "oracle" and cell.evidence and cell.evidence[0].indicators is not None:
            best = cells.get(cell.target)
            if best is None or cell.replicates > best.replicates:
                cells[cell.target] = cell
    if not cells:
        raise ValueError(
            "no cell of the oracle with at least 3 replicates: run a suite that has one, such as `mcmc-bench run catalogue`"
        )
    found = {target: _p_values(cell) for target, cell in cells.items()}
    smallest = {target: min(1.0, float(p.min()) * p.size) for target, (p, _) in found.items()}
    adjusted = dict(zip(smallest, holm(list(smallest.values())), strict=True))
    return [
        _calibration(cell, *found[target], smallest[target], adjusted[target], len(cells))
        for target, cell in cells.items()
    ]


def _p_values(cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """P-value and standard error of each event."""
    indicators = cell.evidence[0].indicators
    assert indicators is not None
    estimate = Means.of(
        np.array(indicators.mean),
        np.array(indicators.standard_deviation),
        np.array(indicators.skewness),
        cell.evidence[0].replicates,
    )
    return against_known(
        estimate, np.array(indicators.truth), np.array(indicators.truth_error), np.array(indicators.constant)
    )


def _calibration(
    cell: Cell, p: np.ndarray, error: np.ndarray, smallest: float, adjusted: float, targets: int
) -> Calibration:
    indicators, replicates = cell.evidence[0].indicators, cell.evidence[0].replicates
    assert indicators is not None
    worst = int(p.argmin())
    return Calibration(
        target=cell.target,
        replicates=replicates,
        events=p.size,
        p_value=smallest,
        adjusted=adjusted,
        worst=indicators.name[worst],
        deviation=indicators.mean[worst] - indicators.truth[worst],
        resolution=seen(float(error.max()), ALPHA / (targets * p.size), replicates - 1, sides=2),
    )
