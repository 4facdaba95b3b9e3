"""What to run: a suite's TOML file, read and checked, as a list of cells.

Every mistake is found before anything runs, and named with file, key, value and the nearest right spelling. Knows the
catalog. Must not know how cells are run or measured.
"""

from __future__ import annotations

import difflib
import itertools
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from mcmc_bench.catalog.files import (
    CatalogError,
    Folders,
    list_samplers,
    load_sampler,
    load_target,
    suite_files,
    target_files,
    target_parameters,
)
from mcmc_bench.core.results import identity_hash
from mcmc_bench.core.spelling import unknown
from mcmc_bench.core.target import target_label
from mcmc_bench.sampling.budget import Budget, SamplingError
from mcmc_bench.sampling.tuning.schedule import MASS_MATRICES

STARTS = ("dispersed", "one_point", "exact")


#: Fields that stand under another name in `CellPlan.match`, which stored baselines are found by.
_NAMES_IN_MATCH = {"warmup_share": "burn_in", "mass_matrix": "metric"}


class SuiteError(ValueError):
    """A suite that cannot be run; the message names the file, the key, the value and the fix."""


@dataclass(frozen=True)
class CellPlan:
    """One cell to run: everything that determines its numbers, but for the sources."""

    experiment: str
    target: str
    target_parameters: Mapping[str, Any]
    sampler: str
    settings: Mapping[str, float]  # complete, in the sampler's order
    inverse_mass_matrix: tuple[float, ...] | None
    start: str
    budget: int
    warmup_share: float
    chains: int
    replicates: int
    selection_replicates: int
    max_draws: int
    time_limit: float
    metrics: tuple[str, ...] | None
    seed: str
    tuning: int = 0  # target evaluations of each chain that are spent on tuning, on top of the budget
    mass_matrix: str = "diagonal"  # the coordinates that are tuned, where the sampler can
    fixed: tuple[str, ...] = ()  # settings that the suite gives: they are not tuned
    swept: tuple[str, ...] = ()  # names of the settings that vary within the sweep
    sweep: str | None = None  # name of the sweep, shared by the cells that compete

    @property
    def target_label(self) -> str:
        """Name and parameters of the target."""
        return target_label(self.target, self.target_parameters)

    @property
    def label(self) -> str:
        """One line for people: target, sampler, start and what is swept."""
        values = ", ".join(f"{name}={self.settings[name]:g}" for name in self.swept)
        return f"{self.target_label} · {self.sampler}" + (f"({values})" if values else "") + f" · {self.start}"

    def identity(self, sources: str) -> str:
        """Hash of everything that determines the numbers; `sources` is the hash of engine and content.

        The time limit is left out: it decides whether there are numbers, not which. Of the sweep counts whether there
        is one: only cells that compete are scored, and one without a score could never be chosen.
        """
        content = {name: value for name, value in vars(self).items() if name not in ("time_limit", "sweep", "swept")}
        return identity_hash({**content, "competes": self.sweep is not None, "sources": sources})

    @property
    def match(self) -> str:
        """Hash of what is asked for, whatever the sources, the seed and the effort: the same cell of another run."""
        left_out: tuple[str, ...] = (
            "time_limit", "sweep", "swept", "seed", "replicates", "selection_replicates", "metrics",
        )  # fmt: skip
        if self.tuning == 0:  # then nothing that has to do with it changes a number
            left_out += ("tuning", "mass_matrix", "fixed")
        return identity_hash(
            {_NAMES_IN_MATCH.get(name, name): value for name, value in vars(self).items() if name not in left_out}
        )


@dataclass(frozen=True)
class Suite:
    """A suite, read and checked."""

    name: str
    title: str
    description: str
    seed: str
    cells: tuple[CellPlan, ...]
    experiments: Mapping[str, str]  # name to title
    text: str  # the file as it was


