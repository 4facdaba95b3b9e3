"""The commands that show targets: the list, one target, and the gallery of all. Thin."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcmc_bench.cli.console import FAILED, TargetsFolder, assignments, bar, clear_errors, console, new_table, plain

if TYPE_CHECKING:
    from rich.table import Table


class Order(StrEnum):
    """What the list of targets can be sorted by."""

    name = "name"
    dim = "dim"
    cost = "cost"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(
        epilog="Examples: `mcmc-bench show banana` · `mcmc-bench show gaussian --set dim=2 --set condition=100 -o "
        "gaussian.png`"
    )(show)
    app.command(epilog="Examples: `mcmc-bench gallery` · `mcmc-bench gallery --targets my_targets -o my_gallery`")(
        gallery
    )
    app.command(epilog="Example: `mcmc-bench run catalogue`, then `mcmc-bench calibrate reports/catalogue`")(calibrate)


def calibrate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with cells of the oracle.")],
) -> None:
    """Are the truths of targets true? Exact draws against stored quantiles and mode weights, one Holm family over all.

    Exit code 1 if a target fails.
    """
    from mcmc_bench.checks.truth.calibration import ALPHA
    from mcmc_bench.checks.truth.calibration import calibrate as of_results
    from mcmc_bench.core.results import Results

    with clear_errors():
        found = of_results(Results.load(folder))
    lines = new_table("target", "", "p, Holm", "tested", "smallest p-value at", "off by", "would have seen")
    for one in found:
        lines.add_row(
            one.target, "passed" if one.passed else "FAILED", f"{one.adjusted:.3g}",
            f"{one.events} shares, {one.replicates} replicates", plain(one.worst), f"{one.deviation:+.2g}",
            f"{one.resolution:.2g}", style=None if one.passed else "bold red",
        )  # fmt: skip
    console().print(lines)
    failed = [one.target for one in found if not one.passed]
    typer.echo(
        f"{len(found) - len(failed)} of {len(found)} targets pass; a family of true ones fails with probability {ALPHA:g}"
    )
    if failed:
        raise typer.Exit(FAILED)


def target_of(name: str, folder: Path | None, texts: list[str], option: str = "--target-set") -> Any:
    """The target `name` with parameters as they stand on the command line, given with `option`."""
    from mcmc_bench.catalog.files import load_target, target_parameters

    known = target_parameters(name, (folder,) if folder else ())
    return load_target(name, targets_folder=folder, **assignments(texts, f"parameter of target {name}", known, option))


def table(folder: Path | None, *, tags: list[str], order: Order, costs: bool) -> Table:
    """All targets, with what an evaluation costs here."""
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
        memories: dict[Path, cost.Memory] = {}
        for number, (name, file) in enumerate(files.items()):
            try:
                target = load_target(name, targets_folder=folder)
                if not set(tags) <= set(target.tags):
                    continue
                measured = None
                if costs:
                    memory = memories.setdefault(file.parent, cost.Memory(file.parent))
                    measured = memory.get(target.label)
                    if measured is None:
                        progress(name, number, len(files))
                        measured = memory.measure(target)
            except Exception as error:  # noqa: BLE001 - one broken file must not hide the other targets
                if not tags:
                    text = f"cannot be loaded: {type(error).__name__}: {error}"
                    lines.append(((float("inf"), name), [name, "", "", "", "", "", plain(text)]))
                continue
            key: tuple[Any, ...] = {
                Order.name: (0, name), Order.dim: (target.dim, name), Order.cost: (measured or 0.0, name),
            }[order]  # fmt: skip
            lines.append((key, [
                name, str(target.dim), ", ".join(target.tags), target.truth.origin if target.truth else "unknown",
                "yes" if target.draw_exact else "no", cost.words(measured), plain(target.formula),
            ]))  # fmt: skip
    found = new_table("target", "dim", "tags", "truth", "exact sampler", "cost", "density")
    for _, line in sorted(lines, key=lambda line: line[0]):
        found.add_row(*line)
    return found


def show(
    target: Annotated[str, typer.Argument(help="Name of a target.")],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A target's parameter.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="PNG", help="Default: TARGET.png.")] = None,
    targets: TargetsFolder = None,
) -> None:
    """Facts about a target, and a picture of it."""
    from mcmc_bench.catalog.portrait import draw_target, facts

    with clear_errors():
        the_target = target_of(target, targets, set_ or [], "--set")
        found = new_table("", the_target.label, title=the_target.description)
        for name, value in facts(the_target).items():
            found.add_row(name, plain(value))
        console().print(found)
        file = output or Path(f"{target}.png")
        draw_target(the_target, file)
    typer.echo(f"picture: {file}")


def gallery(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR")] = Path("reports/targets"),
    targets: TargetsFolder = None,
) -> None:
    """A page with every target: picture, formula, truth, source, cost, and why it is there."""
    from mcmc_bench.catalog.gallery import write_gallery

    with clear_errors(), bar("gallery") as progress:
        page = write_gallery(output, targets_folder=targets, progress=progress)
    typer.echo(f"gallery: {page}")
