"""From a suite to results: cells in worker processes, checkpoints, choice of settings, verdicts.

A cell that raises, hangs past its limit or takes its process down is recorded as that cell's outcome, and the rest
goes on. Knows suites, workers and results. Must not know any particular target or sampler, nor the report.
"""

from __future__ import annotations

import functools
import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pebble

from mcmc_bench import metrics
from mcmc_bench.catalog.files import Folders, sampler_files, target_files
from mcmc_bench.core.identity import engine_fingerprint, hash_files
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.processes import process_pool
from mcmc_bench.core.provenance import command_line, describe_environment
from mcmc_bench.core.results import (
    Cell,
    Evidence,
    Results,
    TargetFacts,
    cell_from_json,
    cell_to_json,
    facts_from_json,
    identity_hash,
    write_atomically,
)
from mcmc_bench.experiments import worker
from mcmc_bench.experiments.suite import CellPlan, Suite, load_suite, with_seed
from mcmc_bench.kernels.jit import ENGINE_FOLDER

#: Called with what is done now, the number of finished cells and the number of all.
Progress = Callable[[str, int, int], None]
#: Compiling may take this long, however short the time limit of the cells is.
COMPILE_SECONDS = 60.0

#: Files that a run makes in its folders, named by a hash; a leading dot for those that a crash left half-written.
#: Nothing else is ever removed: people keep files of their own beside them.
_MADE = re.compile(r"([0-9a-f]{12})\.(?:json|npz|nc)|\.[0-9a-f]{12}\.(?:json|npz|nc)\..+")


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
    effort: float = 1.0,
    threads: int | None = None,
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
        effort: see `load_suite`; for a suite that is loaded it is that of the loading.
        threads: worker processes, each of one thread; one for each processor by default. No number depends on it.
        seed: instead of the suite's own.
        fresh: run everything again.
        keep_draws: also store all draws, ``draws/CELL.nc``, in ArviZ's schema.
        progress: see `Progress`.
        command: what to type to make these results again, for the provenance.

    Raises:
        SuiteError: the suite cannot be run.
        Interrupted: Ctrl-C; what is finished is stored.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads = {threads} must be at least 1")
    if not isinstance(suite, Suite):
        the_suite = load_suite(
            suite, seed=seed, targets_folder=targets_folder, samplers_folder=samplers_folder, effort=effort
        )
    else:
        the_suite = suite if seed is None else with_seed(suite, str(seed))
    folder = Path(output) if output is not None else Path("reports") / the_suite.name
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file, not a folder: name a folder for the results")
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written is said before anything runs
    if not command:
        name = the_suite.name if isinstance(suite, Suite) else str(suite)
        options = {
            "-o": output, "--targets": targets_folder, "--samplers": samplers_folder, "--seed": seed,
            "--effort": None if effort == 1.0 else effort,
        }  # fmt: skip
        given = [text for option, value in options.items() if value is not None for text in (option, str(value))]
        command = command_line(["run", name, *given, *(["--keep-draws"] if keep_draws else [])])
    session = _Session(
        the_suite, folder, Folders.of(targets_folder, samplers_folder), threads or os.cpu_count() or 1,
        keep_draws, fresh, progress or (lambda what, done, count: None),
    )  # fmt: skip
    return session.run(command)


