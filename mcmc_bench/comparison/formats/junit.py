"""A comparison as JUnit XML, which GitLab and Jenkins read: one test case for each cell.

GitLab shows the text of a failure, Jenkins its message: the words are in both. Must not know how anything is decided.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import chain, count

from mcmc_bench.comparison.formats import sentences
from mcmc_bench.comparison.formats.sentences import one_line
from mcmc_bench.comparison.model import Comparison, Decision, Finding, worst


def render(comparison: Comparison) -> str:
    """The comparison as XML, in UTF-8."""
    suite = ET.Element("testsuite")
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(comparison).items():
        ET.SubElement(properties, "property", name=name, value=one_line(value))
    suite_class = f"mcmc_bench.{_part(comparison.candidate.suite)}"
    _case(suite, suite_class, "the suite as a whole", worst(comparison.overall), comparison.overall)
    taken: set[tuple[str, str]] = set()

    def unique(place: str, label: str) -> str:
        """Of cases with the same name only the first would be read."""
        name = one_line(label) or "unnamed"
        numbered = chain([name], (f"{name} ({number})" for number in count(2)))
        free = next(candidate for candidate in numbered if (place, candidate) not in taken)
        taken.add((place, free))
        return free

    for cell in sentences.by_severity(comparison.cells):
        place = f"mcmc_bench.{_part(cell.experiment)}.{_part(cell.target)}"
        _case(suite, place, unique(place, cell.label), cell.verdict, cell.findings)
    missing = Finding("present", "regression", "is in the baseline and not in the candidate")
    place = f"{suite_class}.missing"
    for label in comparison.only_baseline:
        _case(suite, place, unique(place, label), "regression", [missing])
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": 0,
        "skipped": len(suite.findall("testcase/skipped")),
    }
    title = one_line(f"mcmc-bench compare {comparison.candidate.suite}")
    suite.attrib = {"name": title, **{name: str(value) for name, value in counts.items()}, "time": "0"}
    # The schema of Jenkins knows no "skipped" here.
    root = ET.Element("testsuites", {name: suite.attrib[name] for name in suite.attrib if name != "skipped"})
    root.append(suite)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="utf-8", xml_declaration=True).decode("utf-8") + "\n"


def _properties(comparison: Comparison) -> dict[str, str]:
    return {
        "verdict": comparison.verdict,
        "summary": " ".join(comparison.summary),
        "baseline": comparison.baseline.path,
        "candidate": comparison.candidate.path,
        "alpha": f"{comparison.alpha:g}",
        "margin": f"{comparison.margin:g}",
        "resolution": f"{comparison.resolution:g}",
        "hypotheses": str(comparison.hypotheses),
        **{f"note {number}": note for number, note in enumerate(comparison.notes, start=1)},
    }


def _case(suite: ET.Element, place: str, name: str, verdict: Decision, findings: Sequence[Finding]) -> None:
    case = ET.SubElement(suite, "testcase", classname=place, name=name, time="0")
    worrying = sentences.worrying(findings)
    if verdict == "regression":
        failure = ET.SubElement(case, "failure", message=sentences.sentences(worrying), type="regression")
        failure.text = _lines(worrying)
    elif verdict in ("inconclusive", "not measured"):
        told = worrying or [finding for finding in findings if finding.verdict == "not measured"]
        message = sentences.sentences(told)
        ET.SubElement(
            case,
            "skipped",
            message=message if message.startswith(verdict) else f"{verdict}: {message or 'nothing found'}",
        )
    if findings:
        ET.SubElement(case, "system-out").text = _lines(findings)


def _lines(findings: Sequence[Finding]) -> str:
    return "\n".join(
        f"{finding.verdict if finding.decides else 'decides nothing'}: {finding.question}: {one_line(finding.words)}"
        for finding in findings
    )


def _part(name: str) -> str:
    """A part of a class name: a dot would begin a new one."""
    return one_line(name).replace(".", "_") or "unnamed"
