"""The program `mcmc-bench`: finds the commands in this folder and gives each its help, its examples and its exit codes.

Imports nothing heavy, so that ``--help`` is instant. Must not know any command by name.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback
from types import ModuleType

import typer

import mcmc_bench.cli
from mcmc_bench.cli.console import ExitCode, Group

HELP = "Find the right MCMC sampler for a density, with evidence."
START = "Start with: `mcmc-bench run noise`, then `mcmc-bench report reports/noise`"


def commands() -> dict[str, ModuleType]:
    """The module of each command, by the command's name, in the order in which ``--help`` lists them."""
    names = [module.name for module in pkgutil.iter_modules(mcmc_bench.cli.__path__)]
    modules = {name: importlib.import_module(f"mcmc_bench.cli.{name}") for name in names if name != "app"}
    found = {name: module for name, module in modules.items() if hasattr(module, "command")}
    groups = list(Group)
    return dict(sorted(found.items(), key=lambda item: (groups.index(item[1].GROUP), item[0])))


def exit_codes() -> str:
    """Every exit code with its meaning, in one line."""
    return "Exit codes: " + " · ".join(f"{code} {code.meaning}" for code in ExitCode) + "."


def new_app() -> typer.Typer:
    """The command line with every command of this folder."""
    made = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        help=f"{HELP}\n\n{exit_codes()}",
        epilog=START,
    )
    for name, module in commands().items():
        examples = "Examples:\n\n" + "\n".join(f"- `{example}`" for example in module.EXAMPLES)
        made.command(name=name, epilog=examples, rich_help_panel=module.GROUP)(module.command)
    return made


app = new_app()


def main() -> None:
    """Entry point of the console command."""
    try:
        app()
    except Exception:  # noqa: BLE001 - a fault of ours must not look like a regression, whose exit code is 1
        traceback.print_exc()
        sys.exit(ExitCode.INTERNAL_ERROR)
