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


_LOG2_E = 1.4426950408889634
# ln 2 in two parts (Cody and Waite 1980): k · high is exact for |k| < 2¹¹, so that the reduced argument is too.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_SMALLEST, _LARGEST = -708.0, 709.0  # beyond: results would be subnormal or infinite


@jit_in_order
def exp(x):
    """e^x for x in [−708, 709]; 0 below, infinity above, NaN for NaN.

    Cody–Waite range reduction to |r| ≤ ½ ln 2, the Taylor polynomial of degree 13 by Horner's rule, and the
    exponent put in by its bits. In order: `reassoc` would add the two parts of ln 2 up again, an error of 2e-14.
    """
    bounded = min(max(x, _SMALLEST), _LARGEST)
    k = np.floor(bounded * _LOG2_E + 0.5)
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
    # 2^k in two factors: k = 1024 has no exponent bits of its own.
    half = np.int64(k) >> 1
    rest = np.int64(k) - half
    value = p * _float_from_bits((half + 1023) << 52) * _float_from_bits((rest + 1023) << 52)
    value = 0.0 if x < _SMALLEST else value
    value = np.inf if x > _LARGEST else value
    return x if np.isnan(x) else value


@jit
def sigmoid(x):
    """1 / (1 + e^−x), with no overflow for any x."""
    return 1.0 / (1.0 + exp(-x))


@jit
def softplus(x):
    """log(1 + e^x), with no overflow for any x."""
    return max(x, 0.0) + np.log1p(exp(-abs(x)))
