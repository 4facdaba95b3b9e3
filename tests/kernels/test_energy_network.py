"""The activation of energy networks: exact but for its own roundings, in both precisions and on every processor."""

import numpy as np
import pytest

from mcmc_bench.core.streams import stream
from mcmc_bench.kernels.energy_network import activate

#: In roundings: of the value at v, in units of |v|, and of the derivative, which is at most 1.1. Each is some four
#: operations, and a part of them cancels where v is far below 0.
MOST = 4.0
#: Of the mean over 10⁶ points, whose own deviation is 0.001: what is not even-handed lies beyond.
BIAS = 0.01


def exact(v):
    """φ and φ' in extended precision."""
    v = v.astype(np.longdouble)
    root = 1 / np.sqrt(v * v + 4)
    return v / 2 * (1 + v * root), (1 + v * root * (1 + 4 * root * root)) / 2


def off(values, found):
    """Errors of φ and φ' in roundings."""
    rounding = np.finfo(values.dtype).eps / 2
    value, slope = exact(values)
    return np.asarray((found[0] - value) / (rounding * np.abs(values)), float), np.asarray(
        (found[1] - slope) / rounding, float
    )


def sound(errors):
    return all(np.abs(error).max() < MOST and abs(error.mean()) < BIAS for error in errors)


def by_newton(v):
    """φ and φ' with the reciprocal root as hardware estimates it: 11 bits, and a step of Newton's that ends below it."""
    square = v * v + v.dtype.type(4)
    estimate = (1 / np.sqrt(square)).astype(v.dtype)
    estimate *= 1 + v.dtype.type(2.0**-12) * np.sign(np.sin(1e4 * v))
    root = estimate * (v.dtype.type(1.5) - v.dtype.type(0.5) * square * estimate * estimate)
    return v / 2 * (1 + v * root), (1 + v * root * (1 + 4 * root * root)) / 2


@pytest.mark.parametrize("number", [np.float32, np.float64])
def test_activation_errs_by_its_roundings_and_to_both_sides(number):
    values = (3.0 * stream("activation").standard_normal((1000, 1000))).astype(number)
    found = values.copy()
    slope = activate(found, np.zeros(1000, number))
    assert sound(off(values, (found, slope)))


def test_activation_by_an_estimated_root_is_caught():
    """Power: what LLVM makes of 1/√ when a division may become a multiplication by the reciprocal."""
    values = (3.0 * stream("activation").standard_normal((1000, 1000))).astype(np.float32)
    value, slope = off(values, by_newton(values))
    assert not sound((value, slope))
