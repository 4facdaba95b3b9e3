"""The command line: thin commands over the Python interface, one clear line for every mistake.

Imports what a command needs when it runs, so that ``--help`` is instant. Must not compute anything itself. The commands
that compare are in `cli_compare`.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcmc_bench.cli import check as cli_check
from mcmc_bench.cli import compare as cli_compare
from mcmc_bench.cli import reference as cli_reference
from mcmc_bench.cli import score as cli_score
from mcmc_bench.cli import show as cli_targets
from mcmc_bench.cli import train as cli_train
from mcmc_bench.cli import verify as cli_verify
from mcmc_bench.cli.console import (
    FAILED,
    Effort,
    SamplersFolder,
    TargetsFolder,
    Threads,
    assignments,
    bar,
    can_be_written,
    clear_errors,
    console,
    metrics_table,
    new_table,
    plain,
    say,
)

if TYPE_CHECKING:
    from rich.table import Table

    from mcmc_bench.core.results import Results

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Which MCMC sampler is right for which density, with evidence.\n\n"
    "Exit codes: 0 all is well · 1 a regression, or some cells of a run failed · 2 usage or unreadable input · "
    "3 nothing could be compared · 4 inconclusive · 130 interrupted, finished work is kept.",
    epilog="Start with: `mcmc-bench run noise`, then `mcmc-bench report reports/noise`",
)

cli_compare.register(app)
cli_reference.register(app)
cli_check.register(app)
cli_verify.register(app)
cli_train.register(app)
cli_score.register(app)
cli_targets.register(app)


class Kind(StrEnum):
    """What can be listed."""

    targets = "targets"
    samplers = "samplers"
    suites = "suites"
    metrics = "metrics"


def main() -> None:
    """Entry point of the console command."""
    app()


@app.command(
    epilog="Examples: `mcmc-bench run noise` · `mcmc-bench run smoke -o /somewhere` · `mcmc-bench run my.toml "
    "--targets my_targets --threads 4`"
)
def run(
    suite: Annotated[str, typer.Argument(help="Name of a suite (mcmc-bench list suites) or path of a TOML file.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Default: reports/SUITE.")
    ] = None,
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
    effort: Effort = 1.0,
    threads: Threads = None,
    seed: Annotated[str | None, typer.Option(help="Instead of the suite's own.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Keep finished cells whose inputs are the same, or start over.")
    ] = True,
    draws: Annotated[bool, typer.Option("--draws", help="Store all draws too: draws/CELL.nc, ArviZ's schema.")] = False,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report when the run is done.")] = True,
) -> None:
    """Run a suite, store its results and write the report."""
    from mcmc_bench.core.provenance import command_line
    from mcmc_bench.experiments.run import run as run_suite

    with clear_errors(), bar(f"running {Path(suite).stem}") as progress:
        results = run_suite(
            suite, output=output, targets_folder=targets, samplers_folder=samplers, effort=effort, threads=threads,
            seed=seed, fresh=not resume, keep_draws=draws, progress=progress, command=command_line(sys.argv[1:]),
        )  # fmt: skip
    _outcomes(results)
    if report:
        assert results.folder is not None
        _write_report(results, results.folder)
    else:
        typer.echo(f"next:    {command_line(['report', str(results.folder)])}")
    if any(cell.outcome.failed for cell in results.cells):
        raise typer.Exit(FAILED)


def _outcomes(results: Results) -> None:
    """What became of the cells, and where they are."""
    assert results.folder is not None
    counts: dict[str, int] = {}
    for cell in results.cells:
        counts[cell.outcome] = counts.get(cell.outcome, 0) + 1
        if cell.outcome.failed:
            say(f"{cell.outcome}: {cell.target} · {cell.sampler} · {cell.start}: {cell.message}")
    words = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    resumed = results.provenance.get("resumed", 0)
    kept = f" ({resumed} kept from an earlier run)" if resumed else ""
    typer.echo(f"{len(results.cells)} cells: {words}{kept}, in {results.provenance['seconds']:.1f} s")
    typer.echo(f"results: {results.folder / 'results.json'}")


@app.command(epilog="Examples: `mcmc-bench report reports/noise` · `mcmc-bench report reports/noise -o /somewhere`")
def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A results folder, its results.json, or a baseline's history.")
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="DIR", help="Default: the folder.")] = None,
) -> None:
    """Write index.html and the figures from stored results, or history.html from a history of accepted baselines."""
    from mcmc_bench.core.results import Results

    if folder.suffix == ".jsonl":
        cli_compare.report_history(folder, output)
        return
    with clear_errors():
        results = Results.load(folder)
    assert results.folder is not None
    _write_report(results, output or results.folder)


def _write_report(results: Results, folder: Path) -> None:
    from mcmc_bench.report import write_report

    with clear_errors(), bar("report") as progress:
        page = write_report(results, folder, progress=progress)
    typer.echo(f"report:  {page}")


@app.command(
    name="list", epilog="Examples: `mcmc-bench list targets --tag multimodal --sort dim` · `mcmc-bench list metrics`"
)
def list_(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only targets with this tag; all of them, if several.")] = None,
    sort: Annotated[cli_targets.Order, typer.Option(help="The order of targets.")] = cli_targets.Order.name,
    cost: Annotated[
        bool, typer.Option("--cost/--no-cost", help="Measure what an evaluation of a target costs: compiles all, once.")
    ] = True,
) -> None:
    """List targets, samplers, suites or metrics."""
    with clear_errors():
        table = {
            Kind.targets: lambda: cli_targets.table(targets, tags=tag or [], order=sort, costs=cost),
            Kind.samplers: lambda: _list_samplers(samplers),
            Kind.suites: _list_suites,
            Kind.metrics: _list_metrics,
        }[kind]()
    console().print(table)


def _list_samplers(folder: Path | None) -> Table:
    from mcmc_bench.catalog.files import list_samplers, load_sampler

    table = new_table("sampler", "kind", "needs", "settings (default)", "what it does", "source")
    for name in list_samplers(folder):
        sampler = load_sampler(name, samplers_folder=folder)
        settings = ", ".join(f"{key} ({setting.default:g})" for key, setting in sampler.settings.items())
        needs = ", ".join([*(["a gradient"] if sampler.uses_gradient else []), *sampler.requires])
        table.add_row(name, sampler.kind, needs, settings, plain(sampler.description), plain(sampler.source))
    return table


def _list_suites() -> Table:
    from mcmc_bench.experiments.suite import list_suites

    table = new_table("suite", "what it shows")
    for name, title in list_suites().items():
        table.add_row(name, plain(title))
    return table


def _list_metrics() -> Table:
    from mcmc_bench.metrics.definitions import definitions

    table = new_table("metric", "group", "better", "definition")
    for key, definition in definitions().items():
        better = definition.direction if definition.ideal is None else f"near {definition.ideal:g}"
        table.add_row(key, definition.group, better, plain(definition.definition))
    return table


@app.command(
    epilog="Examples: `mcmc-bench sample banana mala --draws 2000 --set step_size=0.5` · `mcmc-bench sample "
    "gaussian hmc --draws 1000 --target-set dim=50 --set step_size=0.3 -o draws.nc`"
)
def sample(
    target: Annotated[str, typer.Argument(help="Name of a target.")],
    sampler: Annotated[str, typer.Argument(help="Name of a sampler.")],
    draws: Annotated[int, typer.Option(help="Draws of each chain.")] = 1000,
    burn_in: Annotated[int, typer.Option(help="Transitions discarded first.")] = 200,
    chains: Annotated[int, typer.Option(help="Number of chains.")] = 4,
    seed: Annotated[str, typer.Option(help="The same seed gives the same draws.")] = "0",
    start: Annotated[str, typer.Option(help="dispersed, one_point or exact.")] = "dispersed",
    threads: Threads = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the sampler.")
    ] = None,
    target_set: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A target's parameter.")] = None,
    tune: Annotated[int, typer.Option(help="Target evaluations of each chain spent on tuning what is not set.")] = 0,
    metric: Annotated[str, typer.Option(help="The coordinates that are tuned: none, diagonal or dense.")] = "diagonal",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="NC", help="Store the draws: netCDF, ArviZ's schema.")
    ] = None,
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
) -> None:
    """Run one sampler on one target and measure it."""
    from mcmc_bench.catalog.files import load_sampler
    from mcmc_bench.metrics import evaluate
    from mcmc_bench.sampling.api import sample as sample_

    with clear_errors():
        if output is not None:
            can_be_written(output)
        the_target = cli_targets.target_of(target, targets, target_set or [])
        the_sampler = load_sampler(sampler, samplers_folder=samplers)
        settings = assignments(set_ or [], f"setting of {sampler}", the_sampler.settings)
        with bar(f"{sampler} on {target}") as progress:
            done, count = 0, (draws + burn_in) * chains

            def advance(transitions: int) -> None:
                nonlocal done
                done += transitions
                progress("transitions of all chains", done, count)

            tree = sample_(
                the_target, the_sampler, draws=draws, burn_in=burn_in, chains=chains, seed=seed, threads=threads,
                start=start, tune=tune, metric=metric, progress=advance, **settings,  # type: ignore[arg-type]
            )  # fmt: skip
        if output is not None:
            tree.to_netcdf(output, engine="h5netcdf")
        frame = evaluate(tree, the_target)
    console().print(metrics_table(frame, f"{sampler} on {the_target.label}"))
    tuned = {name: tree.attrs[f"tuned_{name}"] for name in the_sampler.settings if f"tuned_{name}" in tree.attrs}
    if tuned:
        typer.echo("tuned: " + ", ".join(f"{name} = {value:.4g}" for name, value in tuned.items()))
    if output is not None:
        typer.echo(f"draws: {output}")
