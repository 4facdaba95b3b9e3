"""The cells that a page shows in each place: decided by what was swept, never by name.

Knows results only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.figures.palette import Look, looks


@dataclass(frozen=True)
class Panel:
    """The cells that stand side by side: one experiment from one start."""

    experiment: str
    start: str
    title: str
    cells: list[Cell]

    def of(self, target: str) -> list[Cell]:
        """Cells of `target`, in the order of the suite."""
        return [cell for cell in self.cells if cell.target == target]

    def cells_of(self, target: str, sampler: str) -> list[Cell]:
        """Cells of one sampler on one target; several where it is compared with several fixed settings."""
        return [cell for cell in self.of(target) if cell.sampler == sampler]

    @property
    def targets(self) -> list[str]:
        """In the order of the suite."""
        return list(dict.fromkeys(cell.target for cell in self.cells))

    def judged(self, keys: Iterable[str]) -> list[str]:
        """Those of the verdicts `keys` that pass or fail at least one of the cells; the others say nothing here."""
        decided = {key for cell in self.cells for key, one in cell.verdicts.items() if one.verdict in ("pass", "fail")}
        return [key for key in keys if key in decided]

    @property
    def samplers(self) -> list[str]:
        """In the order of the suite."""
        return list(dict.fromkeys(cell.sampler for cell in self.cells))


class Selection:
    """The cells of some results, sorted out."""

    def __init__(self, results: Results) -> None:
        self.results = results

    @cached_property
    def looks(self) -> dict[str, Look]:
        """Colour and marker of each sampler, by kind and then by first appearance."""
        return looks(self.results.cells)

    @cached_property
    def panels(self) -> list[Panel]:
        """The comparison of samplers: one cell for each target and sampler, at the best setting of its sweep.

        Where no setting of a sweep could be chosen the first stands for it, so that a failure stays visible.
        """
        found = []
        compared = [cell for cell in self.results.cells if not is_exploration(cell)]
        for experiment, start in dict.fromkeys((cell.experiment, cell.start) for cell in compared):
            chosen: dict[tuple[str, str, str], Cell] = {}
            for cell in compared:
                if (cell.experiment, cell.start) == (experiment, start):
                    fixed = {key: value for key, value in cell.settings.items() if key not in cell.swept}
                    key = (cell.target, cell.sampler, str(sorted(fixed.items())))
                    if key not in chosen or (cell.selected and not chosen[key].selected):
                        chosen[key] = cell
            title = self.results.experiments.get(experiment) or numbers.plain_name(experiment)
            several = len({cell.start for cell in compared if cell.experiment == experiment}) > 1
            title += f" · start: {numbers.plain_name(start)}" if several else ""
            found.append(Panel(experiment, start, title, list(chosen.values())))
        return found

    def explorations(self, setting: str) -> dict[str, list[Cell]]:
        """By target: cells of the experiments that turn `setting` on purpose.

        If there are none, those of sweeps that compete for the best setting. One experiment for each target.
        """
        swept = [cell for cell in self.results.cells if setting in cell.swept and not _varies_more(cell, setting)]
        swept = [cell for cell in swept if is_exploration(cell)] or swept
        found: dict[str, list[Cell]] = {}
        for cell in swept:
            cells = found.setdefault(cell.target, [])
            if not cells or (cells[0].experiment, cells[0].start) == (cell.experiment, cell.start):
                cells.append(cell)
        return {target: cells for target, cells in found.items() if len({c.settings[setting] for c in cells}) > 1}

    def told_apart(self, cells: Sequence[Cell]) -> list[list[Cell]]:
        """`cells` in groups of samplers of different colours, in the order of the suite: more lines in a chart are a tangle."""
        groups: list[dict[str, list[Cell]]] = []
        for sampler, own in by_sampler(cells).items():
            colour = self.looks[sampler].colour.light
            group = next((group for group in groups if colour not in group), None)
            if group is None:
                group = {}
                groups.append(group)
            group[colour] = own
        return [[cell for own in group.values() for cell in own] for group in groups]

    def modes(self, target: str) -> int:
        """Number of known modes; 1 where none are known."""
        facts = self.results.targets.get(target)
        return len(facts.mode_weights) if facts is not None and facts.mode_weights else 1


def is_exploration(cell: Cell) -> bool:
    """Whether the cell is a point of a curve, not a competitor for the best setting."""
    return bool(cell.swept) and cell.sweep is None


def _varies_more(cell: Cell, setting: str) -> bool:
    return is_exploration(cell) and cell.swept != [setting]


def by_sampler(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Cells of each sampler, in order of first appearance."""
    ordered = list(cells)
    return {name: [c for c in ordered if c.sampler == name] for name in dict.fromkeys(c.sampler for c in ordered)}


def finished(cells: Iterable[Cell]) -> list[Cell]:
    """The cells that gave numbers."""
    return [cell for cell in cells if cell.outcome is Outcome.FINISHED]


def temperature(cell: Cell) -> float:
    """Share of the right noise: 0 for an optimiser, 1 for what has no dial."""
    return 0.0 if cell.sampler_kind == "optimiser" else cell.settings.get("temperature", 1.0)


def first_by(cells: Sequence[Cell], *preferences: Callable[[Cell], bool]) -> Cell | None:
    """The first cell that the earliest preference accepts; None if no preference accepts any."""
    return next((cell for accepts, cell in itertools.product(preferences, cells) if accepts(cell)), None)
