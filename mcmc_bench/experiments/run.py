"""From a suite to results: cells as jobs of an executor, checkpoints, choice of settings, verdicts.

A cell that raises, hangs past its limit or takes its process down is recorded as that cell's outcome, and the rest
goes on. Knows suites, jobs and results. Must not know any particular target or sampler, how jobs are run, nor the report.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mcmc_bench import metrics
from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.evidence import Evidence
from mcmc_bench.core.progress import Progress
from mcmc_bench.core.provenance import command_line, describe_environment
from mcmc_bench.core.results import Provenance, Results
from mcmc_bench.executors import Executor, JobError, executor_class
from mcmc_bench.experiments import worker
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.checkpoints import Checkpoints
from mcmc_bench.experiments.loading import TargetIdentity, forget_all
from mcmc_bench.experiments.selection import select
from mcmc_bench.experiments.suite import Suite, load_suite, with_seed
from mcmc_bench.experiments.target_facts import blank_facts, describe

#: Compiling may take this long, however short the time limit of the cells is.
COMPILE_SECONDS = 60.0


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; every finished cell is kept in `folder`, and the same command goes on from there."""

    def __init__(self, folder: Path, done: int, count: int, *, fresh: bool) -> None:
        how = "the same command without --fresh" if fresh else "the same command"
        super().__init__(f"{done} of {count} cells are kept in {folder}; {how} goes on from there")


def run(
    suite: str | Path | Suite,
    *,
    output: str | Path | None = None,
    targets_folder: str | Path | None = None,
    samplers_folder: str | Path | None = None,
    replicate_factor: float = 1.0,
    executor: str = "local",
    workers: int | None = None,
    seed: str | int | None = None,
    fresh: bool = False,
    keep_draws: bool = False,
    progress: Progress | None = None,
    command: str = "",
) -> Results:
    """Run a suite and store its results.

    Args:
        suite: name of a built-in suite, path of a TOML file, or a suite that is loaded.
        output: folder of the results; ``reports/SUITE`` by default. Finished cells found there whose inputs and
            sources are the same are not run again.
        targets_folder: a folder of further targets.
        samplers_folder: a folder of further samplers, or one file.
        replicate_factor: see `load_suite`; for a suite that is loaded it is that of the loading.
        executor: where cells run, a name of `mcmc_bench.executors.list_executors`: "local" worker processes, or
            "inline" in this process, for a debugger. No number depends on it.
        workers: cells that run at a time; one for each processor by default. No number depends on it.
        seed: instead of the suite's own.
        fresh: run everything again.
        keep_draws: also store all draws, ``draws/CELL.nc``, in ArviZ's schema.
        progress: see `Progress`.
        command: what to type to make these results again, for the provenance.

    Raises:
        SuiteError: the suite cannot be run.
        ExecutorError: there is no executor of that name.
        Interrupted: Ctrl-C; what is finished is stored.
    """
    started, before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.perf_counter()
    at_a_time = _workers(executor, workers)
    if isinstance(suite, Suite):
        the_suite = suite if seed is None else with_seed(suite, str(seed))
    else:
        further = {"targets_folder": targets_folder, "samplers_folder": samplers_folder}
        the_suite = load_suite(suite, seed=seed, replicate_factor=replicate_factor, **further)
    folder = _made(Path("reports") / the_suite.name if output is None else Path(output))
    if not command:
        options = {
            "-o": output,
            "--targets": targets_folder,
            "--samplers": samplers_folder,
            "--seed": seed,
            "--replicate-factor": None if replicate_factor == 1.0 else replicate_factor,
        }
        command = _typed(the_suite.name if isinstance(suite, Suite) else str(suite), options, keep_draws=keep_draws)
    folders, say = Folders.of(targets_folder, samplers_folder), progress or (lambda what, done, count: None)
    provenance = {
        **describe_environment(at_a_time),
        "seed": the_suite.seed,
        "suite_text": the_suite.text,
        "command": command,
        "started": started,
    }
    forget_all()
    kept = None
    try:
        with _opened(executor, at_a_time, len(the_suite.cells)) as jobs:
            identities = _identities(the_suite.cells, folders, jobs, say)
            kept = Checkpoints(folder, the_suite.cells, identities, folders, keep_draws=keep_draws)
            if fresh:
                kept.remove_all()
            kept.read()
            provenance["resumed"] = len(kept.cells)
            _finish_cells(_Work(kept, jobs, say))
    except KeyboardInterrupt:
        if kept is None:  # nothing was begun: the folder is as it was
            raise
        kept.read()  # it may have come after a cell was stored and before it was counted
        _save(the_suite, kept, {**provenance, "seconds": time.perf_counter() - before, "complete": False})
        raise Interrupted(folder, len(kept.cells), len(kept.plans), fresh=fresh) from None
    if kept.unseen:
        provenance["not_kept"] = {kept.plans[key].label: reason for key, reason in kept.unseen.items()}
    results = _save(the_suite, kept, {**provenance, "seconds": time.perf_counter() - before, "complete": True})
    kept.remove_others()
    return results


