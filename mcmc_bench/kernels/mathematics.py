"""Elementary functions written so that LLVM can vectorise the loop they stand in.

Numba calls the scalar `exp` of the C library, one value at a time. The forms here are branch-free, so that a
loop over them runs in SIMD registers, about four times faster, at a relative error below 1e-15. Targets use them
in loops over chains, data rows or modes. Must not know any target.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from mcmc_bench.kernels.jit import jit, jit_in_order


@intrinsic
def _float_from_bits(typing_context, bits):
    """The float64 whose bit pattern is the int64 `bits`."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


@intrinsic
def _bits(typing_context, x):
    """The bit pattern of the float64 `x`, an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


_LOG2_E = 1.4426950408889634
# ln 2 in two parts (Cody and Waite 1980): k · high is exact for |k| < 2¹¹, so that the reduced argument is too.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_SMALLEST, _LARGEST = -708.0, 709.0  # beyond: results would be subnormal or infinite
#: 1.5 · 2⁵²: added to a number it rounds it to an integer, which then stands in the lowest bits. Not every processor
#: turns a whole register of float64 into int64.
_ROUND = 6755399441055744.0
_BITS_OF_ROOT_HALF = 0x3FE6A09E667F3BCD
_MANTISSA = (1 << 52) - 1
_SMALLEST_NORMAL = 2.0**-1022


@jit_in_order
def exp(x):
    """e^x for x in [−708, 709]; 0 below, infinity above, NaN for NaN.

    Cody–Waite range reduction to |r| ≤ ½ ln 2, the Taylor polynomial of degree 13 by Horner's rule, and the
    exponent put in by its bits. In order: `reassoc` would add the two parts of ln 2 up again, an error of 2e-14.
    """
    bounded = min(max(x, _SMALLEST), _LARGEST)
    rounded = bounded * _LOG2_E + _ROUND
    k = rounded - _ROUND
    r = (bounded - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    value = p * _float_from_bits((_bits(rounded) + 1023) << 52)  # −1022 < k < 1024: 2^k is a normal number
    value = 0.0 if x < _SMALLEST else value
    value = np.inf if x > _LARGEST else value
    return x if np.isnan(x) else value


@jit_in_order
def log(x):
    """ln x for normal x; −∞ for 0 and subnormal numbers, infinity for infinity, NaN for negative numbers and NaN.

    x = 2^k m with √½ ≤ m < √2, and ln m = 2 artanh s, s = (m − 1)/(m + 1), by the Taylor polynomial of degree 21.
    """
    above = _bits(x) - _BITS_OF_ROOT_HALF
    k = float(above >> 52)
    m = _float_from_bits((above & _MANTISSA) + _BITS_OF_ROOT_HALF)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 21.0
    p = p * z + 1.0 / 19.0
    p = p * z + 1.0 / 17.0
    p = p * z + 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z + 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z + 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z + 1.0 / 3.0
    value = k * _LN2_HIGH + (2.0 * s + (2.0 * s * z * p + k * _LN2_LOW))
    value = -np.inf if x < _SMALLEST_NORMAL else value
    value = np.nan if x < 0.0 else value
    return value if x < np.inf else x  # infinity and NaN


@jit
def sigmoid(x):
    """1 / (1 + e^−x), with no overflow for any x."""
    return 1.0 / (1.0 + exp(-x))


@jit
def softplus(x):
    """log(1 + e^x), with no overflow for any x."""
    return max(x, 0.0) + np.log1p(exp(-abs(x)))
