"""The cache of machine code: never stale, never compiled twice, and done without where there is none."""

import ctypes
import os
import subprocess
import sys

import numba
import pytest

from mcmc_bench.kernels import compile_cache
from mcmc_bench.kernels import frozen as frozen_module

HELPER = """
from mcmc_bench.kernels.jit import jit

@jit
def scale(x):
    return {scale} * x
"""
TARGET = """
from mcmc_bench.core.target import Target, point_density
from ._helper import scale
import numpy as np

@point_density
def log_density(x, gradient, data):
    gradient[0] = 0.0
    return scale(x[0])

def build():
    return Target(dim=1, density=log_density, draw_dispersed=lambda generator, n: np.ones((n, 1)), one_point=np.ones(1))
"""
EVALUATE = """
from mcmc_bench.catalog.files import load_target
{change}
target = load_target("stale", targets_folder={folder!r})
print(target.log_density_and_gradient([[2.0]])[0][0])
"""


def evaluate(folder, cache, change=""):
    program = EVALUATE.format(folder=str(folder), change=change)
    environment = {**os.environ, "MCMC_BENCH_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_a_changed_helper_is_never_served_stale(tmp_path):
    """Numba looks at the function's own file only (numba issue 9483); ours is found by what the function is made of."""
    folder, cache = tmp_path / "targets", tmp_path / "cache"
    folder.mkdir()
    (folder / "stale.py").write_text(TARGET)
    (folder / "_helper.py").write_text(HELPER.format(scale=-1.0))
    assert evaluate(folder, cache) == -2.0
    (folder / "_helper.py").write_text(HELPER.format(scale=-18.0))
    assert evaluate(folder, cache) == -36.0


def test_the_defect_is_there_without_the_key(tmp_path):
    """Power of the test above: with one fingerprint for everything, the old value comes back."""
    folder, cache = tmp_path / "targets", tmp_path / "cache"
    folder.mkdir()
    blind = "from mcmc_bench.kernels import compile_cache\ncompile_cache.fingerprint = lambda value: 'same'"
    (folder / "stale.py").write_text(TARGET)
    (folder / "_helper.py").write_text(HELPER.format(scale=-1.0))
    assert evaluate(folder, cache, blind) == -2.0
    (folder / "_helper.py").write_text(HELPER.format(scale=-18.0))
    assert evaluate(folder, cache, blind) == -2.0


def test_a_cache_that_cannot_be_written_is_said_and_does_without(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="set MCMC_BENCH_CACHE_DIR"):
        folder = compile_cache._writable(str(tmp_path / "file" / "below"))
    assert folder.is_dir()


WARM = """
from numba.core import event
compiled = []
class Listener(event.Listener):
    def on_start(self, happening):
        compiled.append(str(happening.data["dispatcher"]))
    def on_end(self, happening):
        pass
event.register("numba:compile", Listener())
from mcmc_bench.sampling.api import sample
for sampler in ("mala", "hmc"):
    for target in ("banana", "gaussian", "song_ermon"):
        sample(target, sampler, draws=3)
print(len(compiled))
"""


def test_nothing_is_compiled_twice():
    """A second process finds every kernel and target in the cache: none is specialised for what it is called with."""

    def compilations():
        done = subprocess.run([sys.executable, "-c", WARM], capture_output=True, text=True, check=True)
        return int(done.stdout)

    compilations()
    assert compilations() == 0


@pytest.fixture
def compile_anew(tmp_path, monkeypatch):
    """Compiles a function as another process would that has the same cache."""
    monkeypatch.setenv("MCMC_BENCH_CACHE_DIR", str(tmp_path))

    def anew(function):
        monkeypatch.setattr(frozen_module, "_FROZEN", {})
        return frozen_module.frozen(numba.njit(function))

    return anew


def test_a_file_that_was_cut_off_is_compiled_again(tmp_path, compile_anew):
    amount = 2.5

    def double(x):
        return amount * x

    assert compile_anew(double)(2.0) == 5.0
    (file,) = (tmp_path / "compiled").iterdir()
    for content in (b"", file.read_bytes()[:100]):
        file.write_bytes(content)
        assert compile_anew(double)(2.0) == 5.0
    whole = compile_anew(double)
    assert whole(2.0) == 5.0
    assert sum(whole.stats.cache_hits.values()) == 1


def test_other_compilers_and_processors_have_files_of_their_own(tmp_path, monkeypatch, compile_anew):
    def double(x):
        return 2.0 * x

    for compiler in ("one", "another"):
        monkeypatch.setattr(compile_cache, "compiler", lambda compiler=compiler: compiler)
        assert compile_anew(double)(2.0) == 4.0
    assert len(list((tmp_path / "compiled").iterdir())) == 2


def test_what_has_no_fingerprint_is_compiled_and_not_kept(tmp_path, compile_anew):
    pointer = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: 3.0 * x)

    def triple(x):
        return pointer(x)

    compiled = compile_anew(triple)
    assert compiled(2.0) == 6.0
    assert "closure variable pointer of triple()" in compiled.unseen
    assert not (tmp_path / "compiled").exists()


def test_symbols_of_two_processes_have_other_names():
    """LLVM takes two symbols of one name for one function, and a helper of numba's own has no fingerprint in its name."""
    program = "import mcmc_bench.kernels.jit as j\nprint(next(j.numba.core.bytecode.FunctionIdentity._unique_ids))"
    first, second = (
        int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(2)
    )
    assert abs(first - second) > 1_000_000  # fails once in 10⁸ runs
