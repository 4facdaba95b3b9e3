"""The jobs of a run: sample one cell, measure it, and hand back plain data.

Knows sampling and metrics. Must not know suites as a whole, nor where results are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mcmc_bench import metrics
from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.draws import Cost, Draws
from mcmc_bench.core.evidence import Evidence
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target
from mcmc_bench.experiments import known_law
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.keys import change
from mcmc_bench.experiments.loading import TargetIdentity, identity_of, sampler_of, target_of
from mcmc_bench.experiments.stored_draws import figure_draws, netcdf
from mcmc_bench.metrics import Measurement, Reference
from mcmc_bench.sampling.budget import Budget
from mcmc_bench.sampling.replicate import compile_kernels, run
from mcmc_bench.sampling.tuning.schedule import Tuning


@dataclass(frozen=True)
class CellOutput:
    """A cell that was run: its results, its figure draws, and all of its draws if they are to be stored."""

    cell: Cell
    figure: bytes | None = None  # an npz
    draws: bytes | None = None  # all replicates in ArviZ's schema, netCDF
    changed: str = ""  # why it must not be taken for a cell with its key


def identify(plan: CellPlan, folders: Folders) -> TargetIdentity:
    """The identity of the target of `plan`. It has to be built for that, since its data are part of it."""
    return identity_of(plan, folders)


def compile_cell(plan: CellPlan, folders: Folders) -> None:
    """Compile what `plan` needs, without running it, so that the workers that follow find it in the cache."""
    compile_kernels(target_of(plan, folders), sampler_of(plan, folders))


def blank_cell(plan: CellPlan, key: str, folders: Folders) -> Cell:
    """The cell of `plan` before anything is known about it."""
    return Cell(
        id=key,
        experiment=plan.experiment,
        target=plan.target_label,
        sampler=plan.sampler,
        sampler_kind=sampler_of(plan, folders).kind,
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
        tuning=_tuning_evaluations(plan, sampler_of(plan, folders)),
    )


def _not_applicable(plan: CellPlan, target: Target, sampler: Sampler) -> str:
    if missing := sampler.incompatibility(target, plan.settings):
        return missing
    if target.draw_exact is not None:
        return ""
    return f"{target.label} has no exact sampler to start from" if plan.start == "exact" else ""


def run_cell(plan: CellPlan, key: str, folders: Folders, keep_draws: bool) -> CellOutput:
    """All replicates of one cell, measured."""
    target, sampler = target_of(plan, folders), sampler_of(plan, folders)
    changed = change(plan, key, folders)
    cell = blank_cell(plan, key, folders)
    if message := _not_applicable(plan, target, sampler):
        cell.outcome, cell.message = Outcome.NOT_APPLICABLE, message
        return CellOutput(cell, changed=changed)
    replicates = [_replicate(plan, target, sampler, "replicate", index) for index in range(plan.replicates)]
    cell.stopped_chains = int(sum((draws.stopped_at >= 0).sum() for draws in replicates))
    cell.divergences = int(sum(draws.divergences.sum() for draws in replicates))
    cell.tuned = _together([_learned(draws, sampler) for draws in replicates])
    cell.cost = {name: float(np.mean([getattr(d.cost, name) for d in replicates])) for name in vars(Cost())}
    cell.tunes_itself = not sampler.compiled and cell.cost["tuning_evaluations"] > 0
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
    figure = figure_draws(plan, target, sampler, replicates[0])
    return CellOutput(cell, figure, netcdf(replicates, plan, target) if keep_draws else None, changed)


def extend(plan: CellPlan, folders: Folders, stage: int, replicates: int) -> Evidence:
    """Evidence of further replicates of a cell, independent of all others; `stage` names their random streams."""
    return evidence(plan, folders, measure(plan, folders, f"extension {stage}", range(replicates)))


def measure(plan: CellPlan, folders: Folders, purpose: str, indices: range) -> list[Measurement]:
    """Measurements of single replicates of a cell; `purpose` and index name their random streams."""
    target, sampler = target_of(plan, folders), sampler_of(plan, folders)
    draws = (_replicate(plan, target, sampler, purpose, index) for index in indices)
    return _measured(plan, target, draws)


def evidence(plan: CellPlan, folders: Folders, measurements: Sequence[Measurement]) -> Evidence:
    """The evidence of replicates of a cell that are measured."""
    return _evidence(plan, target_of(plan, folders), sampler_of(plan, folders), measurements)


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
        start=plan.start,
        names=(plan.seed, target.label, sampler.name, sorted(plan.settings.items()), plan.start, purpose, index),
        inverse_mass_matrix=plan.inverse_mass_matrix,
        tuning=Tuning(plan.tuning, plan.mass_matrix) if tuned else None,  # type: ignore[arg-type]  # checked when the suite was read
    )


def is_tuned(plan: CellPlan, sampler: Sampler) -> bool:
    """True where anything of the sampler is tuned in this cell."""
    return plan.tuning > 0 and sampler.adaptation is not None


def _tuning_evaluations(plan: CellPlan, sampler: Sampler) -> int:
    return 0 if sampler.adaptation is None or sampler.adaptation.by_starts else plan.tuning


def _learned(draws: Draws, sampler: Sampler) -> dict[str, float]:
    """The tuned settings, the ratio of the largest to the smallest scale of the mass matrix, and the inner rungs of a ladder."""
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
    """By name, the values of the replicates that have one; chains that become non-finite while they are tuned have no scales."""
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
        measurements,
        reference,
        expected_from=expected_from,
        distribution=law,
        planned_evaluations=_tuning_evaluations(plan, sampler)
        + budget.planned_evaluations(sampler, settings, tuned=is_tuned(plan, sampler)),
    )
