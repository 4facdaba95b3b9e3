"""The commands that compare: compare, gate, baseline.

Thin like `cli`; what they decide and write is in `comparison` and `gate`.

Exit codes: 0 pass; 1 regression; 2 usage or unreadable input; 3 nothing could be compared; 4 inconclusive; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcmc_bench.cli.console import (
    FAILED,
    INCONCLUSIVE,
    NOTHING_COMPARED,
    Effort,
    SamplersFolder,
    TargetsFolder,
    Threads,
    bar,
    clear_errors,
    say,
)

if TYPE_CHECKING:
    from mcmc_bench.comparison import Comparison, Rule


class Format(StrEnum):
    """How a comparison is written."""

    text = "text"
    markdown = "markdown"
    json = "json"
    junit = "junit"
    github = "github"


class Inconclusive(StrEnum):
    """What an inconclusive comparison means for who called."""

    report = "report"
    passes = "pass"
    fails = "fail"


FormatOption = Annotated[Format, typer.Option("--format", help="How to write it.")]
Margin = Annotated[
    float,
    typer.Option(
        help="How many more gradients are still right: 0.2 is 20 %, of the suite's mean; twice that for a cell."
    ),
]
Alpha = Annotated[
    float, typer.Option(help="How often a comparison of equals may say regression, over the whole suite.")
]
Resolution = Annotated[
    float, typer.Option(help="Largest bias, in standard deviations of an indicator, that a pass may have overlooked.")
]
DivergenceCap = Annotated[float, typer.Option(help="Growth of the share of divergent transitions that is still right.")]
TimeMargin = Annotated[
    float | None,
    typer.Option(help="Fail if an evaluation takes this much longer (0.5: half as long again); default: only warn."),
]
InconclusiveOption = Annotated[
    Inconclusive, typer.Option("--inconclusive", help="report: exit code 4; pass: 0; fail: 1.")
]
HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the comparison page too.")]
TextOutput = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog="Examples: `mcmc-bench compare reports/baseline/smoke.json reports/smoke` · `mcmc-bench compare old.json "
        "new.json --format markdown -o comment.md` · `mcmc-bench compare baseline.json reports/smoke --accept`"
    )(compare)
    app.command(
        epilog="Examples: `mcmc-bench gate smoke --baseline reports/baseline/smoke.json` · `mcmc-bench gate my.toml "
        "--baseline my.json --samplers my_sampler.py --format github`"
    )(gate)
    app.command(
        epilog="Examples: `mcmc-bench baseline smoke -o reports/baseline/smoke.json` · `mcmc-bench baseline my.toml -o "
        "my.json --samplers my_sampler.py --effort 2`"
    )(baseline)


def compare(
    baseline: Annotated[Path, typer.Argument(help="What was accepted: a results file or folder.")],
    candidate: Annotated[Path, typer.Argument(help="What is to be judged: a results file or folder.")],
    format_: FormatOption = Format.text,
    output: TextOutput = None,
    html: HtmlOption = None,
    margin: Margin = 0.2,
    alpha: Alpha = 0.001,
    resolution: Resolution = 0.2,
    divergence_cap: DivergenceCap = 0.001,
    time_margin: TimeMargin = None,
    inconclusive: InconclusiveOption = Inconclusive.report,
    accept: Annotated[
        bool, typer.Option("--accept", help="Show what changes, then make the candidate the baseline.")
    ] = False,
) -> None:
    """Compare two runs: still correct? still as efficient? Only reads.

    Exit codes: 0 pass · 1 regression · 2 usage or unreadable input · 3 nothing could be compared · 4 inconclusive.
    """
    with clear_errors(), _nothing_compared():
        from mcmc_bench import comparison
        from mcmc_bench.core.results import Results

        rule = _rule(margin, alpha, resolution, divergence_cap, time_margin)
        _must_be_there(baseline)
        sides = Results.load(baseline), Results.load(candidate)
        found = comparison.compare(*sides, rule, paths=(str(baseline), str(candidate)))
        _write(found, format_, output, html)
        if accept:
            from mcmc_bench.experiments.gate import accept as accept_

            history = accept_(found, sides[1], baseline)
            say(f"accepted: {baseline} is now {candidate}; history: {history}")
            return
    _leave(found, inconclusive)


def gate(
    suite: Annotated[str, typer.Argument(help="Name of a suite (mcmc-bench list suites) or path of a TOML file.")],
    baseline: Annotated[Path, typer.Option("--baseline", metavar="FILE", help="What was accepted.")],
    format_: FormatOption = Format.text,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the results. Default: reports/SUITE."),
    ] = None,
    text: Annotated[Path | None, typer.Option("--text", metavar="FILE", help="Default: standard output.")] = None,
    html: HtmlOption = None,
    margin: Margin = 0.2,
    alpha: Alpha = 0.001,
    resolution: Resolution = 0.2,
    divergence_cap: DivergenceCap = 0.001,
    time_margin: TimeMargin = None,
    inconclusive: InconclusiveOption = Inconclusive.report,
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
    effort: Effort = 1.0,
    threads: Threads = None,
    seed: Annotated[str | None, typer.Option(help="Instead of the suite's own.")] = None,
) -> None:
    """Run a suite, compare it with a baseline, and extend cells that are not decided.

    Exit codes: 0 pass · 1 regression · 2 usage or unreadable input · 3 nothing could be compared · 4 inconclusive.
    """
    with clear_errors(), _nothing_compared():
        from mcmc_bench.core.provenance import command_line
        from mcmc_bench.experiments.gate import gate as gate_

        rule = _rule(margin, alpha, resolution, divergence_cap, time_margin)
        _must_be_there(baseline)
        with bar(f"gate {Path(suite).stem}") as progress:
            found = gate_(
                suite, baseline, rule, output=output or Path("reports") / Path(suite).stem, targets_folder=targets,
                samplers_folder=samplers, effort=effort, threads=threads, seed=seed, progress=progress,
                command=command_line(sys.argv[1:]),
            )  # fmt: skip
        _write(found, format_, text, html)
    _leave(found, inconclusive)


def baseline(
    suite: Annotated[str, typer.Argument(help="Name of a suite (mcmc-bench list suites) or path of a TOML file.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The baseline's file; must not exist.")
    ],
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
    effort: Annotated[
        float, typer.Option(help="Multiplies the number of replicates; a baseline is made once and used often.")
    ] = 4.0,
    threads: Threads = None,
    seed: Annotated[str | None, typer.Option(help="By default one that no other run has.")] = None,
) -> None:
    """Run a suite and keep what a comparison needs in one file."""
    from mcmc_bench.core.provenance import command_line
    from mcmc_bench.experiments.gate import record_baseline

    with clear_errors(), bar(f"baseline {Path(suite).stem}") as progress:
        results = record_baseline(
            suite, output, targets_folder=targets, samplers_folder=samplers, effort=effort, threads=threads, seed=seed,
            progress=progress, command=command_line(sys.argv[1:]),
        )  # fmt: skip
    failed = [cell for cell in results.cells if cell.outcome.failed]
    for cell in failed:
        say(f"{cell.outcome}: {cell.target} · {cell.sampler} · {cell.start}: {cell.message}")
    typer.echo(f"baseline: {output}: {len(results.cells)} cells, in {results.provenance['seconds']:.1f} s")
    if failed:
        raise typer.Exit(FAILED)


def report_history(file: Path, output: Path | None) -> None:
    """Write history.html from a history of accepted baselines."""
    with clear_errors():
        from mcmc_bench.report.comparison.history_page import read_history, write_history

        page = write_history(read_history(file), (output or file.parent) / "history.html")
    typer.echo(f"report:  {page}")


def _rule(margin: float, alpha: float, resolution: float, divergence_cap: float, time_margin: float | None) -> Rule:
    from mcmc_bench.comparison import Rule

    return Rule(alpha, margin, resolution, divergence_cap, time_margin)


@contextmanager
def _nothing_compared() -> Iterator[None]:
    """Exit code 3 where there was nothing to compare: never a pass."""
    from mcmc_bench.comparison import NothingComparedError

    try:
        yield
    except NothingComparedError as nothing:
        say(f"mcmc-bench: {nothing}")
        raise typer.Exit(NOTHING_COMPARED) from nothing


def _must_be_there(baseline: Path) -> None:
    from mcmc_bench.comparison import NothingComparedError

    if not baseline.exists():
        raise NothingComparedError(
            f"{baseline}: no such baseline; record one with: mcmc-bench baseline SUITE -o {baseline}"
        )


def _write(found: Comparison, format_: Format, output: Path | None, html: Path | None) -> None:
    """The comparison in its format, its page, and the summary of a GitHub job where there is one."""
    from mcmc_bench.comparison.formats import render
    from mcmc_bench.core.results import write_atomically

    if html is not None:
        from mcmc_bench.report.comparison.page import write_page

        say(f"page: {write_page(found, html)}")
    text = render(found, format_.value)
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        write_atomically(output, text.encode("utf-8"))
        say(f"written: {output}")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if format_ is Format.github and summary:
        from mcmc_bench.comparison.formats.github import append_job_summary

        if not append_job_summary(found, Path(summary), whole="" if html is None else f"the page {html}"):
            say(f"the job summary {summary} is full: nothing was added")


def _leave(found: Comparison, inconclusive: Inconclusive) -> None:
    """End with the exit code of the verdict."""
    from mcmc_bench.comparison.formats.sentences import one_line

    say(one_line(found.summary[0]))  # a name with a line break must not begin a line of a job's log
    if found.verdict == "regression":
        raise typer.Exit(FAILED)
    if found.verdict == "inconclusive" and inconclusive is not Inconclusive.passes:
        raise typer.Exit(FAILED if inconclusive is Inconclusive.fails else INCONCLUSIVE)
