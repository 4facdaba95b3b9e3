"""What all commands share: exit codes, errors in one line, progress, tables.

Imports nothing heavy, so that ``--help`` is instant. Must not know any command.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas
    from rich.table import Table

#: Exit codes; 0: all is well. Each means one thing.
FAILED, USAGE, NOTHING_COMPARED, INCONCLUSIVE, INTERRUPTED = 1, 2, 3, 4, 130
#: Columns of a table that is not shown on a terminal.
PIPED_WIDTH = 200

TargetsFolder = Annotated[
    Path | None, typer.Option("--targets", metavar="DIR", help="A folder with further target files, searched first.")
]
SamplersFolder = Annotated[
    Path | None,
    typer.Option("--samplers", metavar="FILE_OR_DIR", help="A sampler file, or a folder of them, searched first."),
]
Threads = Annotated[int | None, typer.Option(min=1, help="How many processors to use; all by default.")]
Effort = Annotated[float, typer.Option(help="Multiplies the number of replicates of every cell.")]


def say(message: str) -> None:
    """One line for people, on standard error."""
    typer.echo(message, err=True)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Mistakes of the user end in one line and exit code 2, Ctrl-C in one and 130; the rest is ours, with a traceback."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        say(f"interrupted{': ' + str(interruption) if str(interruption) else ''}")
        raise typer.Exit(INTERRUPTED) from interruption
    except (ValueError, OSError) as error:
        say(f"mcmc-bench: {error}")
        raise typer.Exit(USAGE) from error


def can_be_written(file: Path) -> None:
    """Whether a file can be written there, found out before the work is done that is to be stored in it.

    Raises:
        ValueError: the folder does not exist, or `file` is a folder.
    """
    if file.is_dir():
        raise ValueError(f"{file} is a folder: name a file in it")
    if not file.absolute().parent.is_dir():
        raise ValueError(f"{file} cannot be written: there is no folder {file.parent}; make it first")


@contextmanager
def bar(title: str) -> Iterator[Any]:
    """A progress callback ``(what, done, count)``: a bar with an estimate on a terminal, else a line each tenth."""
    if not sys.stderr.isatty():
        last = -1

        def lines(what: str, done: int, count: int) -> None:
            nonlocal last
            tenth = 10 * done // max(1, count)
            if tenth > last or done == count:
                last = tenth if done < count else 11
                say(f"{title}: {done} of {count} · {what}")

        yield lines
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(), TextColumn("[dim]{task.fields[what]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None, what="")

        def bar(what: str, done: int, count: int) -> None:
            progress.update(task, completed=done, total=count, what=what)

        yield bar


def console() -> Any:
    """Where tables go: as wide as the terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def new_table(*columns: str, title: str = "") -> Table:
    """An empty table whose first column is never broken."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    return table


def plain(text: str) -> Any:
    """Text that is shown as it is: square brackets are not markup."""
    from rich.text import Text

    return Text(text)


def metrics_table(frame: pandas.DataFrame, title: str) -> Table:
    """The outcome of `mcmc_bench.metrics.evaluate`, a line for each metric."""
    table = new_table("metric", "value", "i.i.d. floor", "note", title=title)
    for line in frame.to_dict("records"):
        value, floor = (
            "–" if line[name] is None or math.isnan(line[name]) else f"{line[name]:.4g}" for name in ("value", "floor")
        )
        if line["censored"]:
            value = f"> {value}"
        table.add_row(line["metric"], value, floor, plain(line.get("note") or ""))
    return table


def assignments(texts: list[str], what: str, known: Collection[str], option: str = "--set") -> dict[str, Any]:
    """``["dim=10", "condition=2.5"]`` as keyword arguments: numbers where they are numbers, else text.

    Only `known` names: any other might be an argument of the function that is called with them. `option` is what they were
    given with.
    """
    from mcmc_bench.core.spelling import unknown

    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            example = next(iter(known), "name")
            raise ValueError(f"{option} {text}: write NAME=VALUE, for example {option} {example}=1")
        if name not in known:
            raise ValueError(unknown(what, name, list(known)))
        if name in found:
            raise ValueError(f"{option} {text}: {name} is given twice; give it once")
        for kind in (int, float):
            try:
                found[name] = kind(value)
                break
            except ValueError:
                found[name] = value
    return found
