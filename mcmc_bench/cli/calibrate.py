"""`mcmc-bench calibrate`: are the truths of targets true? Thin: `checks.truth.calibration` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import ExitCode, Group, clear_errors, console, new_table, plain

GROUP = Group.CHECK
EXAMPLES = ("mcmc-bench calibrate reports/catalogue",)


def command(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A results folder with cells of the oracle: mcmc-bench run catalogue."),
    ],
) -> None:
    """Test the truths of targets: exact draws against stored quantiles and mode weights.

    All targets share one rate of false alarms (Holm). Exit code 1 if a target fails.
    """
    from mcmc_bench.checks.truth.calibration import ALPHA, calibrate
    from mcmc_bench.core.results import Results

    with clear_errors():
        found = calibrate(Results.load(folder))
    lines = new_table("target", "", "p, Holm", "tested", "smallest p-value at", "off by", "would have seen")
    for one in found:
        lines.add_row(
            one.target,
            "passed" if one.passed else "FAILED",
            f"{one.adjusted:.3g}",
            f"{one.events} shares, {one.replicates} replicates",
            plain(one.worst),
            f"{one.deviation:+.2g}",
            f"{one.resolution:.2g}",
            style=None if one.passed else "bold red",
        )
    console().print(lines)
    failed = [one.target for one in found if not one.passed]
    typer.echo(
        f"{len(found) - len(failed)} of {len(found)} targets pass; a family of true ones fails with probability {ALPHA:g}"
    )
    if failed:
        raise typer.Exit(ExitCode.FAILED)
