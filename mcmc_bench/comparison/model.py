"""The findings of a comparison: the contract between the rules that decide and the formats that say it.

Must not know how anything is decided or written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from mcmc_bench.core import json_form
from mcmc_bench.core.json_form import Count, Limits, Positive, Share
from mcmc_bench.core.kinds import Kind, StartName
from mcmc_bench.core.results import Origin

Decision = Literal["regression", "inconclusive", "pass", "not measured"]
#: Worst first.
SEVERITY: tuple[Decision, ...] = ("regression", "inconclusive", "pass", "not measured")
#: ran: it finished · present: it is on both sides · evaluations: as many as the suite says · finite: all chains stayed finite ·
#: divergences: not more · correctness: no bias, or not a larger one · efficiency: error for the same evaluations ·
#: low error: evaluations until the error is low · time: seconds for an evaluation.
Question = Literal[
    "ran", "present", "evaluations", "finite", "divergences", "correctness", "efficiency", "low error", "time"
]
COMPARISON_VERSION = 1
PositiveNumber = Annotated[float, Limits(exclusiveMinimum=0)]


class NothingComparedError(ValueError):
    """The two sides have nothing in common that could be compared."""


@dataclass(frozen=True)
class Finding:
    """The answer to one question about one cell, or about the suite."""

    question: Question
    verdict: Decision
    words: str  # one sentence with numbers: plain text, not escaped for any format
    #: efficiency, low error, time: candidate over baseline, above 1 is worse; correctness: the largest bias, in
    #: standard deviations of an indicator; divergences: share of transitions.
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: Share | None = None  # of the hypothesis that nothing got worse
    adjusted: Share | None = None  # after the correction for all hypotheses of the suite
    resolution: float | None = None  # the smallest error, in units of `value`, that would be seen 95 times in 100
    decides: bool = True  # False: a warning that decides nothing


@dataclass(frozen=True)
class CellComparison:
    """One cell: target × sampler × settings × start."""

    ALSO_WRITTEN: ClassVar[tuple[str, ...]] = ("verdict", "label")

    match: str
    experiment: str
    target: str
    sampler: str
    sampler_kind: Kind
    settings: dict[str, float]
    start: StartName
    budget: Positive
    replicates: tuple[Count, Count]  # baseline, candidate
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Decision:
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
    """The origin of one side."""

    path: str
    suite: str
    cells: Count
    #: As in Results, without the text of the suite; empty where there is no such side.
    provenance: Annotated[dict[str, Any], Limits(anyOf=[{"maxProperties": 0}, {"$ref": "#/$defs/Origin"}])]


@dataclass(frozen=True)
class Comparison:
    """All that was found, worst first."""

    verdict: Decision
    summary: tuple[str, ...]  # sentences: the verdict with the numbers it rests on, then what limits it
    cells: tuple[CellComparison, ...]  # worst first
    overall: tuple[Finding, ...]  # of the suite as a whole: the geometric mean of the efficiencies
    only_baseline: tuple[str, ...]  # labels of cells that the candidate does not have
    only_candidate: tuple[str, ...]
    notes: tuple[str, ...]  # differences of the environment, and what else a reader must know
    baseline: Side
    candidate: Side
    alpha: Annotated[
        float, Limits(exclusiveMinimum=0, exclusiveMaximum=1)
    ]  # rate of false regressions of the whole comparison
    margin: PositiveNumber  # of the suite's geometric mean; twice that for a single cell
    resolution: PositiveNumber  # largest bias, in standard deviations of an indicator, that a pass may have overlooked
    hypotheses: Count  # how many p-values share alpha
    stages: Positive = 1  # of the sequential rule; 1: nothing is extended
    version: Annotated[int, Limits(const=COMPARISON_VERSION)] = COMPARISON_VERSION

    def count(self, verdict: Decision) -> int:
        """Number of cells with this verdict."""
        return sum(cell.verdict == verdict for cell in self.cells)

    def to_json(self) -> dict[str, Any]:
        """The comparison in JSON types only; follows `schema`. None where a number is not finite."""
        content: dict[str, Any] = json_form.to_json(self)
        return content

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON schema of what `to_json` gives."""
        found = json_form.schema(cls, as_written=True)
        found["$defs"] |= json_form.schema(Origin)["$defs"]
        return found


def worst(findings: tuple[Finding, ...] | list[Finding]) -> Decision:
    """The worst verdict among the findings that decide; "not measured" if there are none."""
    return worst_verdict(finding.verdict for finding in findings if finding.decides)


def worst_verdict(verdicts: Iterable[Decision]) -> Decision:
    """The worst of them; "not measured" if there are none."""
    return min(verdicts, key=SEVERITY.index, default="not measured")
