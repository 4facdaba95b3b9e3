"""Runs a suite, compares it with a baseline, and extends what is not decided: the one command above both halves.

Knows running and comparison. Must not know how cells are run, nor how anything is decided.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcmc_bench.comparison import Comparison, Rule, compare, measured_efficiency
from mcmc_bench.core.evidence import Evidence
from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.progress import Progress
from mcmc_bench.core.results import Results, ResultsError
from mcmc_bench.executors import JobError
from mcmc_bench.experiments.run import extend, run
from mcmc_bench.experiments.suite import Suite, load_suite

#: Stages of the sequential rule, and how many times the replicates of the first each further one has.
STAGES, GROWTH = 3, 4
#: A baseline is made once and compared with often: its own error should not be what limits a comparison.
BASELINE_REPLICATE_FACTOR = 4.0


def gate(
    suite: str | Path | Suite,
    baseline: str | Path | None,
    rule: Rule | None = None,
    *,
    output: str | Path,
    targets_folder: str | Path | None = None,
    samplers_folder: str | Path | None = None,
    replicate_factor: float = 1.0,
    executor: str = "local",
    workers: int | None = None,
    seed: str | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> Comparison:
    """Run `suite`, compare it with `baseline`, and give cells that are not decided further replicates.

    Args:
        suite: as in `run`.
        baseline: results that were accepted; None judges only what needs none.
        rule: what is right; see `Rule`.
        output: folder of the results; they hold the extensions too, so that comparing them again gives the same.
        targets_folder: as in `run`.
        samplers_folder: as in `run`.
        replicate_factor: as in `run`.
        executor: as in `run`.
        workers: as in `run`.
        seed: as in `run`. A baseline's should be another: draws that both sides share are not independent.
        progress: as in `run`.
        command: as in `run`.

    Raises:
        ResultsError: the baseline cannot be read; said before anything runs.
        NothingComparedError: no cell is on both sides, or none has anything that can be compared.
        Interrupted: Ctrl-C; what is finished is stored.
    """
    accepted = None if baseline is None else Results.load(baseline)
    the_rule = rule or Rule()
    folders: dict[str, Any] = {"targets_folder": targets_folder, "samplers_folder": samplers_folder}
    how: dict[str, Any] = {**folders, "executor": executor, "workers": workers, "progress": progress}
    if isinstance(suite, Suite):
        the_suite = suite
    else:
        the_suite = load_suite(suite, seed=seed, replicate_factor=replicate_factor, **folders)
    results = run(the_suite, output=output, command=command, **how)

    def more(undecided: Collection[str], stage: int) -> dict[str, Evidence | JobError]:
        results.save(output)
        return extend(the_suite, undecided, stage=stage, factor=GROWTH, **how)

    comparison = in_stages(accepted, results, the_rule, more, ("" if baseline is None else str(baseline), str(output)))
    results.save(output)
    return comparison


def in_stages(
    baseline: Results | None,
    results: Results,
    rule: Rule,
    more: Callable[[Collection[str], int], dict[str, Evidence | JobError]],
    paths: tuple[str, str] = ("", ""),
) -> Comparison:
    """Compare, and extend what is not decided, until everything is or no stage is left.

    Args:
        baseline: as in `compare`.
        results: of the first stage; they get the evidence of the others.
        rule: as in `compare`.
        more: gives evidence of `GROWTH` times as many new replicates of cells, by their `match`, for a stage from 1;
            or the error instead.
        paths: as in `compare`.
    """
    results.provenance["stages"] = STAGES
    comparison = compare(baseline, results, rule, paths=paths)
    for stage in range(1, STAGES):
        undecided = _undecided(comparison)
        if not undecided:
            break
        further = more(undecided, stage)
        for cell in results.cells:
            found = further.get(cell.match)
            if isinstance(found, JobError):
                cell.outcome, cell.message = found.outcome, f"when it was extended: {found}"
            elif found is not None:
                cell.evidence.append(found)
        comparison = compare(baseline, results, rule, paths=paths)
    return comparison


def _undecided(comparison: Comparison) -> set[str]:
    """Cells that are not decided; where the suite's mean is not, all that it is taken over."""
    found = {cell.match for cell in comparison.cells if cell.verdict == "inconclusive"}
    if any(finding.verdict == "inconclusive" for finding in comparison.overall):
        costs = {cell.match: cell.finding("efficiency") for cell in comparison.cells}
        found |= {match for match, cost in costs.items() if cost is not None and cost.verdict != "not measured"}
    return found


def record_baseline(
    suite: str | Path,
    file: str | Path,
    *,
    seed: str | None = None,
    replicate_factor: float = BASELINE_REPLICATE_FACTOR,
    targets_folder: str | Path | None = None,
    samplers_folder: str | Path | None = None,
    executor: str = "local",
    workers: int | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> Results:
    """Run `suite` and keep what a comparison needs of it in one `file`.

    The arguments are those of `gate`; the seed is by default one that no other run has. Until `file` is written the
    cells are kept beside it, so that the same call goes on after Ctrl-C.

    Raises:
        FileExistsError: `file` is there: a baseline is only replaced by accepting another.
    """
    wanted = Path(file)
    if wanted.exists():
        raise FileExistsError(
            f"{wanted} is there already; replace it with: mcmc-bench compare {wanted} CANDIDATE --accept, or remove it"
        )
    folders: dict[str, Any] = {"targets_folder": targets_folder, "samplers_folder": samplers_folder}
    how: dict[str, Any] = {**folders, "executor": executor, "workers": workers, "progress": progress}
    own_seed = seed or f"baseline of {load_suite(suite, **folders).seed}"
    the_suite = load_suite(suite, seed=own_seed, replicate_factor=replicate_factor, **folders)
    folder = wanted.with_name(f"{wanted.name}.unfinished")
    results = run(the_suite, output=folder, command=command, **how)
    _store(results, wanted)
    shutil.rmtree(folder)
    return results


def accept(comparison: Comparison, candidate: Results, baseline: str | Path) -> Path:
    """Replace the `baseline` file by the candidate, and add a line to the history beside it. Returns the history.

    Raises:
        ResultsError: the baseline is not a file.
    """
    file = Path(baseline)
    if not file.is_file():
        raise ResultsError(f"{file} is not a file; record one with: mcmc-bench baseline SUITE -o FILE")
    mean = next((finding for finding in comparison.overall if finding.question == "efficiency"), None)
    line = {
        "accepted": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": candidate.provenance.get("commit"),
        "suite": candidate.suite,
        "verdict": comparison.verdict,
        "geometric_mean": None if mean is None else {"value": mean.value, "low": mean.low, "high": mean.high},
        "cells": {
            cell.match: {
                "label": cell.label,
                "real_ess_per_evaluation": measured_efficiency(candidate, cell.match),
                "largest_bias": None if (found := cell.finding("correctness")) is None else found.value,
            }
            for cell in comparison.cells
        },
    }
    history = history_of(file)
    before = history.read_text(encoding="utf-8") if history.is_file() else ""
    before += "\n" if before and not before.endswith("\n") else ""  # an editor may have taken the last one away
    _store(candidate, file)
    write_atomically(history, (before + json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return history


def history_of(baseline: Path) -> Path:
    """The file beside a baseline that holds a line for each accepted run."""
    return baseline.with_name(f"{baseline.stem}.history.jsonl")


def _store(results: Results, file: Path) -> None:
    """Without curves, which only the report draws."""
    slim = replace(results, cells=[replace(cell, curves={}) for cell in results.cells])
    write_atomically(file, slim.to_text().encode())
