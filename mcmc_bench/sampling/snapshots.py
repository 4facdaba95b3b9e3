"""The way of a few chains down the noise levels, for pictures: what a transition looks like from inside.

Knows the contracts and the chains. Must not know any particular sampler or target, nor what a film is shown beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.chains import Chains, Setup

Array = npt.NDArray[np.float64]

#: Chains of a film, and frames: arrivals at noise levels evenly picked, and the end.
CHAINS, FRAMES = 4, 11


@dataclass(frozen=True, eq=False)
class Film:
    """Frames of one transition of a few chains."""

    position: Array  # (chain, frame, dim); the last frame is the end of the transition
    noise: Array  # (frame,): the noise level that a frame arrives at; of the last one, the last


def film(target: Target, sampler: Sampler, settings: Mapping[str, float], names: Sequence[object]) -> Film | None:
    """One transition, filmed; None if the sampler goes down no noise levels, or a chain has left.

    The same kernel as in a run, in a run of its own. Its random numbers depend on `names` alone and the start is drawn
    first: films of the same names begin at the same points of the same noise, whatever the settings. Where they draw as
    many numbers afterwards, as with the noise dial turned, the noise is the same too.

    Args:
        target: what to sample from.
        sampler: what to sample with.
        settings: all of its settings.
        names: the names of the random stream; leave the settings out, and films can be compared.
    """
    if sampler.frames is None or sampler.ladder is None:
        return None
    count = sampler.frames(settings)
    ladder = np.asarray(sampler.ladder(settings), dtype=np.float64)
    filmed = replace(sampler, memory=count)
    start = target.starts("dispersed", stream(*names, "start"), CHAINS)  # not used by a sampler that begins in noise
    moving = Chains(Setup(target, filmed, settings, ladder=ladder), start, names)
    moving.keep(0)
    moving.advance(1)
    picked = np.unique(np.linspace(0, count - 1, FRAMES - 1).round().astype(np.int64))
    way = moving.chains_first("memory")[:, picked]  # (chain, frame, dim)
    position = np.concatenate([way, moving.x[:, None]], axis=1)
    if not np.isfinite(position).all():
        return None
    return Film(position, np.append(ladder[picked], ladder[-1]))