def extend(
    suite: Suite,
    matches: Collection[str],
    *,
    stage: int,
    factor: int,
    targets_folder: str | Path | None = None,
    samplers_folder: str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Evidence | str]:
    """Evidence of further replicates of some cells, by their `match`; what went wrong in words instead, where it did.

    Args:
        suite: the suite they are from.
        matches: which cells.
        stage: number of the extension, from 1; each has random streams of its own.
        factor: times as many replicates as the suite gives the cell, and as much time.
        targets_folder: as in `run`.
        samplers_folder: as in `run`.
        threads: as in `run`.
        progress: as in `run`.
    """
    plans = {plan.match: plan for plan in suite.cells if plan.match in matches}
    folders, found = Folders.of(targets_folder, samplers_folder), dict[str, Evidence | str]()
    workers = max(1, min(threads or os.cpu_count() or 1, len(plans)))
    with process_pool(workers, [worker.__name__]) as pool:
        try:
            tasks = {
                pool.schedule(
                    worker.extend, args=(plan, folders, stage, factor * plan.replicates),
                    timeout=COMPILE_SECONDS + factor * plan.time_limit,
                ): match
                for match, plan in plans.items()
            }  # fmt: skip
            for task in _as_finished(list(tasks)):
                match = tasks[task]
                try:
                    found[match] = task.result()
                except Exception as error:  # noqa: BLE001 - whatever a cell raises is its outcome
                    found[match] = _words(error)
                if progress is not None:
                    progress(plans[match].label, len(found), len(plans))
        except BaseException:
            pool.stop()
            raise
    return found


