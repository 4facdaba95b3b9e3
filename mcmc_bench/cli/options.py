"""Options that several commands share, and the reading of NAME=VALUE.

Imports nothing heavy, so that ``--help`` is instant. Must not know any command.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from mcmc_bench.executors import list_executors

Suite = Annotated[str, typer.Argument(help="Name of a suite (mcmc-bench list suites) or path of a TOML file.")]
TargetsFolder = Annotated[
    Path | None, typer.Option("--targets", metavar="DIR", help="A folder with further target files, searched first.")
]
SamplersFolder = Annotated[
    Path | None,
    typer.Option("--samplers", metavar="FILE_OR_DIR", help="A sampler file, or a folder of them, searched first."),
]
TargetParameters = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the target.")
]
FurtherTargetParameters = Annotated[
    list[str] | None, typer.Option("--target-set", metavar="NAME=VALUE", help="A parameter of the target.")
]
SamplerSettings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the sampler.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="How many processors to use; all by default.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="How many cells run at a time; as many as processors by default.")
]
ReplicateFactor = Annotated[
    float,
    typer.Option(
        "--replicate-factor", "-r", metavar="FACTOR", help="Multiplies the number of replicates of every cell."
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="How cells are run; no number depends on it. "
        + " ".join(f"**{name}**: {summary}" for name, summary in list_executors().items()),
    ),
]
Seed = Annotated[str | None, typer.Option(help="Replaces the seed of the suite.")]
Picture = Annotated[Path | None, typer.Option("--output", "-o", metavar="PNG", help="Default: TARGET.png.")]


def given_target(name: str, folder: Path | None, texts: list[str] | None, option: str = "--set") -> Any:
    """The target `name` with the parameters in `texts`, which were given with `option`."""
    from mcmc_bench.catalog.files import load_target

    return load_target(name, targets_folder=folder, **given_parameters(name, folder, texts, option))


def given_parameters(name: str, folder: Path | None, texts: list[str] | None, option: str = "--set") -> dict[str, Any]:
    """The parameters of the target `name` in `texts`, which were given with `option`."""
    from mcmc_bench.catalog.files import target_parameters

    known = target_parameters(name, () if folder is None else (folder,))
    return assignments(texts or [], f"parameter of target {name}", known, option)


def assignments(texts: list[str], what: str, known: Collection[str], option: str = "--set") -> dict[str, Any]:
    """``["dim=10", "condition=2.5"]`` as keyword arguments: numbers where they are numbers, else text.

    Only `known` names are taken: any other could be an argument of the function that is called with them. `option` is
    the option that they were given with.
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
