"""A cell that raises, hangs, dies or misbehaves costs that cell, and its outcome says so."""

import json

from mcmc_bench.core.results import Results
from mcmc_bench.experiments.run import run

TARGET = """
import os
import numpy as np
from mcmc_bench.core.target import Target, point_density

@point_density
def log_density(x, gradient, data):
    gradient[0] = -x[0]
    while data[0] > 0.0:  # for ever
        data[0] += 1.0
    return -0.5 * x[0] ** 2

def draw(generator, n):
    {draw}
    return generator.standard_normal((n, 1))

def build():
    return Target(dim=1, density=log_density, data=np.array([{loops}]), draw_dispersed=draw, one_point=np.zeros(1))
"""

BAD = """
[suite]
title = "Bad"
budget = 50
chains = 4
replicates = 2
time_limit = 600
metrics = ["cost", "modes"]

[[experiment]]
name = "main"
targets = {targets}
samplers = ["mala", "oracle"]
"""


def test_a_bad_cell_costs_one_cell(tmp_path):
    """Raising, dying, never coming back, not finite at the start: each its outcome, and the rest goes on."""
    folder = tmp_path / "targets"
    folder.mkdir()
    for name, draw, loops in (
        ("fine", "", "0.0"),
        ("raises", 'raise RuntimeError("no starts today")', "0.0"),
        ("dies", "os._exit(3)", "0.0"),
        ("loops", "", "1.0"),
        ("leaves", "return np.full((n, 1), np.nan)", "0.0"),
    ):
        (folder / f"{name}.py").write_text(TARGET.format(draw=draw, loops=loops))
    suite = tmp_path / "bad.toml"
    names = ["fine", "raises", "dies", "loops", "leaves"]
    # Only what loops has little time: the others may be on a machine that has other things to do.
    targets = json.dumps(names).replace('"loops"', '{ name = "loops", time_limit = 2 }')
    suite.write_text(BAD.format(targets=targets))
    results = run(suite, output=tmp_path / "out", targets_folder=folder, workers=2)
    found = {(cell.target, cell.sampler): cell for cell in results.cells}
    assert {name: found[name, "mala"].outcome for name in names} == {
        "fine": "finished",
        "raises": "raised",
        "dies": "died",
        "loops": "timed out",
        "leaves": "raised",
    }
    assert "no starts today" in found["raises", "mala"].message
    assert "exit code 3" in found["dies", "mala"].message
    assert "not finished after 2 s" in found["loops", "mala"].message
    assert "not finite at the start" in found["leaves", "mala"].message
    assert {found[name, "oracle"].outcome for name in names} == {"not applicable"}
    assert Results.load(tmp_path / "out").to_json() == results.to_json()


RUDE = """
import os
import signal
import sys
import numpy as np
from mcmc_bench.core.target import Target, point_density

class Own(Exception):
    def __init__(self, text, number):  # cannot be unpickled
        super().__init__(text)

@point_density
def log_density(x, gradient, data):
    gradient[0] = -x[0]
    return -0.5 * x[0] ** 2

def own(): raise Own("of its own class", 2)
def local(): raise type("Local", (Exception,), {})("of no module")
def leave(): sys.exit("good-bye")
def late(): raise TimeoutError("its own, not ours")
def crash(): os.kill(os.getpid(), signal.SIGSEGV)

def build(does=("nothing",)):
    def draw(generator, n):
        globals().get(does[0], list)()
        return generator.standard_normal((n, 1))
    return Target(dim=1, density=log_density, data=np.zeros(1), draw_dispersed=draw, one_point=np.zeros(1))
"""


def test_nothing_that_a_target_does_ends_the_run(tmp_path):
    """Exceptions that cannot cross a process, SystemExit, a crash; and a parameter may be a list."""
    (tmp_path / "rude.py").write_text(RUDE)
    targets = [{"does": [what]} for what in ("own", "local", "leave", "late", "crash", "nothing")]
    entries = ", ".join(f'{{ name = "rude", does = {json.dumps(target["does"])} }}' for target in targets)
    suite = tmp_path / "rude.toml"
    suite.write_text(BAD.format(targets=f"[{entries}]").replace(', "oracle"', ""))
    results = run(suite, output=tmp_path / "out", targets_folder=tmp_path, workers=2)
    assert [(cell.outcome, cell.message) for cell in results.cells] == [
        ("raised", "Own: of its own class"),
        ("raised", "Local: of no module"),
        ("raised", "SystemExit: good-bye"),
        ("raised", "TimeoutError: its own, not ours"),
        ("died", "its process ended with exit code -11"),
        ("finished", ""),
    ]
