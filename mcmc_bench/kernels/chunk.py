"""The loop that runs any sampler's step on a block of chains and keeps what is asked for.

Re-entrant: all state comes in and goes out through arrays, so that the driver can stop, report or save between
chunks without changing a single number. Must not know any particular sampler or target.
"""

from __future__ import annotations

import numpy as np
from numba import types

from mcmc_bench.kernels import jit as _jit
from mcmc_bench.kernels.jit import counter, cube, generator, is_finite, jit, matrix, vector

CHUNK_SIGNATURE = types.void(
    _jit.STEP_TYPE, _jit.TARGET_TYPE, vector, generator, vector, vector,  # what to run
    matrix, vector, matrix, matrix, cube, counter, counter,  # state
    types.int64, types.int64, types.int64,  # steps
    cube, matrix, cube, cube, matrix,  # what is kept
)  # fmt: skip


@jit
def run_chunk(
    step, target, data, generator, settings, inverse_mass_matrix,
    position, log_density, gradient, statistics, scratch, evaluations, stopped_at,
    num_steps, first_step, thin,
    kept_position, kept_log_density, kept_statistics, mean_powers, statistic_sums,
):  # fmt: skip
    """`num_steps` transitions of a block.

    What to run, and `position` … `evaluations`: see `mcmc_bench.sampler`.

    - stopped_at (chain,): evaluations after which a chain left (its position or log density was no longer
      finite), −1 while it has not. A chain that has left is NaN from there on: stopped and marked.
    - first_step: transitions made before this chunk; transition number n (from 1) is kept if thin divides n.
    - kept_position (draw, chain, dim), kept_log_density (draw, chain), kept_statistics (draw, chain, 3): [out];
      of length zero if draws are not kept.
    - mean_powers (2, chain, dim): running means of x and x² over all transitions, thinned or not.
    - statistic_sums (chain, 3): sums of the statistics over all transitions of chains that have not left.
    """
    chains, dim = position.shape
    for n in range(first_step + 1, first_step + num_steps + 1):
        step(
            target, data, generator, settings, inverse_mass_matrix,
            position, log_density, gradient, statistics, scratch, evaluations,
        )  # fmt: skip
        weight = 1.0 / n
        for chain in range(chains):
            total = log_density[chain]
            for i in range(dim):
                total += position[chain, i]
            if stopped_at[chain] >= 0 or not is_finite(total):
                if stopped_at[chain] < 0:
                    stopped_at[chain] = evaluations[0]
                log_density[chain] = np.nan
                for i in range(dim):
                    position[chain, i] = np.nan
            else:
                for k in range(statistics.shape[1]):
                    statistic_sums[chain, k] += statistics[chain, k]
            for i in range(dim):
                x = position[chain, i]
                mean_powers[0, chain, i] += weight * (x - mean_powers[0, chain, i])
                mean_powers[1, chain, i] += weight * (x * x - mean_powers[1, chain, i])
        draw = n // thin - 1
        if n % thin == 0 and draw < kept_position.shape[0]:
            # Loops: a slice assignment would drag numba's run-time shape check into the kernel, 4 s to compile.
            for chain in range(chains):
                kept_log_density[draw, chain] = log_density[chain]
                for i in range(dim):
                    kept_position[draw, chain, i] = position[chain, i]
                for k in range(statistics.shape[1]):
                    kept_statistics[draw, chain, k] = statistics[chain, k]
