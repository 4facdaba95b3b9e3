"""The choice of the best setting of a sweep.

Must not know how cells are run.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell


def select(cells: Iterable[Cell]) -> None:
    """Mark the best cell of every sweep, by its score on replicates that are not the reported ones."""
    best: dict[str, Cell] = {}
    for cell in cells:
        if cell.sweep is not None and cell.outcome is Outcome.FINISHED:
            other = best.setdefault(cell.sweep, cell)
            if _score(cell) > _score(other):
                best[cell.sweep] = cell
    for cell in best.values():
        cell.selected = True


def _score(cell: Cell) -> float:
    return float("-inf") if cell.selection_score is None else cell.selection_score  # JSON has no infinity
