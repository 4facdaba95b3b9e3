"""HMC on a dense Gaussian in 100 dimensions: the cost of a transition, ours against C by chain and by block."""

import ctypes

import numpy as np
import pytest
from scipy.linalg import cython_blas

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.sampling.replicate import Plan, run

CHAINS, TRANSITIONS = 16, 500
SETTINGS = {"step_size": 0.1, "num_integration_steps": 20}
BLOCKS = {"C, one chain at a time, loops": 1, "C, 16 in lock-step, gemm (the floor)": 16}
ASKED = {"C, one chain at a time, loops": None, "C, 16 in lock-step, gemm (the floor)": 1.1}


def dgemm():
    """The address of the dgemm that SciPy brings along, which is also the one behind numba's np.dot."""
    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype, python.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsule = cython_blas.__pyx_capi__["dgemm"]
    return ctypes.c_void_p(python.PyCapsule_GetPointer(capsule, python.PyCapsule_GetName(capsule)))


@pytest.fixture(scope="module")
def target():
    return load_target("gaussian", dim=100, condition=100.0)


@pytest.fixture(scope="module")
def in_c(c_library, address, target):
    """``in_c(block, position)``: TRANSITIONS of every chain; mean of ‖x‖²/dim and of the acceptance probability."""
    library = c_library("hmc_gaussian")

    def go(block, position):
        sums = np.zeros(2)
        library.hmc(
            address(position),
            address(target.data),
            *map(ctypes.c_long, (CHAINS, block, target.dim, TRANSITIONS)),
            ctypes.c_double(SETTINGS["step_size"]),
            ctypes.c_long(SETTINGS["num_integration_steps"]),
            ctypes.c_long(1),
            dgemm() if block > 1 else None,
            address(sums),
        )
        return sums / (CHAINS * TRANSITIONS * np.array([target.dim, 1.0]))

    return go


@pytest.mark.parametrize("block", BLOCKS.values())
def test_c_is_right(in_c, block, target):
    """E ‖x‖²/dim in closed form; acceptance as ours. The tolerances are five standard errors and more of the 8000
    correlated transitions (means of 16 chains differ by 0.003 and 0.004), so that a right program fails less than once
    in 10⁵ times; without the half kicks, acceptance is off by 0.1."""
    square, acceptance = in_c(block, target.starts("exact", np.random.default_rng(1), CHAINS))
    draws = run(
        target, load_sampler("hmc"), SETTINGS, Plan(0, 4000, keep=False), chains=CHAINS, start="exact", names=(1,)
    )
    assert square == pytest.approx(target.truth.second_moment.mean(), abs=0.02)
    assert acceptance == pytest.approx(draws.mean_acceptance.mean(), abs=0.02)


def test_dense_hmc(in_c, compare, target):
    start = target.starts("exact", np.random.default_rng(1), CHAINS)
    hmc = load_sampler("hmc")

    def ours():
        run(target, hmc, SETTINGS, Plan(0, TRANSITIONS, keep=False), chains=CHAINS, start=start, names=(1,))

    compare(
        "HMC, 20 leapfrogs, on gaussian(dim=100), 16 chains, one thread",
        "µs per transition and chain",
        1e6 / (CHAINS * TRANSITIONS),
        ours,
        {name: lambda block=block: in_c(block, start.copy()) for name, block in BLOCKS.items()},
        ASKED,
    )
