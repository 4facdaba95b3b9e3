"""`mcmc-bench report`: write the report of stored results. Thin: the package `report` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, bar, clear_errors

GROUP = Group.RUN
EXAMPLES = ("mcmc-bench report reports/noise", "mcmc-bench report reports/noise -o /somewhere")


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder, or its results.json.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="DIR", help="Default: the folder.")] = None,
) -> None:
    """Rebuild the report from stored results: one HTML page, figures and a table."""
    from mcmc_bench.core.results import Results
    from mcmc_bench.report import write_report

    with clear_errors(), bar("report") as progress:
        results = Results.load(folder)
        assert results.folder is not None
        page = write_report(results, output or results.folder, progress=progress)
    typer.echo(f"report:  {page}")
