"""The results of a run: cells, their metric values, and where they came from.

The only thing that the running half and the reading half (report, comparison) share. Must know neither.

A results folder holds ``results.json`` (this module), ``draws/CELL.npz`` (a thinned set of draws of each cell for
the figures, at most 2000) and ``targets/KEY.npz`` (what the figures show of each target).
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.outcome import Outcome

if TYPE_CHECKING:
    import pandas

SCHEMA_VERSION = 3
FILE_NAME = "results.json"

Direction = Literal["higher", "lower", "target"]
Verdict = Literal["pass", "fail", "inconclusive", "not applicable"]


class ResultsError(ValueError):
    """Results that cannot be read; the message names the file and what to do."""


@dataclass
class MetricValue:
    """One metric of one cell, with its interval over replicates."""

    metric: str  # a key of Results.definitions
    value: float | None  # None: not given for this cell, `note` says why
    low: float | None = None  # 95 % interval over replicates
    high: float | None = None
    replicates: int = 0
    floor: float | None = None  # the same statistic between two exact i.i.d. sets of equal size
    floor_error: float | None = None  # standard error of the floor, where it was measured with one
    predicted: float | None = None  # closed form, where there is one
    censored: bool = False  # the value is a lower bound: not reached within the budget
    note: str = ""


@dataclass
class Judgement:
    """One of the separate verdicts on a cell, with the numbers it rests on in words."""

    verdict: Verdict
    because: str = ""


@dataclass
class Indicators:
    """Shares of the draws below known quantiles and in known modes: bounded, so that they can be tested for bias.

    All lists run over the indicators.
    """

    name: list[str]
    truth: list[float]  # probability under the target
    truth_error: list[float]  # its standard error
    #: Probability under what the sampler should give at its settings, where that is known; see Evidence.expected_from.
    expected: list[float] | None
    expected_error: list[float] | None
    mean: list[float]  # over replicates, of the share in all chains of a replicate
    standard_deviation: list[float]  # of one replicate
    skewness: list[float]  # of one replicate
    constant: list[float]  # share of replicates in which no draw, or every draw, is inside

    def __post_init__(self) -> None:
        _same_length(self, len(self.name))


@dataclass
class Evidence:
    """What a comparison of two runs rests on: values of single replicates, which are independent of each other."""

    replicates: int
    #: "truth": an exact kernel that was started from exact draws; "closed form": its known bias; "": not known.
    expected_from: Literal["truth", "closed form", ""]
    planned_evaluations: float | None  # of one chain, by the suite's budget and the sampler's declaration
    evaluations: list[float]  # of one chain, counted; of each replicate
    squared_error: list[float | None]  # of one chain's estimates, in variances: 1 / real ESS; None where it has left
    low_error_evaluations: list[float | None]  # None: not reached within the budget
    seconds: list[float]  # of sampling, all chains
    stopped_chains: list[int]
    moved: list[float]  # share of the chains that do not end where they began
    divergent: list[float]  # share of the transitions
    indicators: Indicators | None = None  # None where no quantile of the target is known

    def __post_init__(self) -> None:
        _same_length(self, self.replicates)


def _same_length(columns: object, length: int) -> None:
    for name, values in vars(columns).items():
        if isinstance(values, list) and len(values) != length:
            raise ValueError(f"{name} has {len(values)} entries, not {length}")


@dataclass
class Cell:
    """One target × sampler × settings × start, all replicates."""

    id: str  # hash of everything that determines the numbers
    experiment: str
    target: str  # label, a key of Results.targets
    sampler: str
    sampler_kind: str  # exact, biased, optimiser, oracle
    settings: dict[str, float]
    start: str
    budget: int  # target evaluations per chain
    warmup_share: float  # share discarded
    chains: int
    replicates: int
    outcome: Outcome = Outcome.FINISHED
    message: str = ""  # what went wrong, where something did
    #: Cells with the same sweep compete for the best setting; chosen on replicates that are not the reported ones.
    sweep: str | None = None
    swept: list[str] = field(default_factory=list)  # names of the settings that vary within the sweep
    selected: bool = False  # best of its sweep, or not part of one
    selection_score: float | None = None
    stopped_chains: int = 0  # chains that left (no longer finite), over all replicates
    divergences: int = 0
    cost: dict[str, float] = field(default_factory=dict)  # fields of mcmc_bench.core.draws.Cost, means over replicates
    metric_values: list[MetricValue] = field(default_factory=list)
    #: Named curves, e.g. "error": {"evaluations": [...], "median": [...], "low": [...], "high": [...]}.
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    verdicts: dict[str, Judgement] = field(default_factory=dict)
    #: Hash of what was asked for, whatever the sources, the seed and the number of replicates: cells of two runs
    #: that have it in common are compared.
    match: str = ""
    evidence: list[Evidence] = field(default_factory=list)  # of the run, then of each extension by `gate`
    tuning: int = 0  # target evaluations of each chain that our tuning may spend, on top of the budget
    tunes_itself: bool = False  # whether the sampler says that it has spent evaluations on tuning of its own
    #: Settings that were tuned, and to what in each replicate that got so far; `ratio_of_scales` of tuned coordinates, `rung_2` … of a ladder.
    tuned: dict[str, list[float]] = field(default_factory=dict)

    def metric(self, key: str) -> MetricValue | None:
        """The value of the metric `key` with its interval, or None."""
        return next((found for found in self.metric_values if found.metric == key), None)

    def value(self, key: str) -> float | None:
        """The number alone, or None."""
        found = self.metric(key)
        return None if found is None else found.value


@dataclass
class Definition:
    """What a metric means."""

    title: str
    definition: str  # one or two sentences, as on the page
    direction: Direction  # which way is better; target: nearest to `ideal`
    group: str  # cost, convergence, accuracy, distance, modes, …
    ideal: float | None = None
    percent: bool = False  # shown in per cent in sentences and on cards
    printed: bool = False  # whether it has a column on paper, where there is no room for all
    card: str = ""  # its word under the drawings of a cell; empty: not shown there
    verdict: str = ""  # key of the verdict that it stands beside and whose colour it has; empty: of none
    beside: str = "{}"  # how it stands beside that verdict: "{}" is the number


@dataclass
class ExampleFacts:
    """What is known of the data that a target was learned from."""

    held_out: int  # examples that were never seen in training
    classes: int  # 0: data without classes
    shape: list[int] | None = None  # of an image: height, width
    pixels: list[float] = field(default_factory=lambda: [0.0, 1.0])  # values of black and of white
    classifier_accuracy: float | None = None  # share that the metrics' classifier gets right
    classifier: str = ""  # what that classifier is, and of what its accuracy is the share
    class_names: list[str] | None = None


@dataclass
class TargetFacts:
    """What the report says and draws of a target. Its arrays are in ``targets/KEY.npz``."""

    key: str  # file name of its arrays
    name: str
    parameters: dict[str, Any]
    dim: int
    description: str
    formula: str
    source: str
    tags: list[str]
    truth_origin: str | None
    truth_note: str
    mean_log_density: float | None
    mode_locations: list[list[float]] | None = None
    mode_weights: list[float] | None = None
    examples: ExampleFacts | None = None  # of a target that was learned from data
    #: Of a learned target: the name of the density in closed form that its score is compared with, and whether that is
    #: the one that the examples come from (see `mcmc_bench.core.target.Counterpart`).
    counterpart: str | None = None
    counterpart_is_source: bool = False
    score_error: dict[str, list[float]] | None = None  # curves against σ, see `mcmc_bench.metrics.score_error`


@dataclass
class Results:
    """All of one run."""

    suite: str
    title: str
    description: str
    cells: list[Cell]
    definitions: dict[str, Definition]
    targets: dict[str, TargetFacts]
    #: versions, processor, threads, source hash, seed, suite text, command, started, seconds, complete.
    provenance: dict[str, Any]
    experiments: dict[str, str] = field(default_factory=dict)  # name to title, in the suite's order
    schema_version: int = SCHEMA_VERSION
    folder: Path | None = None  # where it was loaded from; not stored

    @classmethod
    def load(cls, path: str | Path) -> Results:
        """Read results from a folder or a ``results.json``.

        Raises:
            ResultsError: no such file, not JSON, or a schema version that this program does not know.
        """
        file = Path(path)
        if file.is_dir():
            file = file / FILE_NAME
        try:
            content = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_such_number)
        except FileNotFoundError:
            raise ResultsError(f"{file}: no such file; make one with: mcmc-bench run SUITE") from None
        except (OSError, ValueError, RecursionError) as error:
            raise ResultsError(f"{file} cannot be read as results: {error}") from error
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version not in (SCHEMA_VERSION - 1, SCHEMA_VERSION):
            raise ResultsError(
                f"{file} has schema version {_short(version)}; this program reads version {SCHEMA_VERSION}: make the "
                "results again with mcmc-bench run, a baseline with mcmc-bench baseline"
            )
        try:
            if version == 2:
                _from_version_2(content)
            _validator()(content)
            return cls._from_json(content, file.parent)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ResultsError(f"{file} does not follow the schema: {_short(error)}") from error

    @classmethod
    def _from_json(cls, content: dict[str, Any], folder: Path) -> Results:
        content = dict(content)
        content["cells"] = [cell_from_json(cell) for cell in content["cells"]]
        content["definitions"] = {key: Definition(**value) for key, value in content["definitions"].items()}
        content["targets"] = {key: facts_from_json(value) for key, value in content["targets"].items()}
        return cls(**content, folder=folder)

    def to_json(self) -> dict[str, Any]:
        """The content of ``results.json``: JSON types only, no NaN."""
        content = _plain({**vars(self), "cells": [], "definitions": {}, "targets": {}, "folder": None})
        del content["folder"]
        content["cells"] = [cell_to_json(cell) for cell in self.cells]
        content["definitions"] = {key: _plain(vars(definition)) for key, definition in self.definitions.items()}
        content["targets"] = {key: _plain(asdict(facts)) for key, facts in self.targets.items()}
        return content

    def save(self, folder: str | Path) -> Path:
        """Write ``results.json`` into `folder`, whole or not at all. Returns the file's path."""
        file = Path(folder) / FILE_NAME
        write_atomically(file, self.to_text().encode())
        return file

    def to_text(self) -> str:
        """The content of ``results.json``: JSON with a line for each cell: small, and a changed cell is a changed line."""

        def dump(value: Any) -> str:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)

        content = self.to_json()
        cells = ",\n".join(dump(cell) for cell in content.pop("cells"))
        rest = ",\n".join(f"{dump(key)}: {dump(value)}" for key, value in content.items())
        return f'{{\n{rest},\n"cells": [\n{cells}\n]\n}}\n'

    def to_dataframe(self) -> pandas.DataFrame:
        """One line for each cell and metric."""
        import pandas

        identity = (
            "id", "experiment", "target", "sampler", "sampler_kind", "start", "budget", "warmup_share", "chains",
            "replicates", "outcome", "selected", "stopped_chains",
        )  # fmt: skip
        lines = [
            {
                **{("cell" if name == "id" else name): getattr(cell, name) for name in identity},
                "settings": json.dumps(cell.settings),
                **{f"metric_{key}" if key == "replicates" else key: value for key, value in vars(one).items()},
            }
            for cell in self.cells
            for one in cell.metric_values
        ]
        return pandas.DataFrame(lines)

    def draws(self, cell: Cell) -> dict[str, npt.NDArray[np.float64]] | None:
        """The figure draws of a cell: `position` (chain, draw, dim), `log_density` (chain, draw). None if absent.

        For targets with examples also `data` (n, dim), ends of chains without the noise of the density, and where the
        sampler goes down noise levels `snapshots` (chain, snapshot, dim) with `snapshots_noise`
        (snapshot,), from starts that all cells of the target with the same largest noise share.
        """
        return self._arrays("draws", cell.id)

    def portrait(self, target: str) -> dict[str, npt.NDArray[np.float64]] | None:
        """What figures show of a target: `draws` (n, dim) exact or reference, `log_density` (n,), and for two
        dimensions `grid_x`, `grid_y` and `grid_log_density` (y, x); of a learned one also its field, see
        `mcmc_bench.metrics.score_error.fields`. None if absent.

        For targets with examples also `held_out` (n, dim), their `spread` (a standard deviation), the `centre` (dim,) that
        is added to give pixels, and the `direction` (dim,) in which they differ most.
        """
        return self._arrays("targets", self.targets[target].key)

    def _arrays(self, kind: str, name: str) -> dict[str, npt.NDArray[np.float64]] | None:
        if self.folder is None:
            return None
        file = self.folder / kind / f"{name}.npz"
        if not file.is_file():
            return None
        with np.load(file, allow_pickle=False) as stored:
            return {key: stored[key].astype(np.float64) for key in stored.files}


