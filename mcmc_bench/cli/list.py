"""`mcmc-bench list`: targets, samplers, suites or metrics. Thin: `catalog` and the declarations know them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcmc_bench.cli.console import Group, bar, clear_errors, console, new_table, plain
from mcmc_bench.cli.options import SamplersFolder, TargetsFolder

if TYPE_CHECKING:
    from rich.table import Table

    from mcmc_bench.core.results import Definition
    from mcmc_bench.core.sampler import Sampler

GROUP = Group.LOOK
EXAMPLES = (
    "mcmc-bench list targets --tag multimodal --sort dim",
    "mcmc-bench list samplers --samplers my_samplers",
    "mcmc-bench list metrics",
)


class Kind(StrEnum):
    """The things that can be listed."""

    targets = "targets"
    samplers = "samplers"
    suites = "suites"
    metrics = "metrics"


class Order(StrEnum):
    """The orders that the list of targets can have."""

    name = "name"
    dim = "dim"
    cost = "cost"


def command(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    targets: TargetsFolder = None,
    samplers: SamplersFolder = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only targets with this tag; give it again to ask for several.")
    ] = None,
    sort: Annotated[Order, typer.Option(help="The order of targets.")] = Order.name,
    cost: Annotated[
        bool, typer.Option("--cost/--no-cost", help="Measure what an evaluation of a target costs: compiles all, once.")
    ] = True,
) -> None:
    """List targets, samplers, suites or metrics."""
    with clear_errors():
        if kind is Kind.targets:
            table = _targets(targets, tags=tag or [], order=sort, costs=cost)
        elif kind is Kind.samplers:
            table = _samplers(samplers)
        elif kind is Kind.suites:
            table = _suites()
        else:
            table = _metrics()
    console().print(table)


def _samplers(folder: Path | None) -> Table:
    from mcmc_bench.catalog.files import list_samplers, load_sampler

    table = new_table("sampler", "kind", "needs", "settings (default)", "what it does", "source")
    for name in list_samplers(folder):
        sampler = load_sampler(name, samplers_folder=folder)
        facts = (sampler.kind, needs(sampler), settings(sampler), sampler.description, sampler.source)
        table.add_row(name, *(plain(fact) for fact in facts))
    return table


def needs(sampler: Sampler) -> str:
    """The properties of a target that `sampler` needs, separated by commas."""
    return ", ".join([*(["a gradient"] if sampler.uses_gradient else []), *sampler.requires])


def settings(sampler: Sampler) -> str:
    """The settings of `sampler` with their defaults, separated by commas."""
    return ", ".join(f"{name} ({setting.default:g})" for name, setting in sampler.settings.items())


def _suites() -> Table:
    from mcmc_bench.experiments.suite import list_suites

    table = new_table("suite", "what it shows")
    for name, title in list_suites().items():
        table.add_row(name, plain(title))
    return table


def _metrics() -> Table:
    from mcmc_bench.metrics import definitions

    table = new_table("metric", "group", "better", "definition")
    for key, definition in definitions().items():
        table.add_row(key, definition.group, better(definition), plain(definition.definition))
    return table


def better(definition: Definition) -> str:
    """The values that are better: "higher", "lower, ideal 0", "near 1"."""
    if definition.ideal is None:
        return definition.direction
    if definition.direction == "target":
        return f"near {definition.ideal:g}"
    return f"{definition.direction}, ideal {definition.ideal:g}"


def _targets(folder: Path | None, *, tags: list[str], order: Order, costs: bool) -> Table:
    """All targets, with the measured cost of an evaluation. One that cannot be loaded is listed with its error."""
    from mcmc_bench.catalog import cost
    from mcmc_bench.catalog.files import load_target, target_files
    from mcmc_bench.core.spelling import unknown
    from mcmc_bench.core.target import TAGS

    for tag in tags:
        if tag not in TAGS:
            raise ValueError(unknown("tag", tag, TAGS))
    files = target_files((folder,) if folder is not None else ())
    lines: list[tuple[tuple[Any, ...], list[Any]]] = []
    with bar("measuring what targets cost") as progress:
        memory = cost.Memory()
        for number, name in enumerate(files):
            try:
                target = load_target(name, targets_folder=folder)
                if not set(tags) <= set(target.tags):
                    continue
                measured = None
                if costs:
                    measured = memory.get(target)
                    if measured is None:
                        progress(name, number, len(files))
                        measured = memory.measure(target)
            except Exception as error:  # noqa: BLE001 - one broken file must not hide the other targets
                if not tags:
                    text = f"cannot be loaded: {type(error).__name__}: {error}"
                    lines.append(((float("inf"), name), [name, "", "", "", "", "", plain(text)]))
                continue
            first = {Order.name: 0, Order.dim: target.dim, Order.cost: measured or 0.0}[order]
            line = [
                name,
                str(target.dim),
                ", ".join(target.tags),
                target.truth.origin if target.truth else "unknown",
                "yes" if target.draw_exact else "no",
                cost.words(measured),
                plain(target.formula),
            ]
            lines.append(((first, name), line))
    found = new_table("target", "dim", "tags", "truth", "exact sampler", "cost", "density")
    for _, line in sorted(lines, key=lambda line: line[0]):
        found.add_row(*line)
    return found
