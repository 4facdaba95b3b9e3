"""Compiled functions that cannot change any more: a copy of each, with a snapshot of all that it names.

Numba reads globals and closure variables when it compiles, which may be long after a density was made, and keeps a
compiled helper when they change. A frozen function has its own: what is set later cannot reach it, and its machine
code is what its fingerprint says. Functions with one fingerprint share one copy, compiled once.
Must not know what the functions are for.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import types
import uuid
import weakref
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

from mcmc_bench.kernels import names
from mcmc_bench.kernels.compile_cache import keep
from mcmc_bench.kernels.fingerprint import ENGINE, fingerprint
from mcmc_bench.kernels.tokens import NoFingerprintError

_FROZEN: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


def is_engine(function: Any) -> bool:
    """Whether `function` is one of the engine's own, at the top level of its module: these never change."""
    module, name = function.__module__ or "", function.__qualname__
    if not module.startswith(f"{ENGINE}.") or "<locals>" in name or function.__closure__:
        return False
    return getattr(sys.modules.get(module), "__dict__", None) is function.__globals__


def frozen(dispatcher: Any) -> Any:
    """A compiled function that does what `dispatcher` does now, whatever is changed later.

    Has an attribute `fingerprint`, by which its machine code is kept between processes; or an attribute `unseen`, which
    says why there is none, and then it is compiled in every process. One of the engine's own is returned as it is, and
    one that names something that is not defined yet.

    Raises:
        ValueError: `dispatcher` is no compiled function.
    """
    if not isinstance(dispatcher, Dispatcher):
        raise ValueError(f"{dispatcher!r:.80} is not compiled: decorate the function, see `mcmc_bench.kernels.jit`")
    freezer = _Freezer()
    try:
        copy = freezer.dispatcher(dispatcher)
    except _UndefinedError:
        return dispatcher
    for compiled, signatures in freezer.signed:  # now that all that they name is filled in
        for signature in signatures:
            compiled.compile(signature)
        compiled.disable_compile()
    _FROZEN.update(freezer.new)
    return copy


class _UndefinedError(Exception):
    """A function names something that is not defined yet."""


class _Freezer:
    """One copy of a function and of all that it names; what is named twice is copied once."""

    def __init__(self) -> None:
        self.copies: dict[Any, tuple[Any, Any]] = {}  # by id (of modules also what is named of them): original and copy
        self.marked: dict[int, Any] = {}  # compiled forms of functions that are marked for it, by their id
        self.unfinished: list[Any] = []  # copies that are being filled in, each named by the one before
        self.recursive: set[Any] = set()  # copies that lead back to themselves
        self.signed: list[tuple[Any, list[Any]]] = []  # copies that are compiled for signatures given by hand
        self.new: dict[str, Any] = {}  # by fingerprint

    def dispatcher(self, dispatcher: Any) -> Any:
        """The frozen form of a compiled function."""
        if hasattr(dispatcher, "fingerprint") or hasattr(dispatcher, "unseen") or is_engine(dispatcher.py_func):
            return dispatcher
        if id(dispatcher) in self.copies:
            compiled = self.copies[id(dispatcher)][1]
            if compiled in self.unfinished:
                self.recursive.update(self.unfinished[self.unfinished.index(compiled) :])
            return compiled
        function, content, unseen = dispatcher.py_func, "", ""
        if names.undefined(function):
            raise _UndefinedError
        try:
            content = fingerprint(dispatcher)
        except NoFingerprintError as error:
            unseen = str(error)
        if content in _FROZEN:
            return _FROZEN[content]
        copy = self.unfilled(function, content or uuid.uuid4().hex)
        compiled = type(dispatcher)(
            copy, locals=dispatcher.locals, targetoptions=dispatcher.targetoptions,
            pipeline_class=dispatcher._compiler.pipeline_class,  # noqa: SLF001 - there is no other way to it
        )  # fmt: skip
        self.copies[id(dispatcher)] = dispatcher, compiled  # before what it names, since that may be itself
        self.unfinished.append(compiled)
        called = names.of_code(function.__code__)
        copy.__globals__.update({
            name: self.value(value, called) for kind, name, value in names.captured(function) if kind == "global"
        })  # fmt: skip
        for cell, original in zip(copy.__closure__ or (), function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # nothing has been assigned yet: numba will say so
                cell.cell_contents = self.value(original.cell_contents, called)
        self.unfinished.pop()
        if signatures := names.signatures(dispatcher):
            self.signed.append((compiled, signatures))
        if content:
            compiled.fingerprint = content
            self.new[content] = compiled
            if compiled not in self.recursive:  # these cannot be kept, nor can what calls them: see `compile_cache`
                keep(compiled)
        else:
            compiled.unseen = unseen
        return compiled

    def unfilled(self, function: types.FunctionType, content: str) -> types.FunctionType:
        """A function of the same code, whose globals and closure are still to be filled in.

        Its module can always be imported, which numba does when it reads machine code. Its name tells its content:
        symbols of machine code are found by name.
        """
        defaults = self.value(function.__defaults__, frozenset())
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        copy = types.FunctionType(
            function.__code__, {"__builtins__": builtins, "__name__": __name__}, function.__name__, defaults, cells
        )
        copy.__kwdefaults__ = function.__kwdefaults__
        copy.__qualname__ = f"frozen_{content}.{function.__name__}"
        if "objmode" in names.of_code(function.__code__):  # Python inside of it looks into the module; it is never kept
            copy.__module__ = function.__module__
        return copy

    def value(self, value: Any, called: frozenset[str]) -> Any:
        """A snapshot of something that a function names, of which it calls the attributes `called`."""
        if isinstance(value, Dispatcher):
            return self.dispatcher(value)
        if isinstance(value, np.ndarray):
            return value.copy(order="K")
        if isinstance(value, np.void):  # a view of an array
            return value.copy()
        if type(value) in (tuple, list):
            return type(value)(self.value(member, called) for member in value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self.value(member, called) for member in value))
        if isinstance(value, types.ModuleType):
            return self.module(value, called)
        if isinstance(value, types.FunctionType) and (flags := _marked(value)) is not None:
            if id(value) not in self.marked:  # numba compiles a marked function once for all
                self.marked[id(value)] = numba.njit(**flags)(value)
            return self.dispatcher(self.marked[id(value)])
        return value

    def module(self, module: types.ModuleType, called: frozenset[str]) -> types.ModuleType:
        """A module with the attributes that are called, as they are now."""
        if names.in_library(module) is not None or module.__name__.startswith(f"{ENGINE}."):
            return module
        key = (id(module), called)
        if key not in self.copies:
            copy = types.ModuleType(module.__name__)
            self.copies[key] = module, copy
            vars(copy).update({name: self.value(part, called) for name, part in names.of_module(module, called)})
        copied: types.ModuleType = self.copies[key][1]
        return copied


def _marked(function: types.FunctionType) -> dict[str, Any] | None:
    """Flags of a function that numba's `register_jitable` has marked; None for any other."""
    try:
        return names.overload_flags(function)
    except ValueError:  # another one stands in its place: see `fingerprint`
        return None
