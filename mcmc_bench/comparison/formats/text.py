"""A comparison for a terminal or a log: the verdict, what it rests on, then a table of all cells.

Every line begins with something that is written here, so that no name in it can pass for a command of the service
whose log it is in. Must not know how anything is decided.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mcmc_bench.comparison.formats import sentences
from mcmc_bench.comparison.formats.sentences import one_line
from mcmc_bench.comparison.model import Comparison, Decision

WIDTH = 160
#: Of the width, for the columns whose texts have any length.
_SHARES = {"cell": 40, "correctness": 30, "efficiency": 19, "low error": 19, "time": 19}
SIGNS: dict[Decision, str] = {"regression": "✗", "inconclusive": "?", "pass": "✓", "not measured": "–"}


def render(comparison: Comparison) -> str:
    """The comparison as plain text."""
    lines = [f"{SIGNS[comparison.verdict]} {sentences.verdict_sentence(comparison)}"]
    lines += _list(comparison.summary[1:])
    worrying = [cell for cell in sentences.by_severity(comparison.cells) if sentences.worrying(cell.findings)]
    if worrying:
        lines += ["", f"Not right, or not decided ({sentences.count(len(worrying), 'cell')})"]
    for cell in worrying:
        lines.append(f"{SIGNS[cell.verdict]} {cell.verdict}: {one_line(cell.label)}")
        lines += [f"    - {one_line(finding.words)}" for finding in sentences.worrying(cell.findings)]
    lines += _section(
        "The suite as a whole", [f"{finding.verdict}: {finding.words}" for finding in sentences.unsaid(comparison)]
    )
    lines += _section(
        "Warnings, which decide nothing",
        [f"{cell.label}: {found.words}" for cell, found in sentences.warnings(comparison)],
    )
    lines += _section("Not measured", sentences.unmeasured(comparison))
    lines += _section(f"Only in the baseline: {len(comparison.only_baseline):,}", comparison.only_baseline)
    lines += _section(f"Only in the candidate: {len(comparison.only_candidate):,}", comparison.only_candidate)
    lines += _section("Notes", [*comparison.notes, *sentences.background(comparison)])
    return "\n".join([*lines, "", *_table(comparison)]) + "\n"


def _list(items: Sequence[str]) -> list[str]:
    return [f"- {one_line(item)}" for item in items]


def _section(title: str, items: Sequence[str]) -> list[str]:
    return ["", title, *_list(items)] if items else []


def _table(comparison: Comparison) -> list[str]:
    if not comparison.cells:
        return ["No cell was compared."]
    # The border keeps a name that is folded from standing at the beginning of a line.
    table = Table(box=box.ROUNDED, width=WIDTH)
    for title in ("verdict", "cell", *sentences.COLUMNS):
        table.add_column(title, overflow="fold", no_wrap=title == "verdict", ratio=_SHARES.get(title))
    for cell in sentences.by_severity(comparison.cells):
        texts = (cell.verdict, one_line(cell.label), *sentences.numbers(cell))
        table.add_row(*(Text(text, overflow="fold") for text in texts))
    written = io.StringIO()
    console = Console(file=written, width=WIDTH, color_system=None, force_terminal=False, highlight=False, emoji=False)
    console.print(table)
    return [line.rstrip() for line in written.getvalue().splitlines()]
