"""Keys of finished cells: everything that determines a number is in them, and nothing else."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Results
from mcmc_bench.experiments import run as running
from mcmc_bench.experiments.loading import forget_all
from mcmc_bench.experiments.run import run
from mcmc_bench.kernels.jit import ENGINE_FOLDER

SUITE = """
[suite]
title = "t"
budget = 40
chains = 4
replicates = 2
[[experiment]]
name = "e"
title = "e"
targets = ["mine"]
samplers = [{samplers}]
"""
MALA = '{ name = "mala", step_size = 0.1 }'
TARGET = """
from pathlib import Path
import numpy as np
from mcmc_bench.core.target import Target, Truth, point_density
{top}

@point_density
def log_density(x, gradient, data):
    gradient[0] = -({of_k}) * x[0]
    return -0.5 * ({of_k}) * x[0] ** 2

def build() -> Target:
    {body}
    return Target(dim=1, density=log_density, one_point=np.ones(1), {fields}
                  draw_dispersed=lambda generator, n: 3 * generator.standard_normal((n, 1)))
"""


def target(top="", of_k="1.0", body="pass", fields=""):
    return TARGET.format(top=top, of_k=of_k, body=body, fields=fields)


SAMPLER = """
import numpy as np
from mcmc_bench.core.sampler import Sampler
from .scale import SCALE
SAMPLER = Sampler(kind="biased", description="{said}", source="",
    draw=lambda target, generator, start, draws, settings: SCALE * generator.standard_normal((draws, *start.shape)))
