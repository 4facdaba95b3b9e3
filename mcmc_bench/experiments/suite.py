"""Suites: a TOML file, read and checked, becomes a list of cells to run.

Every mistake is found before anything runs, and named with file, key, value and the nearest right spelling. Knows the
catalog. Must not know how cells are run or measured.
"""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

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
from mcmc_bench.core.json_form import identity_hash
from mcmc_bench.core.kinds import StartName
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.spelling import unknown
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.toml_reader import LARGEST, SuiteError, TableReader
from mcmc_bench.sampling.budget import Budget, SamplingError
from mcmc_bench.sampling.tuning.schedule import MASS_MATRICES

STARTS = get_args(StartName)


def _metric_groups(reader: TableReader, given: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    from mcmc_bench.metrics import group_names

    return reader.list_of(given, key, [], group_names()) if key in given else None


#: Keys that the suite sets for all, an experiment for itself, and a target's table for that target, and how each is
#: read. All but `start` are fields of a plan.
_LIMITS: dict[str, Callable[[TableReader, Mapping[str, Any], str], Any]] = {
    "budget": lambda reader, given, key: reader.whole(given, key, 2000, 2),
    "warmup_share": lambda reader, given, key: reader.number(given, key, 0.25, 0.0, 1.0),
    "chains": lambda reader, given, key: reader.whole(given, key, 16, 1),
    "start": lambda reader, given, key: reader.list_of(given, key, ["dispersed"], STARTS),
    "replicates": lambda reader, given, key: reader.whole(given, key, 4, 1),
    "selection_replicates": lambda reader, given, key: reader.whole(given, key, 1, 1),
    "max_draws": lambda reader, given, key: reader.whole(given, key, 500, 4),
    "time_limit": lambda reader, given, key: reader.number(given, key, 120.0, 0.001, 1e9),
    "metrics": _metric_groups,
    "tuning": lambda reader, given, key: reader.whole(given, key, 0, 0),
    "mass_matrix": lambda reader, given, key: reader.list_of(given, key, ["diagonal"], MASS_MATRICES)[0],
}


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


def with_seed(suite: Suite, seed: str) -> Suite:
    """`suite` with another seed."""
    return replace(suite, seed=seed, cells=tuple(replace(cell, seed=seed) for cell in suite.cells))


def _with_replicates(suite: Suite, factor: float) -> Suite:
    cells = tuple(replace(cell, replicates=max(1, round(factor * cell.replicates))) for cell in suite.cells)
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
    replicate_factor: float = 1.0,
) -> Suite:
    """Read a suite.

    Args:
        suite: the name of a built-in suite or the path of a TOML file.
        seed: instead of the suite's own.
        targets_folder: a folder of further targets.
        samplers_folder: a folder of further samplers, or one file.
        replicate_factor: the number of replicates of every cell is multiplied by it (and is at least 1). The metrics
            are then the same, with wider or narrower intervals.

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
    if not 0.0 < replicate_factor < LARGEST:
        raise SuiteError(f"replicate_factor = {replicate_factor:g} must be greater than 0 and below {LARGEST:g}")
    reader = SuiteReader(path.name, folders=Folders.of(targets_folder, samplers_folder))
    try:
        read = reader.suite(content, path.stem, text, None if seed is None else str(seed))
    except CatalogError as error:
        raise SuiteError(f"{path.name}: {error}") from error
    return read if replicate_factor == 1.0 else _with_replicates(read, replicate_factor)


@dataclass
class SuiteReader(TableReader):
    """Reads the tables of one suite."""

    folders: Folders = field(default_factory=Folders)

    def suite(self, content: Mapping[str, Any], name: str, text: str, seed: str | None) -> Suite:
        """The suite in `content`, which is its file's `text` read as TOML.

        Args:
            content: the tables.
            name: name of the suite, and its seed if it has none of its own.
            text: the file as it is.
            seed: instead of the suite's own.

        Raises:
            SuiteError: something in it cannot be.
            CatalogError: a target or a sampler cannot be loaded.
        """
        self.keys(content, ("suite", "experiment"))
        top = content.get("suite")
        if not isinstance(top, dict):
            self.fail("has no table [suite]")
        experiments = content.get("experiment")
        if not isinstance(experiments, list) or not experiments or not all(isinstance(e, dict) for e in experiments):
            self.fail("has no table [[experiment]]; give at least one")
        self.path = ["suite"]
        self.keys(top, ("title", "description", "seed", *_LIMITS))
        self._limits(top)  # named where they stand, and not in the first experiment that inherits them
        chosen_seed = self._seed(top, name) if seed is None else seed
        cells: list[CellPlan] = []
        titles: dict[str, str] = {}
        for table in experiments:
            self.path = [f"experiment {table.get('name', len(titles) + 1)!r}"]
            self.keys(table, ("name", "title", "targets", "samplers", *_LIMITS))
            experiment = self.text(table, "name")
            titles.setdefault(experiment, self.text(table, "title", experiment))
            inherited = {key: top[key] for key in _LIMITS if key in top}
            cells += self._cells(experiment, {**inherited, **table}, chosen_seed)
        self._no_cell_twice(cells)
        self.path = ["suite"]
        return Suite(
            name=name,
            title=self.text(top, "title"),
            description=self.text(top, "description", self.text(top, "title")),
            seed=chosen_seed,
            cells=tuple(cells),
            experiments=titles,
            text=text,
        )

    def _seed(self, top: Mapping[str, Any], name: str) -> str:
        seed = top.get("seed", name)
        if isinstance(seed, bool) or not isinstance(seed, (str, int)) or seed == "":
            self.fail(f"{seed!r} must be a text that is not empty or a whole number", "seed")
        return str(seed)

    def _no_cell_twice(self, cells: Sequence[CellPlan]) -> None:
        seen: dict[str, CellPlan] = {}
        for cell in cells:
            if seen.setdefault(replace(cell, sweep=None).identity(""), cell) is not cell:
                self.path = []
                self.fail(f"the same cell stands twice: {cell.label} in experiment {cell.experiment!r}")

    def _cells(self, experiment: str, table: Mapping[str, Any], seed: str) -> list[CellPlan]:
        cells = []
        known = target_files(self.folders.further_targets)
        for target_entry in self.tables(table, "targets", sorted(known)):
            name = self.text(target_entry, "name")
            if name not in known:
                self.fail(unknown("target", name, list(known)), "targets")
            parameters = self._parameters(name, target_entry)
            # A target may bring samplers' settings of its own: one step size does not fit all densities.
            holder = target_entry if "samplers" in target_entry else table
            samplers = self.tables(holder, "samplers", list_samplers(self.folders.samplers))
            limits = self._limits({**table, **{key: value for key, value in target_entry.items() if key in _LIMITS}})
            starts = limits.pop("start")
            matrices = any("inverse_mass_matrix" in sampler_entry for sampler_entry in samplers)
            dim = self._dim(name, parameters) if parameters or matrices else None
            common = {
                "experiment": experiment,
                "target": name,
                "target_parameters": dict(parameters),
                "seed": seed,
                **limits,
            }
            for sampler_entry in samplers:
                for start in starts:
                    cells += self._sweep(common | {"start": start}, limits, dim, sampler_entry)
        return cells

    def _parameters(self, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters that a target's entry gives."""
        parameters = {key: value for key, value in entry.items() if key not in ("name", "samplers", *_LIMITS)}
        declared = target_parameters(name, self.folders.further_targets) if parameters else {}
        for key, value in parameters.items():
            if key not in declared:
                self.fail(unknown(f"parameter of target {name}", key, [*declared, *_LIMITS]), "targets")
            try:
                json.dumps(value)
            except TypeError:
                self.fail(f"{name}: {key} = {value} must be numbers, texts, true or false", "targets")
        return parameters

    def _dim(self, name: str, parameters: Mapping[str, Any]) -> int | None:
        """The dimension of a target, built to see that its parameters are possible; None if its own code fails."""
        try:
            return load_target(name, targets_folder=self.folders.targets, **parameters).dim
        except CatalogError as error:
            self.fail(str(error), "targets")
        except Exception:  # noqa: BLE001 - broken in itself: the outcome of its cells, and the rest of the suite runs
            return None

    def _limits(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {key: read(self, given, key) for key, read in _LIMITS.items()}

    def _sweep(
        self, common: Mapping[str, Any], limits: Mapping[str, Any], dim: int | None, entry: Mapping[str, Any]
    ) -> list[CellPlan]:
        """The cells of one sampler entry: one, or one for each combination of the settings given as lists."""
        name = self.text(entry, "name")
        known = list_samplers(self.folders.samplers)
        if name not in known:
            self.fail(unknown("sampler", name, known), "samplers")
        sampler = load_sampler(name, samplers_folder=self.folders.samplers)
        settings = {key: value for key, value in entry.items() if key not in ("name", "select", "inverse_mass_matrix")}
        keys = [*sampler.settings, "select", *(["inverse_mass_matrix"] if sampler.uses_inverse_mass_matrix else [])]
        for key in settings:
            if key not in sampler.settings:
                self.fail(unknown(f"setting of {name}", key, keys), "samplers")
        select = entry.get("select", True)
        if not isinstance(select, bool):
            self.fail(f"select = {select!r} must be true or false", "samplers")
        matrix = self._inverse_mass_matrix(entry, sampler, name, common["target"], dim)
        swept = tuple(key for key, value in settings.items() if isinstance(value, list))
        for key in swept:
            if not settings[key]:
                self.fail(f"{name}: {key} is an empty list", "samplers")
        combinations = []
        for values in itertools.product(*(settings[key] for key in swept)):
            try:
                complete = sampler.with_defaults({**settings, **dict(zip(swept, values, strict=True))})
                Budget(limits["budget"], limits["warmup_share"], limits["max_draws"]).plan(sampler, complete)
            except (ValueError, SamplingError) as error:
                self.fail(str(error), "samplers")
            combinations.append(complete)
        of_sweep = [common[key] for key in ("experiment", "target", "target_parameters")]
        sweep = identity_hash([*of_sweep, name, settings, common["start"], limits]) if swept and select else None
        return [
            CellPlan(
                sampler=name,
                settings=complete,
                inverse_mass_matrix=matrix,
                swept=swept,
                sweep=sweep,
                fixed=tuple(sorted(settings)),
                **common,
            )
            for complete in combinations
        ]

    def _inverse_mass_matrix(
        self, entry: Mapping[str, Any], sampler: Sampler, name: str, target: str, dim: int | None
    ) -> tuple[float, ...] | None:
        """The diagonal that a sampler's entry gives, or None."""
        mass = entry.get("inverse_mass_matrix")
        if mass is None:
            return None
        if not sampler.uses_inverse_mass_matrix:
            self.fail(f"inverse_mass_matrix = {mass!r}: {name} takes none", "samplers")
        if not isinstance(mass, list) or not all(type(m) in (int, float) and 0 < m < LARGEST for m in mass):
            self.fail(
                f"inverse_mass_matrix = {mass!r} must be a list of numbers greater than 0 and below {LARGEST:g}",
                "samplers",
            )
        if dim is not None and len(mass) != dim:
            self.fail(f"inverse_mass_matrix has {len(mass)} numbers; {target} has {dim} dimensions", "samplers")
        return tuple(float(m) for m in mass)
