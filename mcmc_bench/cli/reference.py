"""`mcmc-bench reference`: make a target's truth by long runs. Thin: `checks.truth` runs, `catalog.stored_truth` stores."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mcmc_bench.cli.console import ExitCode, Group, bar, clear_errors, say
from mcmc_bench.cli.options import TargetParameters, TargetsFolder, Threads, given_parameters

GROUP = Group.CHECK
EXAMPLES = ("mcmc-bench reference phi4", "mcmc-bench reference mine --targets my_targets --minutes 5")


def command(
    target: Annotated[str, typer.Argument(help="Name of a target that has no truth of its own.")],
    set_: TargetParameters = None,
    targets: TargetsFolder = None,
    error: Annotated[
        float, typer.Option(help="Largest standard error of E x and E x², in standard deviations of x and x².")
    ] = 0.005,
    minutes: Annotated[float, typer.Option(help="The runs end after this time at the latest.")] = 15.0,
    samplers: Annotated[str, typer.Option(help="Two of hmc, mala and nuts; the first gives the truth.")] = "hmc,mala",
    threads: Threads = None,
) -> None:
    """Make the truth of a target by long runs of two samplers that must agree.

    Writes TARGET.reference.json (numbers, standard errors, checks) and TARGET.reference.npz (draws) beside the target's
    file. Nothing is written unless every check passes; otherwise exit code 1.
    """
    from mcmc_bench.catalog import stored_truth
    from mcmc_bench.catalog.files import load_target, target_files
    from mcmc_bench.checks.truth.agreement import Goals
    from mcmc_bench.checks.truth.long_runs import ReferenceRunError, reference

    with clear_errors():
        if not (0 < error < 1 and minutes > 0):
            raise ValueError(f"--error {error:g} must lie between 0 and 1, and --minutes {minutes:g} be greater than 0")
        parameters = given_parameters(target, targets, set_)
        the_target = load_target(target, targets_folder=targets, stored_truth=False, **parameters)
        if the_target.truth is not None:
            raise ValueError(
                f"{the_target.label} has a truth of its own ({the_target.truth.origin}); a stored one would not be read"
            )
        try:
            with bar(f"reference run of {the_target.label}") as progress:
                content, draws = reference(
                    the_target,
                    samplers=samplers.split(","),
                    goals=Goals(error=error, seconds=60.0 * minutes),
                    threads=threads or os.cpu_count() or 1,
                    progress=progress,
                )
        except ReferenceRunError as failure:
            say(f"mcmc-bench: {failure}")
            raise typer.Exit(ExitCode.FAILED) from failure
        home = target_files(() if targets is None else (targets,))[target]
        file = stored_truth.write(home, the_target.label, content, draws)
    typer.echo(f"{the_target.label}: {content['note']}")
    typer.echo(f"truth:   {file}")
    typer.echo(f"draws:   {stored_truth.draws_file(file)} ({len(draws)})")
