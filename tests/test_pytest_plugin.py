"""The fixture for who writes a sampler, used as they use it: in a folder of their own, in a pytest of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import mcmc_bench.samplers

RIGHT = (Path(mcmc_bench.samplers.__path__[0]) / "mala.py").read_text()
#: Said of editable installs only; see pyproject.toml.
EDITABLE = "ignore:Module already imported so cannot be rewritten; _editable_impl:pytest.PytestAssertRewriteWarning"
MISREAD = RIGHT.replace("(forward - backward)", "(backward - forward)")
SLOW = RIGHT.replace("step_size, temperature = settings", "step_size, temperature = 0.1 * settings[0], settings[1]")
CALL = """
def test_{name}(sampler_check):
    found = sampler_check("{sampler}.py", targets=[{{"name": "gaussian", "dim": 4}}, "banana"], budget=1000,
                          settings={{"step_size": 0.3}}, replicates=40, {further})
"""
PASSES = """\
    assert found.verdict == "pass"
    assert len(found.cells) == 2
"""


def run_pytest(folder, *tests, samplers):
    """A pytest of its own for `tests` (name, sampler, further arguments, last lines): name to text of those that fail."""
    for name, source in samplers.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)
    (folder / "test_mine.py").write_text(
        "".join(CALL.format(name=name, sampler=sampler, further=more) + last for name, sampler, more, last in tests)
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-rA",
            "-p",
            "no:cacheprovider",
            "-W",
            "error",
            "-W",
            EDITABLE,
            "test_mine.py",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    passed = set(re.findall(r"^PASSED test_mine\.py::test_(\w+)", done.stdout, re.MULTILINE))
    said = re.split(r"^_+ test_(\w+) _+$", done.stdout.partition("= short test summary")[0], flags=re.MULTILINE)
    failed = dict(zip(said[1::2], said[2::2], strict=True))
    assert passed | set(failed) == {name for name, *_ in tests}, done.stdout + done.stderr
    assert done.returncode == (1 if failed else 0)
    return failed


@pytest.mark.slow
def test_a_right_sampler_passes_and_a_faulty_one_fails_with_the_verdict(tmp_path):
    failed = run_pytest(
        tmp_path,
        ("right", "right", "", PASSES),
        ("misread", "misread", 'executor="inline"', ""),
        samplers={"right": RIGHT, "misread": MISREAD},
    )
    assert set(failed) == {"misread"}
    assert "Regression: " in failed["misread"]
    assert "is biased: off by" in failed["misread"]
    assert "mcmc_bench/pytest_plugin.py" not in failed["misread"], "the verdict, and not our stack"


@pytest.mark.slow
def test_with_a_baseline_efficiency_is_judged_too(tmp_path):
    failed = run_pytest(
        tmp_path,
        ("record", "right/mine", 'executor="inline", record="mine.json"', ""),
        ("same", "right/mine", 'executor="inline", baseline="mine.json", inconclusive="pass"', PASSES),
        ("slow", "slow/mine", 'executor="inline", baseline="mine.json"', ""),
        samplers={"right/mine": RIGHT, "slow/mine": SLOW},
    )
    assert (tmp_path / "mine.json").is_file()
    assert set(failed) == {"slow"}
    assert "the gradients it needed for the same error" in failed["slow"]


def test_mistakes_are_clear(tmp_path):
    failed = run_pytest(
        tmp_path,
        ("option", "mine", 'inconclusive="maybe"', ""),
        ("file", "mine", 'baseline="absent.json"', ""),
        ("number", "mine", "chains=0", ""),
        samplers={"mine": RIGHT},
    )
    assert "must be 'fail' or 'pass'" in failed["option"]
    assert "no such file" in failed["file"]
    assert "must be a whole number, at least 1" in failed["number"]


def test_pytest_pays_nothing_for_it(python):
    loaded = python("-c", "import sys, mcmc_bench.pytest_plugin; print(' '.join(sys.modules))").split()
    for heavy in ("numba", "numpy", "scipy", "matplotlib", "xarray"):
        assert heavy not in loaded
