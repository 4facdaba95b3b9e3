"""`mcmc-bench show`: facts about one target, and its picture. Thin: `catalog.portrait` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, clear_errors, console, new_table, plain
from mcmc_bench.cli.options import Picture, TargetParameters, TargetsFolder, given_target

GROUP = Group.LOOK
EXAMPLES = (
    "mcmc-bench show banana",
    "mcmc-bench show gaussian --set dim=2 --set condition=100 -o gaussian.png",
)


def command(
    target: Annotated[str, typer.Argument(help="Name of a target.")],
    set_: TargetParameters = None,
    output: Picture = None,
    targets: TargetsFolder = None,
) -> None:
    """Print facts about a target, and plot it."""
    from mcmc_bench.catalog.portrait import draw_target, facts

    with clear_errors():
        the_target = given_target(target, targets, set_)
        found = new_table("", the_target.label, title=the_target.description)
        for name, value in facts(the_target).items():
            found.add_row(name, plain(value))
        console().print(found)
        file = output or Path(f"{target}.png")
        draw_target(the_target, file)
    typer.echo(f"picture: {file}")
