"""Gradients of the statistical models that are written in block form, 16 chains, ours against plain C loops.

The loops are what a careful author would write in C for one chain; the Cox process uses that its factor is triangular.
"""

import ctypes

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_target

CHAINS = 16
DOUBLE, LONG = ctypes.c_double, ctypes.c_long


def phi4(target, x, address, outcome):
    kappa, coupling = target.data
    return (address(x), LONG(CHAINS), LONG(16), DOUBLE(kappa), DOUBLE(coupling), *outcome)


def cox(target, x, address, outcome):
    data = target.data
    counts, root = np.ascontiguousarray(data[2:258]), np.ascontiguousarray(data[258:])
    return (
        address(x),
        address(counts),
        address(root),
        LONG(CHAINS),
        LONG(256),
        DOUBLE(data[0]),
        DOUBLE(data[1]),
        *outcome,
    )


def item_response(target, x, address, outcome):
    return (address(x), address(target.data), LONG(CHAINS), LONG(100), LONG(15), *outcome)


def sparse_logistic(target, x, address, outcome):
    return (address(x), address(target.data), LONG(CHAINS), LONG(1000), LONG(25), *outcome)


CASES = {"phi4": phi4, "log_gaussian_cox": cox, "item_response": item_response, "sparse_logistic": sparse_logistic}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name, c_library, address, compare):
    target = load_target(name)
    x = target.starts("dispersed", np.random.default_rng(1), CHAINS)
    log_density, gradient = np.empty(CHAINS), np.empty_like(x)
    in_c = getattr(c_library("models"), CASES[name].__name__)
    arguments = CASES[name](target, x, address, (address(log_density), address(gradient)))
    in_c(*arguments)
    expected = target.log_density_and_gradient(x)
    np.testing.assert_allclose(log_density, expected[0], rtol=1e-9)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-7, atol=1e-7)
    pointer, data = target.pointer, target.data
    calls = 50

    def ours():
        for _ in range(calls):
            pointer(x, log_density, gradient, data)

    def loops():
        for _ in range(calls):
            in_c(*arguments)

    compare(
        f"gradient of {name}, 16 chains, one thread",
        "µs per gradient and chain",
        1e6 / (CHAINS * calls),
        ours,
        {"C, plain loops": loops},
        {"C, plain loops": None},
    )
