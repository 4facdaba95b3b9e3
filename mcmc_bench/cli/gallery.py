"""`mcmc-bench gallery`: a page with every target. Thin: `catalog.gallery` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, bar, clear_errors
from mcmc_bench.cli.options import TargetsFolder

GROUP = Group.LOOK
EXAMPLES = ("mcmc-bench gallery", "mcmc-bench gallery --targets my_targets -o my_gallery")


def command(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR")] = Path("reports/targets"),
    targets: TargetsFolder = None,
) -> None:
    """Write a page with every target: picture, formula, truth, source, cost, and why it is there."""
    from mcmc_bench.catalog.gallery import write_gallery

    with clear_errors(), bar("gallery") as progress:
        page = write_gallery(output, targets_folder=targets, progress=progress)
    typer.echo(f"gallery: {page}")
