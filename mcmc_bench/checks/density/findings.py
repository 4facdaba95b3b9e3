"""What a check of a target has found: plain data. Must not know how anything is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["passed", "problem", "note", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One sentence about a target, and for a problem its mend."""

    stage: str
    verdict: Verdict
    what: str
    mend: str = ""


@dataclass
class Report:
    """Everything that a check has found about one target, in the order of the stages."""

    target: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def problems(self) -> list[Finding]:
        """The findings that have to be mended."""
        return [finding for finding in self.findings if finding.verdict == "problem"]

    def __str__(self) -> str:
        """A line for each finding, with the mend below a problem."""
        lines = [f"{self.target}: {len(self.problems)} problems"]
        for finding in self.findings:
            lines.append(f"  {finding.verdict:8} {finding.stage}: {finding.what}")
            if finding.mend:
                lines.append(f"           mend: {finding.mend}")
        return "\n".join(lines)
