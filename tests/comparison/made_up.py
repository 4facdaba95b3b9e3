"""Comparisons made up for the tests of the formats: every number in them is false, and easy to recognise."""

from __future__ import annotations

from mcmc_bench.comparison.model import SEVERITY, CellComparison, Comparison, Decision, Finding, Side

#: What a name or a message may hold at worst: markup, links, mentions, commands of log readers, control characters.
HOSTILE = (
    "<script>alert(1)</script>|`x`` </details> **bold** _it_ [a](http://e.example/) ![i](x.png) https://f.example www.g.example "
    "@octocat octo/cat#12 #34 GH-56 a@b.example :tada: $x$ ~~s~~ &amp; &#64;me ]]> <!-- \\| \\` %0A %25 100%,a:b"
    "\n::error title=forged::forged\r\n##[error]forged\n# heading\n- item\n\n| a | b |\x1b[31mred\x00\x07\u2028\u202e\ud800\ufffe\x85end"
)
PROVENANCE = {
    "python": "3.12.1",
    "versions": {"numpy": "2.1.0"},
    "system": "Linux x86_64",
    "processor": "made up",
    "cores": 4,
    "workers": 2,
    "engine_hash": "0123456789ab",
    "commit": "abcdef0",
    "seed": "made up",
    "command": "mcmc-bench run x",
    "started": "2026-01-02T03:04:05+00:00",
    "seconds": 1.5,
    "complete": True,
    "machine": "ab",
    "job": "local",
}


def finding(verdict: Decision = "pass", question: str = "efficiency", **change: object) -> Finding:
    """A finding with all numbers."""
    given = {
        "words": f"made up {question}",
        "value": 1.75,
        "low": 1.5,
        "high": 2.0,
        "p_value": 0.25,
        "adjusted": 0.5,
        "resolution": 0.125,
        **change,
    }
    return Finding(question, verdict, **given)  # type: ignore[arg-type]


def cell(verdict: Decision, target: str = "banana", **change: object) -> CellComparison:
    """A cell whose efficiency has this verdict and all else passes."""
    given: dict[str, object] = {
        "match": "0123456789ab",
        "experiment": "main",
        "target": target,
        "sampler": "hmc",
        "sampler_kind": "exact",
        "settings": {"step_size": 0.5, "temperature": 1.0},
        "start": "exact",
        "budget": 2000,
        "replicates": (32, 64),
        "findings": (),
        **change,
    }
    if not given["findings"] and verdict == "not measured":
        given["findings"] = (Finding("efficiency", "not measured", "not measured: made up"),)
    elif not given["findings"]:
        given["findings"] = (
            Finding("ran", "pass", "finished"),
            finding("pass", "correctness", value=0.0625, low=0.0, high=0.1),
            finding(verdict, words=f"needs 1.8× (1.5–2.0) the gradients: {verdict}"),
        )
    return CellComparison(**given)  # type: ignore[arg-type]


def comparison(*cells: CellComparison, **change: object) -> Comparison:
    """A comparison of these cells; its verdict is the worst of theirs."""
    verdicts = {one.verdict for one in cells}
    verdict = next((verdict for verdict in SEVERITY if verdict in verdicts), "pass")
    given: dict[str, object] = {
        "verdict": verdict,
        "summary": (f"{verdict.capitalize()}: made up.", "A bias of 0.1 sd would have been seen."),
        "cells": cells,
        "overall": (finding("pass", words="needs 1.01× (0.99–1.03) in all"),),
        "only_baseline": (),
        "only_candidate": (),
        "notes": ("python: 3.11 in the baseline, 3.12 in the candidate.",),
        "baseline": Side("old.json", "smoke", len(cells), dict(PROVENANCE)),
        "candidate": Side("new dir", "smoke", len(cells), dict(PROVENANCE)),
        "alpha": 0.001,
        "margin": 0.2,
        "resolution": 0.2,
        "hypotheses": 12,
        **change,
    }
    return Comparison(**given)  # type: ignore[arg-type]


def one_of_each() -> Comparison:
    """A cell of each verdict, a cell that vanished, a new one, and a slower one."""
    slower = finding("regression", "time", words="needs 3.0× the seconds", decides=False)
    return comparison(
        cell("regression", "worse"),
        cell("inconclusive", "unclear"),
        cell("pass", "slower", findings=(finding("pass"), slower)),
        cell("pass", "right"),
        cell("not measured", "untold"),
        only_baseline=("mala on vanished, exact start",),
        only_candidate=("mala on new, exact start",),
    )


def hostile() -> Comparison:
    """`HOSTILE` wherever a text may be."""
    found = tuple(finding(verdict, words=HOSTILE) for verdict in SEVERITY[:3])
    slow = finding("regression", "time", words=HOSTILE, decides=False)
    cells = [
        cell(verdict, HOSTILE, sampler=HOSTILE, experiment=HOSTILE, findings=(finding(verdict, words=HOSTILE), slow))
        for verdict in SEVERITY
    ]
    return comparison(
        *cells,
        summary=(HOSTILE, HOSTILE),
        overall=found,
        only_baseline=(HOSTILE,),
        only_candidate=(HOSTILE,),
        notes=(HOSTILE, "1. no list", "- none either", "--- no line"),
        baseline=Side(HOSTILE, HOSTILE, 1, {**PROVENANCE, "commit": HOSTILE}),
        candidate=Side(HOSTILE, HOSTILE, 1, {**PROVENANCE, "started": HOSTILE}),
    )


def large(name: str = "target_with_a_long_name_", length: int = 10) -> Comparison:
    """3000 cells with long names: 300 regressions, 700 not decided, 2000 that pass."""
    verdicts: list[Decision] = ["regression"] * 300 + ["inconclusive"] * 700 + ["pass"] * 2000
    return comparison(
        *(cell(verdict, f"{name * length}{number}") for number, verdict in enumerate(verdicts)),
        only_baseline=tuple(f"{name * length} vanished {number}" for number in range(3000)),
        only_candidate=tuple(f"{name * length} new {number}" for number in range(3000)),
        notes=tuple(f"{name * length} noted {number}" for number in range(3000)),
    )
