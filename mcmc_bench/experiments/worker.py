"""What happens inside a worker process: sample one cell, measure it, and hand back plain data.

Knows sampling and metrics. Must not know suites as a whole, nor where results are stored.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from mcmc_bench import metrics
from mcmc_bench.catalog import stored_truth
from mcmc_bench.catalog.files import Folders, load_sampler, load_target, target_files
from mcmc_bench.core.draws import Array, Cost, Draws
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Evidence, ExampleFacts, TargetFacts, identity_hash
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target
from mcmc_bench.experiments import known_law
from mcmc_bench.experiments.suite import CellPlan
from mcmc_bench.metrics import Measurement, Reference
from mcmc_bench.sampling.budget import Budget
from mcmc_bench.sampling.replicate import compile_kernels, run
from mcmc_bench.sampling.snapshots import trajectory_snapshots
from mcmc_bench.sampling.tuning.schedule import Tuning

#: Points and chains of a cell that are kept for the figures, at half the precision.
FIGURE_POINTS, FIGURE_CHAINS = 2000, 16
#: Data that are kept for the figures, held-out examples and ends of chains: so many, or more of few coordinates.
FIGURE_DATA, FIGURE_NUMBERS = 64, 4000
GRID_POINTS = 120


@dataclass(frozen=True)
class CellOutput:
    """One cell, done: its results, its figure draws, and what is asked for besides."""

    cell: Cell
    figure: bytes | None = None  # an npz
    draws: bytes | None = None  # all replicates in ArviZ's schema, netCDF


P = ParamSpec("P")
T = TypeVar("T")


class WorkerError(RuntimeError):
    """What was raised in a worker, in words."""


def _in_words(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, but whatever it raises becomes a WorkerError.

    The exception itself must not reach the parent: one of a class that the parent cannot load breaks the pool,
    SystemExit would end the run, and a TimeoutError would pass for the time limit.
    """

    @functools.wraps(function)
    def spoken(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return function(*arguments, **named)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it ends here
            raise WorkerError(f"{type(error).__name__}: {error}") from None

    return spoken


@functools.lru_cache(maxsize=8)
def _target(name: str, parameters: str, folder: Path | None) -> Target:
    # One object for all cells of a target: what is compiled and drawn for comparison is made once a process.
    target = load_target(name, targets_folder=folder, **json.loads(parameters))
    stored_truth.verify(target, target_files(() if folder is None else (folder,))[name])
    return target


def _load(plan: CellPlan, folders: Folders) -> Target:
    return _target(
        plan.target, json.dumps(dict(plan.target_parameters)), folders.targets
    )  # a list is no key of a cache


def _sampler(plan: CellPlan, folders: Folders) -> Sampler:
    return load_sampler(plan.sampler, samplers_folder=folders.samplers)


@_in_words
def compile_cell(plan: CellPlan, folders: Folders) -> None:
    """Compile what `plan` needs, without running it, so that the workers that follow find it in the cache."""
    compile_kernels(_load(plan, folders), _sampler(plan, folders))


def blank(plan: CellPlan, identity: str, folders: Folders) -> Cell:
    """The cell of `plan` before anything is known about it."""
    return Cell(
        id=identity,
        experiment=plan.experiment,
        target=plan.target_label,
        sampler=plan.sampler,
        sampler_kind=_sampler(plan, folders).kind,
        settings=dict(plan.settings),
        start=plan.start,
        budget=plan.budget,
        warmup_share=plan.warmup_share,
        chains=plan.chains,
        replicates=plan.replicates,
        sweep=plan.sweep,
        swept=list(plan.swept),
        selected=plan.sweep is None,
        match=plan.match,
        tuning=_tuning_evaluations(plan, _sampler(plan, folders)),
    )


def _not_applicable(plan: CellPlan, target: Target, sampler: Sampler) -> str:
    if missing := sampler.incompatibility(target, plan.settings):
        return missing
    if target.draw_exact is not None:
        return ""
    return f"{target.label} has no exact sampler to start from" if plan.start == "exact" else ""


@_in_words
def run_cell(plan: CellPlan, identity: str, folders: Folders, keep_draws: bool) -> CellOutput:
    """All replicates of one cell, measured."""
    target, sampler = _load(plan, folders), _sampler(plan, folders)
    cell = blank(plan, identity, folders)
    if message := _not_applicable(plan, target, sampler):
        cell.outcome, cell.message = Outcome.NOT_APPLICABLE, message
        return CellOutput(cell)
    replicates = [_replicate(plan, target, sampler, "replicate", index) for index in range(plan.replicates)]
    cell.stopped_chains = int(sum((draws.stopped_at >= 0).sum() for draws in replicates))
    cell.divergences = int(sum(draws.divergences.sum() for draws in replicates))
    cell.tuned = _together([_learned(draws, sampler) for draws in replicates])
    cell.cost = {name: float(np.mean([getattr(d.cost, name) for d in replicates])) for name in vars(Cost())}
    cell.tunes_itself = sampler.draw is not None and cell.cost["tuning_evaluations"] > 0
    cell.metric_values, cell.curves = metrics.evaluate_cell(
        replicates,
        target,
        Reference.of(target),
        budget=plan.budget,
        warmup_share=plan.warmup_share,
        groups=plan.metrics,
        predicted=known_law.predictions(_as_known(plan, sampler), plan.settings, target),
    )
    cell.evidence = [_evidence(plan, target, sampler, _measured(plan, target, replicates))]
    if plan.sweep is not None:
        # On replicates of their own: choosing and reporting on the same draws would flatter the chosen.
        pilots = [_replicate(plan, target, sampler, "selection", index) for index in range(plan.selection_replicates)]
        cell.selection_score = metrics.selection_score(pilots, target)
    figure = _npz(**_figure_draws(replicates[0]), **_figure_data(plan, target, sampler, replicates[0]))
    return CellOutput(cell, figure, _netcdf(replicates, plan, target) if keep_draws else None)


@_in_words
def extend(plan: CellPlan, folders: Folders, stage: int, replicates: int) -> Evidence:
    """Evidence of further replicates of a cell, independent of all others; `stage` names their random streams."""
    return evidence(plan, folders, measure(plan, folders, f"extension {stage}", range(replicates)))


@_in_words
def measure(plan: CellPlan, folders: Folders, purpose: str, indices: range) -> list[Measurement]:
    """What single replicates of a cell say; `purpose` and index name their random streams."""
    target, sampler = _load(plan, folders), _sampler(plan, folders)
    draws = (_replicate(plan, target, sampler, purpose, index) for index in indices)
    return _measured(plan, target, draws)


@_in_words
def evidence(plan: CellPlan, folders: Folders, measurements: Sequence[Measurement]) -> Evidence:
    """The evidence of replicates of a cell that are measured."""
    return _evidence(plan, _load(plan, folders), _sampler(plan, folders), measurements)


def _measured(plan: CellPlan, target: Target, replicates: Iterable[Draws]) -> list[Measurement]:
    reference = Reference.of(target)
    return [metrics.measure(draws, reference, plan.budget * (1.0 - plan.warmup_share)) for draws in replicates]


def _budget(plan: CellPlan) -> Budget:
    return Budget(plan.budget, plan.warmup_share, plan.max_draws)


def _replicate(plan: CellPlan, target: Target, sampler: Sampler, purpose: str, index: int) -> Draws:
    tuned = is_tuned(plan, sampler)
    return run(
        target,
        sampler,
        {name: plan.settings[name] for name in plan.fixed} if tuned else plan.settings,
        _budget(plan),
        chains=plan.chains,
        start=plan.start,  # type: ignore[arg-type]  # checked when the suite was read
        names=(plan.seed, target.label, sampler.name, sorted(plan.settings.items()), plan.start, purpose, index),
        inverse_mass_matrix=plan.inverse_mass_matrix,
        tuning=Tuning(plan.tuning, plan.mass_matrix) if tuned else None,  # type: ignore[arg-type]  # as above
    )


def is_tuned(plan: CellPlan, sampler: Sampler) -> bool:
    """Whether anything of the sampler is tuned in this cell."""
    return plan.tuning > 0 and sampler.adaptation is not None


def _tuning_evaluations(plan: CellPlan, sampler: Sampler) -> int:
    return 0 if sampler.adaptation is None or sampler.adaptation.by_starts else plan.tuning


def _learned(draws: Draws, sampler: Sampler) -> dict[str, float]:
    """What was tuned to what: settings; of coordinates their largest scale over the smallest; the ladder's inner rungs."""
    learned = {name: float(value) for name, value in draws.tuned.items()}
    adaptation, matrix = sampler.adaptation, draws.inverse_mass_matrix
    if adaptation is None or not learned:
        return learned
    if adaptation.mass_matrix and matrix is not None:
        scales = np.sqrt(matrix if matrix.ndim == 1 else np.linalg.eigvalsh(matrix))
        learned["ratio_of_scales"] = float(scales.max() / scales.min())
    if adaptation.ladder:
        learned |= {f"rung_{k}": float(value) for k, value in enumerate(draws.schedule[1:-1], 2)}
    return learned


def _together(each: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """By name, the values of the replicates that have one: where chains leave while they are tuned, there are no scales."""
    names = dict.fromkeys(name for one in each for name in one)
    return {name: [one[name] for one in each if name in one] for name in names}


def _as_known(plan: CellPlan, sampler: Sampler) -> Sampler:
    """The sampler without the closed forms that depend on settings which are tuned: the law of an exact one does not."""
    if not is_tuned(plan, sampler):
        return sampler
    known = replace(sampler, mean_acceptance=None)
    return known if sampler.kind == "exact" else replace(known, stationary_variance=None)


def _evidence(plan: CellPlan, target: Target, sampler: Sampler, measurements: Sequence[Measurement]) -> Evidence:
    reference, budget = Reference.of(target), _budget(plan)
    settings = sampler.resolve_settings(target, plan.settings)
    warmup = budget.plan(sampler, settings).warmup
    exact = reference.many if reference.available else None
    expected_from, law = known_law.of_cell(_as_known(plan, sampler), plan.settings, target, plan.start, warmup, exact)
    return metrics.summarise(
        measurements, reference, expected_from=expected_from, law=law,
        planned_evaluations=_tuning_evaluations(plan, sampler)
        + budget.planned_evaluations(sampler, settings, tuned=is_tuned(plan, sampler)),
    )  # fmt: skip


def _npz(**arrays: Array) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _figure_draws(draws: Draws) -> dict[str, Array]:
    chains = min(FIGURE_CHAINS, draws.chains)
    kept = draws.position.shape[1]
    step = max(1, -(-kept * chains // FIGURE_POINTS))
    with np.errstate(over="ignore"):  # a chain that has been flung away is at infinity in a figure
        return {
            "position": draws.position[:chains, ::step].astype(np.float32),
            "log_density": draws.log_density[:chains, ::step].astype(np.float32),
        }


def _figure_data(plan: CellPlan, target: Target, sampler: Sampler, draws: Draws) -> dict[str, Array]:
    """Where the density was learned from examples: ends of chains without their noise, as they are measured, and trajectory snapshots."""
    if target.examples is None:
        return {}
    finite = draws.end[np.isfinite(draws.end).all(axis=1)]
    arrays: dict[str, Array] = {"data": target.examples.denoised(finite[: _figure_count(target)]).astype(np.float32)}
    # Without the sampler's name and settings: snapshots of one target begin at the same points.
    snapshots = trajectory_snapshots(
        target, sampler, {**plan.settings, **draws.tuned}, (plan.seed, target.label, "film")
    )
    if snapshots is not None:
        last = target.examples.denoised(snapshots.position[:, -1])
        arrays["snapshots"] = np.concatenate([snapshots.position[:, :-1], last[:, None]], axis=1)
        arrays["snapshots_noise"] = snapshots.noise
    return arrays


def _netcdf(replicates: list[Draws], plan: CellPlan, target: Target) -> bytes:
    """All replicates as further chains of one tree, in ArviZ's schema."""
    import tempfile

    import xarray

    from mcmc_bench.sampling.api import to_datatree

    about = {"target": target.label, "sampler": plan.sampler, "chains_per_replicate": plan.chains}
    settings = {f"setting_{key}": value for key, value in plan.settings.items()}
    trees = [to_datatree(draws, {**about, **settings}) for draws in replicates]
    groups = {
        f"/{group}": xarray.concat(
            [tree[group].to_dataset() for tree in trees], dim="chain", combine_attrs="override"
        ).assign_coords(chain=np.arange(plan.chains * len(trees)))
        for group in trees[0].children
    }
    tree = xarray.DataTree.from_dict(groups)
    tree.attrs.update(trees[0].attrs)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "draws.nc"
        tree.to_netcdf(file, engine="h5netcdf")
        return file.read_bytes()


@_in_words
def describe(plan: CellPlan, folders: Folders) -> tuple[str, TargetFacts, bytes]:
    """Label, facts and portrait (an npz) of a target, for the report."""
    target = _load(plan, folders)
    reference = Reference.of(target)
    arrays: dict[str, Array] = {}
    if reference.available:
        arrays["draws"] = reference.points.astype(np.float32)
        arrays["log_density"] = reference.log_density.astype(np.float32)
    arrays |= _figure_examples(target)
    if target.dim == 2 and (reference.available or target.examples is not None):
        around = reference.points if reference.available or target.examples is None else target.examples.held_out
        arrays |= _grid(target, around)
    arrays |= {key: values.astype(np.float32) for key, values in metrics.fields(target).items()}
    counterpart = target.counterpart
    modes, truth = target.modes, target.truth
    several = modes is not None and len(modes.weights) > 1
    facts = TargetFacts(
        key=identity_hash([target.name, target.parameters]),
        name=target.name,
        parameters=target.parameters,
        dim=target.dim,
        description=target.description,
        formula=target.formula,
        source=target.source,
        tags=list(target.tags),
        truth_origin=truth.origin if truth is not None else None,
        truth_note=truth.note if truth is not None else "",
        mean_log_density=truth.mean_log_density if truth is not None else None,
        mode_locations=modes.locations.tolist() if several and modes is not None else None,
        mode_weights=modes.weights.tolist() if several and modes is not None else None,
        examples=_example_facts(target),
        counterpart=None if counterpart is None else counterpart.name,
        counterpart_is_source=counterpart is not None and counterpart.is_source,
        score_error=metrics.score_error(target),
    )
    return target.label, facts, _npz(**arrays)


def _grid(target: Target, points: Array) -> dict[str, Array]:
    """Log density (y, x) on a grid that covers the exact draws generously."""
    low, high = np.quantile(points, 0.002, axis=0), np.quantile(points, 0.998, axis=0)
    margin = 0.25 * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], GRID_POINTS) for i in (0, 1))
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    values = target.log_density_and_gradient(corners)[0].reshape(GRID_POINTS, GRID_POINTS)
    return {"grid_x": x, "grid_y": y, "grid_log_density": values.astype(np.float32)}


def _figure_count(target: Target) -> int:
    return max(FIGURE_DATA, FIGURE_NUMBERS // target.dim)


def _figure_examples(target: Target) -> dict[str, Array]:
    """Held-out examples (n, dim), what is added to them to give pixels, and the direction in which they differ most."""
    examples = target.examples
    if examples is None:
        return {}
    held_out = examples.held_out
    return {
        "held_out": held_out[: _figure_count(target)].astype(np.float32),
        "spread": np.array(held_out.std(axis=0).mean()),
        "centre": np.zeros(target.dim) if examples.centre is None else examples.centre,
        "direction": metrics.principal_components(held_out, 1)[:, 0],
    }


def _example_facts(target: Target) -> ExampleFacts | None:
    examples = target.examples
    if examples is None:
        return None
    return ExampleFacts(
        held_out=len(examples.held_out),
        classes=examples.classes,
        shape=None if examples.shape is None else list(examples.shape),
        pixels=list(examples.pixels),
        classifier_accuracy=examples.classifier_accuracy,
        classifier=examples.classifier_description,
        class_names=None if examples.class_names is None else list(examples.class_names),
    )
