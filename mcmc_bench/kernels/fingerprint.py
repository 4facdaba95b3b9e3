"""Fingerprints: a hash of everything that a value is made of, the same in every process and in every folder.

A function is its code, its defaults, its closure and every global that it names, followed through whatever it calls.
Libraries count by version; everything else counts by content. What cannot be followed is refused, so that two things
with one fingerprint compute the same. Knows Python and numba. Must not know densities or samplers.
"""

from __future__ import annotations

import collections
import copyreg
import ctypes
import enum
import functools
import struct
import sys
import types
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path, PurePath
from typing import Any

import numba.typed
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.types import Type as NumbaType
from numba.core.typing import Signature
from numba.extending import _Intrinsic

from mcmc_bench.kernels import names
from mcmc_bench.kernels.tokens import NoFingerprintError, Tokens

#: Its functions count by content, as everybody's; its classes by the source of their module.
ENGINE = "mcmc_bench"

_ATOMS = frozenset(
    (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range, slice)
)
#: What a class says of itself that changes nothing of what it computes.
_CLASS_NOTES = frozenset((
    "__annotate_func__", "__annotations__", "__annotations_cache__", "__dict__", "__doc__", "__firstlineno__", "__module__",
    "__static_attributes__", "__weakref__", "_abc_impl",
))  # fmt: skip


def fingerprint(value: Any, name: str = "") -> str:
    """The hash of everything that `value` is made of, 32 hexadecimal digits.

    Args:
        value: a function, compiled or not, an array, a container, an object.
        name: what `value` is called in a message.

    Raises:
        NoFingerprintError: part of it has no content that can be read: a pointer, an open file, a generator.
    """
    walk = _Walk(name)
    try:
        walk.visit(value)
    except NoFingerprintError:
        raise
    except RecursionError:
        raise NoFingerprintError(f"{name or type(value).__name__}: it is nested too deeply to be followed") from None
    except Exception as error:  # anything may run when an object is looked at
        raise NoFingerprintError(f"{walk.here}: it cannot be looked at ({type(error).__name__}: {error})") from error
    return walk.hash.hexdigest()[:32]


