"""Finds targets, samplers and suites: built in, in any folder, or named by an installed package.

There is no list to edit: a file in a folder is an entry, its name is the entry's name. Must not know any particular
target or sampler.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import inspect
import pkgutil
import types
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mcmc_bench import samplers as _samplers
from mcmc_bench.catalog import stored_truth as reference_file
from mcmc_bench.catalog.modules import ContentError, content_module, watching
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.spelling import unknown
from mcmc_bench.core.target import Target, target_label

_PACKAGE = Path(__file__).resolve().parents[1]


class CatalogError(ValueError):
    """A target, sampler or suite that cannot be found or loaded; the message says which and what to do."""


@dataclass(frozen=True)
class Folders:
    """Where a user's own targets and samplers are; both are searched before what is built in."""

    targets: Path | None = None
    samplers: Path | None = None  # a folder, or a single file

    @classmethod
    def of(cls, targets: str | Path | None, samplers: str | Path | None) -> Folders:
        """From paths or None; they are made absolute, since workers may stand elsewhere."""
        return cls(*(None if path is None else Path(path).absolute() for path in (targets, samplers)))

    @property
    def further_targets(self) -> tuple[Path, ...]:
        """The folder of further targets as the functions of targets take it."""
        return () if self.targets is None else (self.targets,)


def content_folder(name: str) -> Path:
    """The folder of built-in content: the one that a wheel carries, or else the one in the checkout."""
    carried = _PACKAGE / "content" / name
    if carried.is_dir():
        return carried
    in_checkout = _PACKAGE.parent / name
    if in_checkout.is_dir():
        return in_checkout
    raise CatalogError(f"no folder of built-in {name}: looked in {carried} and {in_checkout}; reinstall mcmc_bench")


def target_folders(extra: tuple[Path, ...] = ()) -> list[Path]:
    """Folders that hold targets, in the order of search: `extra`, entry points, built in."""
    named = [
        Path(next(iter(importlib.import_module(point.value).__path__)))
        for point in importlib.metadata.entry_points(group="mcmc_bench.targets")
    ]
    for folder in extra:
        if not folder.is_dir():
            raise CatalogError(f"--targets {folder}: no such folder")
    return [folder.resolve() for folder in (*extra, *named, content_folder("targets"))]


