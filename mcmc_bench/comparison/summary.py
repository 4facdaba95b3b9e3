"""The summary of a comparison: its sentences, and the differences of the two environments.

Must not know how anything is decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcmc_bench.comparison.model import CellComparison, Decision, Finding, Side
from mcmc_bench.core.results import Results

#: What a run is made with, besides the versions of packages.
MADE_WITH = ("python", "system", "processor", "cores")


def sentences(
    verdict: Decision,
    cells: Sequence[CellComparison],
    overall: Sequence[Finding],
    alpha: float,
    hypotheses: int,
    stages: int,
) -> tuple[str, ...]:
    """The verdict with the numbers it rests on; then what was seen, and how often this is wrong."""
    judged = [cell for cell in cells if cell.verdict != "not measured"]
    alike = [cell for cell in judged if cell.verdict == verdict]
    right = "is still right" if len(judged) == 1 else "are still right"
    did = {"regression": "got worse", "inconclusive": "could not be decided"}.get(verdict, right)
    said = [f"{verdict.capitalize()}: {len(alike)} of {count(len(judged), 'cell')} {did}{_not_compared(cells)}."]
    found = alike[0].decisive if alike and verdict != "pass" else None
    if found is not None:
        said[0] += f" {alike[0].label}: {found.words}."
    said += [f"The suite: {finding.words}." for finding in overall]
    resolutions = sorted(
        finding.resolution
        for cell in judged
        for finding in cell.findings
        if finding.question == "correctness" and finding.resolution is not None
    )
    if resolutions:
        said.append(
            f"A bias of {resolutions[len(resolutions) // 2]:.2g} sd of an indicator would have been seen in half of the "
            f"cells, one of {resolutions[-1]:.2g} sd in all."
        )
    extended = f", over at most {stages} stages" if stages > 1 else ""
    said.append(
        f"If nothing got worse, a comparison like this says regression at most {alpha:g} of the time: "
        f"{count(hypotheses, 'hypothesis', 'hypotheses')} share that rate{extended}."
    )
    return tuple(said)


def _not_compared(cells: Sequence[CellComparison]) -> str:
    """A sentence on the cells of which nothing was compared."""
    number = sum(cell.verdict == "not measured" for cell in cells)
    return f"; {count(number, 'cell')} {'was' if number == 1 else 'were'} not compared" if number else ""


def reasons(cells: Sequence[CellComparison]) -> str:
    """Why nothing could be measured: the first three reasons, in brackets."""
    words = sorted({finding.words for cell in cells for finding in cell.findings if finding.verdict == "not measured"})
    return f" ({'; '.join(words[:3])})" if words else ""


def count(number: int, thing: str, plural: str = "") -> str:
    """``"1 cell"``, ``"2 cells"``."""
    return f"{number} {thing if number == 1 else plural or thing + 's'}"


def side_of(results: Results | None, path: str) -> Side:
    """The origin of one side; an empty one where there is no baseline."""
    if results is None:
        return Side("", "", 0, {})
    provenance = {key: value for key, value in results.provenance.items() if key != "suite_text"}
    return Side(path, results.suite, len(results.cells), provenance)


def same_job(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both sides ran on the same machine in the same job, so that their seconds can be compared."""
    return all(one.get(key) and one.get(key) == other.get(key) for key in ("machine", "job"))


def environment(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The differences, a sentence each."""
    pairs = [(name, before.get(name), now.get(name)) for name in MADE_WITH]
    versions = [side.get("versions") or {} for side in (before, now)]
    pairs += [(name, versions[0].get(name), versions[1].get(name)) for name in sorted({*versions[0], *versions[1]})]
    return [f"{name}: {old} in the baseline, {new} in the candidate." for name, old, new in pairs if old != new]
