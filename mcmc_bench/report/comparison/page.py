"""The comparison as one HTML file: the verdict, what it rests on in pictures, and every cell in a table.

In the style of the report, whose style sheet and table it uses. Knows the findings; must not know how anything is decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcmc_bench.comparison.model import SEVERITY, CellComparison, Comparison, Decision, Finding, Question
from mcmc_bench.core.files import write_atomically
from mcmc_bench.report import numbers, templating
from mcmc_bench.report.comparison import forest
from mcmc_bench.report.comparison.forest import ForestRow
from mcmc_bench.report.figures.chart import RuleLine
from mcmc_bench.report.figures.palette import NEUTRAL, Colour

TEMPLATES = Path(__file__).parent / "templates"
SIGNS: dict[Decision, str] = {"regression": "✗", "inconclusive": "?", "pass": "✓", "not measured": "–"}
#: The head of each question's column, and what its number is.
QUESTIONS: dict[Question, tuple[str, str]] = {
    "efficiency": ("Gradients needed", "candidate over baseline, for the same error"),
    "correctness": ("Largest bias", "standard deviations of an indicator"),
    "low error": ("Gradients until low error", "candidate over baseline"),
    "divergences": ("Divergences", "growth of their share, per cent"),
    "time": ("Seconds", "an evaluation, candidate over baseline"),
    "finite": ("Stayed finite", ""),
    "evaluations": ("Evaluations", "of a chain"),
    "ran": ("Ran", ""),
    "present": ("On both sides", ""),
}
PER_CENT = ("divergences",)
#: Their number says no more than their verdict.
WITHOUT_NUMBER = ("ran", "present", "finite")
#: What a text may not do to the page around it: control characters, and marks that turn its direction.
_UNSAFE = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd"
)


@dataclass(frozen=True)
class Answer:
    """The answer to one question about one cell, in the table."""

    text: str
    verdict: Decision
    below: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Origin:
    """One entry of both provenances."""

    key: str
    baseline: str
    candidate: str

    @property
    def differs(self) -> bool:
        """Whether the sides say different things."""
        return self.baseline != self.candidate


def write_page(comparison: Comparison, file: Path) -> Path:
    """Write the page of a comparison.

    It asks for nothing from anywhere, works from a mail attachment, and reads without JavaScript.

    Args:
        comparison: what was found.
        file: the page; its folder is made if it does not exist.

    Returns:
        The path of the page.
    """
    addresses = {id(cell): f"cell-{index}" for index, cell in enumerate(comparison.cells, 1)}

    def rows(question: Question) -> list[ForestRow]:
        found = [(cell, cell.finding(question)) for cell in comparison.cells]
        return [ForestRow(cell.label, addresses[id(cell)], finding) for cell, finding in found if finding is not None]

    means = [finding for finding in comparison.overall if forest.drawable(finding)]
    efficiency = forest.ratios("efficiency", rows("efficiency"), means, _margins(comparison.margin))
    correctness = forest.biases("correctness", rows("correctness"), [RuleLine(0.0, "0: no bias", vertical=True)])
    asked = {finding.question for cell in comparison.cells for finding in cell.findings}
    page = render(
        "comparison.html.j2",
        comparison=comparison,
        cells=[
            (addresses[id(cell)], cell, [_answer(cell, question) for question in QUESTIONS if question in asked])
            for cell in comparison.cells
        ],
        troubled=[
            (addresses[id(cell)], cell, sorted(cell.findings, key=_rank))
            for cell in comparison.cells
            if cell.verdict in SEVERITY[:2]
        ],
        warnings=list(_warnings(comparison, addresses)),
        means=means,
        others=[finding for finding in comparison.overall if not forest.drawable(finding)],
        efficiency=efficiency,
        correctness=correctness,
        not_drawn={question: _not_drawn(comparison, question) for question in ("efficiency", "correctness")},
        questions={key: heading for key, heading in QUESTIONS.items() if key in asked},
        origins=_origins(comparison),
        suites=[side.provenance.get("suite_text") for side in (comparison.baseline, comparison.candidate)],
        shapes=forest.shapes(),
        severity=SEVERITY,
        number_of=_number,
    )
    return save(file, page)


# ------------------------------------------------------------ what both kinds of page share


def render(template: str, palette: Iterable[Colour] = (), **parts: Any) -> str:
    """A page from its template."""
    made = templating.environment(TEMPLATES).get_template(template)
    return made.render(palette=[*NEUTRAL, *palette], signs=SIGNS, **parts)


def save(file: Path, page: str) -> Path:
    """Write a page; characters that would act on the text around them are shown as unreadable."""
    write_atomically(file, page.translate(_UNSAFE).encode("utf-8", errors="replace"))
    return file


# ------------------------------------------------------------ parts


def _margins(margin: float) -> list[RuleLine]:
    return [
        RuleLine(1.0, "1: as before", vertical=True),
        RuleLine(1.0 + margin, f"{1 + margin:g}: margin of the suite", vertical=True, dashed=True),
        RuleLine(1.0 + 2 * margin, f"{1 + 2 * margin:g}: margin of one cell", vertical=True, dashed=True),
    ]


def _number(finding: Finding, unit: str = "") -> str:
    """Value and interval in the words of the report; per cent where it is a share."""
    scale = 100.0 if finding.question in PER_CENT else 1.0
    value, low, high = (
        scale * number if number is not None and math.isfinite(number) else None
        for number in (finding.value, finding.low, finding.high)
    )
    text = numbers.number(value) if value is None or low is None or high is None else numbers.interval(value, low, high)
    alone, bracket, around = text.partition(" (")
    return f"{alone}{unit}{bracket}{around}"


def _answer(cell: CellComparison, question: Question) -> Answer:
    finding = cell.finding(question)
    if finding is None:
        return Answer("not asked", "not measured", missing=True)
    if finding.verdict == "not measured":
        return Answer("not measured", "not measured", _reason(finding), missing=True)
    below = "a warning only" if not finding.decides and finding.verdict != "pass" else ""
    if finding.value is None or question in WITHOUT_NUMBER:
        return Answer("", finding.verdict, below)
    if question == "correctness" and finding.resolution is not None:
        below = f"{finding.resolution:.2g} would have been seen"
    return Answer(_number(finding), finding.verdict, below)


def _rank(finding: Finding) -> tuple[bool, int]:
    """The order of findings: those that decide first, and the worst of them before the rest."""
    return not finding.decides, SEVERITY.index(finding.verdict)


def _reason(finding: Finding) -> str:
    return finding.words.removeprefix("not measured: ")


def _warnings(comparison: Comparison, addresses: Mapping[int, str]) -> Iterable[tuple[str, str, Finding]]:
    """Address, label and finding of what decides nothing and is not right."""
    of_cells = ((addresses[id(cell)], cell.label, finding) for cell in comparison.cells for finding in cell.findings)
    for address, label, finding in (*of_cells, *(("", "The suite", finding) for finding in comparison.overall)):
        if not finding.decides and finding.verdict in SEVERITY[:2]:
            yield address, label, finding


def _not_drawn(comparison: Comparison, question: Question) -> dict[str, list[str]]:
    """Labels of the cells without a number for `question`, by reason."""
    found: dict[str, list[str]] = {}
    for cell in comparison.cells:
        finding = cell.finding(question)
        if not forest.drawable(finding):
            ran = cell.finding("ran")
            why = ran if finding is None and ran is not None and ran.verdict != "pass" else finding
            found.setdefault("not asked" if why is None else _reason(why), []).append(cell.label)
    return found


def _origins(comparison: Comparison) -> list[Origin]:
    """Both provenances side by side, without the suites' texts."""
    sides = []
    for side in (comparison.baseline, comparison.candidate):
        entries = {"path": side.path, "suite": side.suite, "cells": str(side.cells)}
        for key, value in side.provenance.items():
            if isinstance(value, Mapping):
                entries |= {f"{numbers.plain_name(key)}: {name}": _text(part) for name, part in value.items()}
            elif key != "suite_text":
                entries[numbers.plain_name(key)] = _text(value)
        sides.append(entries)
    return [
        Origin(key, sides[0].get(key, "–"), sides[1].get(key, "–")) for key in dict.fromkeys([*sides[0], *sides[1]])
    ]


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