def target_files(extra: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Name to file of every target; a name in an earlier folder hides the same name in a later one.

    Files whose name begins with an underscore are helpers of their folder.
    """
    files: dict[str, Path] = {}
    for folder in target_folders(extra):
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                files.setdefault(path.stem, path)
    return files


def list_targets(extra: tuple[Path, ...] = ()) -> list[str]:
    """The names of all targets."""
    return sorted(target_files(extra))


def _content_module(path: Path, purpose: str = "") -> types.ModuleType:
    try:
        return content_module(path, purpose)
    except ContentError as error:
        raise CatalogError(str(error)) from error


def target_parameters(name: str, extra: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The parameters that a target takes, with their defaults."""
    return {key: parameter.default for key, parameter in inspect.signature(_builder(name, extra)).parameters.items()}


def _builder(name: str, extra: tuple[Path, ...], purpose: str = "") -> Any:
    files = target_files(extra)
    if name not in files:
        raise CatalogError(unknown("target", name, list(files)))
    module = _content_module(files[name], purpose)
    if not hasattr(module, "build"):
        raise CatalogError(f"{files[name]} has no function build() that returns a Target")
    return module.build


def load_target(
    name: str, *, targets_folder: str | Path | None = None, stored_truth: bool = True, **parameters: Any
) -> Target:
    """The target called `name`, with its parameters.

    Args:
        name: a name from `list_targets`.
        targets_folder: a folder of further targets, searched first.
        stored_truth: fill the truth in from a reference run that is stored beside the target's file, if `build` gives
            none.
        parameters: as declared by the target; the rest keep their defaults.

    Raises:
        CatalogError: unknown name or parameter, or a file that cannot be loaded. The message gives the nearest
            right spelling.
    """
    extra = (Path(targets_folder),) if targets_folder is not None else ()
    label = target_label(name, parameters)  # targets of one file are built by modules of their own
    build = _builder(name, extra, label)
    known = inspect.signature(build).parameters
    for parameter in parameters:
        if parameter not in known:
            raise CatalogError(unknown(f"parameter of target {name}", parameter, list(known)))
    try:
        with watching(target_files(extra)[name]):
            target = build(**parameters)
    except (TypeError, ValueError) as error:
        raise CatalogError(f"target {name} cannot be built with {parameters}: {error}") from error
    if not isinstance(target, Target):
        raise CatalogError(f"build() of target {name} returned a {type(target).__name__}, not a Target")
    target = dataclasses.replace(target, name=name, parameters=dict(parameters))
    if not stored_truth:
        return target
    try:
        return reference_file.fill(target, target_files(extra)[name])
    except reference_file.StoredTruthError as error:
        raise CatalogError(str(error)) from error


def training_set(
    name: str, extra: tuple[Path, ...] = (), folder: Path | None = None
) -> tuple[Any, Any, dict[str, Any]]:
    """Examples (n, dim) and held-out ones (m, dim) of a target that is learned, and what of the recipe is its own.

    Args:
        name: of the target.
        extra: folders of further targets.
        folder: where the examples are, for a target that does not have them beside it; None is where it looks itself.

    Raises:
        CatalogError: unknown, a target that is not learned, or one that has its examples beside it and is given a folder.
        ValueError: the examples are not there.
    """
    files = target_files(extra)
    if name not in files:
        raise CatalogError(unknown("target", name, list(files)) + " For data of your own, give --data.")
    module = _content_module(files[name])
    if not hasattr(module, "training_set"):
        raise CatalogError(f"target {name} is not learned from examples: {files[name]} has no training_set()")
    given = {} if folder is None else {"folder": folder}
    if folder is not None and "folder" not in inspect.signature(module.training_set).parameters:
        raise CatalogError(f"target {name} has its examples beside it: leave out the folder {folder}")
    found: tuple[Any, Any, dict[str, Any]] = module.training_set(**given)
    return found


def sampler_files(samplers_folder: str | Path | None = None) -> dict[str, Path]:
    """Name to file of every sampler; a file of `samplers_folder` hides the built-in one of the same name.

    Args:
        samplers_folder: a folder of further samplers, or one file.
    """
    files = {module.name: Path(_samplers.__path__[0]) / f"{module.name}.py" for module in _built_in_samplers()}
    if samplers_folder is None:
        return files
    given = Path(samplers_folder).absolute()
    if given.is_file() and given.suffix == ".py":
        return {**files, given.stem: given}
    if not given.is_dir():
        raise CatalogError(f"--samplers {samplers_folder}: no such folder or Python file")
    found = {path.stem: path for path in sorted(given.glob("*.py")) if not path.name.startswith("_")}
    return {**files, **found}


def _built_in_samplers() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(_samplers.__path__))


def list_samplers(samplers_folder: str | Path | None = None) -> list[str]:
    """The names of all samplers."""
    return sorted(sampler_files(samplers_folder))


def load_sampler(name: str, *, samplers_folder: str | Path | None = None) -> Sampler:
    """The sampler called `name`.

    Args:
        name: a name from `list_samplers`.
        samplers_folder: a folder of further samplers, or one file, searched first.

    Raises:
        CatalogError: unknown name, or a file that cannot be loaded. The message gives the nearest right spelling.
    """
    files = sampler_files(samplers_folder)
    if name not in files:
        raise CatalogError(unknown("sampler", name, list(files)))
    return _declared_sampler(_sampler_module(files[name]), files[name])


def _sampler_module(file: Path) -> types.ModuleType:
    if file.parent == Path(_samplers.__path__[0]):
        return importlib.import_module(f"{_samplers.__name__}.{file.stem}")
    return _content_module(file)


@cache
def _declared_sampler(module: types.ModuleType, file: Path) -> Sampler:
    sampler = getattr(module, "SAMPLER", None)
    if not isinstance(sampler, Sampler):
        raise CatalogError(f"{file} has no SAMPLER = Sampler(…)")
    return dataclasses.replace(sampler, name=file.stem)


def suite_files() -> dict[str, Path]:
    """Name to file of every built-in suite."""
    return {path.stem: path for path in sorted(content_folder("benchmarks").glob("suites/*.toml"))}