"""


@pytest.fixture
def folder(tmp_path):
    for name in ("targets", "samplers"):
        (tmp_path / name).mkdir()
    (tmp_path / "suite.toml").write_text(SUITE.replace("{samplers}", MALA))
    (tmp_path / "targets" / "mine.py").write_text(target())
    return tmp_path


def go(folder):
    """The results of a run in this process, as a notebook makes them."""
    results = run(
        folder / "suite.toml",
        output=folder / "out",
        targets_folder=folder / "targets",
        samplers_folder=folder / "samplers",
        executor="inline",
    )
    assert [str(cell.outcome) for cell in results.cells if cell.message] == [], [cell.message for cell in results.cells]
    return results


def kept(folder):
    return go(folder).provenance["resumed"]


#: How a number k comes to a target: name of a file and its text with {k}; beside `targets/mine.py`, which is the second.
CHANGES = {
    "data file, read in build": (
        "targets/k.npy",
        target(of_k="data[0]", body="k = np.load(Path(__file__).with_name('k.npy'))", fields="data=k,"),
    ),
    "data file, read at import": (
        "targets/k.npy",
        target("K = np.load(Path(__file__).with_name('k.npy'))", of_k="K[0]"),
    ),
    "data file, read by a draw": (
        "targets/k.npy",
        target(
            "FILE = Path(__file__).with_name('k.npy')\ndef draw(generator, n):\n    return np.load(FILE)[0] + generator.standard_normal((n, 1))",
            fields="draw_exact=draw,",
        ),
    ),
    "helper in a subfolder": ("targets/deep/helper.py", target("from .deep.helper import K", of_k="K")),
    "global that build sets": (
        "targets/helper.py",
        target("from . import helper\nK = 0.0", of_k="K", body="global K; K = helper.K"),
    ),
    "truth": (
        "targets/helper.py",
        target(
            "from .helper import K", fields="truth=Truth('exact', np.zeros(1), np.full(1, K), np.full(1, 2.0), -0.5),"
        ),
    ),
    "exact sampler": (
        "targets/helper.py",
        target(
            "from .helper import K", fields="draw_exact=lambda generator, n: K * generator.standard_normal((n, 1)),"
        ),
    ),
}


def write_k(file, k):
    file.parent.mkdir(exist_ok=True)
    if file.suffix == ".npy":
        np.save(file, np.full(1, k))
    else:
        file.write_text(f"K = {k}\n")


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_target_is_made_from_is_in_the_key(folder, change):
    place, text = CHANGES[change]
    (folder / "targets" / "mine.py").write_text(text)
    seen = []
    for k in (1.0, 1.0, 2.0):
        write_k(folder / place, k)
        seen.append(kept(folder))
    assert seen == [0, 1, 0]


def test_an_installed_package_counts_by_content(folder, monkeypatch):
    """A helper that is installed may change without a new version."""
    site = folder / "site"
    (site / "installed_helper-1.0.dist-info").mkdir(parents=True)
    (site / "installed_helper-1.0.dist-info" / "METADATA").write_text("Name: installed_helper\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(site))
    (folder / "targets" / "mine.py").write_text(target("from installed_helper import scale", of_k="scale()"))
    seen = []
    for k in (1.0, 1.0, 22.0):  # of another size, by which Python's own cache of compiled files goes
        text = f"from numba import njit\nK = {k}\n@njit\ndef scale():\n    return K\n"
        (site / "installed_helper.py").write_text(text)
        seen.append(kept(folder))
    monkeypatch.delitem(sys.modules, "installed_helper")
    assert seen == [0, 1, 0]


def test_what_a_sampler_is_made_from_is_in_the_key(folder):
    (folder / "suite.toml").write_text(SUITE.replace("{samplers}", f'{MALA}, {{ name = "mine" }}'))
    (folder / "samplers" / "mine.py").write_text(SAMPLER.format(said="one"))
    seen = []
    for scale, said in ((1.0, "one"), (1.0, "one"), (2.0, "one"), (2.0, "said otherwise")):
        (folder / "samplers" / "scale.py").write_text(f"SCALE = {scale}\n")
        (folder / "samplers" / "mine.py").write_text(SAMPLER.format(said=said))
        seen.append(kept(folder))
    assert seen == [0, 2, 1, 2]  # the cell of mala is kept throughout


def test_what_is_said_about_a_target_changes_the_report_and_no_cell(folder):
    for said, expected in (("one thing", 0), ("another", 1)):
        (folder / "targets" / "mine.py").write_text(target(fields=f"description={said!r}, source='{said} in print',"))
        results = go(folder)
        assert results.provenance["resumed"] == expected
        assert results.targets["mine"].description == said


def test_other_targets_of_the_folder_are_not_in_the_key(folder):
    assert kept(folder) == 0
    (folder / "targets" / "other.py").write_text(target(of_k="2.0"))
    (folder / "targets" / "notes.txt").write_text("seen")
    (folder / "targets" / "mine.py").write_text("# A remark.\n" + target())
    assert kept(folder) == 1


def test_what_cannot_be_seen_is_run_again_and_the_run_says_so(folder):
    pointer = "import ctypes\nP = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x)"
    (folder / "targets" / "mine.py").write_text(target(pointer, of_k="P(1.0)"))
    for _ in range(2):
        provenance = go(folder).provenance
        assert provenance["resumed"] == 0
        (reason,) = provenance["not_kept"].values()
        assert "global P of log_density()" in reason
    assert "not_kept" in Results.load(folder / "out").provenance


def test_a_cell_whose_target_changes_while_a_run_goes_on_is_not_kept(folder, monkeypatch):
    """Power: were it not looked for, the cell of the new target would be kept as that of the old one."""
    identities = running._identities

    def changed_afterwards(*arguments):
        found = identities(*arguments)
        (folder / "targets" / "mine.py").write_text(target(of_k="2.0"))
        forget_all()
        return found

    monkeypatch.setattr(running, "_identities", changed_afterwards)
    results = run(folder / "suite.toml", output=folder / "out", targets_folder=folder / "targets", executor="inline")
    assert results.cells[0].outcome is Outcome.FINISHED
    (reason,) = results.provenance["not_kept"].values()
    assert "not what it was when the run began" in reason
    assert not list((folder / "out" / "cells").glob("*"))


#: Two targets of one file: a table that is filled at need, by `build` or by a draw, and what is set by the last build.
TABLE = """
_tables = {}
def table(k):
    if k not in _tables:
        _tables[k] = np.linspace(-3, 3, int(k) + 9)
    return _tables[k]
LAST = [0.0]
def draw(generator, n):
    return 100 * LAST[0] + generator.choice(table(LAST[0]), (n, 1))
