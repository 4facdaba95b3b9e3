"""Calls of functions by their address, from compiled code.

The address of a function travels in a target's data, as two whole numbers below 2³² (a float64 holds them exactly). So one
compiled density serves all functions, and the cache of machine code is found again in every process, whatever address a
function has there. Must not know whose functions they are.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import block_density

_HALF = 2**32


def address_data(*addresses: int) -> Array:
    """Addresses as a target's data: high and low half of each."""
    return np.array([half for address in addresses for half in divmod(address, _HALF)], dtype=np.float64)


@intrinsic
def _call_block(typing_context, address, chains, dim, x, log_density, gradient):
    """``void f(int64 chains, int64 dim, double *x, double *log_density, double *gradient)`` at an address."""

    def generate(context, builder, signature, arguments):
        whole = ir.IntType(64)
        function = ir.FunctionType(ir.VoidType(), [whole] * 5)
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 6), generate


@intrinsic
def _call_stan(typing_context, address, model, x, value, gradient, message):
    """``int f(model *, bool propto, bool jacobian, const double *x, double *value, double *gradient, char **message)``."""

    def generate(context, builder, signature, arguments):
        whole, flag = ir.IntType(64), ir.IntType(32)  # a bool argument is the low byte of a register
        function = ir.FunctionType(ir.IntType(32), [whole, flag, flag, whole, whole, whole, whole])
        call = builder.inttoptr(arguments[0], function.as_pointer())
        return builder.call(call, [arguments[1], flag(0), flag(1), *arguments[2:]])

    return types.int32(*[types.int64] * 6), generate


@intrinsic
def _call_with_pointer(typing_context, address, pointer):
    """``void f(void *)`` at an address."""

    def generate(context, builder, signature, arguments):
        function = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@block_density
def density_of_block_function(x, log_density, gradient, data):
    """The density of a function that takes a whole block; `data` holds its address."""
    address = np.int64(data[0]) * np.int64(4294967296) + np.int64(data[1])
    _call_block(
        address,
        np.int64(x.shape[0]),
        np.int64(x.shape[1]),
        np.int64(x.ctypes.data),
        np.int64(log_density.ctypes.data),
        np.int64(gradient.ctypes.data),
    )


@block_density
def density_of_stan_model(x, log_density, gradient, data):
    """The density of a Stan model, point by point; `data` holds the addresses of BridgeStan's function, of the model, and of
    the function that frees messages. Where Stan rejects a point, it is −∞ with a gradient of zero.
    """
    function = np.int64(data[0]) * np.int64(4294967296) + np.int64(data[1])
    model = np.int64(data[2]) * np.int64(4294967296) + np.int64(data[3])
    free = np.int64(data[4]) * np.int64(4294967296) + np.int64(data[5])
    chains, dim = x.shape
    message = np.zeros(1, dtype=np.int64)
    for chain in range(chains):
        is_nan = False
        for i in range(dim):
            is_nan = is_nan or x[chain, i] != x[chain, i]
        if is_nan:  # a chain that became non-finite
            log_density[chain] = np.nan
            continue
        message[0] = 0
        failed = _call_stan(
            function,
            model,
            np.int64(x.ctypes.data) + 8 * dim * chain,
            np.int64(log_density.ctypes.data) + 8 * chain,
            np.int64(gradient.ctypes.data) + 8 * dim * chain,
            np.int64(message.ctypes.data),
        )
        if failed != 0:
            log_density[chain] = -np.inf
            for i in range(dim):
                gradient[chain, i] = 0.0
        if message[0] != 0:
            _call_with_pointer(free, message[0])