class _Walk(Tokens):
    """One walk through a value: what it meets goes into the hash, in an order that only content decides."""

    # ------------------------------------------------------------ values

    def visit(self, value: Any) -> None:
        """Put `value` into the hash, whatever it is."""
        kind: Any = type(value)
        if kind is str:
            self.put("str", repr(names.portable(value)))
        elif kind in _ATOMS:
            self.put(kind.__name__, struct.pack("<d", value) if kind is float else repr(value))
        elif isinstance(value, np.generic):
            self.put("scalar", f"{_layout(value.dtype)} ".encode() + value.tobytes())
        elif kind in (np.ndarray, np.memmap):
            self.array(value)
        else:
            _visit_of(kind)(self, value)

    def parts(self, parts: Mapping[str, Any]) -> None:
        """Named parts, in the order given."""
        for place, part in parts.items():
            self.put("part", place)
            with self.at(place):
                self.visit(part)

    def array(self, value: np.ndarray[Any, Any]) -> None:
        """Type, shape, order in memory (compiled code is made for it) and bytes."""
        order = f"{value.flags.c_contiguous:d}{value.flags.f_contiguous:d}"
        self.put("array", f"{_layout(value.dtype)} {value.shape} {order}")
        if value.dtype.hasobject:
            self.visit(value.ravel().tolist())
        elif value.dtype.kind in "biufc":
            self.hash.update(np.ascontiguousarray(value).data)
        else:
            self.hash.update(value.tobytes())

    def sequence(self, value: Any) -> None:
        """A list, a tuple or a queue."""
        self.put(type(value).__name__, str(len(value)))
        if isinstance(value, tuple) or not self.again(value):
            for number, member in enumerate(value):
                with self.at(f"item {number}"):
                    self.visit(member)

    def unordered(self, value: AbstractSet[Any]) -> None:
        """Each member by itself, in the order of the hashes: the set's own depends on the process."""
        self.put(type(value).__name__, " ".join(sorted(fingerprint(member, self.here) for member in value)))

    def mapping(self, value: Mapping[Any, Any]) -> None:
        """Entries in their own order, which code that goes through them sees."""
        self.put("mapping", str(len(value)))
        if self.again(value):
            return
        for key, part in value.items():
            self.put("key", key if type(key) is str else f"\0{fingerprint(key, self.here)}")
            with self.at(f"entry {key!r:.40}"):
                self.visit(part)

    def instance(self, value: Any) -> None:
        """An object of any other class: its class, and what it would be rebuilt from."""
        if self.of_library(value) or self.again(value):
            return
        kind = type(value)
        if isinstance(value, _WITHOUT_CONTENT) or kind.__module__.startswith("numba."):
            raise self.refuse(f"a {kind.__module__}.{kind.__qualname__}, which has no content that can be read")
        if hasattr(kind, "__fingerprint__"):  # it says itself what it is made of
            self.parts({"class": kind, "content": value.__fingerprint__()})
        elif isinstance(value, enum.Enum):
            self.parts({"class": kind, "name": value.name, "value": value.value, "attributes": _attributes(value)})
        elif isinstance(value, tuple):
            self.parts({"class": kind, "items": tuple(value), "attributes": _attributes(value)})
        elif is_dataclass(value):
            if isinstance(value, (Mapping, AbstractSet, list, str, bytes, int, float, np.ndarray)):
                raise self.refuse(f"a {kind.__qualname__}, which is a dataclass and something else as well")
            counted = [field.name for field in fields(value) if field.metadata.get("fingerprint", True)]
            declared = {f"field {name}": getattr(value, name) for name in counted}
            further = _attributes(value, *(field.name for field in fields(value)))
            self.parts({"class": kind, **declared, "attributes": further})
        else:
            self.rebuilt(value)

    def rebuilt(self, value: Any) -> None:
        """By the protocol that copies and pickles objects."""
        kind = type(value)
        if value is _GLOBAL_RANDOM_STATE:  # which it is in counts nowhere: it is another one in every process
            self.put("global random state")
            return
        try:
            reduced = copyreg.dispatch_table.get(kind, lambda it: it.__reduce_ex__(4))(value)
        except Exception as error:
            named = f"a {kind.__module__}.{kind.__qualname__}"
            raise self.refuse(f"{named}, which has no content that can be read ({error})") from error
        if isinstance(reduced, str):
            raise self.refuse(f"{reduced}, which is known by its name only")
        make, arguments, state, items, entries = (*reduced, None, None, None)[:5]
        further: dict[str, Any] = {}
        if isinstance(state, dict):  # what is worked out at first use is no content
            state = {key: part for key, part in state.items() if not _is_worked_out(kind, key)}
        if names.in_library(kind) is None:  # what copying leaves out may still be used
            kept = state if isinstance(state, dict) else state[0] if isinstance(state, tuple) and state else None
            further = _attributes(value, *(kept if isinstance(kept, dict) else ()))
        self.parts({
            "class": kind, "attributes": further, "maker": make, "arguments": arguments, "state": state,
            "items": None if items is None else list(items), "entries": None if entries is None else dict(entries),
        })  # fmt: skip

    def path(self, value: PurePath) -> None:
        """A file by name and content; of a folder only its name, since it may be moved."""
        path = Path(value)
        if path.is_file():
            self.file(path)
        else:
            self.put("path", path.name if path.is_dir() else str(path))

    def ufunc(self, value: np.ufunc) -> None:
        """NumPy's and SciPy's own by name; others hide what they call."""
        if not self.of_library(value):
            raise self.refuse("a NumPy ufunc that is not NumPy's own, which hides what it calls")

    # ------------------------------------------------------------ code

    def of_library(self, value: Any) -> bool:
        """Put down name and version if `value` is found by name in a library."""
        found = names.in_library(value)
        if found is not None:
            self.put("library", found)
        return found is not None

    def function(self, function: types.FunctionType) -> None:
        """Code, defaults, closure, and every global that is named."""
        if self.of_library(function) or self.again(function):
            return
        self.put("function")
        if names.in_engine_part(function):
            self.put("source", f"{function.__name__} {names.source_hash(function.__module__)}")
            return
        code = function.__code__
        with self.at(f"{function.__name__}()"):
            self.code(code)
            given = {"defaults": function.__defaults__, "keyword defaults": function.__kwdefaults__}
            self.parts({**given, "attributes": function.__dict__ or None})
            for kind, name, value in names.captured(function):
                self.put(kind, name)
                with self.at(f"{kind} {name}"):
                    if isinstance(value, types.ModuleType) and name in names.passed_on(code):
                        self.visit(value)
                    else:
                        self.named(value, names.of_code(code))
            if not (function.__module__ or "").startswith(f"{ENGINE}."):
                self.outside(function)

    def outside(self, function: types.FunctionType) -> None:
        """Visit all that a function outside the engine may use beyond the names in its code."""
        try:
            self.visit(names.overload_flags(function))
        except ValueError as error:
            raise self.refuse(str(error)) from error
        if (name := names.hidden(function)) is not None:
            raise self.refuse(f"it uses {name}, by which it may depend on anything")
        files, reads = names.files(function), names.reads_files(function)
        if reads > len(files) or (reads and names.names_files_itself(function)):
            raise self.refuse("it reads a file when it is called, and which one cannot be seen; read it in build()")
        for path in files:
            self.file(path)

    def named(self, value: Any, called: frozenset[str]) -> None:
        """Something that code names; of a module what the code also names, since it cannot reach the rest."""
        if value is names.MISSING:
            self.put("missing")
        elif not isinstance(value, types.ModuleType):
            self.visit(value)
        elif not self.of_library(value) and not self.again(value, called):
            self.put("module")
            for name, part in names.of_module(value, called):
                self.put("attribute", name)
                with self.at(f"attribute {name}"):
                    self.named(part, called)

    def code(self, code: types.CodeType) -> None:
        """Instructions and constants; not where they stand in which file, nor a docstring."""
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        variables = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        self.put("code", repr((code.co_code, getattr(code, "co_exceptiontable", b""), counts, variables)))
        self.visit(names.constants(code))

    def compiled(self, dispatcher: Any) -> None:
        """A compiled function: its flags and its source. One that is frozen knows its fingerprint."""
        if (known := getattr(dispatcher, "fingerprint", None)) is not None:
            self.put("frozen", known)
        elif not self.of_library(dispatcher):
            if (name := names.overloaded(dispatcher.py_func)) is not None:
                raise self.refuse(f"it uses {name}, which numba's overload gives another meaning")
            self.put("compiled")
            self.parts({
                "flags": {name: flag for name, flag in dispatcher.targetoptions.items() if name != "cache"},
                "signatures": names.signatures(dispatcher), "locals": dispatcher.locals, "source": dispatcher.py_func,
            })  # fmt: skip

    def builtin(self, function: Any) -> None:
        """A function of C: by name, and by the bytes of its file where no version tells."""
        if self.of_library(function):
            return
        owner = getattr(function, "__self__", getattr(function, "__objclass__", None))
        self.put("builtin", names.portable(f"{getattr(function, '__module__', None)} {function.__qualname__}"))
        if owner is not None and not isinstance(owner, types.ModuleType):
            if not isinstance(owner, type) or owner.__module__ != "builtins":
                self.visit(owner)
            return
        file = getattr(sys.modules.get(function.__module__ or ""), "__file__", None)
        if file is None:
            raise self.refuse("a function of C that comes from no file")
        self.file(Path(file))

    def kind(self, kind: type) -> None:
        """A class: by content, as functions are; an engine class by the source of its module."""
        if self.of_library(kind) or self.again(kind):
            return
        self.put("class", kind.__qualname__)
        if kind.__module__.startswith(f"{ENGINE}."):
            self.put("source", names.source_hash(kind.__module__))
            return
        file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
        if file.endswith(tuple(EXTENSION_SUFFIXES)):  # its methods are C
            self.file(Path(file))
        with self.at(kind.__qualname__):
            self.visit((type(kind), kind.__bases__))
            for name in sorted(vars(kind).keys() - _CLASS_NOTES):
                self.put("attribute", name)
                with self.at(f"attribute {name}"):
                    self.visit(vars(kind)[name])

    def numba_type(self, value: NumbaType) -> None:
        """A type of numba by its name, which says everything unless it says an address."""
        dispatcher = getattr(value, "dispatcher", None)
        if dispatcher is not None:
            self.visit(dispatcher)
        elif "0x" in value.name or "#" in value.name:
            raise self.refuse(f"numba's type {value.name:.80}, which is another one in every process")
        else:
            self.parts({"class": type(value), "name": value.name})

    def module(self, value: types.ModuleType) -> None:
        """A module that is handed about as a value: anything in it may be used."""
        if not self.of_library(value):
            raise self.refuse(f"the module {value.__name__} as a value: name what is used of it")


