"""Compiled functions run by Python, for comparison: slow, but Python checks indices and shares nothing with a compiler.

Must not know what the functions are for.
"""

from __future__ import annotations

import builtins
import types
from typing import Any

from numba.core.dispatcher import Dispatcher
from numba.extending import _Intrinsic

from mcmc_bench.kernels import names
from mcmc_bench.kernels.frozen import is_engine


class NotPython(ValueError):  # noqa: N818 - it says what the function is
    """A function that only compiled code can run; the message says what it calls."""


def interpreted(dispatcher: Any) -> types.FunctionType:
    """The Python function of a compiled one, with Python functions in the place of all compiled ones that it calls.

    But for the engine's: they stay compiled, since they are tested by themselves, and some of them are not Python.

    Raises:
        NotPython: it calls what is written in machine code.
    """
    return _Interpreter().function(dispatcher)


class _Interpreter:
    def __init__(self) -> None:
        self.made: dict[Any, Any] = {}  # by id: a function may call itself
        self.alive: list[Any] = []

    def function(self, dispatcher: Any) -> types.FunctionType:
        """The Python form of a compiled function."""
        if id(dispatcher) in self.made:
            return self.made[id(dispatcher)]
        function = dispatcher.py_func
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        named = {"__builtins__": builtins, "__name__": __name__}
        copy = types.FunctionType(function.__code__, named, function.__name__, function.__defaults__, cells)
        copy.__kwdefaults__ = function.__kwdefaults__
        self.made[id(dispatcher)] = copy
        self.alive.append(dispatcher)
        called = names.of_code(function.__code__)
        closed_over = dict(zip(function.__code__.co_freevars, cells, strict=True))
        for kind, name, value in names.captured(function):
            if kind == "global":
                named[name] = self.value(value, called)
            elif kind == "closure variable" and value is not names.MISSING:
                closed_over[name].cell_contents = self.value(value, called)
        return copy

    def value(self, value: Any, called: frozenset[str]) -> Any:
        """The stand-in for a value that a function names."""
        if isinstance(value, _Intrinsic):
            raise NotPython(f"it calls {value.__name__}, which is written in machine code")
        if isinstance(value, Dispatcher):
            return value if is_engine(value.py_func) else self.function(value)
        if type(value) is tuple:
            return tuple(self.value(member, called) for member in value)
        if not isinstance(value, types.ModuleType) or names.in_library(value) is not None:
            return value
        copy = types.ModuleType(value.__name__)
        if id(value) not in self.made:
            self.made[id(value)] = copy
            vars(copy).update(vars(value))
            vars(copy).update({name: self.value(part, called) for name, part in names.of_module(value, called)})
        return self.made[id(value)]
