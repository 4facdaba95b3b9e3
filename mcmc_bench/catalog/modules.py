"""Loads the Python files of content folders, and loads them anew when anything that they were made from has changed.

A folder is a synthetic package, so that nothing called `targets` becomes importable, and so that the files of one folder
may import each other (``from .gaussian_mixture import build``). When one of its files has changed, a helper that they
have imported, or a data file that they have read, the folder becomes a new package and nothing of the old one is used.
Each target that is built has a package of its own: what one build sets in a module cannot reach another's target.
Must not know what the files declare.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import os
import sys
import sysconfig
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

from numba.core.dispatcher import Dispatcher

from mcmc_bench.kernels.jit import ENGINE_FOLDER
from mcmc_bench.kernels.names import CONTENT_PREFIX


class ContentError(Exception):
    """A file that cannot be loaded, with what it raised as the cause."""


@dataclass
class _Folder:
    """A content folder as it was when its first file was loaded."""

    #: Files that it was made from, as they were: time, size and number in the file system; None for one that was missing.
    files: dict[Path, tuple[int, ...] | None] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)  # modules elsewhere that its files have imported
    packages: dict[str, str] = field(default_factory=dict)  # names of packages by what they are for

    @property
    def is_current(self) -> bool:
        """Whether all files are as they were."""
        return all(_state(file) == state for file, state in self.files.items())


_folders: dict[Path, _Folder] = {}
_numbers = itertools.count()
_watching: list[_Folder] = []  # whose code is running now: what is opened is its


def content_module(path: Path, purpose: str = "") -> types.ModuleType:
    """The module of a content file, as the file is now; another one for each `purpose`.

    Raises:
        ContentError: the file cannot be loaded.
    """
    folder = _folders.get(path.parent)
    if folder is None or not folder.is_current:
        folder = _folders[path.parent] = _new_folder(folder)
    if purpose not in folder.packages:
        folder.packages[purpose] = _new_package(path.parent)
    with watching(path):
        try:
            return importlib.import_module(f"{folder.packages[purpose]}.{path.stem}")
        except (Exception, SystemExit) as error:  # a file that calls sys.exit must not end us
            raise ContentError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error


def forget(path: Path, purpose: str) -> None:
    """Load the module of a content file for `purpose` anew from now on, as a new process would."""
    if path.parent in _folders:
        _folders[path.parent].packages.pop(purpose, None)


@contextmanager
def watching(path: Path) -> Iterator[None]:
    """Code of the content file `path` runs inside: what it reads and imports is what its folder is made from."""
    folder = _folders[path.parent]
    before, enable = set(sys.modules), Dispatcher.enable_caching
    _watching.append(folder)
    # Numba's own cache, which a file may ask for, goes on with old machine code when a helper elsewhere has changed.
    Dispatcher.enable_caching = lambda self: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        Dispatcher.enable_caching = enable  # type: ignore[method-assign]
        _watching.pop()
        for name in sys.modules.keys() - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and _is_content(Path(file)):
                folder.files.setdefault(Path(file), _state(Path(file)))
                if not name.startswith(CONTENT_PREFIX) and file.endswith(".py"):
                    folder.helpers.add(name)


def _new_folder(old: _Folder | None) -> _Folder:
    if old is not None:
        for helper in old.helpers:  # they may be what has changed
            sys.modules.pop(helper, None)
        importlib.invalidate_caches()
    return _Folder()


def _new_package(folder: Path) -> str:
    name = f"{CONTENT_PREFIX}{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}_{next(_numbers)}"
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module
    return name


def _state(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


_LIBRARIES = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")] + [ENGINE_FOLDER]


def _is_content(file: Path) -> bool:
    """Whether a file may change while we run: neither a library's, nor a device, nor made by Python from another."""
    installed = {"site-packages", "dist-packages"} & set(file.parts)
    library = installed or any(file.is_relative_to(place) for place in _LIBRARIES)
    return file.suffix != ".pyc" and not library and file.is_file()


def _note_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _watching or not isinstance(arguments[0], str | bytes):
        return
    file = Path(os.fsdecode(arguments[0])).absolute()
    if str(arguments[1])[:1] in ("r", "N") and _is_content(file):  # N: no mode, as C code opens
        _watching[-1].files.setdefault(file, _state(file))


class _Loader(SourceFileLoader):
    """Compiles the source as it is: Python's own cache takes a file of the same size and second for the same file."""

    def get_code(self, fullname: str) -> types.CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder:
    """Finds the modules of synthetic packages."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        del target
        if not name.startswith(CONTENT_PREFIX):
            return None
        for folder in path or ():
            spec = FileFinder(folder, (_Loader, [".py"]), (ExtensionFileLoader, EXTENSION_SUFFIXES)).find_spec(name)
            if spec is not None:
                return spec
        return None


sys.addaudithook(_note_opened)  # the only way to see what C code opens as well
sys.meta_path.insert(0, _Finder)  # a class with the one method that is asked for
