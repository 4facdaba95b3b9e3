"""The vectorisable elementary functions against NumPy's, and that they are vectorised at all."""

import re

import numba
import numpy as np
import pytest
from scipy import special

from mcmc_bench.core.streams import stream
from mcmc_bench.kernels import mathematics
from mcmc_bench.kernels.jit import FLAGS

NOT_CACHED = {**FLAGS, "cache": False}


def elementwise(function):
    """`function` in a compiled loop over an array, as targets use it."""

    @numba.njit("void(float64[::1], float64[::1])", **NOT_CACHED)
    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    def apply(x):
        out = np.empty_like(x)
        loop(x, out)
        return out

    apply.compiled = loop
    return apply


@pytest.fixture(scope="module")
def exp():
    return elementwise(mathematics.exp)


def points(low, high):
    return np.concatenate([stream("exp", low, high).uniform(low, high, 200_000), np.linspace(low, high, 1001)])


@pytest.mark.parametrize(("low", "high"), [(-708, 709), (-50, 50), (-1, 1), (-1e-6, 1e-6)])
def test_exp_to_1e_15(exp, low, high):
    x = points(low, high)
    # In extended precision: NumPy's own float64 exp is wrong by up to half a unit in the last place.
    true = np.exp(x.astype(np.longdouble))
    error = np.abs(exp(x) / true - 1)
    worst = error.argmax()
    assert error[worst] < 1e-15, f"exp({x[worst]!r}) is wrong by {float(error[worst])}"


def test_exp_at_the_extremes(exp):
    x = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 710.0, 1e300, -709.0, -1e300, 5e-324, 709.0, -708.0])
    found = exp(x)
    np.testing.assert_array_equal(found[[0, 1, 10]], 1.0)
    assert found[2] == pytest.approx(np.e, rel=1e-15)
    np.testing.assert_array_equal(found[[3, 6, 7]], np.inf)
    np.testing.assert_array_equal(found[[4, 8, 9]], 0.0)
    assert np.isnan(found[5])
    np.testing.assert_allclose(found[[11, 12]], np.exp(x[[11, 12]]), rtol=1e-15)


@pytest.fixture(scope="module")
def log():
    return elementwise(mathematics.log)


def test_log_to_1e_15(log):
    x = np.concatenate(
        [np.exp(points(-708, 709)), points(0.5, 2.0), points(1 - 1e-6, 1 + 1e-6), 2.0 ** np.arange(-1022, 1024)]
    )
    x = x[x != 1.0]  # ln 1 = 0 has no relative error
    error = np.abs(log(x) / np.log(x.astype(np.longdouble)) - 1)
    worst = error.argmax()
    assert error[worst] < 1e-15, f"log({x[worst]!r}) is wrong by {float(error[worst])}"


def test_log_at_the_extremes(log):
    found = log(np.array([1.0, 0.0, -0.0, 5e-324, np.inf, -1.0, -np.inf, np.nan]))
    np.testing.assert_array_equal(found, [0.0, -np.inf, -np.inf, -np.inf, np.inf, np.nan, np.nan, np.nan])


def test_the_mutant_that_may_be_reassociated_is_caught():
    """Power: with the flags of all other kernels the range reduction is undone, and the check above fails."""
    mutant = elementwise(numba.njit(**NOT_CACHED)(mathematics.exp.py_func))
    x = points(-708, 709)
    assert np.abs(mutant(x) / np.exp(x.astype(np.longdouble)) - 1).max() > 1e-14


def test_sigmoid_and_softplus():
    x = np.concatenate([points(-700, 700), [-np.inf, np.inf, -1e5, 1e5, 0.0]])
    sigmoid, softplus = elementwise(mathematics.sigmoid)(x), elementwise(mathematics.softplus)(x)
    np.testing.assert_allclose(sigmoid, special.expit(x), rtol=2e-15)
    np.testing.assert_allclose(softplus, np.logaddexp(0.0, x), rtol=2e-15)
    for function in (mathematics.sigmoid, mathematics.softplus):
        assert np.isnan(elementwise(function)(np.array([np.nan]))).all()


@pytest.mark.parametrize("name", ["exp", "log"])
def test_the_loop_runs_in_simd_registers(name, request):
    """What the functions are for: a loop over them compiles to vector arithmetic with no call to the C library."""
    (code,) = request.getfixturevalue(name).compiled.inspect_llvm().values()
    assert " x double>" in code
    assert not re.search(rf"@(llvm\.)?{name}\b", code)


@pytest.mark.parametrize("name", ["exp", "log"])
def test_what_numba_makes_of_numpys_is_told_apart(name):
    """Power of the test above."""

    @numba.njit("void(float64[::1], float64[::1])", **NOT_CACHED)
    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = np.exp(x[i]) if name == "exp" else np.log(x[i])

    (code,) = loop.inspect_llvm().values()
    assert re.search(rf"@(llvm\.)?{name}\b", code)
