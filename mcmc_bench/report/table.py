"""Tables of metrics: cells down, metrics across.

Knows results only. A number that does not exist is shown with its word, never as 0 and never as nan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Definition, MetricValue, Results
from mcmc_bench.report import numbers

DIRECTIONS = {"higher": "↑ higher is better", "lower": "↓ lower is better", "target": "→ nearest to {} is best"}


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    key: str
    title: str
    definition: str
    direction: str
    floor: str  # the same for independent draws, over all cells
    group: str
    printed: bool


@dataclass(frozen=True)
class TableEntry:
    """One cell of the table."""

    text: str
    floor: str = ""
    note: int | None = None  # number of the remark under the table
    missing: bool = False


@dataclass
class MetricTable:
    """Metrics across, cells down."""

    columns: list[Column]
    groups: list[tuple[str, int, int]]  # name, first column, last column (from 0)
    lines: list[tuple[Cell, list[TableEntry]]]
    notes: list[str] = field(default_factory=list)


def metric_table(results: Results, cells: Sequence[Cell] | None = None, group: str = "") -> MetricTable:
    """The table of `cells`, by default of all, and of the metrics of one `group` if it is given."""
    cells = results.cells if cells is None else cells
    definitions = {key: one for key, one in results.definitions.items() if group in ("", one.group)}
    columns = [_column(cells, key, definition) for key, definition in definitions.items()]
    groups: list[tuple[str, int, int]] = []
    for index, column in enumerate(columns):
        if groups and groups[-1][0] == column.group:
            groups[-1] = (column.group, groups[-1][1], index)
        else:
            groups.append((column.group, index, index))
    notes: dict[str, int] = {}
    lines = []
    for cell in cells:
        by_metric = {found.metric: found for found in cell.metric_values}
        lines.append((cell, [_entry(cell, by_metric.get(column.key), notes) for column in columns]))
    return MetricTable(columns, groups, lines, list(notes))


def _column(cells: Sequence[Cell], key: str, definition: Definition) -> Column:
    floors = [
        found.floor for cell in cells for found in cell.metric_values if found.metric == key and found.floor is not None
    ]
    unnamed = "its floor" if floors else "its ideal"
    ideal = numbers.number(definition.ideal) if definition.ideal is not None else unnamed
    floor = ""
    if floors:
        low, high = numbers.number(min(floors)), numbers.number(max(floors))
        floor = f"i.i.d. floor {low}" if low == high else f"i.i.d. floor {low} to {high}"
    return Column(
        key,
        definition.title,
        definition.definition,
        DIRECTIONS[definition.direction].format(ideal),
        floor,
        definition.group,
        definition.printed,
    )


def _entry(cell: Cell, found: MetricValue | None, notes: dict[str, int]) -> TableEntry:
    if found is None:
        return TableEntry(numbers.NOT_MEASURED if cell.outcome is Outcome.FINISHED else cell.outcome, missing=True)
    note = notes.setdefault(found.note, len(notes) + 1) if found.note else None
    floor = numbers.number(found.floor) if found.floor is not None else ""
    text = numbers.with_interval(found)
    return TableEntry(text, floor if found.value is not None else "", note, missing=text == numbers.NOT_GIVEN)
