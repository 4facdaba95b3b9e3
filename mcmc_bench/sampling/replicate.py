"""Runs one replicate: chains of one sampler on one target, from their starts to draws.

Knows the contracts, the chains and their tuning. Must not know any particular sampler or target, nor what the draws
are for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Cost, Draws
from mcmc_bench.core.kinds import StartName
from mcmc_bench.core.sampler import ACCEPTANCE, DIVERGING, ENERGY_ERROR, STATISTICS, Sampler
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.blocks import Seconds
from mcmc_bench.sampling.budget import Budget, Plan, SamplingError
from mcmc_bench.sampling.chains import Chains, Progress, Setup
from mcmc_bench.sampling.tuning import schedule as _tuning

__all__ = ["Budget", "Plan", "Progress", "SamplingError", "compile_kernels", "run"]


def compile_kernels(target: Target, sampler: Sampler) -> None:
    """Compile, or read from the cache, what a run needs."""
    settings = sampler.with_defaults({})
    Setup(target, sampler, settings, schedule=_schedule(sampler, settings, None)).compile()


def run(
    target: Target,
    sampler: Sampler,
    settings: Mapping[str, Any],
    plan: Plan | Budget,
    *,
    chains: int,
    start: StartName | Array,
    names: Sequence[object],
    threads: int = 1,
    inverse_mass_matrix: npt.ArrayLike | None = None,
    schedule: npt.ArrayLike | None = None,
    tuning: _tuning.Tuning | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Draws:
    """One replicate.

    Args:
        target: what to sample from.
        sampler: what to sample with.
        settings: the sampler's settings; the rest keep their defaults, or are tuned.
        plan: how long.
        chains: how many chains.
        start: a kind of start, or positions (chains, dim).
        names: the names of the random stream. The numbers do not depend on `threads`.
        threads: blocks run at a time.
        inverse_mass_matrix: diagonal (dim,) or whole (dim, dim); ones by default.
        schedule: temperatures or noise levels, for samplers that go through several densities.
        tuning: what to tune before; nothing by default. Chains go on from where tuning leaves them, and exact starts are
            drawn anew, so that they stay exact.
        progress: called with the number of chain transitions made since the last call.
        stop: set from outside to end after the current chunk with `KeyboardInterrupt`.

    Raises:
        SamplingError: the run cannot be started.
    """
    if chains < 1:
        raise SamplingError(f"chains = {chains}: at least 1 is needed")
    try:
        complete = sampler.with_defaults(settings)
    except ValueError as error:
        raise SamplingError(str(error)) from error
    if missing := sampler.incompatibility(target, complete):
        raise SamplingError(f"{sampler.name} cannot run: {missing}")
    complete = dict(sampler.resolve_settings(target, complete))
    positions = _starts(target, start, chains, stream(*names, "start"))
    setup = Setup(
        target, sampler, complete, _matrix(sampler, target, inverse_mass_matrix), _schedule(sampler, complete, schedule)
    )
    before = time.perf_counter()
    setup.compile()
    compile_seconds = time.perf_counter() - before

    moving = Chains(setup, positions, names, threads=threads, progress=progress, stop=stop)
    tuned: _tuning.Tuned | None = None
    before = time.perf_counter()
    if tuning is not None and sampler.adaptation is not None:
        tuned = _tuning.tune(moving, tuning, fixed=set(settings))
    tuning_seconds = time.perf_counter() - before
    if tuned is not None:
        if isinstance(start, str) and start == "exact":
            moving.place(moving.setup, _starts(target, start, chains, stream(*names, "start after tuning")))
        moving.end_tuning()
    return _measured(moving, plan, positions, tuned, Seconds(compile_seconds, tuning_seconds if tuned else 0.0))


def _measured(
    moving: Chains, plan: Plan | Budget, start: Array, tuned: _tuning.Tuned | None, seconds: Seconds
) -> Draws:
    """Warmup and measured transitions of chains that are ready; `seconds` is what has been needed so far."""
    sampler, settings = moving.setup.sampler, moving.setup.settings
    warmup_seconds = 0.0
    if isinstance(plan, Budget):
        if sampler.varying_cost and sampler.compiled:
            plan, warmup_seconds = _warmed_up(moving, plan)
        else:
            plan = plan.plan(sampler, settings)
    took = moving.run(plan)
    cost = Cost(
        tuning_evaluations=float(moving.by_block("tuning_spent").mean()),
        tuning_seconds=seconds.tuning + took.tuning,
        compile_seconds=seconds.compilation + took.compilation,
        warmup_seconds=warmup_seconds + took.warmup,
        sampling_seconds=took.sampling,
    )
    return _join(moving, start, plan, cost, tuned)


def _warmed_up(moving: Chains, budget: Budget) -> tuple[Plan, float]:
    """Warmup of a sampler of varying cost, until its share is spent: it tells what a transition costs."""
    begun = moving.spent.mean()
    moving.keep(0)
    made, seconds = 0, 0.0
    while True:
        seconds += moving.advance(1)
        made += 1
        spent = float(moving.spent.mean() - begun)
        if spent >= budget.warmup_share * budget.evaluations:
            break
    cost = spent / made
    # Where a transition costs more than what is left, one is made all the same: no draw would say nothing.
    remaining = replace(budget, evaluations=max(budget.evaluations - round(spent), int(cost) + 2), warmup_share=0.0)
    plan = remaining.plan(moving.setup.sampler, moving.setup.settings, cost=cost)
    return plan, seconds


def _starts(target: Target, start: StartName | Array, chains: int, generator: np.random.Generator) -> Array:
    if isinstance(start, str):
        try:
            return target.starts(start, generator, chains)
        except ValueError as error:
            raise SamplingError(str(error)) from error
    positions = np.ascontiguousarray(start, dtype=np.float64)
    if positions.shape != (chains, target.dim):
        raise SamplingError(f"starts of {target.label} must have shape ({chains}, {target.dim}), not {positions.shape}")
    return positions


def _schedule(sampler: Sampler, settings: Mapping[str, float], given: npt.ArrayLike | None) -> Array:
    if sampler.schedule is None:
        if given is not None:
            raise SamplingError(f"{sampler.name} uses no schedule; leave it out")
        return np.empty(0)
    own = np.asarray(sampler.schedule(settings), dtype=np.float64)
    if given is None:
        return own
    schedule = np.ascontiguousarray(given, dtype=np.float64)
    if schedule.shape != own.shape or not (np.isfinite(schedule).all() and (np.diff(schedule) < 0).all()):
        raise SamplingError(f"schedule must be {len(own)} finite numbers in falling order, as the settings say")
    return schedule


def _matrix(sampler: Sampler, target: Target, given: npt.ArrayLike | None) -> Array | None:
    if given is None:
        return None
    if not sampler.uses_inverse_mass_matrix:
        raise SamplingError(f"{sampler.name} uses no inverse_mass_matrix; leave it out")
    matrix = np.ascontiguousarray(given, dtype=np.float64)
    if matrix.shape not in ((target.dim,), (target.dim, target.dim)):
        raise SamplingError(
            f"inverse_mass_matrix must have shape ({target.dim},) or ({target.dim}, {target.dim}), not {matrix.shape}"
        )
    if matrix.ndim == 1 and not (np.isfinite(matrix).all() and (matrix > 0).all()):
        raise SamplingError("inverse_mass_matrix must be finite and greater than 0 in every entry")
    if matrix.ndim == 2:
        try:
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError as error:
            raise SamplingError("inverse_mass_matrix must be symmetric and positive definite") from error
        if not np.allclose(matrix, matrix.T):
            raise SamplingError("inverse_mass_matrix must be symmetric and positive definite")
    return matrix


def _join(moving: Chains, start: Array, plan: Plan, cost: Cost, tuned: _tuning.Tuned | None) -> Draws:
    """The draws of all blocks, chains in order."""
    statistics = moving.chains_first("kept_statistics")  # (chain, draw, statistic)
    sums = moving.all("statistic_sums")  # (chain, statistic)
    powers = np.concatenate([block.mean_powers for block in moving.blocks], axis=1)  # (2, chain, dim)
    non_finite = moving.all("stopped_at") >= 0
    stopped_at = moving.all("spent_when_stopped")
    used = np.where(non_finite, stopped_at, moving.spent)
    warmup = np.minimum(used, moving.by_block("warmup_spent"))
    return Draws(
        position=moving.chains_first("kept_position"),
        log_density=moving.chains_first("kept_log_density"),
        acceptance_rate=statistics[:, :, ACCEPTANCE],
        diverging=statistics[:, :, DIVERGING] > 0,
        energy_error=statistics[:, :, ENERGY_ERROR],
        extra_statistics={
            name: statistics[:, :, len(STATISTICS) + k]
            for k, name in enumerate(moving.setup.statistics[len(STATISTICS) :])
        },
        extra_statistic_means={
            name: float(sums[~non_finite, len(STATISTICS) + k].mean() / plan.transitions)
            if (~non_finite).any()
            else np.nan
            for k, name in enumerate(moving.setup.statistics[len(STATISTICS) :])
        },
        mean=powers[0],
        mean_square=powers[1],
        mean_acceptance=np.where(non_finite, np.nan, sums[:, ACCEPTANCE] / plan.transitions),
        divergences=sums[:, DIVERGING].astype(np.int64),
        stopped_at=np.where(non_finite, np.ceil(stopped_at), -1).astype(np.int64),
        start=start,
        end=np.concatenate([block.x for block in moving.blocks]),
        transitions=plan.transitions,
        thin=plan.thin,
        tuned={} if tuned is None else tuned.chosen,
        inverse_mass_matrix=moving.setup.inverse_mass_matrix,
        schedule=moving.setup.schedule,
        not_recorded=moving.blocks[0].not_recorded,
        cost=replace(
            cost,
            warmup_evaluations=float(np.maximum(warmup - moving.by_block("tuning_spent"), 0.0).mean()),
            sampling_evaluations=float((used - warmup).mean()),
        ),
    )
