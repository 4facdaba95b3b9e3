"""Content is loaded as it is now: an edited file, helper or data file, at once and in the same process."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from mcmc_bench.catalog.files import CatalogError, load_sampler, load_target

TARGET = """
from functools import cache
from pathlib import Path
import numpy as np
from mcmc_bench.core.target import Target, point_density
{imports}

@point_density
def log_density(x, gradient, data):
    gradient[0] = -({k}) * x[0]
    return -0.5 * ({k}) * x[0] ** 2

{build}
def build() -> Target:
    return Target(dim=1, density=log_density, data={data}, one_point=np.ones(1), draw_dispersed=lambda g, n: np.ones((n, 1)))
"""


def write(folder, k, imports="", build="", data="np.zeros(1)"):
    folder.mkdir(exist_ok=True)
    (folder / "edited.py").write_text(TARGET.format(k=k, imports=imports, build=build, data=data))


def value(folder):
    return load_target("edited", targets_folder=folder).log_density_and_gradient([[1.0]])[1][0, 0]


def test_an_edited_file_is_loaded_anew(tmp_path):
    """Of the same size and in the same second, by which Python's own cache of compiled files goes."""
    for k in (1.0, 2.0, 1.0):
        write(tmp_path, k)
        assert value(tmp_path) == -k


@pytest.mark.parametrize("place", ["_helper.py", "inside/_helper.py", "inside/deeper/_helper.py"])
def test_an_edited_helper_is_loaded_anew(tmp_path, place):
    module = place.removesuffix(".py").replace("/", ".")
    write(tmp_path, "K", f"from .{module} import K")
    for k in (1.0, 2.0):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(f"K = {k}\n")
        assert value(tmp_path) == -k


def test_an_edited_helper_of_elsewhere_is_loaded_anew(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    write(tmp_path / "targets", "config.K", "import helper_of_elsewhere as config")
    for k in (1.0, 22.0):
        (tmp_path / "elsewhere" / "helper_of_elsewhere.py").write_text(f"K = {k}\n")
        assert value(tmp_path / "targets") == -k
    monkeypatch.delitem(sys.modules, "helper_of_elsewhere")


READS = {
    "at import": ("D = np.load(Path(__file__).with_name('d.npy'))", "D"),
    "in build": ("", "np.load(Path(__file__).with_name('d.npy'))"),
    "once": ("@cache\ndef stored():\n    return np.load(Path(__file__).with_name('d.npy'))\n", "stored()"),
}


@pytest.mark.parametrize("when", READS)
def test_changed_data_are_read_anew(tmp_path, when):
    build, data = READS[when]
    write(tmp_path, "data[0]", build=build, data=data)
    for k in (1.0, 2.0):
        np.save(tmp_path / "d.npy", np.full(1, k))
        assert value(tmp_path) == -k


def test_a_broken_file_is_loaded_once_it_is_repaired(tmp_path):
    write(tmp_path, "1 +")
    with pytest.raises(CatalogError, match=r"edited.py cannot be loaded: SyntaxError"):
        load_target("edited", targets_folder=tmp_path)
    write(tmp_path, 3.0)
    assert value(tmp_path) == -3.0


SCALE = """
import numba
K = {k}

def plain():
    return K

@numba.njit
def scale():
    with numba.objmode(k="f8"):
        k = plain()
    return k
"""


def test_python_inside_of_compiled_code_finds_its_globals(tmp_path):
    for k in (1.0, 2.0):
        write(tmp_path, "scale()", SCALE.format(k=k))
        assert value(tmp_path) == -k


def test_what_has_not_changed_is_not_loaded_again(tmp_path):
    write(tmp_path, 1.0, imports="LOADED = [0]", build="LOADED[0] += 1", data="np.array(LOADED, dtype=float)")
    assert [load_target("edited", targets_folder=tmp_path).data[0] for _ in range(3)] == [1.0] * 3


def test_an_edited_sampler_is_loaded_anew(tmp_path):
    text = (
        "from mcmc_bench.core.sampler import Sampler\nSAMPLER = Sampler(kind='oracle', description='{}', source='',\n"
    )
    text += "    draw=lambda target, generator, start, draws, settings: None)\n"
    for description in ("one", "two"):
        (tmp_path / "mine.py").write_text(text.format(description))
        sampler = load_sampler("mine", samplers_folder=tmp_path)
        assert sampler.description == description
        assert load_sampler("mine", samplers_folder=tmp_path) is sampler


BOTH_WAYS = """
import sys
sys.path.insert(0, {folder!r})
from mcmc_bench.catalog.files import load_target
if {first}:
    import edited
    print(edited.build().log_density_and_gradient([[1.0]])[1][0, 0])
print(load_target("edited", targets_folder={folder!r}).log_density_and_gradient([[1.0]])[1][0, 0])
import edited
print(edited.build().log_density_and_gradient([[1.0]])[1][0, 0])
"""


def test_a_target_can_also_be_imported_plainly(tmp_path, monkeypatch):
    """Its machine code is kept under neither name: each finds what the other has compiled."""
    monkeypatch.setenv("MCMC_BENCH_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "targets"
    write(folder, 4.0)
    assert value(folder) == -4.0
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "edited", raising=False)
    assert importlib.import_module("edited").build().log_density_and_gradient([[1.0]])[1][0, 0] == -4.0
    monkeypatch.delitem(sys.modules, "edited")
    for first in (False, True):
        program = BOTH_WAYS.format(folder=str(folder), first=first)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.stdout.split() == ["-4.0"] * (2 + first), done.stderr


DRAWS = """
from mcmc_bench.catalog.files import load_target
target = load_target("edited", targets_folder={folder!r})
print(target.starts("dispersed", None, 1)[0, 0])
"""


def test_numbas_own_cache_is_not_used(tmp_path):
    """A function that Python calls, with cache=True, and a helper in another file: numba serves the old machine code."""
    imports = "import numba\nfrom ._inner import inner\n@numba.njit(cache=True)\ndef scale():\n    return inner()\n"
    write(tmp_path, 1.0, imports=imports)
    file = tmp_path / "edited.py"
    file.write_text(file.read_text().replace("lambda g, n: np.ones((n, 1))", "lambda g, n: np.full((n, 1), scale())"))
    for k in (1.0, 2.0):
        (tmp_path / "_inner.py").write_text(f"import numba\n@numba.njit\ndef inner():\n    return {k}\n")
        program = [sys.executable, "-c", DRAWS.format(folder=str(tmp_path))]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == str(k), done.stderr
