"""What a function may use without naming it is refused, and what it names is found."""

import functools
import importlib
import linecache
import os
import runpy
import subprocess
import sys
from os import getenv as variable
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.extending import overload
from numpy import load as read

from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.names import library_version, portable
from mcmc_bench.kernels.tokens import NoFingerprintError

FOLDER = Path(__file__).parent
TEXT = str(FOLDER / "no_such_file.npy")
partly = functools.partial(np.load, TEXT)
HIDING = {
    "sys.modules": lambda: sys.modules["a" + "b"].k,
    "runpy": lambda: runpy.run_path(TEXT)["k"],
    "importlib": lambda: importlib.util.spec_from_file_location("k", TEXT),
    "renamed": lambda: variable("K"),
    "attribute": lambda: os.environ["K"],
    "lines": lambda: linecache.getline(TEXT, 1),
    "another process": lambda: subprocess.run([TEXT], check=True),
    "another target": lambda module: module.load_target("other"),
    "file by another name": lambda: read(TEXT),
    "file by a partial call": lambda: 1.0 + partly(),
    "file by a name that is put together": lambda k: np.load(FOLDER / f"test_{k}.py"),
    "two files, of which one is seen": lambda self: np.load(FOLDER / "test_names.py") + np.load(self.file),
}


@pytest.mark.parametrize("kind", HIDING)
def test_what_hides_its_inputs_is_refused(kind):
    with pytest.raises(NoFingerprintError):
        fingerprint(HIDING[kind])


def test_a_file_that_is_named_is_not_refused():
    assert fingerprint(lambda: np.load(FOLDER / "test_names.py"))


def test_a_helper_named_like_a_module_of_python_is_no_library(tmp_path, monkeypatch):
    (tmp_path / "profile.py").write_text("K = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "profile", raising=False)
    library_version.cache_clear()
    assert library_version("profile") is None
    library_version.cache_clear()


def test_names_of_content_modules_do_not_tell_the_folder():
    one, other = (f"mcmc_bench_content_{folder}.mine" for folder in ("0123456789ab_0", "ba9876543210_7"))
    assert portable(one) == portable(other)
    assert fingerprint(lambda name=one: name) == fingerprint(lambda name=other: name)


def test_an_overload_of_a_library_function_is_refused():
    """Numba would go on with the machine code of an older one. Numba's own overloads are in its version."""

    def only_here():
        return 1.0

    density = numba.njit(lambda x: np.only_here(x) + 1.0)
    assert fingerprint(density)

    @overload(only_here)
    def _instead():
        return lambda: 2.0

    with pytest.raises(NoFingerprintError, match="overload"):
        fingerprint(density)
    assert fingerprint(numba.njit(lambda x: abs(x) + len((x,)) ** 2))
