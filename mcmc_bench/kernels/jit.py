"""The one place where functions are compiled: JIT flags, type signatures, errors of the compiler.

Knows numba, and how compiled functions are frozen and kept. Must not know any sampler, target or metric.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaError, UnsupportedBytecodeError
from numba.core.types import npy_rng
from numba.extending import intrinsic

from mcmc_bench.kernels.compile_cache import keep
from mcmc_bench.kernels.frozen import frozen, is_engine

ENGINE_FOLDER = Path(__file__).resolve().parent.parent

FLAGS: dict[str, Any] = {
    "nogil": True,  # blocks of chains run in a thread pool
    "error_model": "numpy",  # division by zero gives inf, which the driver records; no exception can leave a kernel
    # Only the fast-math forms that keep NaN and infinity: divergence is detected by them.
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
}

vector = types.Array(types.float64, 1, "C")
matrix = types.Array(types.float64, 2, "C")
cube = types.Array(types.float64, 3, "C")
counter = types.Array(types.int64, 1, "C")
generator = npy_rng

#: ``(x (dim,), gradient (dim,) [out], data) -> log density`` of one point.
POINT_SIGNATURE = types.float64(vector, vector, vector)
#: ``(x (chain, dim), log_density (chain,) [out], gradient (chain, dim) [out], data)`` of a block of chains.
BLOCK_SIGNATURE = types.void(matrix, vector, matrix, vector)
TARGET_TYPE = types.FunctionType(BLOCK_SIGNATURE)
#: One transition of a block of chains; the arguments are described in `mcmc_bench.core.sampler`.
STEP_SIGNATURE = types.void(TARGET_TYPE, vector, generator, vector, matrix, vector, matrix, matrix, cube, cube, counter)
STEP_TYPE = types.FunctionType(STEP_SIGNATURE)

#: A deterministic flow of a block: target, data, step size, number of steps, position, momentum, log density, gradient,
#: what it adds up of each chain, evaluations.
FLOW_SIGNATURE = types.void(
    TARGET_TYPE, vector, types.float64, types.int64, matrix, matrix, vector, matrix, vector, counter
)


def jit(function: Callable[..., Any], **changed_flags: Any) -> Any:
    """Compile `function` with the project's flags, at its first call.

    The machine code of the engine's own functions is kept between processes. That of others is kept once they are
    frozen, as a density or a step is when its `Target` or `Sampler` is made: until then, what they name may change.
    """
    dispatcher = numba.njit(**{**FLAGS, **changed_flags})(function)
    if is_engine(function):
        keep(dispatcher)
    return dispatcher


def jit_in_order(function: Callable[..., Any]) -> Any:
    """As `jit`, for formulas whose order of operations is their point: without the forms of fast-math that change it.

    The flags go with the function's own operations, also where it is inlined into another.
    """
    return jit(function, fastmath={"contract"})


def jit_inline(function: Callable[..., Any]) -> Any:
    """As `jit`, for what a kernel calls once per chain: put in place by LLVM whatever its size.

    An array is seven arguments of a machine-code call; a call with six arrays cost more than a step's arithmetic.
    """
    return jit(function, forceinline=True)


@jit
def is_finite(x):
    """Whether `x` is neither NaN nor infinite. Kernels use this and never `np.isfinite`.

    Numba writes ``np.isfinite(x)`` as ``x − x`` not being NaN, and where `x` is an expression the `reassoc` form of
    fast-math cancels the difference: every value is then "finite". A comparison cannot be cancelled.
    """
    return abs(x) < np.inf


class CompileError(ValueError):
    """A function that numba cannot compile; the message names its file, the line and the reason."""


def compiled(dispatcher: Any, signature: Any) -> Any:
    """`dispatcher`, frozen and compiled for `signature` (or read from the cache) and for nothing else.

    Numba would otherwise compile a kernel anew, in every process, for each function that it is handed as an
    argument; with one signature it has to take them as function pointers.

    Raises:
        CompileError: numba cannot compile it.
    """
    dispatcher = frozen(dispatcher)
    if not dispatcher.overloads:
        try:
            dispatcher.compile(signature)
        except (NumbaError, UnsupportedBytecodeError) as error:
            place = _place(error, dispatcher.py_func)
            raise CompileError(f"{place} cannot be compiled: {_reason(error)}") from error
        dispatcher.disable_compile()
    return dispatcher


#: How the lines of numba's messages begin that follow on the reason.
_AFTER_THE_REASON = ("During:", "File ", "There are", "- ", "raised from")


def _reason(error: Exception) -> str:
    """Why numba cannot compile a function: the lines that matter, its messages have dozens."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith("Failed in")]
    return f"{type(error).__name__}: {' '.join(takewhile(lambda line: not line.startswith(_AFTER_THE_REASON), said))}"


