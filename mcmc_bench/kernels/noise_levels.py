"""Densities smoothed at several noise levels, σ₀ > σ₁ > … , side by side in one data array.

A smoothed density is the same compiled density with other data (`Target.smoothed`), so that going down the noise levels
is going along an array. Must not know any particular sampler or target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.kernels.block import copy, evaluate, flat
from mcmc_bench.kernels.jit import jit, jit_inline


def falling(settings: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """`levels` noise levels from `largest_noise` down to `smallest_noise` in equal ratios.

    Raises:
        ValueError: the largest noise is not greater than the smallest.
    """
    if not settings["largest_noise"] > settings["smallest_noise"]:
        raise ValueError(
            f"largest_noise = {settings['largest_noise']:g} must be greater than smallest_noise = "
            f"{settings['smallest_noise']:g}"
        )
    return np.geomspace(settings["largest_noise"], settings["smallest_noise"], int(settings["levels"]))


def side_by_side(
    target: Any, settings: Mapping[str, float], schedule: npt.NDArray[np.float64]
) -> tuple[Any, npt.NDArray[np.float64]]:
    """The target's density, and the data of all its noise levels: number of levels, numbers of each, σ, data of each."""
    data = [np.asarray(target.smoothed(float(sigma)), dtype=np.float64).ravel() for sigma in schedule]
    return target.density, np.concatenate([[len(schedule), len(data[0])], schedule, *data])


@jit_inline
def count_of_levels(data):
    """The number of noise levels side by side in `data`."""
    return int(data[0])


@jit_inline
def sigma_at(data, level):
    """σ of noise level number `level`."""
    return data[2 + level]


@jit_inline
def evaluate_at(target, data, level, position, log_density, gradient, evaluations):
    """The density smoothed at noise level number `level`, and its score."""
    levels, size = int(data[0]), int(data[1])
    first = 2 + levels + level * size
    evaluate(target, data[first : first + size], position, log_density, gradient, evaluations)


@jit
def start_in_noise(data, generator, width, position):
    """x ~ N(0, (r σ₀)² I) for a block, r = `width`: at r = 1 where every density is that is drowned in noise.

    At r = 0 all chains begin at the origin; as many random numbers are drawn, so that what follows is the same.
    """
    x = flat(position)
    for j in range(x.shape[0]):
        x[j] = width * sigma_at(data, 0) * generator.standard_normal()


@jit_inline
def keep_snapshot(memory, level, position):
    """The state on arrival at noise level number `level`, if `memory` (frame, chain, dim) has room for it.

    It has none but for trajectory snapshots (`mcmc_bench.sampling.snapshots`); no kernel reads it.
    """
    if level < memory.shape[0]:
        copy(position, memory[level])


@jit
def diffuse(data, generator, level, position, gradient):
    """One step of the reverse-time SDE from noise level `level` to the next: x + v ∇log p + √v z, v = σₖ² − σₖ₊₁²."""
    x, score = flat(position), flat(gradient)
    variance = sigma_at(data, level) ** 2 - sigma_at(data, level + 1) ** 2
    for j in range(x.shape[0]):
        x[j] += variance * score[j] + np.sqrt(variance) * generator.standard_normal()


@jit
def nothing_to_report(statistics):
    """No proposal, no energy: accepted, not diverging."""
    for chain in range(statistics.shape[0]):
        statistics[chain, 0] = 1.0
        statistics[chain, 1] = 0.0
        statistics[chain, 2] = 0.0
