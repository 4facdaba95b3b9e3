"""Sampling from Python: one call from a target and a sampler to draws in ArviZ's schema.

Knows the catalog and the driver. Must not know suites, metrics or reports.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.datatree import to_datatree
from mcmc_bench.core.kinds import StartName
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.replicate import Plan, Progress, SamplingError, run
from mcmc_bench.sampling.tuning.schedule import MASS_MATRICES, MassMatrix, Tuning

if TYPE_CHECKING:
    import xarray


def sample(
    target: str | Target,
    sampler: str | Sampler,
    *,
    draws: int,
    warmup: int = 0,
    chains: int = 4,
    seed: int | str = 0,
    threads: int | None = None,
    start: StartName | Array = "dispersed",
    thin: int = 1,
    keep_draws: bool = True,
    inverse_mass_matrix: npt.ArrayLike | None = None,
    tuning: int = 0,
    mass_matrix: MassMatrix = "diagonal",
    progress: Progress | None = None,
    **settings: Any,
) -> xarray.DataTree:
    """Run `sampler` on `target`.

    Args:
        target: a name from `list_targets` (with its default parameters) or the outcome of `load_target`.
        sampler: a name from `list_samplers` or the outcome of `load_sampler`.
        draws: draws kept of each chain.
        warmup: transitions discarded before the first draw.
        chains: number of chains.
        seed: the name of the random streams; the same seed gives the same draws on any number of threads.
        threads: blocks of chains run at a time; by default one for each processor.
        start: "dispersed", "one_point", "exact", or positions (chains, dim).
        thin: transitions from one draw to the next.
        keep_draws: False keeps running moments only, so that memory does not grow with `draws`; `posterior` then has
            no `x`.
        inverse_mass_matrix: diagonal (dim,) or whole (dim, dim), for samplers that use one; ones by default.
        tuning: target evaluations of each chain that are spent on tuning what is not given in `settings`; none by default.
            What it came to is in ``tree.attrs`` (``tuned_step_size`` and the like).
        mass_matrix: the mass matrix that is tuned: "none", "diagonal" or "dense".
        progress: called with the number of chain transitions made since the last call.
        settings: the sampler's own settings, e.g. ``step_size=0.1``.

    Returns:
        A tree with the groups ``posterior`` (`x` with dims chain, draw, dim), ``sample_stats`` (`lp`,
        `acceptance_rate`, `diverging`, `energy_error`, and what
        else the sampler records, with dims chain, draw) and ``moments`` (`mean` and
        `mean_square` of x with dims chain, dim, over every transition after warmup, thinned or not; and by chain
        `stopped_at`, `mean_acceptance`, `divergences`). A chain that became non-finite is NaN from there on and
        `stopped_at` says after how many target evaluations; it is −1 for all others. The cost is in ``tree.attrs``.

    Raises:
        SamplingError: a setting, start or number that cannot be; the message names it and what is allowed.
        CatalogError: an unknown target or sampler.
    """
    for name, value, smallest in (
        ("draws", draws, 1),
        ("warmup", warmup, 0),
        ("thin", thin, 1),
        ("chains", chains, 1),
        ("tuning", tuning, 0),
    ):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < smallest:
            raise SamplingError(f"{name} = {value!r} must be a whole number, at least {smallest}")
    if mass_matrix not in MASS_MATRICES:
        raise SamplingError(f"mass_matrix = {mass_matrix!r} must be one of {', '.join(MASS_MATRICES)}")
    if threads is not None and threads < 1:
        raise SamplingError(f"threads = {threads} must be at least 1")
    the_target = load_target(target) if isinstance(target, str) else target
    the_sampler = load_sampler(sampler) if isinstance(sampler, str) else sampler
    result = run(
        the_target,
        the_sampler,
        settings,
        Plan(warmup=int(warmup), transitions=int(draws) * int(thin), thin=int(thin), keep=keep_draws),
        chains=int(chains),
        start=start,
        names=(seed, the_target.label, the_sampler.name, sorted(settings.items())),
        threads=threads or os.cpu_count() or 1,
        inverse_mass_matrix=inverse_mass_matrix,
        tuning=Tuning(int(tuning), mass_matrix) if tuning else None,
        progress=progress,
    )
    return to_datatree(
        result,
        {
            "target": the_target.label,
            "sampler": the_sampler.name,
            "seed": str(seed),
            **{f"setting_{key}": value for key, value in the_sampler.with_defaults(settings).items()},
            **{f"tuned_{key}": value for key, value in result.tuned.items()},
        },
    )
