"""The command that makes the truth of a target from long runs. Thin: `reference_run` does it, `reference_file` stores it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mcmc_bench.cli.console import FAILED, TargetsFolder, Threads, assignments, bar, clear_errors, say


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog="Examples: `mcmc-bench reference phi4` · `mcmc-bench reference mine --targets my_targets --minutes 5`"
    )(reference)


def reference(
    target: Annotated[str, typer.Argument(help="Name of a target that has no truth of its own.")],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A target's parameter.")] = None,
    targets: TargetsFolder = None,
    error: Annotated[
        float, typer.Option(help="Largest standard error of E x and E x², in standard deviations of x and x².")
    ] = 0.005,
    minutes: Annotated[float, typer.Option(help="The runs end after this time at the latest.")] = 15.0,
    samplers: Annotated[str, typer.Option(help="Two of hmc, mala and nuts; the first gives the truth.")] = "hmc,mala",
    threads: Threads = None,
) -> None:
    """Make the truth of a target by long runs of two samplers, HMC and MALA, which have to agree.

    Writes TARGET.reference.json (numbers, standard errors, checks) and TARGET.reference.npz (draws) beside the target's
    file. Nothing is written unless every check is passed.
    """
    from mcmc_bench.catalog import stored_truth as reference_file
    from mcmc_bench.catalog.files import load_target, target_files, target_parameters
    from mcmc_bench.checks.truth.agreement import Effort
    from mcmc_bench.checks.truth.long_runs import ReferenceRunError
    from mcmc_bench.checks.truth.long_runs import reference as run_reference

    with clear_errors():
        if not (0 < error < 1 and minutes > 0):
            raise ValueError(f"--error {error:g} must lie between 0 and 1, and --minutes {minutes:g} be greater than 0")
        folders = () if targets is None else (targets,)
        known = target_parameters(target, folders)
        the_target = load_target(
            target, targets_folder=targets, stored_truth=False,
            **assignments(set_ or [], f"parameter of target {target}", known),
        )  # fmt: skip
        if the_target.truth is not None:
            raise ValueError(
                f"{the_target.label} has a truth of its own ({the_target.truth.origin}); a stored one would not be read"
            )
        effort = Effort(error=error, seconds=60.0 * minutes)
        try:
            with bar(f"reference run of {the_target.label}") as progress:
                content, draws = run_reference(
                    the_target,
                    samplers=samplers.split(","),
                    effort=effort,
                    threads=threads or os.cpu_count() or 1,
                    progress=progress,
                )
        except ReferenceRunError as failure:
            say(f"mcmc-bench: {failure}")
            raise typer.Exit(FAILED) from failure
        file = reference_file.write(target_files(folders)[target], the_target.label, content, draws)
    typer.echo(f"{the_target.label}: {content['note']}")
    typer.echo(f"truth:   {file}")
    typer.echo(f"draws:   {reference_file.draws_file(file)} ({len(draws)})")
