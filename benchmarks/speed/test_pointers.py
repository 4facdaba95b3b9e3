"""What it costs that kernels and densities meet through function pointers: the same MALA with its density compiled in.

Fused, numba would compile every sampler anew for every target, seconds each; by pointer each is compiled once.
"""

import numba
import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.kernels.jit import FLAGS
from mcmc_bench.sampling.replicate import Plan, run

CHAINS, STEPS, STEP_SIZE = 16, 20_000, 0.1


def fused(target, sampler):
    """A function ``() -> None`` that makes STEPS steps of CHAINS chains with the density in the kernel's own machine code."""
    flags = {**FLAGS, "cache": False}
    density, step = numba.njit(**flags)(target.density.py_func), numba.njit(**flags)(sampler.step.py_func)

    @numba.njit(**flags)
    def loop(
        data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations, sums
    ):
        density(position, log_density, gradient, data)
        for _ in range(STEPS):
            step(
                density,
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
            )
            for chain in range(position.shape[0]):
                for i in range(position.shape[1]):
                    sums[0, chain, i] += position[chain, i]
                    sums[1, chain, i] += position[chain, i] ** 2

    start = target.starts("exact", np.random.default_rng(1), CHAINS)

    def go():
        position, settings = start.copy(), sampler.with_defaults({"step_size": STEP_SIZE})
        statistics, memory = np.zeros((CHAINS, 3)), np.zeros((1, *position.shape))
        sums = np.zeros((2, *position.shape))
        loop(
            target.data,
            stream("fused"),
            np.array(list(settings.values()), dtype=float),
            position,
            np.empty(CHAINS),
            np.empty_like(position),
            statistics,
            memory,
            np.zeros((sampler.scratch, *position.shape)),
            np.zeros(1, dtype=np.int64),
            sums,
        )
        return sums[1].mean() / STEPS

    return start, go


@pytest.mark.parametrize("name", ["gaussian", "ring_of_8"])
def test_pointer(name, compare):
    target, mala = load_target(name), load_sampler("mala")
    start, in_one = fused(target, mala)
    assert in_one() == pytest.approx(target.truth.second_moment.mean(), rel=0.2)  # it does sample

    def ours():
        run(target, mala, {"step_size": STEP_SIZE}, Plan(0, STEPS, keep=False), chains=CHAINS, start=start, names=(1,))

    compare(
        f"MALA on {target.label}, {CHAINS} chains, one thread",
        "ns per step and chain",
        1e9 / (CHAINS * STEPS),
        ours,
        {"the same kernel with its density compiled in": in_one},
        {"the same kernel with its density compiled in": None},
    )
