"""Shared by all commands: exit codes, errors in one line, progress bars and tables.

Imports nothing heavy, so that ``--help`` is instant. Must not know any command.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import typer

if TYPE_CHECKING:
    import pandas
    from rich.table import Table

    from mcmc_bench.core.results import Results

#: Columns of a table that is not shown on a terminal.
PIPED_WIDTH = 200


class ExitCode(IntEnum):
    """The exit codes of every command. Each has one meaning."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """The code is the number; the meaning is what ``--help`` says about it."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    SUCCESS = 0, "all is well"
    FAILED = 1, "a regression, a failed cell, or a problem that a check found"
    USAGE = 2, "wrong usage or unreadable input"
    NOTHING_JUDGED = 3, "nothing could be compared or verified"
    INCONCLUSIVE = 4, "inconclusive: neither a pass nor a failure"
    INTERNAL_ERROR = 70, "a fault of mcmc-bench itself"
    INTERRUPTED = 130, "interrupted with Ctrl-C; finished cells are kept"


class Group(StrEnum):
    """The groups of commands in ``--help``, in their order."""

    RUN = "Run samplers"
    LOOK = "Look things up"
    CHECK = "Check samplers, targets and truths"
    COMPARE = "Compare runs"


def say(message: str) -> None:
    """Print one line for people, on standard error."""
    typer.echo(message, err=True)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn a user's mistake and Ctrl-C into one line and an exit code. Any other error is ours and keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        say(f"interrupted{': ' + str(interruption) if str(interruption) else ''}")
        raise typer.Exit(ExitCode.INTERRUPTED) from interruption
    except (ValueError, OSError) as error:
        say(f"mcmc-bench: {error}")
        raise typer.Exit(ExitCode.USAGE) from error


def can_be_written(file: Path) -> None:
    """Check that `file` can be written, before the work is done whose outcome it will hold.

    Raises:
        ValueError: the folder does not exist, or `file` is a folder.
    """
    if file.is_dir():
        raise ValueError(f"{file} is a folder: name a file in it")
    if not file.absolute().parent.is_dir():
        raise ValueError(f"{file} cannot be written: there is no folder {file.parent}; make it first")


@contextmanager
def bar(title: str, *, lines: bool = False) -> Iterator[Any]:
    """A progress callback ``(what, done, count)``: on a terminal a bar with an estimate, elsewhere a line each tenth.

    With `lines` also on a terminal, where a bar would be drawn over the prompt of a debugger.
    """
    if lines or not sys.stderr.isatty():
        last = -1

        def line(what: str, done: int, count: int) -> None:
            nonlocal last
            tenth = 10 * done // max(1, count)
            if tenth > last or done == count:
                last = tenth if done < count else 11
                say(f"{title}: {done} of {count} · {what}")

        yield line
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
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[what]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None, what="")

        def bar(what: str, done: int, count: int) -> None:
            progress.update(task, completed=done, total=count, what=what)

        yield bar


def console() -> Any:
    """The console that tables are printed on, as wide as the terminal."""
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
    """Text that is printed as it is: square brackets are not markup."""
    from rich.text import Text

    return Text(text)


def metrics_table(frame: pandas.DataFrame, title: str) -> Table:
    """A table of what `mcmc_bench.metrics.evaluate` returned, one line per metric."""
    table = new_table("metric", "value", "i.i.d. floor", "note", title=title)
    for line in frame.to_dict("records"):
        value, floor = (
            "–" if line[name] is None or math.isnan(line[name]) else f"{line[name]:.4g}" for name in ("value", "floor")
        )
        if line["censored"]:
            value = f"> {value}"
        table.add_row(line["metric"], value, floor, plain(line.get("note") or ""))
    return table


def say_failures(results: Results) -> bool:
    """Print one line for every failed cell, and once for each outcome what to do. Returns whether a cell failed."""
    failed = [cell for cell in results.cells if cell.outcome.failed]
    for cell in failed:
        say(f"{cell.outcome}: {cell.target} · {cell.sampler} · {cell.start}: {cell.message}")
    for outcome in dict.fromkeys(cell.outcome for cell in failed):
        say(f"{outcome}: {outcome.advice}")
    return bool(failed)
