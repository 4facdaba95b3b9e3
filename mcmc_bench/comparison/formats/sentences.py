"""The sentences and numbers that all formats share, in plain words on one line each: the worst, the numbers, both sides.

Must not know any format, nor how anything is decided.
"""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence

from mcmc_bench.comparison.model import SEVERITY, CellComparison, Comparison, Decision, Finding, Side

NOTHING, NOT_MEASURED = "–", "not measured"
COLUMNS = ("correctness", "efficiency", "low error", "time")


def one_line(text: str) -> str:
    """`text` without line breaks and control characters, whatever it holds.

    Whatever cannot be seen becomes "�". "##" is taken apart, since some services take ``##[…]`` anywhere in a log for
    a command.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return re.sub("#(?=#)", "# ", " ".join(text.split()))


def clipped(text: str, length: int) -> str:
    """One line of at most `length` characters."""
    text = one_line(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def by_severity(cells: Sequence[CellComparison]) -> list[CellComparison]:
    """Worst first; the order among equals is kept."""
    return sorted(cells, key=lambda cell: SEVERITY.index(cell.verdict))


def worrying(findings: Sequence[Finding]) -> list[Finding]:
    """Those that decide and are no pass, regressions first."""
    return [
        finding
        for verdict in ("regression", "inconclusive")
        for finding in findings
        if finding.decides and finding.verdict == verdict
    ]


def sentences(findings: Sequence[Finding]) -> str:
    """The words of findings as one text."""
    return "; ".join(one_line(finding.words) for finding in findings)


def warnings(comparison: Comparison) -> Iterator[tuple[CellComparison, Finding]]:
    """Findings that decide nothing, and would be a regression if they did."""
    for cell in by_severity(comparison.cells):
        for finding in cell.findings:
            if finding.verdict == "regression" and not finding.decides:
                yield cell, finding


def unmeasured(comparison: Comparison) -> list[str]:
    """A line for each thing that was not measured: the reason and the number of cells; the most frequent first."""
    found = Counter(
        (finding.question, finding.words)
        for cell in comparison.cells
        for finding in cell.findings
        if finding.verdict == NOT_MEASURED
    )
    return [f"{question} in {count(number, 'cell')}: {said}" for (question, said), number in found.most_common()]


def unsaid(comparison: Comparison) -> list[Finding]:
    """The findings on the suite as a whole that are not in the summary."""
    return [finding for finding in comparison.overall if not any(finding.words in said for said in comparison.summary)]


def verdict_sentence(comparison: Comparison) -> str:
    """The first sentence of the summary; the verdict where there is none."""
    return one_line(comparison.summary[0]) if comparison.summary else comparison.verdict.capitalize()


def count(number: int, thing: str) -> str:
    """``"1 cell"``, ``"2,000 cells"``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def tally(cells: Sequence[CellComparison]) -> str:
    """``"1 regression, 12 pass"``."""
    verdicts: list[Decision] = [cell.verdict for cell in cells]
    return ", ".join(f"{verdicts.count(verdict):,} {verdict}" for verdict in SEVERITY if verdict in verdicts)


def numbers(cell: CellComparison) -> list[str]:
    """The texts of a cell, one for each of `COLUMNS`."""
    found = [cell.finding(question) for question in ("correctness", "efficiency", "low error", "time")]
    return [_bias(found[0]), *(_ratio(finding) for finding in found[1:])]


def _bias(finding: Finding | None) -> str:
    if finding is None or finding.value is None:
        return NOTHING if finding is None else finding.verdict
    sees = "" if finding.resolution is None else f", would have seen {_number(finding.resolution)}"
    return f"{_number(finding.value)} sd{sees}"


def _number(value: float) -> str:
    return f"{value:.2g}"


def _ratio(finding: Finding | None) -> str:
    if finding is None or finding.value is None:
        return NOTHING if finding is None else finding.verdict
    if finding.low is None or finding.high is None:
        return f"{finding.value:.3g}×"
    width = finding.high - finding.low
    if not (math.isfinite(width) and finding.high < 100.0):
        return f"{finding.value:.3g}× ({finding.low:.3g}–{finding.high:.3g})"
    places = 1 if width > 0.3 else 2 if width > 0.03 else 3
    return f"{finding.value:.{places}f}× ({finding.low:.{places}f}–{finding.high:.{places}f})"


def background(comparison: Comparison) -> list[str]:
    """Both sides, and the rule."""
    hypotheses = f"{comparison.hypotheses:,} hypothes{'is' if comparison.hypotheses == 1 else 'es'}"
    stages = f", in at most {comparison.stages} stages" if comparison.stages > 1 else ""
    rule = (
        f"rule: false regressions at a rate of {comparison.alpha:g}, shared by {hypotheses}{stages}; "
        f"{comparison.margin:.0%} more gradients are still right for the suite, {2 * comparison.margin:.0%} for one cell; "
        f"no pass may have overlooked a bias above {comparison.resolution:g} sd"
    )
    return [*_side("baseline", comparison.baseline), *_side("candidate", comparison.candidate), rule]


def _side(name: str, side: Side) -> list[str]:
    if not side.cells:
        return []
    made = [f"{key} {side.provenance[key]}" for key in ("commit", "started") if side.provenance.get(key)]
    where = side.path or "not stored"
    return [one_line(f"{name}: {where}, suite {side.suite}, {', '.join([count(side.cells, 'cell'), *made])}")]


def command(comparison: Comparison) -> str:
    """The command that shows all cells; empty where a side has no path."""
    paths = [comparison.baseline.path, comparison.candidate.path]
    return one_line(shlex.join(["mcmc-bench", "compare", *paths])) if all(paths) else ""
