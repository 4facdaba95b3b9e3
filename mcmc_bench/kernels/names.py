"""The things that a Python function names: closure variables, globals, imports, files, and what of it is a library's.

Looks at code without running it. Must not know what becomes of the answer.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import itertools
import os
import re
import sys
import sysconfig
import types
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import numba
import numpy as np
from numba.core.registry import cpu_target
from numba.core.typing.templates import builtin_registry

#: Packages that count by version: the dependencies of mcmc_bench, and theirs that a density is likely to name.
LIBRARIES = frozenset((
    "arviz", "arviz_base", "arviz_plots", "arviz_stats", "blackjax", "bridgestan", "cloudpickle", "emcee", "h5netcdf", "h5py",
    "jax", "jaxlib", "jinja2", "llvmlite", "matplotlib", "numba", "numpy", "nutpie", "pandas", "platformdirs",
    "pymc", "pytensor", "pytest", "scipy", "sklearn", "threadpoolctl", "torch", "typer", "xarray",
))  # fmt: skip
#: Packages of the engine that every key of a number holds whole: their Python functions count by their module's source.
ENGINE_PARTS = ("core", "kernels", "metrics", "sampling")
#: How names of modules begin that are loaded from a folder of content; the rest depends on the folder and the process.
CONTENT_PREFIX = "mcmc_bench_content_"
_CONTENT_NAME = re.compile(CONTENT_PREFIX + r"[0-9a-f]+_\d+")
#: Names of functions that read files.
_READERS = re.compile(r"fromfile|genfromtxt|getlines?|load|loadmat|loadtxt|memmap|mmread|open|read_\w+")
#: Names of what makes the name of a file, or finds it, while a function runs.
_NAMING = frozenset(("format", "glob", "iterdir", "join", "listdir", "rglob", "scandir", "walk"))
#: Names that give a function what it does not name: as builtins, or as attributes of anything.
_HIDING_BUILTINS = frozenset(("__import__", "eval", "exec", "globals"))
_HIDING_ATTRIBUTES = frozenset((
    "check_output", "environ", "exec_module", "getenv", "import_module", "load_sampler", "load_target", "run_module", "run_path",
    "spec_from_file_location",
))  # fmt: skip
#: Modules and functions of Python's own by which anything may come in, whatever name they are given.
_HIDING = re.compile(
    r"(importlib|linecache|multiprocessing|os\.(getenv|popen|system)|runpy|socket|subprocess|urllib)\b"
)

#: Instructions after which a module is not handed on: its attribute is taken, or it gets another name in the same code.
_USED_AT_ONCE = frozenset(("IMPORT_FROM", "LOAD_ATTR", "LOAD_METHOD", "STORE_FAST", "STORE_DEREF"))

#: A closure variable without a value, or a module that cannot be imported.
MISSING = type("Missing", (), {"__repr__": lambda self: "missing"})()


# ------------------------------------------------------------ code


@functools.cache
def of_code(code: types.CodeType) -> frozenset[str]:
    """Every name that `code` and the functions inside it use, and every constant that could be one."""
    inside = [of_code(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    texts = (text for text in code.co_consts if isinstance(text, str) and text.isidentifier())
    return frozenset(code.co_names).union(texts, *inside)


@functools.cache
def texts_of_code(code: types.CodeType) -> frozenset[str]:
    """Every text among the constants of `code` and of the functions inside it."""
    inside = [texts_of_code(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(text for text in code.co_consts if isinstance(text, str)).union(*inside)


@functools.cache
def constants(code: types.CodeType) -> tuple[Any, ...]:
    """The constants of `code`, without a docstring: that is the first of them, and no instruction loads it."""
    if not code.co_consts or not isinstance(code.co_consts[0], str):
        return code.co_consts
    loaded = any(
        instruction.opcode in dis.hasconst and instruction.arg == 0 for instruction in dis.get_instructions(code)
    )
    return code.co_consts if loaded else (None, *code.co_consts[1:])


def captured(function: types.FunctionType) -> Iterator[tuple[str, str, Any]]:
    """The names that `function` takes from outside: (closure variable, global or import; name; value), in order.

    A global counts wherever its name occurs, also as an attribute of something else: too much does no harm.
    """
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield "closure variable", name, cell.cell_contents
        except ValueError:  # nothing has been assigned yet
            yield "closure variable", name, MISSING
    for name in sorted(of_code(function.__code__)):
        if name in function.__globals__ and name != "__file__":  # where a folder stands is no content
            yield "global", name, function.__globals__[name]
    for level, name, members in sorted(imports(function.__code__)):
        yield "import", "." * level + name, _imported(function, level, name, members)


def of_module(module: types.ModuleType, called: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """The attributes of `module` that are among the names `called`, in order."""
    for name in sorted(called):
        part = getattr(module, name, MISSING)
        if part is not MISSING:
            yield name, part


@functools.cache
def imports(code: types.CodeType) -> frozenset[tuple[int, str, tuple[str, ...]]]:
    """Import statements inside `code`: (dots of a relative one, module, members that are imported from it)."""
    found = set()
    instructions = list(dis.get_instructions(code)) if dis.opmap["IMPORT_NAME"] in code.co_code[::2] else []
    for number, instruction in enumerate(instructions):
        if instruction.opname == "IMPORT_NAME":
            level, members = (before.argval for before in instructions[number - 2 : number])
            found.add((level, instruction.argval, tuple(members or ())))
    inside = [imports(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(found).union(*inside)


def _imported(function: types.FunctionType, level: int, name: str, members: tuple[str, ...]) -> Any:
    """The module that an import statement inside `function` gives; for a library its name and version."""
    if level == 0 and (version := library_version(name)) is not None:
        return version
    try:
        module = importlib.import_module("." * level + name, function.__globals__.get("__package__"))
    except ImportError:
        return MISSING
    for member in members:
        if not hasattr(module, member):
            try:
                importlib.import_module(f"{module.__name__}.{member}")
            except ImportError:
                continue  # the statement will fail as well
    return module


def hidden(function: types.FunctionType) -> str | None:
    """The name by which `function` gets at things that it does not name, or None."""
    used = of_code(function.__code__)
    for name in sorted(used & _HIDING_ATTRIBUTES):
        return name
    if {"sys", "modules"} <= used:
        return "sys.modules"
    for kind, name, value in captured(function):
        if value is os.environ or _HIDING.match(name if kind == "import" else in_library(value) or ""):
            return name
    for name in sorted((used & _HIDING_BUILTINS) - function.__globals__.keys()):
        if name in globals_of_code(function.__code__):
            return name
    return None


@functools.cache
def globals_of_code(code: types.CodeType) -> frozenset[str]:
    """The names that `code` and the functions inside it look up as globals or builtins."""
    inside = [globals_of_code(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    loads = (one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return frozenset(loads).union(*inside)


@functools.cache
def passed_on(code: types.CodeType) -> frozenset[str]:
    """The names whose values `code` hands on whole: it returns them, or calls something with them."""
    found = [passed_on(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    instructions = [one for one in dis.get_instructions(code) if one.opname not in ("CACHE", "NOP", "EXTENDED_ARG")]
    for one, after in itertools.pairwise(instructions):
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF") and after.opname not in _USED_AT_ONCE:
            found.append(frozenset((one.argval,)))
    return frozenset().union(*found)


def portable(text: str) -> str:
    """`text` without what names of content modules tell of the folder and the process."""
    return _CONTENT_NAME.sub(CONTENT_PREFIX, text) if CONTENT_PREFIX in text else text


def undefined(function: types.FunctionType) -> frozenset[str]:
    """The names that `function` looks up, and that stand for nothing yet."""
    return globals_of_code(function.__code__) - function.__globals__.keys() - vars(builtins).keys()


# ------------------------------------------------------------ files


def reads_files(function: types.FunctionType) -> int:
    """The number of times that the text of `function` names something that reads files."""
    renamed = (value for _, name, value in captured(function) if not _READERS.fullmatch(name))
    return _readings(function.__code__) + sum(map(_reads, renamed))


def names_files_itself(function: types.FunctionType) -> bool:
    """Whether `function` puts the name of a file together, or looks for files, when it is called."""
    return not _NAMING.isdisjoint(of_code(function.__code__)) or _formats(function.__code__)


@functools.cache
def _readings(code: types.CodeType) -> int:
    inside = sum(_readings(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    loads = (
        one.argval
        for one in dis.get_instructions(code)
        if one.opname.startswith(("LOAD_", "IMPORT_FROM")) and one.opname != "LOAD_CONST"
    )
    return inside + sum(isinstance(name, str) and _READERS.fullmatch(name) is not None for name in loads)


@functools.cache
def _formats(code: types.CodeType) -> bool:
    inside = any(_formats(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return inside or any(one.opname == "BUILD_STRING" or "FORMAT" in one.opname for one in dis.get_instructions(code))


def _reads(value: Any) -> bool:
    """Whether `value` reads files, whatever name it has been given."""
    function = value.func if isinstance(value, functools.partial) else value
    name = getattr(function, "__name__", "")
    return isinstance(name, str) and _READERS.fullmatch(name) is not None and in_library(function) is not None


def files(function: types.FunctionType) -> list[Path]:
    """Files that `function` names: by a path, by a text in a folder that it names, or beside its own file."""
    reads, texts = reads_files(function) > 0, texts_of_code(function.__code__)
    values = [value for _, _, value in captured(function)]
    places = [Path(value) for value in values if isinstance(value, PurePath) or (reads and isinstance(value, str))]
    beside = function.__globals__.get("__file__")
    if beside is not None and "__file__" in function.__code__.co_names:
        places += [Path(beside).parent, *(Path(beside).with_suffix(text) for text in texts if text[:1] == ".")]
    if reads:
        places.append(Path())
    found = {place / text for place in places for text in ("", *texts)}
    return sorted(path for path in found if _is_file(path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a character that no path has
        return False


# ------------------------------------------------------------ libraries


@functools.cache
def library_version(module: str) -> str | None:
    """Name and version of the library that `module` belongs to; None for what counts by content."""
    package = module.partition(".")[0]
    if package in sys.stdlib_module_names:
        # A helper beside a target may have the name of a module of Python's own, and not be imported yet.
        loaded = sys.modules.get(package)
        file = getattr(loaded, "__file__", None) if loaded is not None else _found(package)
        own = file is None or Path(file).is_relative_to(sysconfig.get_path("stdlib"))
        return f"python {sys.version.split()[0]}" if own and "site-packages" not in str(file) else None
    if package not in LIBRARIES:
        return None
    version = getattr(sys.modules.get(package), "__version__", None)
    try:
        return f"{package} {version or importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return None


def _found(package: str) -> str | None:
    """The file that an import of `package` would read; None for what is built into Python."""
    spec = importlib.util.find_spec(package)
    return spec.origin if spec is not None and spec.has_location else None


def in_library(value: Any) -> str | None:
    """Name and version of a module, class or function that a library gives under its own name; None for all else.

    A function that a library has made for somebody, say by decorating it, is not found by its name.
    """
    if isinstance(value, types.ModuleType):
        version = library_version(value.__name__)
        return None if version is None else f"{value.__name__} {version}"
    if isinstance(value, np.ufunc):  # they do not say where they are from
        places = (
            place for place in ("numpy", "scipy.special") if getattr(sys.modules.get(place), value.__name__, 0) is value
        )
        return next((f"{place}.{value.__name__} {library_version(place)}" for place in places), None)
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    version = library_version(module)
    if version is None:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}.{name} {version}" if found is value or found == value else None


def in_engine_part(function: types.FunctionType) -> bool:
    """Whether `function` is one of `ENGINE_PARTS`, at the top level of its module."""
    package, _, rest = (function.__module__ or "").partition(".")
    module = vars(sys.modules.get(function.__module__ or "", types))
    known = package == "mcmc_bench" and rest.partition(".")[0] in ENGINE_PARTS
    return known and module.get(function.__name__) is function


@functools.cache
def source_hash(module: str) -> str:
    """The hash of a module's source as it is on disk at first use; empty for a module without a file."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return "" if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()[:32]


