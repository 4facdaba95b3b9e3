"""`mcmc-bench history`: draw the accepted baselines. Thin: `report.comparison.history_page` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, clear_errors

GROUP = Group.COMPARE
EXAMPLES = ("mcmc-bench history reports/baseline/smoke.history.jsonl",)


def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.jsonl", help="The history that `mcmc-bench compare --accept` writes.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Default: the folder of the file.")
    ] = None,
) -> None:
    """Write history.html: how the accepted baselines changed."""
    with clear_errors():
        from mcmc_bench.report.comparison.history_page import read_history, write_history

        page = write_history(read_history(file), (output or file.parent) / "history.html")
    typer.echo(f"report:  {page}")
