"""Runs the stages of a check one after the other, each in a worker process with a time limit.

A stage that does not end, or whose process dies, becomes a finding with the point at which it happened; the stages after
it are still run, unless they need what it could not give. Must not know what the stages look at.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.catalog import portrait
from mcmc_bench.catalog.files import CatalogError, load_sampler, load_target, target_files
from mcmc_bench.checks.density import density, plain_python, truth
from mcmc_bench.checks.density.findings import Remark, Report
from mcmc_bench.checks.density.traced_target import Subject
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.progress import Progress
from mcmc_bench.executors import Executor, JobError, executor_class

#: The first stage imports numba and may compile: never less than this, whatever limit is set.
COMPILE_SECONDS = 60.0


class CheckError(ValueError):
    """There is nothing to check: no such file or name."""


#: What each stage needs of those before it.
_STAGES: dict[str, tuple[str, ...]] = {
    "load": (),
    "starts": ("load",),
    "compile": ("load",),
    "identity": ("compile",),
    "finite at the starts": ("starts", "compile"),
    "plain Python": ("finite at the starts",),
    "gradient": ("finite at the starts",),
    "corners": ("finite at the starts",),
    "contract": ("finite at the starts",),
    "exact sampler": ("finite at the starts",),
    "truth": ("finite at the starts",),
    "modes": ("finite at the starts",),
    "speed": ("finite at the starts",),
    "picture": ("finite at the starts",),
}


def check(
    file_or_name: str | Path,
    *,
    targets_folder: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    time_limit: float = 20.0,
    picture: str | Path | None = None,
    executor: str = "local",
    progress: Progress | None = None,
) -> Report:
    """Look for everything that can be wrong with a target.

    Args:
        file_or_name: the path of a target's file, or a name of the catalogue.
        targets_folder: a folder of further targets, where a name is given.
        parameters: the target's parameters.
        time_limit: seconds for each stage; what takes longer is named and ended.
        picture: where to draw the target; not drawn if None.
        executor: where the stages run; "inline" ends no stage that loops and survives none that crashes.
        progress: called with a stage, the number of stages done, and their number.

    Raises:
        CheckError: no such file, or no such name.
    """
    name, folder, file = _found(file_or_name, targets_folder)
    report = Report(name)
    told = progress or (lambda what, done, count: None)
    spoilt: set[str] = set()
    with tempfile.TemporaryDirectory() as scratch:
        trace = Path(scratch) / "trace"
        arguments = (name, folder, str(file), dict(parameters or {}), trace, picture)
        with executor_class(executor)(workers=1) as jobs:
            for done, (stage, needs) in enumerate(_STAGES.items()):
                told(stage, done, len(_STAGES))
                if missing := [need for need in needs if need in spoilt]:
                    report.findings.append(Remark(stage, "skipped", f"needs what {missing[0]!r} could not give"))
                    spoilt.add(stage)
                    continue
                limit = max(time_limit, COMPILE_SECONDS) if stage in ("load", "compile") else time_limit
                found, ended = _outcome(jobs, arguments, stage, limit, trace)
                report.findings += found
                fatal = stage in ("load", "starts", "compile") and any(f.verdict == "problem" for f in found)
                if fatal or (ended and stage in ("load", "starts", "compile", "finite at the starts")):
                    spoilt.add(stage)
            told("done", len(_STAGES), len(_STAGES))
    return report


def _found(file_or_name: str | Path, targets_folder: str | Path | None) -> tuple[str, Path | None, Path]:
    """Name, folder of targets, and file."""
    path = Path(file_or_name)
    if path.suffix == ".py" or len(path.parts) > 1:
        if not path.is_file():
            raise CheckError(
                f"{path}: no such file; give the path of a target's file, or a name (mcmc-bench list targets)"
            )
        return path.stem, path.absolute().parent, path.absolute()
    folder = None if targets_folder is None else Path(targets_folder).absolute()
    files = target_files(() if folder is None else (folder,))
    if str(path) not in files:
        from mcmc_bench.core.spelling import unknown

        raise CheckError(unknown("target", str(path), list(files)) + " Or give the path of a Python file.")
    return str(path), folder, files[str(path)]


def _outcome(
    jobs: Executor, arguments: tuple[Any, ...], stage: str, limit: float, trace: Path
) -> tuple[list[Remark], bool]:
    """The findings of a stage, and whether it had to be ended."""
    trace.write_text("", encoding="utf-8")
    try:
        return jobs.submit(_work, *arguments, stage, timeout=limit).result(), False
    except JobError as error:
        what, fix = _ended(error, limit, _where(trace))
        return [Remark(stage, "problem", what, fix)], True


def _ended(error: JobError, limit: float, where: str) -> tuple[str, str]:
    """The problem of a target whose stage gave nothing, and the fix."""
    if error.outcome == Outcome.TIMED_OUT:
        return (
            f"did not return within {limit:g} s{where}: the density, or a function of the target, loops or is far too slow",
            "look for a loop whose end depends on x; give every loop a largest number of rounds",
        )
    if error.outcome == Outcome.DIED:
        return (
            f"the process died{where} ({error})",
            "compiled code checks no indices: look for one beyond an array, such as x[dim]; or for a call that ends the process",
        )
    return f"raised{where}: {error}", "see the message; the error is raised by the target's own code"


def _where(trace: Path) -> str:
    text = trace.read_text(encoding="utf-8") if trace.is_file() else ""
    return f" {text}" if text else ""


# ---- inside the worker ----


@functools.lru_cache(maxsize=1)
def _subject(name: str, folder: Path | None, parameters: tuple[tuple[str, Any], ...], trace: Path) -> Subject:
    return Subject(load_target(name, targets_folder=folder, **dict(parameters)), trace)


def _work(
    name: str,
    folder: Path | None,
    file: str,
    parameters: dict[str, Any],
    trace: Path,
    picture: str | Path | None,
    stage: str,
) -> list[Remark]:
    """One stage; loads and compiles what it needs, which is remembered by the process."""
    try:
        trace.write_text("while it was loaded (at import, or in build())", encoding="utf-8")
        subject = _subject(name, folder, tuple(sorted(parameters.items())), trace)
        subject.trace("")
        return list(_findings(subject, stage, file, picture))
    except CatalogError as error:
        return [Remark("load", "problem", str(error), "fix the file; the message is Python's own")]
    except BaseException as error:  # noqa: BLE001 - a stage must end in words
        raise JobError(_in_words(error)) from None


def _in_words(error: BaseException) -> str:
    """The line that matters: numba's messages have dozens."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "numba" in type(error).__module__:
        place = next((line for line in lines if line.startswith("File ") and "mcmc_bench/kernels" not in line), "")
        useful = [
            line
            for line in lines
            if not line.startswith(
                ("Failed in", "File ", "During:", "- Resolution", "There are", "- Of which", "<source")
            )
        ]
        return f"{type(error).__name__}: {'; '.join(useful[:3])} {place}".strip()
    return f"{type(error).__name__}: {' '.join(lines)}"


