"""The results of a run: cells, their metric values, and where they came from.

The only thing that the running half and the reading half (report, comparison) share. Must know neither. The types of the
fields are the schema of ``results.json``, see `mcmc_bench.core.json_form`. To add a field, add it here with a default. To
rename or remove one, also raise SCHEMA_VERSION and bring older files to it in `mcmc_bench.core.results_versions`.

A results folder holds ``results.json`` (this module), ``draws/CELL.npz`` (a thinned set of draws of each cell for
the figures, at most 2000) and ``targets/KEY.npz`` (arrays for the figures of each target).
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NoReturn, TypedDict

import numpy as np
import numpy.typing as npt

from mcmc_bench.core import json_form, results_versions
from mcmc_bench.core.evidence import Evidence
from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.json_form import NOT_STORED, Count, Digits, Limits, NotNegative, Positive, Share
from mcmc_bench.core.kinds import Kind, StartName, TruthOrigin
from mcmc_bench.core.outcome import Outcome

if TYPE_CHECKING:
    import pandas

SCHEMA_VERSION = 3
FILE_NAME = "results.json"

Direction = Literal["higher", "lower", "target"]
Verdict = Literal["pass", "fail", "inconclusive", "not applicable"]

#: Written as null where it is not finite.
OrNull = Annotated[float, Limits(type=["number", "null"])]


class ResultsError(ValueError):
    """Results that cannot be read; the message names the file and what to do."""


@dataclass
class MetricValue:
    """One metric of one cell, with its interval over replicates."""

    OMITS_DEFAULTS: ClassVar[bool] = True  # there are thousands

    metric: str  # a key of Results.definitions
    value: float | None  # None: not given for this cell, `note` says why
    low: float | None = None  # 95 % interval over replicates
    high: float | None = None
    replicates: Count = 0
    floor: float | None = None  # the same statistic between two exact i.i.d. sets of equal size
    floor_error: NotNegative | None = None  # standard error of the floor, where it was measured with one
    predicted: float | None = None  # closed form, where there is one
    censored: bool = False  # the value is a lower bound: not reached within the budget
    note: str = ""


@dataclass
class Judgement:
    """One of the separate verdicts on a cell, with the numbers it rests on in words."""

    verdict: Verdict
    because: str = ""


@dataclass
class Cell:
    """One target × sampler × settings × start, all replicates."""

    id: str  # hash of everything that determines the numbers
    experiment: str
    target: str  # label, a key of Results.targets
    sampler: str
    sampler_kind: Kind
    settings: dict[str, float]
    start: StartName
    budget: Positive  # target evaluations per chain
    warmup_share: Annotated[float, Limits(minimum=0, exclusiveMaximum=1)]  # share discarded
    chains: Positive
    replicates: Positive
    outcome: Outcome = Outcome.FINISHED
    message: str = ""  # what went wrong, where something did
    #: Cells with the same sweep compete for the best setting; chosen on replicates that are not the reported ones.
    sweep: str | None = None
    swept: list[str] = field(default_factory=list)  # names of the settings that vary within the sweep
    selected: bool = False  # best of its sweep, or not part of one
    selection_score: float | None = None
    stopped_chains: Count = 0  # chains that became non-finite, over all replicates
    divergences: Count = 0
    cost: dict[str, OrNull] = field(default_factory=dict)  # fields of `core.draws.Cost`, means over replicates
    metric_values: list[MetricValue] = field(default_factory=list)
    #: Named curves, e.g. "error": {"evaluations": [...], "median": [...], "low": [...], "high": [...]}.
    curves: Annotated[dict[str, dict[str, list[OrNull]]], Digits(5)] = field(default_factory=dict)
    verdicts: dict[str, Judgement] = field(default_factory=dict)
    #: Hash of what was asked for, whatever the sources, the seed and the number of replicates: cells of two runs
    #: that have it in common are compared.
    match: Annotated[str, Limits(pattern="^[0-9a-f]{12}$")] = ""
    evidence: Annotated[list[Evidence], Digits(6)] = field(
        default_factory=list
    )  # of the run, then of each extension by `gate`
    tuning: Count = 0  # target evaluations of each chain that our tuning may spend, on top of the budget
    tunes_itself: bool = False  # whether the sampler says that it has spent evaluations on tuning of its own
    #: Settings that were tuned, and to what in each replicate that got so far; `ratio_of_scales` of tuned
    #: coordinates, `rung_2` … of a ladder.
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
    """The meaning of a metric, and how it is shown."""

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
class VerdictDefinition:
    """The title of a verdict and the question that it answers."""

    title: str
    question: str


@dataclass
class ExampleFacts:
    """Facts of the data that a target was learned from."""

    held_out: Positive  # examples that were never seen in training
    classes: Count  # 0: data without classes
    shape: Annotated[list[Positive], Limits(minItems=2, maxItems=2)] | None = None  # of an image: height, width
    pixels: Annotated[list[float], Limits(minItems=2, maxItems=2)] = field(
        default_factory=lambda: [0.0, 1.0]
    )  # values of black and of white
    classifier_accuracy: Share | None = None  # share that the metrics' classifier gets right
    classifier: str = ""  # what that classifier is, and of what its accuracy is the share
    class_names: list[str] | None = None


@dataclass
class TargetFacts:
    """Facts of a target that the report shows. Its arrays are in ``targets/KEY.npz``."""

    key: str  # file name of its arrays
    name: str
    parameters: dict[str, Any]
    dim: Count
    description: str
    formula: str
    source: str
    tags: list[str]
    truth_origin: TruthOrigin | None
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


class _AlwaysKnown(TypedDict):
    python: str
    versions: dict[str, str]
    processor: str
    cores: int
    workers: int  # processes
    engine_hash: str
    seed: str
    command: str
    started: str
    seconds: float
    complete: bool


class Origin(_AlwaysKnown, total=False):
    """The origin of results: versions, machine and command."""

    system: str
    commit: str | None
    resumed: int  # cells kept from an earlier run
    not_kept: dict[str, str]  # cells that every run runs again, by their label: why their inputs cannot be seen
    machine: str
    job: str
    stages: Annotated[int, Limits(minimum=1, maximum=10)]  # of `gate`


class Provenance(Origin):
    """The origin of results, with the whole suite."""

    suite_text: str


@dataclass
class Results:
    """All of one run."""

    suite: str
    title: str
    description: str
    cells: list[Cell]
    definitions: dict[str, Definition]
    targets: dict[str, TargetFacts]
    provenance: Provenance
    experiments: dict[str, str] = field(default_factory=dict)  # name to title, in the suite's order
    verdicts: dict[str, VerdictDefinition] = field(default_factory=dict)  # in the order of the page
    schema_version: Annotated[int, Limits(const=SCHEMA_VERSION)] = SCHEMA_VERSION
    folder: Path | None = field(default=None, metadata=NOT_STORED)  # where it was loaded from

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
        if version not in (SCHEMA_VERSION, *results_versions.MIGRATIONS):
            raise ResultsError(
                f"{file} has schema version {_short(version)}; this program reads version {SCHEMA_VERSION}: make the "
                "results again with mcmc-bench run, a baseline with mcmc-bench baseline"
            )
        try:
            content = results_versions.migrated(content)
            _validator()(content)
            results = json_form.from_json(cls, content)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ResultsError(f"{file} does not follow the schema: {_short(error)}") from error
        results.folder = file.parent
        return results

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON schema of ``results.json``."""
        return json_form.schema(cls)

    def to_json(self) -> dict[str, Any]:
        """The content of ``results.json``: JSON types only, no NaN."""
        content: dict[str, Any] = json_form.to_json(self)
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
            "id",
            "experiment",
            "target",
            "sampler",
            "sampler_kind",
            "start",
            "budget",
            "warmup_share",
            "chains",
            "replicates",
            "outcome",
            "selected",
            "stopped_chains",
        )
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
        """The arrays that figures of a target show: `draws` (n, dim) exact or reference, `log_density` (n,), and for two
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
            return {results_versions.ARRAYS.get(key, key): stored[key].astype(np.float64) for key in stored.files}


@functools.cache
def _validator() -> Any:
    """Checks content against the schema; raises a ValueError that names what is wrong."""
    import fastjsonschema

    return fastjsonschema.compile(Results.schema())


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _short(value: object) -> str:
    """On one line, at most 200 characters: what stands in a hostile file must not fill a screen."""
    text = " ".join((str(value) if isinstance(value, Exception) else repr(value)).split())
    return text if len(text) <= 200 else f"{text[:200]}…"
