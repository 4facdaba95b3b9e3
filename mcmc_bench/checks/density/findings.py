"""The findings about a target, as plain data. Must not know how anything is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["passed", "problem", "note", "skipped"]


@dataclass(frozen=True)
class Remark:
    """One sentence about a target, and for a problem its fix."""

    stage: str
    verdict: Severity
    what: str
    fix: str = ""


@dataclass
class Report:
    """Everything that a check has found about one target, in the order of the stages."""

    target: str
    findings: list[Remark] = field(default_factory=list)

    @property
    def problems(self) -> list[Remark]:
        """The findings that need a fix."""
        return [finding for finding in self.findings if finding.verdict == "problem"]

    def __str__(self) -> str:
        """A line for each finding, with the fix below a problem."""
        lines = [f"{self.target}: {len(self.problems)} problems"]
        for finding in self.findings:
            lines.append(f"  {finding.verdict:8} {finding.stage}: {finding.what}")
            if finding.fix:
                lines.append(f"            fix: {finding.fix}")
        return "\n".join(lines)
