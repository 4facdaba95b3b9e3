"""Writes the tables of the study into the documentation.

    python benchmarks/gate/tables.py

Reads reports/published/gate/study.json; replaces what stands between the marks in docs/continuous_integration.md.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "reports" / "published" / "gate" / "study.json"
GUIDE = ROOT / "docs" / "continuous_integration.md"
MARKS = re.compile(r"(<!-- study:.*? -->\n).*?(<!-- end of study -->)", flags=re.DOTALL)
#: Share of runs in which a fault has to be found to count as detected.
DETECTED = 0.95


def tables(study: dict[str, Any]) -> str:
    """The section, in Markdown."""
    equal, faults = study["equal"], study["faults"]
    gate = equal["gate"]
    correctness = [fault for fault in faults.values() if fault["spoils"] == "correctness"]
    detected = [fault for fault in correctness if fault["replicate_factors"]["1"]["regression"]["share"] >= DETECTED]
    lines = [
        (
            f"Measured with the suite `smoke` by `benchmarks/gate/study.py` (equal code at commit "
            f"{equal['commit']}, faults at {', '.join(sorted({fault['commit'] for fault in faults.values()}))}): pools of "
            f"{study['pool']} replicates of each cell ({study['faulty_pool']} of each cell of a faulty sampler) from fresh random "
            "streams. Each comparison draws the replicates of its two sides from the pools without replacement. The sides share "
            "none; different comparisons share some. Intervals are 95 % (Clopper and Pearson)."
        ),
        "",
        "### Equal code on both sides",
        "",
        (
            f"{equal['comparisons']} comparisons by `mcmc-bench compare`, of {equal['cells']} judged cells, with the default "
            "number of replicates on each side:"
        ),
        "",
        "| promised rate of false regressions (α) | measured | 95 % interval |",
        "|---|---|---|",
        *(f"| {level} | {_share(found)} | {_interval(found)} |" for level, found in equal["false_alarms"].items()),
        "",
        (
            f"The gate, at the default α = 0.001 and in up to {study['stages']} stages, said regression in "
            f"{gate['regressions']['count']} of {gate['comparisons']} comparisons ({_interval(gate['regressions'])}) and ended "
            f"inconclusive in {gate['inconclusive']['count']} ({_interval(gate['inconclusive'])}). `compare`, with its one "
            f"stage, leaves {equal['undecided_cells']:.1%} of the judged cells undecided; the gate leaves "
            f"{gate['undecided_cells']:.2%}."
        ),
        "",
        "The p-values behind these numbers come from one random indicator of each cell whose distribution is known, and from "
        "the one-sided test of the cost of each cell. Comparisons that share replicates are not independent, and the mean of "
        "a pool is off by chance. At levels of one in a million this alone makes false alarms about one and a half times as "
        "frequent. "
        + equal.get("note", "So the last row tests all indicators on parts of the pools that share no replicate."),
        "",
        "| p-values | number | "
        + " | ".join(f"≤ {level}" for level in equal["p_values"]["correctness"]["below"])
        + " | largest difference from uniform |",
        "|---|---|" + "---|" * (len(equal["p_values"]["correctness"]["below"]) + 1),
        *(
            f"| {name} | {found['count']} | "
            + " | ".join(f"{share:.4g}" for share in found["below"].values())
            + f" | {found['largest_difference']:.3f} |"
            for name, found in equal["p_values"].items()
        ),
        "",
        "### Planted faults",
        "",
        (
            f"The share of runs that find the fault ({study['runs']} runs each), with the replicates of the suite times a "
            f"factor, and by the gate at factor 1. At factor 1, at least {DETECTED:.0%} of the runs find {len(detected)} of the "
            f"{len(correctness)} correctness faults."
        ),
        "",
        "| fault | spoils | "
        + " | ".join(f"× {factor}" for factor in _factors(faults))
        + " | gate | needs | found by |",
        "|---|---|" + "---|" * (len(_factors(faults)) + 3),
        *(_fault(fault) for fault in faults.values()),
        "",
    ]
    missed = [
        f"{fault['what']} ({fault['replicate_factors']['1']['regression']['share']:.0%})"
        for fault in faults.values()
        if fault["spoils"] != "none" and fault["replicate_factors"]["1"]["regression"]["share"] < DETECTED
    ]
    lines += [f"Not found in {DETECTED:.0%} of the runs at factor 1: {'; '.join(missed) if missed else 'none'}.", ""]
    lines += [
        (
            "“needs” is the ratio of gradients for the same error, faulty sampler over right sampler, as the geometric mean of the "
            "measured cells; – means not recorded. A fault that spoils “none” is rightly not called a regression. A Metropolis "
            "step corrects proposals of any step size, and of any gradient that the ratio uses too. Such a fault gains "
            "efficiency, or loses less of it than the margin."
        ),
        "",
    ]
    return "\n".join(lines)


def _factors(faults: dict[str, Any]) -> list[str]:
    return list(next(iter(faults.values()))["replicate_factors"])


def _fault(fault: dict[str, Any]) -> str:
    at_one = fault["replicate_factors"]["1"]
    found = [name for name in ("correctness", "efficiency") if at_one[name]["share"] > 0.5]
    cells = [_percent(entry["regression"]) for entry in fault["replicate_factors"].values()]
    by = ", ".join(found) or "–"
    needs = "–" if at_one.get("needs") is None else f"{at_one['needs']:.2f}×"
    return f"| {fault['what']} | {fault['spoils']} | {' | '.join(cells)} | {_percent(fault['gate']['regression'])} | {needs} | {by} |"


def _percent(found: dict[str, float]) -> str:
    return f"{found['share']:.0%} ({100 * found['low']:.0f}–{100 * found['high']:.0f})"


def _share(found: dict[str, float]) -> str:
    return f"{found['count']} of {found['of']}, {found['share']:.4f}"


def _interval(found: dict[str, float]) -> str:
    return f"{found['low']:.4f}–{found['high']:.4f}"


def written(guide: str, study: dict[str, Any]) -> str:
    """The guide with its tables."""
    return MARKS.sub(lambda match: f"{match[1]}\n{tables(study)}\n{match[2]}", guide)


if __name__ == "__main__":
    GUIDE.write_text(written(GUIDE.read_text("utf-8"), json.loads(STUDY.read_text("utf-8"))), encoding="utf-8")