def _place(error: Exception, function: Any) -> str:
    """File, line and function: as far inside as numba tells it of the function's own file."""
    file, name = function.__code__.co_filename, function.__name__
    inside, called, outside = str(error).partition("During: resolving callee type: ")
    if called and inside.count("Failed in") > 1:  # what it calls fails, which may be all that a lifted function does
        callee = re.search(r"<function (?:[\w<>]+\.)*(\w+) at", outside)
        line = re.search(r" at (\S.*\.py) \((\d+)\)", inside)
        if callee is not None and (line is None or line[1] == file):
            return f"{file}{'' if line is None else f', line {line[2]}'}: {callee[1]}()"
    known = getattr(error, "loc", None)
    return f"{file}, line {function.__code__.co_firstlineno if known is None else known.line}: {name}()"


@cache
def address(dispatcher: Any, signature: Any) -> int:
    """Where the machine code of `dispatcher`, compiled for `signature`, begins."""
    result = compiled(dispatcher, signature).overloads[signature.args]
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))


def function_at(function_type: Any) -> Any:
    """An intrinsic ``(address) -> function`` for kernels: the compiled function of this type at an address.

    A function that is handed over as itself goes through Python for its type and its address at every call, 100 µs;
    a number does not.
    """

    @intrinsic
    def from_address(typing_context, number):
        def generate(context, builder, signature, arguments):
            function = cgutils.create_struct_proxy(function_type)(context, builder)
            function.jit_addr = builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))
            function.c_addr = cgutils.get_null_value(function.c_addr.type)
            function.py_addr = cgutils.get_null_value(function.py_addr.type)
            return function._getvalue()  # noqa: SLF001 - numba's only way to hand a structure back

        return function_type(types.int64), generate

    return from_address


step_at, target_at = function_at(STEP_TYPE), function_at(TARGET_TYPE)

_LIFTED = """def {name}_of_block(x, log_density, gradient, data):
    for chain in range(x.shape[0]):
        log_density[chain] = density_of_point(x[chain], gradient[chain], data)
"""


def lift(point: Any) -> Any:
    """The block form of a density written for one point.

    Its file is the target's, so that a message of the compiler names that.
    """
    return built_around(point, _LIFTED, "density_of_point", "{name}_of_block")


def built_around(dispatcher: Any, template: str, called: str, name: str) -> Any:
    """A compiled function made from the source `template`, which calls `dispatcher` by the name `called`.

    Args:
        dispatcher: the compiled function that is called.
        template: Python source with {name} where the name of that function goes in.
        called: the name that stands for `dispatcher` in the source.
        name: the name of the new function, with {name} likewise.
    """
    function = dispatcher.py_func
    namespace = {called: dispatcher, "np": np, "__name__": function.__module__}
    # Numba asks for the source: at the line of the template's own, Python 3.13 would fail to read the target's file.
    lines_before = "\n" * (function.__code__.co_firstlineno - 1)
    code = compile(lines_before + template.format(name=function.__name__), function.__code__.co_filename, "exec")
    exec(code, namespace)  # noqa: S102 - our own templates; the only inserted text is a function's name
    return jit(namespace[name.format(name=function.__name__)])
