"""Trajectory snapshots: the states of a few chains on their way down the noise levels of one transition, for pictures.

Knows the contracts and the chains. Must not know any particular sampler or target, nor what is shown beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.chains import Chains, Setup

#: Chains, and snapshots of each: arrivals at evenly picked noise levels, and the end.
CHAINS, SNAPSHOTS = 4, 11


@dataclass(frozen=True, eq=False)
class Snapshots:
    """States within one transition of a few chains."""

    position: Array  # (chain, snapshot, dim); the last one is the end of the transition
    noise: Array  # (snapshot,): the noise level that has been reached; of the last one, the last level


def trajectory_snapshots(
    target: Target, sampler: Sampler, settings: Mapping[str, float], names: Sequence[object]
) -> Snapshots | None:
    """Snapshots of one transition; None if the sampler goes down no noise levels, or a chain became non-finite.

    The same kernel as in a run, in a run of its own. Its random numbers depend on `names` alone and the start is drawn
    first: snapshots of the same names begin at the same points of the same noise, whatever the settings. Where they draw
    as many numbers afterwards, as with another temperature, the noise is the same too.

    Args:
        target: what to sample from.
        sampler: what to sample with.
        settings: all of its settings.
        names: the names of the random stream; without the settings among them, snapshots can be compared.
    """
    if sampler.num_snapshots is None or sampler.schedule is None:
        return None
    count = sampler.num_snapshots(settings)
    schedule = np.asarray(sampler.schedule(settings), dtype=np.float64)
    with_room = replace(sampler, memory=count)
    start = target.starts("dispersed", stream(*names, "start"), CHAINS)  # not used by a sampler that begins in noise
    moving = Chains(Setup(target, with_room, settings, schedule=schedule), start, names)
    moving.keep(0)
    moving.advance(1)
    picked = np.unique(np.linspace(0, count - 1, SNAPSHOTS - 1).round().astype(np.int64))
    on_the_way = moving.chains_first("memory")[:, picked]  # (chain, snapshot, dim)
    position = np.concatenate([on_the_way, moving.x[:, None]], axis=1)
    if not np.isfinite(position).all():
        return None
    return Snapshots(position, np.append(schedule[picked], schedule[-1]))
