"""`mcmc-bench sample`: run one sampler on one target and measure it. Thin: `sampling` and `metrics` do the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcmc_bench.cli.console import Group, bar, can_be_written, clear_errors, console, metrics_table
from mcmc_bench.cli.options import (
    FurtherTargetParameters,
    SamplerSettings,
    SamplersFolder,
    TargetsFolder,
    Threads,
    assignments,
    given_target,
)

GROUP = Group.RUN
EXAMPLES = (
    "mcmc-bench sample banana mala --draws 2000 --set step_size=0.5",
    "mcmc-bench sample gaussian hmc --draws 1000 --target-set dim=50 --set step_size=0.3 -o draws.nc",
)


def command(
    target: Annotated[str, typer.Argument(help="Name of a target.")],
    sampler: Annotated[str, typer.Argument(help="Name of a sampler.")],
    draws: Annotated[int, typer.Option(help="Draws of each chain.")] = 1000,
    warmup: Annotated[int, typer.Option(help="Transitions discarded first.")] = 200,
    chains: Annotated[int, typer.Option(help="Number of chains.")] = 4,
    seed: Annotated[str, typer.Option(help="The same seed gives the same draws.")] = "0",
    start: Annotated[str, typer.Option(help="dispersed, one_point or exact.")] = "dispersed",
    threads: Threads = None,
    set_: SamplerSettings = None,
    target_set: FurtherTargetParameters = None,
    tuning: Annotated[int, typer.Option(help="Target evaluations of each chain spent on tuning what is not set.")] = 0,
    mass_matrix: Annotated[
        str, typer.Option(help="The mass matrix that is tuned: none, diagonal or dense.")
    ] = "diagonal",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="NC", help="Store the draws: netCDF, ArviZ's schema.")
    ] = None,
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
) -> None:
    """Run one sampler on one target and measure it."""
    from mcmc_bench.catalog.files import load_sampler
    from mcmc_bench.metrics import evaluate
    from mcmc_bench.sampling.api import sample

    with clear_errors():
        if output is not None:
            can_be_written(output)
        the_target = given_target(target, targets, target_set, "--target-set")
        the_sampler = load_sampler(sampler, samplers_folder=samplers)
        settings = assignments(set_ or [], f"setting of {sampler}", the_sampler.settings)
        with bar(f"{sampler} on {target}") as progress:
            done, count = 0, (draws + warmup) * chains

            def advance(transitions: int) -> None:
                nonlocal done
                done += transitions
                progress("transitions of all chains", done, count)

            tree = sample(
                the_target,
                the_sampler,
                draws=draws,
                warmup=warmup,
                chains=chains,
                seed=seed,
                threads=threads,
                start=start,  # type: ignore[arg-type] # checked by sample, whose message names the choices
                tuning=tuning,
                mass_matrix=mass_matrix,  # type: ignore[arg-type] # likewise
                progress=advance,
                **settings,
            )
        if output is not None:
            tree.to_netcdf(output, engine="h5netcdf")
        frame = evaluate(tree, the_target)
    console().print(metrics_table(frame, f"{sampler} on {the_target.label}"))
    tuned = {name: tree.attrs[f"tuned_{name}"] for name in the_sampler.settings if f"tuned_{name}" in tree.attrs}
    if tuned:
        typer.echo("tuned: " + ", ".join(f"{name} = {value:.4g}" for name, value in tuned.items()))
    if output is not None:
        typer.echo(f"draws: {output}")
