"""`mcmc-bench compare`: compare two runs. Thin: `comparison` decides and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, clear_errors, say
from mcmc_bench.cli.verdict import (
    Alpha,
    DivergenceCap,
    Format,
    FormatOption,
    HtmlOption,
    Inconclusive,
    InconclusiveOption,
    Margin,
    Resolution,
    TimeMargin,
    leave,
    must_be_there,
    nothing_compared,
    write,
)

GROUP = Group.COMPARE
EXAMPLES = (
    "mcmc-bench compare reports/baseline/smoke.json reports/smoke",
    "mcmc-bench compare old.json new.json --format markdown -o comment.md",
    "mcmc-bench compare baseline.json reports/smoke --accept",
)


def command(
    baseline: Annotated[Path, typer.Argument(help="What was accepted: a results file or folder.")],
    candidate: Annotated[Path, typer.Argument(help="What is to be judged: a results file or folder.")],
    format_: FormatOption = Format.text,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
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
    """Compare two runs: is the candidate still correct, and as efficient? Only reads.

    Exit code 1 for a regression, 3 if nothing could be compared, 4 if the comparison is inconclusive.
    """
    with clear_errors(), nothing_compared():
        from mcmc_bench import comparison
        from mcmc_bench.core.results import Results

        rule = comparison.Rule(alpha, margin, resolution, divergence_cap, time_margin)
        must_be_there(baseline)
        sides = Results.load(baseline), Results.load(candidate)
        found = comparison.compare(*sides, rule, paths=(str(baseline), str(candidate)))
        write(found, format_, output, html)
        if accept:
            from mcmc_bench.experiments.gate import accept as accept_

            history = accept_(found, sides[1], baseline)
            say(f"accepted: {baseline} is now {candidate}; history: {history}")
            return
    leave(found, inconclusive)