def extend(
    suite: Suite,
    matches: Collection[str],
    *,
    stage: int,
    factor: int,
    targets_folder: str | Path | None = None,
    samplers_folder: str | Path | None = None,
    executor: str = "local",
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Evidence | JobError]:
    """Evidence of further replicates of some cells, by their `match`; the error instead, where there was one.

    Args:
        suite: the suite they are from.
        matches: which cells.
        stage: number of the extension, from 1; each has random streams of its own.
        factor: times as many replicates as the suite gives the cell, and as much time.
        targets_folder: as in `run`.
        samplers_folder: as in `run`.
        executor: as in `run`.
        workers: as in `run`.
        progress: as in `run`.
    """
    plans = {plan.match: plan for plan in suite.cells if plan.match in matches}
    folders, found = Folders.of(targets_folder, samplers_folder), dict[str, Evidence | JobError]()
    forget_all()
    with _opened(executor, _workers(executor, workers), len(plans)) as jobs:
        futures = {
            jobs.submit(
                worker.extend,
                plan,
                folders,
                stage,
                factor * plan.replicates,
                timeout=COMPILE_SECONDS + factor * plan.time_limit,
            ): match
            for match, plan in plans.items()
        }
        for future in jobs.as_completed(futures):
            match = futures[future]
            try:
                found[match] = future.result()
            except JobError as error:
                found[match] = error
            if progress is not None:
                progress(plans[match].label, len(found), len(plans))
    return found


def _workers(executor: str, workers: int | None) -> int:
    """The number of cells that run at a time.

    Raises:
        ExecutorError, ValueError: that cannot be.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers = {workers} must be at least 1")
    return 1 if executor_class(executor).in_this_process else workers or os.cpu_count() or 1


def _opened(executor: str, workers: int, jobs: int) -> Executor:
    """The executor, with no more workers than there are jobs."""
    return executor_class(executor)(max(1, min(workers, jobs)))


def _made(folder: Path) -> Path:
    """The folder of the results, made now: one that cannot be written is said before anything runs."""
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file, not a folder: name a folder for the results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _typed(suite: str, options: Mapping[str, Any], *, keep_draws: bool) -> str:
    """The command line that does what a call of `run` does; options that are None are left out."""
    given = [text for option, value in options.items() if value is not None for text in (option, str(value))]
    return command_line(["run", suite, *given, *(["--keep-draws"] if keep_draws else [])])


# ------------------------------------------------------------ work


@dataclass(frozen=True)
class _Work:
    """The jobs of one call of `run`."""

    kept: Checkpoints
    jobs: Executor
    progress: Progress

    def say(self, what: str) -> None:
        self.progress(what, len(self.kept.cells), len(self.kept.plans))

    def compile(self) -> None:
        """Every sampler and every target is compiled once, by one worker, before all of them need it."""
        seen: set[str] = set()
        futures = []
        for plan in self.kept.todo.values():
            if {f"target {plan.target}", f"sampler {plan.sampler}"} - seen:
                seen |= {f"target {plan.target}", f"sampler {plan.sampler}"}
                limit = max(plan.time_limit, COMPILE_SECONDS)
                futures.append(self.jobs.submit(worker.compile_cell, plan, self.kept.folders, timeout=limit))
        if futures:
            self.say(f"compiling (1 of {len(futures)})")
        for number, _ in enumerate(self.jobs.as_completed(futures), 1):
            # What cannot be compiled fails again in its cell, where it is recorded.
            self.say(f"compiling ({number} of {len(futures)})")

    def cells(self) -> None:
        """Every cell that is not done."""
        kept = self.kept
        todo = kept.todo
        futures = {
            self.jobs.submit(worker.run_cell, plan, key, kept.folders, kept.keep_draws, timeout=plan.time_limit): key
            for key, plan in todo.items()
        }
        for future in self.jobs.as_completed(futures):
            key = futures[future]
            try:
                done = future.result()
            except JobError as error:
                cell = worker.blank_cell(todo[key], key, kept.folders)
                cell.outcome, cell.message = error.outcome, str(error)
                done = worker.CellOutput(cell)
            kept.keep_cell(key, done)
            self.say(todo[key].label)

    def targets(self) -> None:
        """Facts of every target that has none."""
        futures = {
            self.jobs.submit(describe, plan, self.kept.folders, timeout=plan.time_limit): plan
            for plan in self.kept.undescribed
        }
        for future in self.jobs.as_completed(futures):
            plan = futures[future]
            try:
                self.kept.keep_facts(plan, future.result())
            except JobError as error:  # a target that cannot be described is still named in the report
                self.kept.targets[plan.target_label] = blank_facts(plan, f"could not be described: {error}")


def _identities(
    cells: Collection[CellPlan], folders: Folders, jobs: Executor, progress: Progress
) -> dict[str, TargetIdentity]:
    """The identity of every target, by its label. One that cannot be built has none, and fails again in its cells."""
    plans = {plan.target_label: plan for plan in cells}
    futures = {
        jobs.submit(worker.identify, plan, folders, timeout=max(plan.time_limit, COMPILE_SECONDS)): label
        for label, plan in plans.items()
    }
    found: dict[str, TargetIdentity] = {}
    for future in jobs.as_completed(futures):
        label = futures[future]
        try:
            found[label] = future.result()
        except JobError as error:
            found[label] = TargetIdentity(unseen=f"{label} cannot be built: {error}")
        progress(f"building targets ({len(found)} of {len(plans)})", 0, len(cells))
    return found


def _finish_cells(work: _Work) -> None:
    work.compile()
    work.cells()
    work.targets()


def _save(suite: Suite, kept: Checkpoints, provenance: dict[str, Any]) -> Results:
    """The results of the cells that are done, stored in the folder."""
    plans = {key: plan for key, plan in kept.plans.items() if key in kept.cells}
    cells = [kept.cells[key] for key in plans]
    select(cells)
    definitions = metrics.definitions()
    metrics.judge(cells, definitions)
    targets = {
        plan.target_label: kept.targets.get(plan.target_label) or blank_facts(plan, "") for plan in plans.values()
    }
    results = Results(
        suite=suite.name,
        title=suite.title,
        description=suite.description,
        cells=cells,
        definitions=definitions,
        targets=targets,
        provenance=cast("Provenance", provenance),
        experiments=dict(suite.experiments),
        verdicts=metrics.verdict_definitions(),
    )
    results.folder = results.save(kept.folder).parent
    return results
