"""`mcmc-bench score`: measure chains made elsewhere. Thin: `metrics` reads and measures them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, can_be_written, clear_errors, console, metrics_table, say
from mcmc_bench.cli.options import FurtherTargetParameters, TargetsFolder, given_target

GROUP = Group.RUN
EXAMPLES = (
    "mcmc-bench score chains.nc --target banana --evaluations 20000",
    "mcmc-bench score chains.nc --target gaussian --target-set dim=5 --evaluations 5000 --csv score.csv",
)


def command(
    chains: Annotated[Path, typer.Argument(metavar="CHAINS.nc", help="netCDF in ArviZ's schema, group posterior.")],
    target: Annotated[str, typer.Option(help="Name of the target that was sampled.")],
    evaluations: Annotated[
        float | None, typer.Option(help="Target evaluations of each chain, tuning and warmup included.")
    ] = None,
    target_set: FurtherTargetParameters = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Store the table as well.")] = None,
    targets: TargetsFolder = None,
) -> None:
    """Measure chains that another program has made: accuracy, convergence, modes, cost.

    The draws must be in the target's own coordinates, which are unconstrained: log τ where people write τ.
    A metric whose data the file does not hold is marked as not recorded.
    """
    from mcmc_bench.metrics import evaluate
    from mcmc_bench.metrics.external_chains import read_chains

    with clear_errors():
        if csv is not None:
            can_be_written(csv)
        if evaluations is not None and not (0 < evaluations < math.inf):
            raise ValueError(f"--evaluations {evaluations:g} must be a finite number greater than 0")
        the_target = given_target(target, targets, target_set, "--target-set")
        tree = read_chains(chains, the_target, evaluations=evaluations)
        frame = evaluate(tree, the_target)
        if csv is not None:
            frame.to_csv(csv, index=False)
    console().print(metrics_table(frame, f"{chains.name} on {the_target.label}"))
    if evaluations is None:
        say("no --evaluations: each draw counts as one evaluation, so efficiencies are too good to be compared")
