"""What a comparison found: the contract between the rules that decide and the formats that say it.

Must not know how anything is decided or written.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["regression", "inconclusive", "pass", "not measured"]
#: Worst first.
SEVERITY: tuple[Verdict, ...] = ("regression", "inconclusive", "pass", "not measured")
#: ran: it finished · present: it is on both sides · evaluations: as many as the suite says · finite: no chain left ·
#: divergences: not more · correctness: no bias, or not a larger one · efficiency: error for the same evaluations ·
#: low error: evaluations until the error is low · time: seconds for an evaluation.
Question = Literal[
    "ran", "present", "evaluations", "finite", "divergences", "correctness", "efficiency", "low error", "time"
]
COMPARISON_VERSION = 1


class NothingComparedError(ValueError):
    """The two sides have nothing in common that could be compared."""


@dataclass(frozen=True)
class Finding:
    """The answer to one question about one cell, or about the suite."""

    question: Question
    verdict: Verdict
    words: str  # one sentence with numbers: plain text, not escaped for any format
    #: efficiency, low error, time: candidate over baseline, above 1 is worse; correctness: the largest bias, in
    #: standard deviations of an indicator; divergences: share of transitions.
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None  # of the hypothesis that nothing got worse
    adjusted: float | None = None  # after the correction for all hypotheses of the suite
    resolution: float | None = None  # the smallest error, in units of `value`, that would be seen 95 times in 100
    decides: bool = True  # False: a warning that decides nothing


@dataclass(frozen=True)
class CellComparison:
    """One cell: target × sampler × settings × start."""

    match: str
    experiment: str
    target: str
    sampler: str
    sampler_kind: str
    settings: dict[str, float]
    start: str
    budget: int
    replicates: tuple[int, int]  # baseline, candidate
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings that decide; where no hypothesis was tested nothing was compared: no pass."""
        found = worst(self.findings)
        tested = any(finding.decides and finding.p_value is not None for finding in self.findings)
        return "not measured" if found == "pass" and not tested else found

    @property
    def label(self) -> str:
        """One line for people: sampler, target, settings and start."""
        values = ", ".join(f"{name}={value:g}" for name, value in self.settings.items() if (name, value) != _FULL_NOISE)
        return f"{self.sampler}{f'({values})' if values else ''} on {self.target}, {self.start} start"

    def finding(self, question: Question) -> Finding | None:
        """The finding on `question`, or None."""
        return next((finding for finding in self.findings if finding.question == question), None)

    @property
    def decisive(self) -> Finding | None:
        """The finding that the cell's verdict rests on; None if there is none."""
        return next((f for f in self.findings if f.decides and f.verdict == self.verdict), None)


_FULL_NOISE = ("temperature", 1.0)


@dataclass(frozen=True)
class Side:
    """Where one side came from."""

    path: str
    suite: str
    cells: int
    provenance: dict[str, Any]  # as in Results


@dataclass(frozen=True)
class Comparison:
    """All that was found, worst first."""

    verdict: Verdict
    summary: tuple[str, ...]  # sentences: the verdict with the numbers it rests on, then what limits it
    cells: tuple[CellComparison, ...]  # worst first
    overall: tuple[Finding, ...]  # of the suite as a whole: the geometric mean of the efficiencies
    only_baseline: tuple[str, ...]  # labels of cells that the candidate does not have
    only_candidate: tuple[str, ...]
    notes: tuple[str, ...]  # differences of the environment, and what else a reader must know
    baseline: Side
    candidate: Side
    alpha: float  # rate of false regressions of the whole comparison
    margin: float  # of the suite's geometric mean; twice that for a single cell
    resolution: float  # largest bias, in standard deviations of an indicator, that a pass may have overlooked
    hypotheses: int  # how many p-values share alpha
    stages: int = 1  # of the sequential rule; 1: nothing is extended
    version: int = field(default=COMPARISON_VERSION)

    def count(self, verdict: Verdict) -> int:
        """How many cells have this verdict."""
        return sum(cell.verdict == verdict for cell in self.cells)

    def to_json(self) -> dict[str, Any]:
        """JSON types only; follows ``comparison.schema.json``."""
        content = dataclasses.asdict(self)
        for cell, plain in zip(self.cells, content["cells"], strict=True):
            plain["verdict"], plain["label"] = cell.verdict, cell.label
        plain_content: dict[str, Any] = _lists(content)
        return plain_content


def worst(findings: tuple[Finding, ...] | list[Finding]) -> Verdict:
    """The worst verdict among the findings that decide; "not measured" if there are none."""
    return worst_verdict(finding.verdict for finding in findings if finding.decides)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; "not measured" if there are none."""
    return min(verdicts, key=SEVERITY.index, default="not measured")


def _lists(value: Any) -> Any:
    """JSON types: tuples to lists, and numbers that are not finite to None, which JSON has no name for."""
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [_lists(item) for item in value] if isinstance(value, (list, tuple)) else value