"""


@pytest.mark.parametrize("filled", ["table(k)", "pass"])
def test_targets_of_one_file_do_not_meet(folder, filled):
    text = target(TABLE, body=f"{filled}; LAST[0] = k", fields="draw_exact=draw,")
    (folder / "targets" / "mine.py").write_text(text.replace("build()", "build(k: float = 0.0)"))
    several = SUITE.replace(
        '"mine"', '{ name = "mine", k = 0.0 }, { name = "mine", k = 50.0 }, { name = "mine", k = 7.0 }'
    )
    (folder / "suite.toml").write_text(several.replace("{samplers}", '"oracle", ' + MALA))
    results = go(folder)
    assert "not_kept" not in results.provenance
    for cell in results.cells:
        if cell.sampler == "oracle":
            k = results.targets[cell.target].parameters["k"]
            assert results.draws(cell)["position"].mean() == pytest.approx(100 * k, abs=3.0)
    assert kept(folder) == len(results.cells)


def test_a_portrait_is_that_of_its_facts(folder):
    (folder / "suite.toml").write_text(SUITE.replace("{samplers}", '"oracle"'))
    for k in (0.0, 50.0, 0.0):
        draw = f"draw_exact=lambda generator, n: {k} + generator.standard_normal((n, 1)),"
        (folder / "targets" / "mine.py").write_text(target(fields=draw))
        assert go(folder).portrait("mine")["draws"].mean() == pytest.approx(k, abs=1.0)


# ------------------------------------------------------------ the engine

RUN = """
import sys
from numba.core import event

class Listener(event.Listener):
    compiled = 0
    def on_start(self, happening):
        Listener.compiled += 1
    def on_end(self, happening):
        pass

event.register("numba:compile", Listener())
from mcmc_bench.experiments.run import run
import mcmc_bench
assert mcmc_bench.__file__.startswith({package!r}), mcmc_bench.__file__
results = run("suite.toml", output="out", targets_folder="targets", executor="inline")
print(Listener.compiled, results.provenance["resumed"])
"""
REMARK = ("", "# A remark.\n")
#: Files of the package with a change of each (a remark moves all lines); what a second run then does: how many of its two
#: cells, of mala and of ula, it keeps, and whether it compiles anything.
EDITS = {
    "what changes no number": (
        {
            "report/page.py": REMARK,
            "report/templates/frame.html.j2": ("", "<!-- A remark. -->\n"),
            "cli/run.py": REMARK,
            "comparison/decide.py": REMARK,
            "checks/density/density.py": REMARK,
            "samplers/nuts.py": REMARK,
            "samplers/mala.py": REMARK,
        },
        2,
        False,
    ),
    "one of the samplers": (
        {"samplers/mala.py": ("2.0 * step_size * temperature", "temperature * 2.0 * step_size")},
        1,
        True,
    ),
    "metrics": ({"metrics/__init__.py": REMARK}, 0, False),
    "sampling and kernels": ({"sampling/replicate.py": REMARK, "kernels/block.py": REMARK}, 0, False),
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package with a finished run of two cells and its compiled code."""
    root = tmp_path_factory.mktemp("copy")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ENGINE_FOLDER, root / "mcmc_bench", ignore=ignore)
    for name in ("targets", "benchmarks"):  # looked for beside the package
        (root / name).mkdir()
    (root / "targets" / "mine.py").write_text(target())
    samplers = f'{MALA}, {{ name = "ula", step_size = 0.1 }}'
    (root / "suite.toml").write_text(SUITE.replace("{samplers}", samplers))
    compiled, resumed = run_copy(root)
    assert compiled > 0
    assert resumed == 0
    return root


def run_copy(root):
    """How many functions a run in a copy of the package compiles, and how many cells it keeps."""
    environment = {**os.environ, "MCMC_BENCH_CACHE_DIR": str(root / "cache"), "PYTHONPATH": str(root)}
    program = [sys.executable, "-c", RUN.format(package=str(root))]
    done = subprocess.run(program, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    compiled, resumed = done.stdout.split()[-2:]
    return int(compiled), int(resumed)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_the_engine_costs_what_it_can_change(package, tmp_path, edit):
    changes, expected, compiles = EDITS[edit]
    shutil.copytree(package, tmp_path, dirs_exist_ok=True)
    for place, (old, new) in changes.items():
        file = tmp_path / "mcmc_bench" / place
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
    compiled, resumed = run_copy(tmp_path)
    assert resumed == expected
    assert (compiled > 0) == compiles