def _findings(subject: Subject, stage: str, file: str, picture: str | Path | None) -> Iterable[Remark]:
    target = subject.target
    if stage == "load":
        return [Remark("load", "passed", f"{target.label}, dimension {target.dim}"), *_declared(subject)]
    if stage == "starts":
        return _shapes(subject)
    if stage == "compile":
        subject.trace("while it was compiled")
        _ = target.pointer
        return [Remark("compile", "passed", "compiles for kernels")]
    if stage == "picture":
        return _picture(subject, picture)
    if stage == "exact sampler":
        return truth.draws(subject, load_sampler("mala"))
    if stage == "truth":
        return [*truth.stored(subject, Path(file)), *truth.compared(subject)]
    functions: dict[str, Callable[[Subject], Iterable[Remark]]] = {
        "finite at the starts": density.finite,
        "gradient": density.gradient,
        "corners": density.corners,
        "contract": density.contract,
        "identity": plain_python.identity,
        "plain Python": plain_python.same_in_python,
        "modes": truth.modes,
        "speed": density.speed,
    }
    if stage in {"gradient", "contract", "plain Python"}:  # compare to the last digit
        subject = replace(subject, target=target.in_double())
    return functions[stage](subject)


def _declared(subject: Subject) -> Iterable[Remark]:
    """The entries that a reader of the catalogue would miss."""
    target = subject.target
    for name in ("formula", "description", "source", "tags"):
        if not getattr(target, name):
            yield Remark("load", "note", f"{name} is empty; it stands in lists and reports")
    if target.coordinate_names is not None and len(target.coordinate_names) != target.dim:
        yield Remark(
            "load",
            "problem",
            f"coordinate_names has {len(target.coordinate_names)} names for {target.dim} dimensions",
            "give one name for each coordinate",
        )


def _shapes(subject: Subject) -> Iterable[Remark]:
    """Every function that gives points gives finite ones, of the right shape and kind."""
    target = subject.target
    functions: dict[str, Any] = {"draw_dispersed": target.draw_dispersed, "draw_exact": target.draw_exact}
    for name, function in functions.items():
        if function is None:
            continue
        for n in (5, 1):
            subject.trace(f"in {name}(generator, {n})")
            points = function(np.random.default_rng(0), n)
            shape = np.shape(points)
            if shape != (n, target.dim):
                yield Remark(
                    "starts",
                    "problem",
                    f"{name}(generator, {n}) gives shape {shape}, not ({n}, {target.dim})",
                    f"give (n, dim) = (n, {target.dim}) points; or dim = {target.dim} is wrong",
                )
                break
            points = np.asarray(points)
            if points.dtype.kind not in "fiu" or not np.isfinite(points).all():
                yield Remark(
                    "starts",
                    "problem",
                    f"{name} gives values that are not finite numbers (dtype {points.dtype})",
                    "give finite float64 values",
                )
                break
            if n == 5 and (points.dtype != np.float64 or not points.flags["C_CONTIGUOUS"]):
                kind = f"{points.dtype}{'' if points.flags['C_CONTIGUOUS'] else ', not C-contiguous'}"
                yield Remark("starts", "note", f"{name} gives {kind}; it is converted")
    if target.reference_draws is not None and (
        target.reference_draws.ndim != 2 or target.reference_draws.shape[1] != target.dim
    ):
        yield Remark(
            "starts",
            "problem",
            f"reference_draws has shape {target.reference_draws.shape}, not (n, {target.dim})",
            "give (n, dim) draws",
        )
    yield Remark("starts", "passed", f"points of dimension {target.dim}")


def _picture(subject: Subject, picture: str | Path | None) -> Iterable[Remark]:
    if picture is None:
        return [Remark("picture", "skipped", "none asked for")]
    subject.trace("while it was drawn")
    try:
        portrait.draw_target(subject.target, Path(picture))
    except OSError as error:  # a place that cannot be written is no fault of the target
        return [Remark("picture", "skipped", str(error))]
    return [Remark("picture", "passed", str(picture))]