@functools.cache
def _validator() -> Any:
    """Checks content against ``results.schema.json``; raises a ValueError that names what is wrong."""
    import fastjsonschema

    schema = json.loads(Path(__file__).with_name("results.schema.json").read_text(encoding="utf-8"))
    return fastjsonschema.compile(schema)


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _short(value: object) -> str:
    """On one line, at most 200 characters: what stands in a hostile file must not fill a screen."""
    text = " ".join((str(value) if isinstance(value, Exception) else repr(value)).split())
    return text if len(text) <= 200 else f"{text[:200]}…"


#: Keys of metrics and costs in version 2, and what they are called since.
_RENAMED = {
    "natural_bias_squared_average": "constrained_bias_squared_average",
    "natural_bias_squared_max": "constrained_bias_squared_max",
    "warm_up_evaluations": "warmup_evaluations",
    "warm_up_seconds": "warmup_seconds",
}


def _from_version_2(content: dict[str, Any]) -> None:
    """Bring the content of a file of schema version 2 to version 3, in place."""
    content["definitions"] = {_RENAMED.get(key, key): value for key, value in content["definitions"].items()}
    for cell in content.get("cells", ()):
        cell["metric_values"] = cell.pop("rows")
        for value in cell["metric_values"]:
            value["metric"] = _RENAMED.get(value["metric"], value["metric"])
        cell["cost"] = {_RENAMED.get(key, key): value for key, value in cell["cost"].items()}
        cell["warmup_share"] = cell.pop("burn_in")
    content["schema_version"] = 3


