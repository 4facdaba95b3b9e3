"""`mcmc-bench baseline`: record what a comparison needs. Thin: `experiments.gate` does the work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import ExitCode, Group, bar, clear_errors, say_failures
from mcmc_bench.cli.options import ExecutorName, SamplersFolder, Suite, TargetsFolder, Workers
from mcmc_bench.executors import executor_class

GROUP = Group.COMPARE
EXAMPLES = (
    "mcmc-bench baseline smoke -o reports/baseline/smoke.json",
    "mcmc-bench baseline my.toml -o my.json --samplers my_sampler.py --replicate-factor 8",
)


def command(
    suite: Suite,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The baseline's file; must not exist.")
    ],
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
    replicate_factor: Annotated[
        float,
        typer.Option(
            "--replicate-factor",
            "-r",
            metavar="FACTOR",
            help="Multiplies the number of replicates of every cell. A baseline is made once and used often.",
        ),
    ] = 4.0,
    executor: ExecutorName = "local",
    workers: Workers = None,
    seed: Annotated[str | None, typer.Option(help="By default one that no other run has.")] = None,
) -> None:
    """Run a suite and keep what a comparison needs in one file."""
    from mcmc_bench.core.provenance import command_line
    from mcmc_bench.experiments.gate import record_baseline

    with (
        clear_errors(),
        bar(f"baseline {Path(suite).stem}", lines=executor_class(executor).in_this_process) as progress,
    ):
        results = record_baseline(
            suite,
            output,
            targets_folder=targets,
            samplers_folder=samplers,
            replicate_factor=replicate_factor,
            executor=executor,
            workers=workers,
            seed=seed,
            progress=progress,
            command=command_line(sys.argv[1:]),
        )
    failed = say_failures(results)
    typer.echo(f"baseline: {output}: {len(results.cells)} cells, in {results.provenance['seconds']:.1f} s")
    if failed:
        raise typer.Exit(ExitCode.FAILED)
