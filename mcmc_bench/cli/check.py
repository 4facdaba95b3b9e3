"""The command that says what is wrong with a target. Thin: `checking` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import FAILED, TargetsFolder, assignments, bar, clear_errors, console, new_table, plain

MARKS = {"passed": "passed", "problem": "PROBLEM", "note": "note", "skipped": "skipped"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog="Examples: `mcmc-bench check my_targets/two_wells.py` · `mcmc-bench check banana -o banana.png`"
    )(check)


def check(
    file_or_name: Annotated[str, typer.Argument(metavar="FILE_OR_NAME", help="A target's file, or its name.")],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A target's parameter.")] = None,
    targets: TargetsFolder = None,
    time_limit: Annotated[
        float, typer.Option(help="Seconds for each stage; what takes longer is ended and named.")
    ] = 20.0,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="PNG", help="Default: TARGET.png.")] = None,
) -> None:
    """What is wrong with a target, each problem with its mend.

    Gradient, corners, the contract with kernels, exact draws, truth, modes, speed. Exit code 1 if there is a problem.
    """
    from mcmc_bench.catalog.files import target_parameters
    from mcmc_bench.checks.density import check as run_check

    with clear_errors():
        if time_limit <= 0:
            raise ValueError(f"--time-limit {time_limit:g} must be greater than 0")
        parameters = {}
        if set_:
            path = Path(file_or_name)
            folder = path.parent if path.suffix == ".py" else targets
            known = target_parameters(path.stem, () if folder is None else (folder,))
            parameters = assignments(set_, f"parameter of target {path.stem}", known)
        with bar(f"checking {Path(file_or_name).stem}") as progress:
            report = run_check(
                file_or_name, targets_folder=targets, parameters=parameters, time_limit=time_limit,
                picture=(output or Path(f"{Path(file_or_name).stem}.png")).absolute(),
                progress=progress,
            )  # fmt: skip
    table = new_table("stage", "", "what was found")
    for finding in report.findings:
        mend = f"\nmend: {finding.mend}" if finding.mend else ""
        style = "bold red" if finding.verdict == "problem" else None
        table.add_row(finding.stage, MARKS[finding.verdict], plain(finding.what + mend), style=style)
    console().print(table)
    count = len(report.problems)
    typer.echo(
        f"{report.target}: {'no problem' if count == 0 else '1 problem' if count == 1 else f'{count} problems'} found"
    )
    if count:
        raise typer.Exit(FAILED)
