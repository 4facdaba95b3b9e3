"""Shared by `compare` and `gate`: the options of the rule, the formats, and the exit code of a verdict.

Must not decide anything: `comparison` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcmc_bench.cli.console import ExitCode, say

if TYPE_CHECKING:
    from mcmc_bench.comparison import Comparison


class Format(StrEnum):
    """The formats of a comparison."""

    text = "text"
    markdown = "markdown"
    json = "json"
    junit = "junit"
    github = "github"


class Inconclusive(StrEnum):
    """The meanings that an inconclusive comparison can have for the caller."""

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


@contextmanager
def nothing_compared() -> Iterator[None]:
    """Exit code 3 if there is nothing to compare. That is never a pass."""
    from mcmc_bench.comparison import NothingComparedError

    try:
        yield
    except NothingComparedError as nothing:
        say(f"mcmc-bench: {nothing}")
        raise typer.Exit(ExitCode.NOTHING_JUDGED) from nothing


def must_be_there(baseline: Path) -> None:
    """Raise NothingComparedError if there is no baseline."""
    from mcmc_bench.comparison import NothingComparedError

    if not baseline.exists():
        raise NothingComparedError(
            f"{baseline}: no such baseline; record one with: mcmc-bench baseline SUITE -o {baseline}"
        )


def write(found: Comparison, format_: Format, output: Path | None, html: Path | None) -> None:
    """Write the comparison in its format, its page if asked for, and the summary of a GitHub job if there is one."""
    from mcmc_bench.comparison.formats import render
    from mcmc_bench.core.files import write_atomically

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


def leave(found: Comparison, inconclusive: Inconclusive) -> None:
    """Leave the program with the exit code of the verdict."""
    from mcmc_bench.comparison.formats.sentences import one_line

    say(one_line(found.summary[0]))  # a name with a line break must not begin a line of a job's log
    if found.verdict == "regression":
        raise typer.Exit(ExitCode.FAILED)
    if found.verdict == "inconclusive" and inconclusive is not Inconclusive.passes:
        raise typer.Exit(ExitCode.FAILED if inconclusive is Inconclusive.fails else ExitCode.INCONCLUSIVE)
