"""The loop that runs any sampler's step on a block of chains and keeps what is asked for.

Re-entrant: all state comes in and goes out through arrays, so that the driver can stop, report or save between
chunks without changing a single number. Must not know any particular sampler or target.
"""

from __future__ import annotations

import numpy as np
from numba import types

from mcmc_bench.kernels.block import flat
from mcmc_bench.kernels.jit import (
    counter,
    cube,
    generator,
    is_finite,
    jit,
    jit_inline,
    matrix,
    step_at,
    target_at,
    vector,
)

CHUNK_SIGNATURE = types.void(
    types.int64,
    types.int64,
    vector,
    generator,
    vector,  # what to run
    matrix,
    vector,
    matrix,
    matrix,
    cube,
    cube,
    counter,
    counter,  # state
    matrix,
    matrix,  # coordinates
    types.int64,
    types.int64,
    types.int64,  # steps
    cube,
    matrix,
    cube,
    cube,
    matrix,  # what is kept
)


@jit_inline
def total(values):
    """The sum of all `values` (n,): finite only if all are, so that one comparison asks about a whole block."""
    result = 0.0
    for j in range(values.shape[0]):
        result += values[j]
    return result


@jit
def mark_non_finite_chains(position, log_density, statistics, stopped_at, evaluations):
    """NaN in the state of every chain whose position or log density is not finite, and nothing in its statistics."""
    for chain in range(position.shape[0]):
        if not (is_finite(total(position[chain])) and is_finite(log_density[chain])):
            if stopped_at[chain] < 0:
                stopped_at[chain] = evaluations
            log_density[chain] = np.nan
            position[chain, :] = np.nan
            statistics[chain, :] = 0.0


@jit
def run_chunk(
    step_address,
    target_address,
    data,
    generator,
    settings,
    position,
    log_density,
    gradient,
    statistics,
    memory,
    scratch,
    evaluations,
    stopped_at,
    root,
    outside,
    num_steps,
    first_step,
    thin,
    kept_position,
    kept_log_density,
    kept_statistics,
    mean_powers,
    statistic_sums,
):
    """`num_steps` transitions of a block.

    Addresses (see `mcmc_bench.kernels.jit`) of what to run, and `position` … `evaluations`: see `mcmc_bench.core.sampler`.

    - stopped_at (chain,): evaluations after which a chain became non-finite (in its position or its log density),
      −1 while it is finite. It is NaN from there on: stopped and marked.
    - root: the coordinates of `position`, see `mcmc_bench.kernels.affine`; (0, dim) if they are those of the target.
      What is kept is x = L u, which needs `outside` (chain, dim) to stand in.
    - first_step: transitions made before this chunk; transition number n (from 1) is kept if thin divides n.
    - kept_position (draw, chain, dim), kept_log_density (draw, chain), kept_statistics (draw, chain, statistic): [out];
      of length zero if draws are not kept.
    - mean_powers (2, chain, dim): running means of x and x² over all transitions, thinned or not.
    - statistic_sums (chain, statistic): sums of the statistics over all transitions of chains that stayed finite.
    """
    step, target = step_at(step_address), target_at(target_address)
    chains, dim = position.shape
    mean, mean_square = flat(mean_powers[0]), flat(mean_powers[1])
    point = position if root.shape[0] == 0 else outside
    u, x = flat(position), flat(point)
    statistic, statistic_sum = flat(statistics), flat(statistic_sums)
    for n in range(first_step + 1, first_step + num_steps + 1):
        step(
            target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations
        )
        if not (is_finite(total(u)) and is_finite(total(log_density))):
            mark_non_finite_chains(position, log_density, statistics, stopped_at, evaluations[0])
        if root.shape[0] == 1:
            for chain in range(chains):
                for i in range(dim):
                    outside[chain, i] = root[0, i] * position[chain, i]
        elif root.shape[0] > 1:
            np.dot(position, root, outside)
        weight = 1.0 / n
        for j in range(x.shape[0]):
            mean[j] += weight * (x[j] - mean[j])
            mean_square[j] += weight * (x[j] * x[j] - mean_square[j])
        for j in range(statistic.shape[0]):
            statistic_sum[j] += statistic[j]
        draw = n // thin - 1
        if n % thin == 0 and draw < kept_position.shape[0]:
            # Loops: a slice assignment would drag numba's run-time shape check into the kernel, 4 s to compile.
            for chain in range(chains):
                kept_log_density[draw, chain] = log_density[chain]
                for i in range(dim):
                    kept_position[draw, chain, i] = point[chain, i]
                for k in range(statistics.shape[1]):
                    kept_statistics[draw, chain, k] = statistics[chain, k]
