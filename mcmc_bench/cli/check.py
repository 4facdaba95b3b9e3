"""`mcmc-bench check`: find what is wrong with a target. Thin: `checks.density` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import ExitCode, Group, bar, clear_errors, console, new_table, plain
from mcmc_bench.cli.options import Picture, TargetParameters, TargetsFolder, given_parameters

GROUP = Group.CHECK
EXAMPLES = ("mcmc-bench check my_targets/two_wells.py", "mcmc-bench check banana -o banana.png")
MARKS = {"passed": "passed", "problem": "PROBLEM", "note": "note", "skipped": "skipped"}


def command(
    file_or_name: Annotated[str, typer.Argument(metavar="FILE_OR_NAME", help="A target's file, or its name.")],
    set_: TargetParameters = None,
    targets: TargetsFolder = None,
    time_limit: Annotated[
        float, typer.Option(help="Seconds for each stage. A stage that takes longer is ended and named.")
    ] = 20.0,
    output: Picture = None,
) -> None:
    """Find what is wrong with a target, and say how to fix it.

    Tests the gradient, corners, the contract with kernels, exact draws, truth, modes and speed. Exit code 1 if there is a
    problem.
    """
    from mcmc_bench.checks.density import check

    with clear_errors():
        if time_limit <= 0:
            raise ValueError(f"--time-limit {time_limit:g} must be greater than 0")
        file = Path(file_or_name)
        folder = file.parent if file.suffix == ".py" else targets
        parameters = given_parameters(file.stem, folder, set_) if set_ else {}
        with bar(f"checking {file.stem}") as progress:
            report = check(
                file_or_name,
                targets_folder=targets,
                parameters=parameters,
                time_limit=time_limit,
                picture=(output or Path(f"{file.stem}.png")).absolute(),
                progress=progress,
            )
    table = new_table("stage", "", "what was found")
    for finding in report.findings:
        fix = f"\nfix: {finding.fix}" if finding.fix else ""
        style = "bold red" if finding.verdict == "problem" else None
        table.add_row(finding.stage, MARKS[finding.verdict], plain(finding.what + fix), style=style)
    console().print(table)
    count = len(report.problems)
    problems = {0: "no problem", 1: "1 problem"}.get(count, f"{count} problems")
    typer.echo(f"{report.target}: {problems} found")
    if count:
        raise typer.Exit(ExitCode.FAILED)
