"""The command that measures chains made elsewhere. Thin: `scoring` reads them, `metrics` measures them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import TargetsFolder, assignments, can_be_written, clear_errors, console, metrics_table, say


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog="Examples: `mcmc-bench score chains.nc --target banana --evaluations 20000` · `mcmc-bench score chains.nc "
        "--target gaussian --target-set dim=5 --evaluations 5000 --csv score.csv`"
    )(score)


def score(
    chains: Annotated[Path, typer.Argument(metavar="CHAINS.nc", help="netCDF in ArviZ's schema, group posterior.")],
    target: Annotated[str, typer.Option(help="Name of the target that was sampled.")],
    evaluations: Annotated[
        float | None, typer.Option(help="Target evaluations of each chain, tuning and warm-up included.")
    ] = None,
    target_set: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A target's parameter.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Store the table as well.")] = None,
    targets: TargetsFolder = None,
) -> None:
    """Measure chains that another program has made, like all others: accuracy, convergence, modes, cost.

    The draws must be in the target's own coordinates, which are unconstrained: log τ where people write τ.
    What the file does not record is said to be not recorded.
    """
    from mcmc_bench.catalog.files import load_target, target_parameters
    from mcmc_bench.metrics import evaluate
    from mcmc_bench.metrics.external_chains import read_chains

    with clear_errors():
        if csv is not None:
            can_be_written(csv)
        if evaluations is not None and not (0 < evaluations < math.inf):
            raise ValueError(f"--evaluations {evaluations:g} must be a finite number greater than 0")
        known = target_parameters(target, () if targets is None else (targets,))
        parameters = assignments(target_set or [], f"parameter of target {target}", known, "--target-set")
        the_target = load_target(target, targets_folder=targets, **parameters)
        tree = read_chains(chains, the_target, evaluations=evaluations)
        frame = evaluate(tree, the_target)
        if csv is not None:
            frame.to_csv(csv, index=False)
    console().print(metrics_table(frame, f"{chains.name} on {the_target.label}"))
    if evaluations is None:
        say("no --evaluations: every draw counts as one, so that efficiencies are too good to be compared")
