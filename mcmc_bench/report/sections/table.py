"""The full table: every cell and every metric, and the same as CSV.

Knows results only. A number that does not exist is shown with its word, never as 0 and never as nan.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Definition, MetricValue, Results
from mcmc_bench.report import numbers

VERDICTS = {
    "exact_kernel": ("Exact kernel", "Does the kernel keep the target, as declared?"),
    "unbiased": ("Unbiased", "Is no bias of a known quantile seen at this setting, and would one be seen?"),
    "all_modes": ("All modes", "Is every known mode found?"),
    "weights": ("Weights", "Do the modes hold their true shares of the draws?"),
    "spread": ("Spread", "Is the spread within modes the true one?"),
    "diagnostics_honest": ("Diagnostics honest", "Did R-hat and ESS raise an alarm where the answer is wrong?"),
    "efficiency": (
        "Efficiency",
        "Place by real ESS per evaluation, among cells that pass the verdicts on their answer.",
    ),
}
#: What a verdict shows beside its colour: sign and word.
SIGNS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not applicable": "–"}
SHORT = {"pass": "pass", "fail": "fail", "inconclusive": "unclear", "not applicable": "n/a"}
DIRECTIONS = {"higher": "↑ higher is better", "lower": "↓ lower is better", "target": "→ nearest to {} is best"}
#: The columns that are printed on paper, where there is no room for all.
PRINTED = (
    "within_mode_variance_ratio", "mode_weight_error", "log_density_gap", "sliced_wasserstein_1", "r_hat_max",
    "efficiency", "acceptance_rate",
)  # fmt: skip


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
class Entry:
    """One cell of the table."""

    text: str
    floor: str = ""
    note: int | None = None  # number of the remark under the table
    missing: bool = False


@dataclass
class Table:
    """What the template shows."""

    columns: list[Column]
    groups: list[tuple[str, int, int]]  # name, first column, last column (from 0)
    lines: list[tuple[Cell, list[Entry]]]
    notes: list[str] = field(default_factory=list)


def build(results: Results, cells: Sequence[Cell] | None = None, group: str = "") -> Table:
    """The table of `cells`, by default of all, and of the metrics of one `group` if it is given."""
    cells = results.cells if cells is None else cells
    definitions = dict(sorted(results.definitions.items(), key=lambda item: _group_rank(results, item[1].group)))
    definitions = {key: one for key, one in definitions.items() if group in ("", one.group)}
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
        rows = {row.metric: row for row in cell.metric_values}
        lines.append((cell, [_entry(cell, rows.get(column.key), notes) for column in columns]))
    return Table(columns, groups, lines, list(notes))


def _group_rank(results: Results, group: str) -> int:
    """Answers first, costs last; what is not known in between, in the order of the definitions."""
    wanted = ["modes", "distance", "accuracy", "convergence"]
    others = [
        g for g in dict.fromkeys(d.group for d in results.definitions.values()) if g not in wanted and g != "cost"
    ]
    return [*wanted, *others, "cost"].index(group)


def _column(cells: Sequence[Cell], key: str, definition: Definition) -> Column:
    floors = [row.floor for cell in cells for row in cell.metric_values if row.metric == key and row.floor is not None]
    unnamed = "its floor" if floors else "its ideal"
    ideal = numbers.number(definition.ideal) if definition.ideal is not None else unnamed
    floor = ""
    if floors:
        low, high = numbers.number(min(floors)), numbers.number(max(floors))
        floor = f"i.i.d. floor {low}" if low == high else f"i.i.d. floor {low} to {high}"
    return Column(
        key, definition.title, definition.definition, DIRECTIONS[definition.direction].format(ideal), floor,
        definition.group, key in PRINTED,
    )  # fmt: skip


def _entry(cell: Cell, row: MetricValue | None, notes: dict[str, int]) -> Entry:
    if row is None:
        return Entry(numbers.NOT_MEASURED if cell.outcome is Outcome.FINISHED else cell.outcome, missing=True)
    note = notes.setdefault(row.note, len(notes) + 1) if row.note else None
    floor = numbers.number(row.floor) if row.floor is not None else ""
    text = numbers.of_row(row)
    return Entry(text, floor if row.value is not None else "", note, missing=text == numbers.NOT_GIVEN)


# ------------------------------------------------------------ CSV

_IDENTITY = (
    "id", "experiment", "target", "sampler", "sampler_kind", "start", "budget", "warmup_share", "chains", "replicates",
    "outcome", "message", "selected", "stopped_chains", "divergences",
)  # fmt: skip


def to_csv(results: Results) -> str:
    """One line for each cell; for each metric its value, interval, floor and closed form, as far as any cell has them."""
    settings = list(dict.fromkeys(name for cell in results.cells for name in cell.settings))
    parts = [
        (key, part)
        for key in results.definitions
        for part in ("value", "low", "high", "floor", "floor_error", "predicted", "censored")
        if part == "value"
        or any(getattr(row, part) for cell in results.cells for row in cell.metric_values if row.metric == key)
    ]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*_IDENTITY, *settings, *VERDICTS, *(k if part == "value" else f"{k}_{part}" for k, part in parts)])
    for cell in results.cells:
        rows = {row.metric: row for row in cell.metric_values}
        writer.writerow(
            [
                *(getattr(cell, name) for name in _IDENTITY),
                *(_exact(cell.settings.get(name)) for name in settings),
                *(cell.verdicts[key].verdict if key in cell.verdicts else "" for key in VERDICTS),
                *(_exact(getattr(rows[key], part)) if key in rows else "" for key, part in parts),
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