class _Session:
    """One call of `run`."""

    def __init__(
        self, suite: Suite, folder: Path, folders: Folders, threads: int, keep_draws: bool, fresh: bool,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.suite, self.folder, self.folders = suite, folder, folders
        self.threads, self.keep_draws, self.fresh, self.progress = threads, keep_draws, fresh, progress
        self.plans = {plan.identity(_sources(plan, folders)): plan for plan in suite.cells}
        self.cells: dict[str, Cell] = {}
        self.targets: dict[str, TargetFacts] = {}

    def run(self, command: str) -> Results:
        started, before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.perf_counter()
        if self.fresh:
            self._remove(("cells", "draws", "targets"), {})
        self._read_stored()
        resumed = len(self.cells)
        provenance = {
            **describe_environment(self.threads),
            "seed": self.suite.seed,
            "suite_text": self.suite.text,
            "command": command,
            "started": started,
        }
        try:
            self._work()
        except KeyboardInterrupt:
            self._read_stored()  # it may have come after a cell was stored and before it was counted
            self._finish({**provenance, "seconds": time.perf_counter() - before, "complete": False, "resumed": resumed})
            raise Interrupted(self.folder, len(self.cells), len(self.plans), fresh=self.fresh) from None
        results = self._finish(
            {**provenance, "seconds": time.perf_counter() - before, "complete": True, "resumed": resumed}
        )
        self._remove(("cells", "draws"), self.plans)  # of other settings
        return results

    def _read_stored(self) -> None:
        for identity in self.plans.keys() - self.cells.keys():
            if (cell := self._stored(identity)) is not None:
                self.cells[identity] = cell

    def _stored(self, identity: str) -> Cell | None:
        """The finished cell of an earlier run, with its figure draws, or None."""
        file = self.folder / "cells" / f"{identity}.json"
        try:
            cell = cell_from_json(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # absent, or of another version: run it again
        if cell.outcome is Outcome.FINISHED:
            wanted = ["npz", "nc"] if self.keep_draws else ["npz"]
            if not all((self.folder / "draws" / f"{identity}.{ending}").is_file() for ending in wanted):
                return None
        # What the suite calls it, and which settings compete, may have changed without changing a number.
        plan = self.plans[identity]
        return replace(
            cell, experiment=plan.experiment, sweep=plan.sweep, swept=list(plan.swept), selected=plan.sweep is None
        )

    # ------------------------------------------------------------ work

    def _work(self) -> None:
        todo = {identity: plan for identity, plan in self.plans.items() if identity not in self.cells}
        undescribed = self._describe_stored()
        if not todo and not undescribed:
            return
        workers = max(1, min(self.threads, len(todo) + len(undescribed)))
        with process_pool(workers, [worker.__name__]) as pool:
            try:
                self._compile(pool, todo)
                self._run_cells(pool, todo)
                self._describe(pool, undescribed)
            except BaseException:
                pool.stop()
                raise

    def _compile(self, pool: Any, todo: dict[str, CellPlan]) -> None:
        """Every sampler and every target is compiled once, by one worker, before all of them need it."""
        seen: set[str] = set()
        tasks = []
        for plan in todo.values():
            if {f"target {plan.target}", f"sampler {plan.sampler}"} - seen:
                seen |= {f"target {plan.target}", f"sampler {plan.sampler}"}
                limit = max(plan.time_limit, COMPILE_SECONDS)
                tasks.append(pool.schedule(worker.compile_cell, args=(plan, self.folders), timeout=limit))
        if tasks:
            self.progress(f"compiling (1 of {len(tasks)})", len(self.cells), len(self.plans))
        for number, task in enumerate(_as_finished(tasks)):
            self.progress(f"compiling ({number + 1} of {len(tasks)})", len(self.cells), len(self.plans))
            task.exception()  # what cannot be compiled fails again in its cell, where it is recorded

    def _run_cells(self, pool: Any, todo: dict[str, CellPlan]) -> None:
        tasks: dict[Any, str] = {
            pool.schedule(
                worker.run_cell, args=(plan, identity, self.folders, self.keep_draws), timeout=plan.time_limit
            ): identity
            for identity, plan in todo.items()
        }
        for task in _as_finished(list(tasks)):
            identity = tasks[task]
            outcome = self._outcome(task, todo[identity], identity)
            if outcome.figure is not None:
                write_atomically(self.folder / "draws" / f"{identity}.npz", outcome.figure)
            if outcome.draws is not None:
                write_atomically(self.folder / "draws" / f"{identity}.nc", outcome.draws)
            text = json.dumps(cell_to_json(outcome.cell))
            if not outcome.cell.outcome.failed:
                write_atomically(self.folder / "cells" / f"{identity}.json", text.encode())
            # As it will be read when the run is resumed: what is concluded from it must not depend on that.
            self.cells[identity] = cell_from_json(json.loads(text))
            self.progress(todo[identity].label, len(self.cells), len(self.plans))

    def _outcome(self, task: Any, plan: CellPlan, identity: str) -> worker.CellOutput:
        failed = worker.blank(plan, identity, self.folders)
        try:
            outcome: worker.CellOutput = task.result()
        except TimeoutError:
            failed.outcome = Outcome.TIMED_OUT
            failed.message = f"not finished after {plan.time_limit:g} s; raise time_limit or lower budget"
        except pebble.ProcessExpired as error:
            failed.outcome = Outcome.DIED
            failed.message = f"its process ended with exit code {error.exitcode}"
        except Exception as error:  # noqa: BLE001 - whatever a cell raises is its outcome
            failed.outcome = Outcome.RAISED
            failed.message = _words(error)
        else:
            return outcome
        return worker.CellOutput(failed)

    def _describe_stored(self) -> dict[str, CellPlan]:
        """Facts of targets from an earlier run; returns the plans whose targets have none."""
        missing: dict[str, CellPlan] = {}
        for plan in self.plans.values():
            label, file = plan.target_label, self._facts_file(plan)
            try:
                facts = facts_from_json(json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError, AttributeError):
                missing[label] = plan
                continue
            if (self.folder / "targets" / f"{facts.key}.npz").is_file():
                self.targets[label] = facts
            else:
                missing[label] = plan
        return missing

    def _facts_file(self, plan: CellPlan) -> Path:
        key = identity_hash([plan.target, plan.target_parameters, _target_sources(plan, self.folders)])
        return self.folder / "targets" / f"{key}.json"

    def _describe(self, pool: Any, plans: dict[str, CellPlan]) -> None:
        tasks = {
            pool.schedule(worker.describe, args=(plan, self.folders), timeout=plan.time_limit): plan
            for plan in plans.values()
        }
        for task in _as_finished(list(tasks)):
            plan = tasks[task]
            try:
                label, facts, portrait = task.result()
            except Exception as error:  # noqa: BLE001 - a target that cannot be described is still named in the report
                label, portrait = plan.target_label, None
                facts = TargetFacts(
                    key=identity_hash([plan.target, plan.target_parameters]),
                    name=plan.target,
                    parameters=dict(plan.target_parameters),
                    dim=0,
                    description=f"could not be described: {_words(error)}",
                    formula="", source="", tags=[], truth_origin=None, truth_note="", mean_log_density=None,
                )  # fmt: skip
            self.targets[label] = facts
            if portrait is not None:
                write_atomically(self.folder / "targets" / f"{facts.key}.npz", portrait)
                write_atomically(self._facts_file(plan), json.dumps(asdict(facts)).encode())

    def _remove(self, kinds: tuple[str, ...], keep: Mapping[str, Any]) -> None:
        """Remove what runs have made in the folders `kinds`, but for the cells in `keep`."""
        for kind in kinds:
            for file in (self.folder / kind).glob("*"):
                made = _MADE.fullmatch(file.name)
                if made is not None and made[1] not in keep:
                    file.unlink()

    # ------------------------------------------------------------ results

    def _finish(self, provenance: dict[str, Any]) -> Results:
        cells = [self.cells[identity] for identity in self.plans if identity in self.cells]
        _select(cells)
        definitions = metrics.definitions()
        metrics.judge(cells, definitions)
        labels = {plan.target_label for identity, plan in self.plans.items() if identity in self.cells}
        results = Results(
            suite=self.suite.name,
            title=self.suite.title,
            description=self.suite.description,
            cells=cells,
            definitions=definitions,
            targets={label: facts for label, facts in self.targets.items() if label in labels},
            provenance=provenance,
            experiments=dict(self.suite.experiments),
        )
        for label in labels - results.targets.keys():  # interrupted before it was described
            plan = next(plan for plan in self.plans.values() if plan.target_label == label)
            results.targets[label] = TargetFacts(
                key="", name=plan.target, parameters=dict(plan.target_parameters), dim=0, description="", formula="",
                source="", tags=[], truth_origin=None, truth_note="", mean_log_density=None,
            )  # fmt: skip
        results.folder = results.save(self.folder).parent
        return results


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, worker.WorkerError) else f"{type(error).__name__}: {error}"


def _select(cells: list[Cell]) -> None:
    """Mark the best setting of every sweep, by its score on replicates that are not the reported ones."""
    best: dict[str, Cell] = {}
    for cell in cells:
        if cell.sweep is not None and cell.outcome is Outcome.FINISHED:
            other = best.setdefault(cell.sweep, cell)
            if _score(cell) > _score(other):
                best[cell.sweep] = cell
    for cell in best.values():
        cell.selected = True


def _score(cell: Cell) -> float:
    return float("-inf") if cell.selection_score is None else cell.selection_score  # JSON has no infinity


def _target_sources(plan: CellPlan, folders: Folders) -> str:
    return _sources_in(target_files(folders.further_targets)[plan.target].parent)


def _sources(plan: CellPlan, folders: Folders) -> str:
    """Hash of everything that the numbers of a cell are computed from; samplers that are built in are in the engine."""
    sampler = sampler_files(folders.samplers)[plan.sampler]
    own = "" if sampler.is_relative_to(ENGINE_FOLDER) else f" {hash_files(sampler.parent.glob('*.py'))}"
    return _target_sources(plan, folders) + own


@functools.cache
def _sources_in(folder: Path) -> str:
    return f"{engine_fingerprint()} {hash_files(folder.glob('*.py'))} {hash_files(folder.glob('data/*.*'))}"


def _as_finished(tasks: list[Any]) -> Iterator[Future[Any]]:
    """The tasks in the order in which they end; Ctrl-C is answered within a fraction of a second."""
    waiting = set(tasks)
    while waiting:
        done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
        yield from done
