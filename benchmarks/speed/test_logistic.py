"""The gradient of the logistic regression on the breast-cancer data in a block of 16 chains, ours against C loops."""

import ctypes

import numpy as np

from mcmc_bench.catalog.files import load_target

CHAINS, CALLS = 16, 200


def test_logistic_gradient(c_library, address, compare):
    target = load_target("breast_cancer_logistic")
    in_c = c_library("logistic").logistic
    x = target.starts("dispersed", np.random.default_rng(1), CHAINS)
    log_density, gradient = np.empty(CHAINS), np.empty_like(x)
    arguments = (
        address(x),
        address(target.data),
        *map(ctypes.c_long, (CHAINS, target.data.size // target.dim, target.dim)),
        address(log_density),
        address(gradient),
    )
    in_c(*arguments)
    expected = target.log_density_and_gradient(x)
    np.testing.assert_allclose(log_density, expected[0], rtol=1e-10)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-8, atol=1e-9)
    pointer, data = target.pointer, target.data

    def ours():
        for _ in range(CALLS):
            pointer(x, log_density, gradient, data)

    def loops():
        for _ in range(CALLS):
            in_c(*arguments)

    compare(
        "gradient of breast_cancer_logistic, 16 chains, one thread",
        "µs per gradient and chain",
        1e6 / (CHAINS * CALLS),
        ours,
        {"C, plain loops": loops},
        {"C, plain loops": None},
    )
