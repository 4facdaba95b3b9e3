"""Writes the tables of README.md and docs/*.md from the declarations of commands, samplers and targets.

    python docs/tables.py

A table stands between the lines ``<!-- table NAME: written by `make tables` -->`` and ``<!-- end of table -->``. Tests call
`updated` and fail if a document differs. Must not know any sampler, target or command by name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

import mcmc_bench
from mcmc_bench.catalog.files import target_files
from mcmc_bench.cli.app import app, commands
from mcmc_bench.cli.console import ExitCode
from mcmc_bench.cli.list import needs, settings

ROOT = Path(__file__).resolve().parents[1]
TABLE = re.compile(r"(<!-- table (\w+): [^\n]* -->\n).*?(<!-- end of table -->)", re.DOTALL)


def documents() -> list[Path]:
    """The documents that have tables."""
    return [path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")] if TABLE.search(path.read_text("utf-8"))]


def updated(text: str) -> str:
    """The text of a document with every table written anew.

    Raises:
        KeyError: a marker names a table that this file does not make.
    """
    return TABLE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", text)


def difference(text: str) -> str:
    """The lines of a document that are out of date ("-") and the lines to write ("+"); empty if there are none."""
    lines = difflib.unified_diff(text.splitlines(), updated(text).splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def command_table() -> str:
    """One row for each command, in the groups and the order of ``mcmc-bench --help``."""
    group = typer.main.get_command(app)
    rows: list[tuple[str, ...]] = []
    titles: set[str] = set()
    for name, module in commands().items():
        if module.GROUP not in titles:
            titles.add(module.GROUP)
            rows.append((f"**{module.GROUP}**", ""))
        parameters = group.commands[name].params  # type: ignore[attr-defined]
        usage = [
            metavar if parameter.param_type_name == "argument" else f"{parameter.opts[0]} {metavar}"
            for parameter in parameters
            if parameter.required
            for metavar in [parameter.metavar or parameter.name.upper()]
        ]
        rows.append((f"`{' '.join(['mcmc-bench', name, *usage])}`", _first_paragraph(module.command.__doc__)))
    return _table(("command", "does"), rows)


def exit_code_table() -> str:
    """One row for each exit code."""
    return _table(("exit code", "meaning"), [(str(code.value), code.meaning) for code in ExitCode])


def sampler_table() -> str:
    """One row for each built-in sampler."""
    rows = []
    for name in mcmc_bench.list_samplers():
        sampler = mcmc_bench.load_sampler(name)
        file = f"[`{name}`](../mcmc_bench/samplers/{name}.py)"
        rows.append((file, sampler.kind, sampler.description, needs(sampler), settings(sampler), sampler.source))
    return _table(("sampler", "kind", "what it does", "needs", "settings (default)", "source"), rows)


def target_table() -> str:
    """One row for each built-in target, with its default parameters."""
    rows = []
    for name in (path.stem for path in target_files().values() if path.parent == ROOT / "targets"):
        target = mcmc_bench.load_target(name)
        truth = target.truth.origin if target.truth else "unknown"
        exact = "yes" if target.draw_exact else "no"
        file = f"[`{name}`](../targets/{name}.py)"
        rows.append((file, str(target.dim), ", ".join(target.tags), truth, exact, target.description))
    return _table(("target", "dimensions", "tags", "truth", "exact sampler", "why it is there"), rows)


TABLES = {
    "commands": command_table,
    "exit_codes": exit_code_table,
    "samplers": sampler_table,
    "targets": target_table,
}


def _first_paragraph(text: str) -> str:
    return " ".join(text.strip().split("\n\n")[0].split())


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main() -> None:
    """Write every table of every document."""
    for path in documents():
        text = path.read_text("utf-8")
        new = updated(text)
        if new != text:
            path.write_text(new, "utf-8")
        print(f"{path.relative_to(ROOT)}: {'written' if new != text else 'up to date'}")


if __name__ == "__main__":
    main()
