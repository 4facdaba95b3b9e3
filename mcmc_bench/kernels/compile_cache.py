"""Where machine code is kept between processes: one file for each function, signature, compiler and processor.

A file is found by the fingerprint of the function (see `fingerprint`), so code that has changed, or anything that it
names, is looked for under another name, and no file can hold another function's code. Numba's own cache looks at the
function's own file alone (numba issue 9483). Must not know what the functions are for.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import pickle
import shutil
import sys
import tempfile
import uuid
import warnings
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs
from numba.core import config, sigutils
from numba.core.bytecode import FunctionIdentity
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

from mcmc_bench.kernels import names
from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.tokens import NoFingerprintError

# Numba numbers the functions of a process from 1, for the names of their symbols. LLVM takes two symbols of one name for one
# function: code that other processes have compiled must not meet the same numbers here.
FunctionIdentity._unique_ids = itertools.count(uuid.uuid4().int >> 80)  # noqa: SLF001 - nothing else names symbols

#: Settings of numba, from the environment, that change the machine code.
_NUMBA_SETTINGS = ("BOUNDSCHECK", "LOOP_VECTORIZE", "OPT", "SLP_VECTORIZE", "USING_SVML")


@cache
def compiler() -> str:
    """Versions, settings and processor that machine code is made by and for; our own part in it included."""
    versions = f"python {sys.version_info[:3]} numba {numba.__version__} llvmlite {llvmlite.__version__} numpy {np.__version__}"
    settings = [(name, str(getattr(config, name, None))) for name in _NUMBA_SETTINGS]
    ours = [names.source_hash(f"{__package__}.{module}") for module in ("compile_cache", "frozen")]
    return f"{versions} {settings} {cpu_target.target_context.codegen().magic_tuple()} {ours}"


def cache_folder() -> Path:
    """The folder of what may be made again: ``$MCMC_BENCH_CACHE_DIR``, ``$NUMBA_CACHE_DIR``, or the user's cache folder."""
    return _writable(os.environ.get("MCMC_BENCH_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR"))


@cache
def _writable(chosen: str | None) -> Path:
    folder = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("mcmc_bench"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        # A folder of this process only: what is kept is pickled, and a shared one could be anyone's.
        own = tempfile.mkdtemp(prefix="mcmc_bench-")
        atexit.register(shutil.rmtree, own, ignore_errors=True)
        warnings.warn(
            f"compiled kernels cannot be kept in {folder} ({error.strerror}), so every run compiles them anew; "
            "set MCMC_BENCH_CACHE_DIR to a folder that can be written",
            stacklevel=2,
        )
        return Path(own)


def keep(dispatcher: Any) -> None:
    """Let `dispatcher` keep what it compiles. Nothing that it names may change from here on."""
    dispatcher._cache = _ContentCache(dispatcher)  # noqa: SLF001 - numba has no other place for a cache


class _ContentCache(_Cache):  # type: ignore[misc]
    """The files of one dispatcher, in the form that numba asks for."""

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = weakref.ref(dispatcher)
        self._enabled = True

    @property
    def cache_path(self) -> str:
        """The folder of the files."""
        return str(cache_folder() / "compiled")

    def enable(self) -> None:
        """Read and write."""
        self._enabled = True

    def disable(self) -> None:
        """Neither read nor write."""
        self._enabled = False

    def flush(self) -> None:
        """Nothing: a file is never wrong."""

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The compiled code for a signature, or None."""
        target_context.refresh()
        file = self._file(signature)
        if file is None:
            return None
        try:
            content = pickle.loads(file.read_bytes())  # noqa: S301 - our own file, in a folder of the user's own
        except (OSError, EOFError, ImportError, pickle.UnpicklingError):
            return None  # not there, cut off by a full disk, or of a module that is not here
        return CompileResult._rebuild(target_context, *content)  # noqa: SLF001 - as numba's own cache does

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep compiled code, unless it cannot be used elsewhere."""
        if not _is_portable(result):
            return
        file = self._file(signature)
        if file is None:
            return
        content = dumps(result._reduce())  # noqa: SLF001 - as above
        unfinished = file.with_name(f".{uuid.uuid4().hex}")
        with contextlib.suppress(OSError):  # a full disk: compiled again next time
            file.parent.mkdir(exist_ok=True)
            unfinished.write_bytes(content)
            unfinished.replace(file)

    def _file(self, signature: Any) -> Path | None:
        """The file for a signature; None if the cache is off, or what is compiled has no fingerprint."""
        dispatcher = self._dispatcher()
        if not self._enabled or dispatcher is None:
            return None
        try:
            key = fingerprint((dispatcher, sigutils.normalize_signature(signature), compiler()))
        except NoFingerprintError:
            return None
        return Path(self.cache_path) / f"{dispatcher.py_func.__name__}-{key}"


def _is_portable(result: Any) -> bool:
    """Whether compiled code runs in another process: holds no address, and calls nothing that is linked late.

    Numba links a recursive call when the code is used first, and not when it comes from a file: that crashes (0.68).
    """
    symbols = result.library._final_module.global_variables  # noqa: SLF001 - numba looks for them here itself
    late = any(symbol.name.startswith(".numba.unresolved$") for symbol in symbols)
    return not (late or result.library.has_dynamic_globals or any(not lifted.can_cache for lifted in result.lifted))
