"""`mcmc-bench gate`: run a suite and compare it with a baseline. Thin: `experiments.gate` does the work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, bar, clear_errors
from mcmc_bench.cli.options import ExecutorName, ReplicateFactor, SamplersFolder, Seed, Suite, TargetsFolder, Workers
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
from mcmc_bench.executors import executor_class

GROUP = Group.COMPARE
EXAMPLES = (
    "mcmc-bench gate smoke --baseline reports/baseline/smoke.json",
    "mcmc-bench gate my.toml --baseline my.json --samplers my_sampler.py --format github",
)


def command(
    suite: Suite,
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
    replicate_factor: ReplicateFactor = 1.0,
    executor: ExecutorName = "local",
    workers: Workers = None,
    seed: Seed = None,
) -> None:
    """Run a suite, compare it with a baseline, and give undecided cells further replicates.

    Exit code 1 for a regression, 3 if nothing could be compared, 4 if the comparison is inconclusive.
    """
    with clear_errors(), nothing_compared():
        from mcmc_bench.comparison import Rule
        from mcmc_bench.core.provenance import command_line
        from mcmc_bench.experiments.gate import gate

        rule = Rule(alpha, margin, resolution, divergence_cap, time_margin)
        must_be_there(baseline)
        with bar(f"gate {Path(suite).stem}", lines=executor_class(executor).in_this_process) as progress:
            found = gate(
                suite,
                baseline,
                rule,
                output=output or Path("reports") / Path(suite).stem,
                targets_folder=targets,
                samplers_folder=samplers,
                replicate_factor=replicate_factor,
                executor=executor,
                workers=workers,
                seed=seed,
                progress=progress,
                command=command_line(sys.argv[1:]),
            )
        write(found, format_, text, html)
    leave(found, inconclusive)