@dataclass
class _Reader:
    """Checks one table at a time and remembers where it is, for the messages."""

    file: str
    folders: Folders = field(default_factory=Folders)
    path: list[str] = field(default_factory=list)

    def fail(self, message: str, key: str | None = None) -> NoReturn:
        where = ".".join([*self.path, *([key] if key else [])])
        raise SuiteError(f"{self.file}: {where}: {message}" if where else f"{self.file}: {message}")

    def keys(self, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                self.fail(unknown("key", key, known), key)

    def text(self, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
        value = table.get(key, default)
        if value is None:
            near = difflib.get_close_matches(key, table, n=1)
            self.fail(f'is missing; give {key} = "…"' + (f" instead of {near[0]!r}" if near else ""), key)
        if not isinstance(value, str) or not value.strip():
            self.fail(f"{value!r} must be a text that is not empty", key)
        return value

    def whole(self, table: Mapping[str, Any], key: str, default: int, smallest: int) -> int:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
            self.fail(f"{value!r} must be a whole number, at least {smallest}", key)
        if value > LARGEST:
            self.fail(f"a number of {len(str(value))} digits must be a whole number, at most {LARGEST:g}", key)
        return value

    def number(self, table: Mapping[str, Any], key: str, default: float, low: float, high: float) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < high:
            self.fail(f"{value!r} must be a number from {low:g} to below {high:g}", key)
        return float(value)

    def list_of(self, table: Mapping[str, Any], key: str, default: list[str], known: Sequence[str]) -> tuple[str, ...]:
        value = table.get(key, default)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not values:
            self.fail(f"{value!r} must be a list that is not empty", key)
        for item in values:
            if not isinstance(item, str) or item not in known:
                self.fail(unknown(f"entry of {key}", str(item), known), key)
        return tuple(values)


#: No count in a suite is larger: what is computed from them must fit into a float and 64 bits.
LARGEST = 10**12
#: Keys that the suite sets for all, an experiment for itself, and a target's table for that target.
_LIMITS = (
    "budget", "warmup_share", "chains", "start", "replicates", "selection_replicates", "max_draws", "time_limit", "metrics", "tuning", "mass_matrix",
)  # fmt: skip


def with_seed(suite: Suite, seed: str) -> Suite:
    """`suite` with another seed."""
    return replace(suite, seed=seed, cells=tuple(replace(cell, seed=seed) for cell in suite.cells))


def _with_effort(suite: Suite, effort: float) -> Suite:
    cells = tuple(replace(cell, replicates=max(1, round(effort * cell.replicates))) for cell in suite.cells)
    return replace(suite, cells=cells)


def list_suites() -> dict[str, str]:
    """Name to title of every built-in suite."""
    return {name: tomllib.loads(path.read_text("utf-8"))["suite"]["title"] for name, path in suite_files().items()}


def load_suite(
    suite: str | Path,
    *,
    seed: str | int | None = None,
    targets_folder: str | Path | None = None,
    samplers_folder: str | Path | None = None,
    effort: float = 1.0,
) -> Suite:
    """Read a suite.

    Args:
        suite: the name of a built-in suite or the path of a TOML file.
        seed: instead of the suite's own.
        targets_folder: a folder of further targets.
        samplers_folder: a folder of further samplers, or one file.
        effort: the number of replicates of every cell is multiplied by it (and is at least 1). What a cell measures
            is then the same, with wider or narrower intervals.

    Raises:
        SuiteError: no such suite, not TOML, or anything in it that cannot be.
    """
    built_in = suite_files()
    path = built_in.get(str(suite), Path(suite))
    if path.is_dir():
        raise SuiteError(f"{path} is a folder; give the path of a TOML file")
    if not path.is_file():
        if path.suffix == ".toml" or "/" in str(suite):
            raise SuiteError(f"{path}: no such file; built-in suites: {', '.join(sorted(built_in))}")
        raise SuiteError(unknown("suite", str(suite), list(built_in)) + " Or give the path of a TOML file.")
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SuiteError(f"{path} cannot be read as TOML: {error}") from error
    if not 0.0 < effort < LARGEST:
        raise SuiteError(f"effort = {effort:g} must be greater than 0")
    folders = Folders.of(targets_folder, samplers_folder)
    try:
        read = _read(_Reader(path.name, folders), path.stem, content, text, None if seed is None else str(seed))
        return read if effort == 1.0 else _with_effort(read, effort)
    except CatalogError as error:
        raise SuiteError(f"{path.name}: {error}") from error


def _read(reader: _Reader, name: str, content: Mapping[str, Any], text: str, seed: str | None) -> Suite:
    reader.keys(content, ("suite", "experiment"))
    top = content.get("suite")
    if not isinstance(top, dict):
        reader.fail("has no table [suite]")
    experiments = content.get("experiment")
    if not isinstance(experiments, list) or not experiments or not all(isinstance(e, dict) for e in experiments):
        reader.fail("has no table [[experiment]]; give at least one")
    reader.path = ["suite"]
    reader.keys(top, ("title", "description", "seed", *_LIMITS))
    _limits(reader, top)  # named where they stand, and not in the first experiment that inherits them
    own_seed = top.get("seed", name)
    if isinstance(own_seed, bool) or not isinstance(own_seed, (str, int)) or own_seed == "":
        reader.fail(f"{own_seed!r} must be a text that is not empty or a whole number", "seed")
    chosen_seed = str(own_seed) if seed is None else seed
    cells: list[CellPlan] = []
    titles: dict[str, str] = {}
    for table in experiments:
        reader.path = [f"experiment {table.get('name', len(titles) + 1)!r}"]
        reader.keys(table, ("name", "title", "targets", "samplers", *_LIMITS))
        experiment = reader.text(table, "name")
        titles.setdefault(experiment, reader.text(table, "title", experiment))
        cells += _cells(reader, experiment, {**{key: top[key] for key in _LIMITS if key in top}, **table}, chosen_seed)
    seen: dict[str, CellPlan] = {}
    for cell in cells:
        other = seen.setdefault(replace(cell, sweep=None).identity(""), cell)
        if other is not cell:
            reader.path = []
            reader.fail(f"the same cell stands twice: {cell.label} in experiment {cell.experiment!r}")
    reader.path = ["suite"]
    return Suite(
        name=name,
        title=reader.text(top, "title"),
        description=reader.text(top, "description", reader.text(top, "title")),
        seed=chosen_seed,
        cells=tuple(cells),
        experiments=titles,
        text=text,
    )


def _cells(reader: _Reader, experiment: str, table: Mapping[str, Any], seed: str) -> list[CellPlan]:
    cells = []
    known = target_files(reader.folders.further_targets)
    for target_entry in _tables(reader, table, "targets", sorted(known)):
        name = reader.text(target_entry, "name")
        if name not in known:
            reader.fail(unknown("target", name, list(known)), "targets")
        given = {**table, **{key: value for key, value in target_entry.items() if key in _LIMITS}}
        parameters = {key: value for key, value in target_entry.items() if key not in ("name", "samplers", *_LIMITS)}
        if parameters:
            declared = target_parameters(name, reader.folders.further_targets)
            for key, value in parameters.items():
                if key not in declared:
                    reader.fail(unknown(f"parameter of target {name}", key, [*declared, *_LIMITS]), "targets")
                try:
                    json.dumps(value)
                except TypeError:
                    reader.fail(f"{name}: {key} = {value} must be numbers, texts, true or false", "targets")
        # A target may bring samplers' settings of its own: one step size does not fit all densities.
        samplers = _tables(
            reader,
            target_entry if "samplers" in target_entry else table,
            "samplers",
            list_samplers(reader.folders.samplers),
        )
        limits = _limits(reader, given)
        matrices = any("inverse_mass_matrix" in sampler_entry for sampler_entry in samplers)
        dim = _dim(reader, name, parameters) if parameters or matrices else None
        for sampler_entry in samplers:
            for start in limits["starts"]:
                cells += _sweep(reader, experiment, name, parameters, dim, sampler_entry, start, limits["rest"], seed)
    return cells


def _dim(reader: _Reader, name: str, parameters: Mapping[str, Any]) -> int | None:
    """The dimension of a target, built to see that its parameters are possible; None if that is not for us to say."""
    try:
        return load_target(name, targets_folder=reader.folders.targets, **parameters).dim
    except CatalogError as error:
        reader.fail(str(error), "targets")
    except Exception:  # noqa: BLE001 - broken in itself: the outcome of its cells, and the rest of the suite runs
        return None


def _tables(reader: _Reader, table: Mapping[str, Any], key: str, all_names: Sequence[str]) -> list[dict[str, Any]]:
    """The entries of a list of names and tables; "all" instead of a list stands for everything there is."""
    value = list(all_names) if table.get(key) == "all" else table.get(key)
    if not isinstance(value, list) or not value:
        reader.fail(f'{value!r} must be "all", or a list of names or tables that is not empty', key)
    entries = [{"name": entry} if isinstance(entry, str) else entry for entry in value]
    if not all(isinstance(entry, dict) for entry in entries):
        reader.fail(f"{value!r} must hold names or tables", key)
    return entries


def _limits(reader: _Reader, given: Mapping[str, Any]) -> dict[str, Any]:
    from mcmc_bench.metrics.definitions import GROUPS

    metrics = reader.list_of(given, "metrics", list(GROUPS), GROUPS) if "metrics" in given else None
    return {
        "starts": reader.list_of(given, "start", ["dispersed"], STARTS),
        "rest": {
            "budget": reader.whole(given, "budget", 2000, 2),
            "warmup_share": reader.number(given, "warmup_share", 0.25, 0.0, 1.0),
            "chains": reader.whole(given, "chains", 16, 1),
            "replicates": reader.whole(given, "replicates", 4, 1),
            "selection_replicates": reader.whole(given, "selection_replicates", 1, 1),
            "max_draws": reader.whole(given, "max_draws", 500, 4),
            "tuning": reader.whole(given, "tuning", 0, 0),
            "mass_matrix": reader.list_of(given, "mass_matrix", ["diagonal"], MASS_MATRICES)[0],
            "time_limit": reader.number(given, "time_limit", 120.0, 0.001, 1e9),
            "metrics": metrics,
        },
    }


def _sweep(
    reader: _Reader,
    experiment: str,
    target: str,
    parameters: Mapping[str, Any],
    dim: int | None,
    entry: Mapping[str, Any],
    start: str,
    limits: Mapping[str, Any],
    seed: str,
) -> list[CellPlan]:
    """The cells of one sampler entry: one, or one for each combination of the settings given as lists."""
    name = reader.text(entry, "name")
    known = list_samplers(reader.folders.samplers)
    if name not in known:
        reader.fail(unknown("sampler", name, known), "samplers")
    sampler = load_sampler(name, samplers_folder=reader.folders.samplers)
    settings = {key: value for key, value in entry.items() if key not in ("name", "select", "inverse_mass_matrix")}
    keys = [*sampler.settings, "select", *(["inverse_mass_matrix"] if sampler.uses_inverse_mass_matrix else [])]
    for key in settings:
        if key not in sampler.settings:
            reader.fail(unknown(f"setting of {name}", key, keys), "samplers")
    select = entry.get("select", True)
    if not isinstance(select, bool):
        reader.fail(f"select = {select!r} must be true or false", "samplers")
    mass = entry.get("inverse_mass_matrix")
    if mass is not None:
        numbers = isinstance(mass, list) and all(type(m) in (int, float) and 0 < m < float("inf") for m in mass)
        if not sampler.uses_inverse_mass_matrix:
            reader.fail(f"inverse_mass_matrix = {mass!r}: {name} takes none", "samplers")
        if not numbers:
            reader.fail(f"inverse_mass_matrix = {mass!r} must be a list of numbers greater than 0", "samplers")
        if dim is not None and len(mass) != dim:
            reader.fail(f"inverse_mass_matrix has {len(mass)} numbers; {target} has {dim} dimensions", "samplers")
    swept = tuple(key for key, value in settings.items() if isinstance(value, list))
    for key in swept:
        if not settings[key]:
            reader.fail(f"{name}: {key} is an empty list", "samplers")
    combinations = []
    for values in itertools.product(*(settings[key] for key in swept)):
        try:
            complete = sampler.with_defaults({**settings, **dict(zip(swept, values, strict=True))})
            Budget(limits["budget"], limits["warmup_share"], limits["max_draws"]).plan(sampler, complete)
        except (ValueError, SamplingError) as error:
            reader.fail(str(error), "samplers")
        combinations.append(complete)
    sweep = identity_hash([experiment, target, parameters, name, settings, start, limits]) if swept and select else None
    return [
        CellPlan(
            experiment=experiment, target=target, target_parameters=dict(parameters), sampler=name,
            settings=complete, inverse_mass_matrix=None if mass is None else tuple(float(m) for m in mass),
            start=start, seed=seed, swept=swept, sweep=sweep, fixed=tuple(sorted(settings)), **limits,
        )
        for complete in combinations
    ]  # fmt: skip