def overload_flags(function: types.FunctionType) -> dict[str, Any] | None:
    """Flags of a plain function that compiled code may call: one that numba's `register_jitable` has marked.

    Raises:
        ValueError: it stands for another one, by numba's `overload`.
    """
    cpu_target.typing_context.refresh()  # it may have been marked a moment ago
    try:
        templates = cpu_target.typing_context.resolve_value_type(function).templates
    except (ValueError, AttributeError):  # compiled code cannot call it
        return None
    made_by = {getattr(getattr(template, "_overload_func", None), "__qualname__", "") for template in templates}
    if any(not name.startswith("register_jitable.") for name in made_by):
        raise ValueError("numba's overload puts another function in its place when it is compiled")
    given = templates[0]._jit_options  # noqa: SLF001 - there is no other way to it
    return {name: flag for name, flag in given.items() if name not in ("no_cpython_wrapper", "nopython")}


def signatures(dispatcher: Any) -> list[Any]:
    """The signatures that a compiled function was given by hand: it converts its arguments to these, and takes no others.

    None for the engine's own, which are fixed to one signature when they are compiled.
    """
    if dispatcher._can_compile or (dispatcher.py_func.__module__ or "").startswith("mcmc_bench."):  # noqa: SLF001
        return []
    return list(dispatcher.nopython_signatures)


def overloaded(function: types.FunctionType) -> str | None:
    """A name used by `function` that somebody's `overload` of numba gives another meaning in compiled code, or None."""
    names = _overloaded_names(len(builtin_registry.functions), len(builtin_registry.attributes))
    return min(names & of_code(function.__code__), default=None)


@functools.lru_cache(maxsize=1)
def _overloaded_names(*_counts: int) -> frozenset[str]:
    found = set[str]()
    for template in (*builtin_registry.functions, *builtin_registry.attributes):
        made_by = getattr(template, "_overload_func", None)
        if made_by is None or made_by.__qualname__.startswith("register_jitable."):
            continue
        numbas_own = made_by.__code__.co_filename.startswith(numba.__path__[0])
        if not numbas_own and library_version(made_by.__module__ or "") is None:
            found.add(str(getattr(template, "_attr", None) or getattr(template.key, "__name__", "")))
    return frozenset(found)
