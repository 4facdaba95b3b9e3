"""MALA on the ring of eight modes in the plane: what a step of one chain costs, ours against C three times."""

import ctypes
import time

import numba
import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import BLOCK_CHAINS
from mcmc_bench.kernels.block import fill_standard_normal
from mcmc_bench.kernels.jit import FLAGS
from mcmc_bench.sampling.replicate import Plan, run

CHAINS, STEPS, STEP_SIZE, ROUNDS = 64, 20_000, 0.5, 9
FORMS = {
    "C, plain loops": "mala_plain",
    "C, one chain at a time, libmvec exp": "mala_libmvec",
    "C, SIMD lock-step (the floor)": "mala_lanes",
}
ASKED = {"C, plain loops": None, "C, one chain at a time, libmvec exp": 1.0, "C, SIMD lock-step (the floor)": 2.0}


@pytest.fixture(scope="module")
def in_c(c_library, address):
    """``in_c(form, means, position)``: STEPS steps; mean of x, of x² and of the acceptance probability."""
    library = c_library("mala_mixture")

    def go(form, means, position):
        sums = np.zeros(3)
        getattr(library, form)(
            address(position),
            address(means),
            ctypes.c_long(CHAINS),
            ctypes.c_long(STEPS),
            ctypes.c_double(STEP_SIZE),
            ctypes.c_long(1),
            address(sums),
        )
        return sums / (CHAINS * STEPS * np.array([2.0, 2.0, 1.0]))

    return go


@pytest.mark.parametrize("form", FORMS.values())
def test_c_is_right(in_c, form):
    """The closed forms of a Gaussian: acceptance on the ring, whose modes are far apart, and E x, E x² with all modes
    at zero. The 1.3 million correlated draws leave standard errors below 0.0005 (acceptance) and 0.004 (moments), so
    that a right program fails once in 10⁵ times; a missing √2 in the noise is off by 0.05 and more."""
    ring, mala = load_target("ring_of_8"), load_sampler("mala")
    means = np.ascontiguousarray(ring.modes.locations)
    acceptance = in_c(form, means, ring.starts("exact", np.random.default_rng(1), CHAINS))[2]
    assert acceptance == pytest.approx(mala.mean_acceptance({"step_size": STEP_SIZE}, 1.0, 2), abs=0.0025)
    zero = in_c(form, np.zeros_like(means), np.random.default_rng(2).standard_normal((CHAINS, 2)))
    assert zero[:2] == pytest.approx([0.0, 1.0], abs=0.02)


def test_mixture_mala(in_c, compare):
    ring, mala = load_target("ring_of_8"), load_sampler("mala")
    means = np.ascontiguousarray(ring.modes.locations)
    start = ring.starts("exact", np.random.default_rng(1), CHAINS)

    def ours():
        run(ring, mala, {"step_size": STEP_SIZE}, Plan(0, STEPS, keep=False), chains=CHAINS, start=start, names=(1,))

    compare(
        "MALA on ring_of_8, 64 chains, one thread",
        "ns per step and chain",
        1e9 / (CHAINS * STEPS),
        ours,
        {name: lambda form=form: in_c(form, means, start.copy()) for name, form in FORMS.items()},
        ASKED,
    )


def test_where_a_step_goes(note):
    """The density and the random numbers of a step by themselves, on one block of chains; the rest is what the kernel adds."""
    ring, mala, flags = load_target("ring_of_8"), load_sampler("mala"), {**FLAGS, "cache": False}
    density = numba.njit(**flags)(ring.density.py_func)
    start = ring.starts("exact", np.random.default_rng(1), BLOCK_CHAINS)

    @numba.njit(**flags)
    def densities(position, data):
        value, gradient = np.empty(position.shape[0]), np.empty_like(position)
        for _ in range(STEPS):
            density(position, value, gradient, data)
        return value[0]

    @numba.njit(**flags)
    def random_numbers(position, generator):
        noise, total = np.empty_like(position), 0.0
        for _ in range(STEPS):
            fill_standard_normal(generator, noise)
            for _ in range(position.shape[0]):
                total += generator.random()
        return total

    sides = {
        "the whole step": lambda: run(
            ring,
            mala,
            {"step_size": STEP_SIZE},
            Plan(0, STEPS, keep=False),
            chains=BLOCK_CHAINS,
            start=start,
            names=(1,),
        ),
        "the density": lambda: densities(start, ring.data),
        "random numbers": lambda: random_numbers(start, stream("where a step goes")),
    }
    seconds = {name: [] for name in sides}
    for _ in range(ROUNDS + 1):
        for name, side in sides.items():
            before = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - before)
    each = {name: 1e9 * np.median(values[1:]) / (BLOCK_CHAINS * STEPS) for name, values in seconds.items()}
    whole = each.pop("the whole step")
    each["what is left: proposal, ratio, records"] = whole - sum(each.values())
    for name, nanoseconds in each.items():
        note(
            case=f"where a step of MALA on ring_of_8 goes, {BLOCK_CHAINS} chains: {name}",
            unit="ns per step and chain",
            against="the whole step",
            ours=nanoseconds,
            other=whole,
            ratio=nanoseconds / whole,
        )
