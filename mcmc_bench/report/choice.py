"""Which cells a section shows.

Must not know HTML, figures or words.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcmc_bench.results import Cell, Results


def is_main(cell: Cell) -> bool:
    """Whether a cell belongs to a comparison of samplers, and not to a dial or a sweep shown for its own sake."""
    return cell.sweep is not None or not cell.swept


def main_cells(results: Results) -> list[Cell]:
    """All cells of comparisons of samplers."""
    return [cell for cell in results.cells if is_main(cell)]


def shown_cells(results: Results, target: str) -> list[Cell]:
    """The cells of a target that are compared: one setting for each sampler and start, the best of its sweep."""
    return [cell for cell in main_cells(results) if cell.target == target and cell.selected]


def is_optimiser(cell: Cell) -> bool:
    """Whether the cell is a climber without noise that finished."""
    return cell.sampler_kind == "optimiser" and cell.outcome == "finished"


def multimodal_targets(results: Results) -> list[str]:
    """Labels of targets with separate known modes."""
    return [label for label, facts in results.targets.items() if facts.mode_weights and len(facts.mode_weights) > 1]


def by_sampler(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Cells by sampler, in the order of first appearance."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.sampler, []).append(cell)
    return found


def sweeps_over(results: Results, setting: str) -> dict[str, list[Cell]]:
    """Finished cells in which `setting` alone is swept for its own sake, by target.

    Where a suite has none, those of the sweeps from which settings were chosen.
    """
    finished = [cell for cell in results.cells if cell.outcome == "finished" and cell.swept == [setting]]
    own = [cell for cell in finished if cell.sweep is None] or finished
    found: dict[str, list[Cell]] = {}
    for cell in own:
        found.setdefault(cell.target, []).append(cell)
    return {target: cells for target, cells in found.items() if len({cell.settings[setting] for cell in cells}) > 1}


def sampler_order(results: Results) -> list[str]:
    """All samplers, in the order of the suite, the oracle last."""
    names = list(dict.fromkeys(cell.sampler for cell in results.cells))
    kinds = {cell.sampler: cell.sampler_kind for cell in results.cells}
    return sorted(names, key=lambda name: kinds[name] == "oracle")