def cell_from_json(content: Mapping[str, Any]) -> Cell:
    """A cell from its JSON form."""
    values = dict(content)
    values["outcome"] = Outcome(values["outcome"])
    values["metric_values"] = [MetricValue(**value) for value in values["metric_values"]]
    values["verdicts"] = {key: Judgement(**value) for key, value in values["verdicts"].items()}
    values["evidence"] = [evidence_from_json(evidence) for evidence in values.get("evidence", ())]
    return Cell(**values)


def facts_from_json(content: Mapping[str, Any]) -> TargetFacts:
    """Facts of a target from their JSON form."""
    examples = content.get("examples")
    return TargetFacts(**{**content, "examples": None if examples is None else ExampleFacts(**examples)})


def evidence_from_json(content: Mapping[str, Any]) -> Evidence:
    """Evidence from its JSON form."""
    indicators = content.get("indicators")
    return Evidence(**{**content, "indicators": None if indicators is None else Indicators(**indicators)})


def cell_to_json(cell: Cell) -> dict[str, Any]:
    """The JSON form of a cell: JSON types only, no NaN."""
    plain: dict[str, Any] = _plain({**vars(cell), "metric_values": [], "curves": {}, "verdicts": {}, "evidence": []})
    # Fields that are empty are left out: there are thousands of values.
    plain["metric_values"] = [
        {
            key: value
            for key, value in _plain(vars(one)).items()
            if key in ("metric", "value") or not (value is None or value is False or value == "")
        }
        for one in cell.metric_values
    ]
    plain["curves"] = {
        name: {key: [_five_digits(value) for value in values] for key, values in curve.items()}
        for name, curve in cell.curves.items()
    }
    plain["verdicts"] = {key: vars(judgement) for key, judgement in cell.verdicts.items()}
    plain["evidence"] = [evidence_to_json(evidence) for evidence in cell.evidence]
    return plain


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """The JSON form of evidence, six digits of each number."""
    indicators = evidence.indicators
    plain = {**vars(evidence), "indicators": None if indicators is None else vars(indicators)}
    return {key: _six_digits(value) for key, value in plain.items()}


def _six_digits(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _six_digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_six_digits(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return _plain(value)


def _five_digits(value: float | None) -> float | None:
    """Enough for a curve that is only drawn."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.5g}")


def identity_hash(content: Any) -> str:
    """A short hash of JSON-like content, the same whatever the order of keys."""
    return hashlib.sha256(json.dumps(_plain(content), sort_keys=True).encode()).hexdigest()[:12]


def write_atomically(file: Path, content: bytes) -> None:
    """Write `content` so that a reader, or a crash, sees the old file or the new one and nothing between."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _plain(value: Any) -> Any:
    """JSON types only: paths to text, NumPy scalars to Python's, non-finite numbers to None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
