"""`mcmc-bench run`: run a suite and write its report. Thin: `experiments.run` does the work."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcmc_bench.cli.console import ExitCode, Group, bar, clear_errors, say_failures
from mcmc_bench.cli.options import ExecutorName, ReplicateFactor, SamplersFolder, Seed, Suite, TargetsFolder, Workers
from mcmc_bench.executors import executor_class

if TYPE_CHECKING:
    from mcmc_bench.core.results import Results

GROUP = Group.RUN
EXAMPLES = (
    "mcmc-bench run noise",
    "mcmc-bench run smoke -o /somewhere",
    "mcmc-bench run my.toml --targets my_targets --workers 4 -r 2",
    "mcmc-bench run my.toml --executor debug",
)


def command(
    suite: Suite,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Default: reports/SUITE.")
    ] = None,
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
    replicate_factor: ReplicateFactor = 1.0,
    executor: ExecutorName = "local",
    workers: Workers = None,
    seed: Seed = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Keep finished cells whose inputs are the same, or start over.")
    ] = True,
    keep_draws: Annotated[
        bool, typer.Option("--keep-draws", help="Store all draws too: draws/CELL.nc, ArviZ's schema.")
    ] = False,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report when the run is done.")] = True,
) -> None:
    """Run a suite, store its results and write the report. Finished cells are kept."""
    from mcmc_bench.core.provenance import command_line
    from mcmc_bench.experiments.run import run

    with clear_errors(), bar(f"running {Path(suite).stem}", lines=executor_class(executor).in_this_process) as progress:
        results = run(
            suite,
            output=output,
            targets_folder=targets,
            samplers_folder=samplers,
            replicate_factor=replicate_factor,
            executor=executor,
            workers=workers,
            seed=seed,
            fresh=not resume,
            keep_draws=keep_draws,
            progress=progress,
            command=command_line(sys.argv[1:]),
        )
    failed = say_failures(results)
    _print_outcomes(results)
    assert results.folder is not None
    if report:
        from mcmc_bench.report import write_report

        with clear_errors(), bar("report") as progress:
            page = write_report(results, results.folder, progress=progress)
        typer.echo(f"report:  {page}")
    else:
        typer.echo(f"next:    {command_line(['report', str(results.folder)])}")
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _print_outcomes(results: Results) -> None:
    """Print how many cells had each outcome, and where the results are."""
    assert results.folder is not None
    counts = Counter(cell.outcome for cell in results.cells)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    resumed = results.provenance.get("resumed", 0)
    kept = f" ({resumed} kept from an earlier run)" if resumed else ""
    typer.echo(f"{len(results.cells)} cells: {outcomes}{kept}, in {results.provenance['seconds']:.1f} s")
    reasons = Counter(results.provenance.get("not_kept", {}).values())
    for reason, count in reasons.items():
        typer.echo(f"{count} of them will be run again each time, since what they depend on cannot be seen: {reason}")
    typer.echo(f"results: {results.folder / 'results.json'}")
