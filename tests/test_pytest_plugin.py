"""The fixture for who writes a sampler, used as they use it: in a folder of their own, in a pytest of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

import mcmc_bench.samplers

RIGHT = (Path(mcmc_bench.samplers.__path__[0]) / "mala.py").read_text()
#: Said of editable installs only; see pyproject.toml.
EDITABLE = "ignore:Module already imported so cannot be rewritten; _editable_impl:pytest.PytestAssertRewriteWarning"
TEST = """
def test_sampler(sampler_check):
    found = sampler_check("my_sampler.py", targets=[{{"name": "gaussian", "dim": 4}}, "banana"], budget=1000,
                          settings={{"step_size": 0.3}}, replicates=40{further})
    assert found.verdict == "pass"
    assert len(found.cells) == 2
"""


def run_pytest(folder, source, further="", test=TEST):
    (folder / "my_sampler.py").write_text(source)
    (folder / "test_mine.py").write_text(test.format(further=further))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "-W", EDITABLE, "test_mine.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_right_sampler_passes_and_a_faulty_one_fails_with_the_verdict(tmp_path):
    code, out = run_pytest(tmp_path, RIGHT)
    assert code == 0, out
    code, out = run_pytest(tmp_path, RIGHT.replace("(forward - backward)", "(backward - forward)"))
    assert code == 1
    assert "Regression: " in out
    assert "is biased: off by" in out
    assert "mcmc_bench/pytest_plugin.py" not in out, "the verdict, and not our stack"


@pytest.mark.slow
def test_with_a_baseline_efficiency_is_judged_too(tmp_path):
    record = TEST.split("    assert", maxsplit=1)[0].replace("found = ", "")
    code, out = run_pytest(tmp_path, RIGHT, ', record="mine.json"', record)
    assert code == 0, out
    assert (tmp_path / "mine.json").is_file()
    code, out = run_pytest(tmp_path, RIGHT, ', baseline="mine.json", inconclusive="pass"')
    assert code == 0, out
    slow = RIGHT.replace("step_size, temperature = settings", "step_size, temperature = 0.1 * settings[0], settings[1]")
    code, out = run_pytest(tmp_path, slow, ', baseline="mine.json"')
    assert code == 1
    assert "the gradients it needed for the same error" in out


def test_mistakes_are_clear(tmp_path):
    for further, message in (
        (', inconclusive="maybe"', "must be 'fail' or 'pass'"),
        (', baseline="absent.json"', "no such file"),
        (", chains=0", "must be a whole number, at least 1"),
    ):
        code, out = run_pytest(tmp_path, RIGHT, further)
        assert code == 1
        assert message in out


def test_pytest_pays_nothing_for_it(python):
    loaded = python("-c", "import sys, mcmc_bench.pytest_plugin; print(' '.join(sys.modules))").split()
    for heavy in ("numba", "numpy", "scipy", "matplotlib", "xarray"):
        assert heavy not in loaded