_Visit = Callable[[_Walk, Any], None]
_GLOBAL_RANDOM_STATE = np.random.mtrand._rand  # noqa: SLF001 - NumPy gives it no other name
_WITHOUT_CONTENT: tuple[Any, ...] = (ctypes._SimpleCData.__base__, ctypes.CDLL, memoryview)  # noqa: SLF001
_FUNCTIONS_OF_C = (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)
_Cached = type(functools.cache(len))


def _through(*attributes: str) -> _Visit:
    """Visit what these attributes of a wrapper hold."""
    return lambda walk, value: walk.parts({name: getattr(value, name) for name in attributes})


#: How things of each kind are visited; the first that fits.
_VISITS: tuple[tuple[Any, _Visit], ...] = (
    (Dispatcher, _Walk.compiled),
    (types.FunctionType, _Walk.function),
    (type, _Walk.kind),
    (types.ModuleType, _Walk.module),
    (types.MethodType, _through("__func__", "__self__")),
    (_Cached, _through("__wrapped__")),
    ((staticmethod, classmethod), _through("__func__")),
    (property, _through("fget", "fset", "fdel")),
    (functools.cached_property, _through("func")),
    ((types.MemberDescriptorType, types.GetSetDescriptorType), lambda walk, value: walk.put("slot", value.__name__)),
    (
        (*_FUNCTIONS_OF_C, types.ClassMethodDescriptorType, types.MethodWrapperType),
        _Walk.builtin,
    ),
    (types.CodeType, _Walk.code),
    (types.MappingProxyType, _Walk.mapping),
    (NumbaType, _Walk.numba_type),
    (Signature, _through("args", "return_type", "recvr")),
    (_Intrinsic, _through("_defn")),
    (numba.typed.Dict, lambda walk, value: walk.mapping(dict(value))),
    (numba.typed.List, lambda walk, value: walk.sequence(list(value))),
    (PurePath, _Walk.path),
    (np.ufunc, _Walk.ufunc),
    (np.dtype, lambda walk, value: walk.put("dtype", _layout(value))),
)
_EXACT: dict[type, _Visit] = {
    **dict.fromkeys((list, tuple, collections.deque), _Walk.sequence),
    **dict.fromkeys((set, frozenset), _Walk.unordered),
    **dict.fromkeys((dict, collections.OrderedDict), _Walk.mapping),
}


def _is_worked_out(kind: type, name: str) -> bool:
    """Whether an attribute holds what is worked out from the others at first use."""
    return isinstance(getattr(kind, name, None), functools.cached_property)


def _attributes(value: Any, *known: str) -> dict[str, Any]:
    """The attributes of an object besides those that are known and those that are worked out."""
    left_out = {*known, "_value_", "_name_", "_sort_order_", "__objclass__"}  # the notes of an enum
    own = getattr(value, "__dict__", {})
    return {name: part for name, part in own.items() if name not in left_out and not _is_worked_out(type(value), name)}


def _layout(dtype: np.dtype[Any]) -> str:
    return str(dtype.descr if dtype.names else dtype.str)


@functools.cache
def _visit_of(kind: type) -> _Visit:
    if kind in _EXACT:
        return _EXACT[kind]
    return next((visit for classes, visit in _VISITS if issubclass(kind, classes)), _Walk.instance)
