"""The command line: exit codes, errors in one line, help with examples, and what each command leaves behind."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import mcmc_bench
import mcmc_bench.samplers
from mcmc_bench.cli.app import app, commands
from mcmc_bench.cli.console import ExitCode
from mcmc_bench.core.results import Results

PACKAGE = Path(mcmc_bench.__file__).parent


def call(*arguments):
    """Exit code, standard output, standard error."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_run_reports_and_resumes(small_suite, tmp_path):
    code, out, _ = call("run", small_suite, "-o", tmp_path / "out", "--workers", 2)
    assert code == 0
    assert "4 cells: 4 finished" in out
    assert (tmp_path / "out" / "index.html").is_file()
    assert Results.load(tmp_path / "out").provenance["complete"]
    code, out, _ = call("run", small_suite, "-o", tmp_path / "out", "--no-report")
    assert code == 0
    assert "(4 kept from an earlier run)" in out
    code, out, _ = call("report", tmp_path / "out", "-o", tmp_path / "elsewhere")
    assert code == 0
    assert (tmp_path / "elsewhere" / "index.html").is_file()


def test_failed_cells_are_exit_code_1(tmp_path):
    (tmp_path / "broken.py").write_text("def build():\n    raise RuntimeError('broken today')\n")
    suite = tmp_path / "s.toml"
    suite.write_text(
        '[suite]\ntitle = "S"\nbudget = 50\nchains = 2\n[[experiment]]\nname = "m"\ntargets = ["broken"]\n'
        'samplers = ["mala"]\n'
    )
    code, out, err = call("run", suite, "--targets", tmp_path, "-o", tmp_path / "out", "--no-report", "--workers", 1)
    assert code == 1
    assert "1 raised" in out
    assert "broken today" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "noize"), "did you mean 'noise'"),
        (("run", "smoke", "--targets", "nowhere"), "no such folder"),
        (("report", "nowhere"), "no such file; make one with"),
        (("show", "bananna"), "did you mean 'banana'"),
        (("show", "gaussian", "--set", "dimm=3"), "did you mean 'dim'"),
        (("show", "gaussian", "--set", "dim"), "--set dim: write NAME=VALUE, for example --set dim=1"),
        (("sample", "gaussian", "mala", "--target-set", "dim"), "--target-set dim: write NAME=VALUE"),
        (("score", "x.nc", "--target", "gaussian", "--target-set", "dim"), "--target-set dim: write NAME=VALUE"),
        (("sample", "gaussian", "mala", "--set", "step_size=1", "--set", "step_size=2"), "step_size is given twice"),
        (
            ("sample", "gaussian", "mala", "-o", "nowhere/x.nc"),
            "nowhere/x.nc cannot be written: there is no folder nowhere",
        ),
        (("sample", "gaussian", "mala", "-o", "."), ". is a folder: name a file in it"),
        (("sample", "gaussian", "hmc", "--set", "num_integration_steps=" + "9" * 20), "must be at most 1000000"),
        (("sample", "banana", "malla"), "did you mean 'mala'"),
        (("sample", "banana", "mala", "--set", "stepsize=1"), "did you mean 'step_size'"),
        (("sample", "banana", "mala", "--set", "step_size=-1"), "must be greater than 0"),
        (("sample", "banana", "mala", "--draws", "0"), "draws = 0 must be a whole number"),
        (("sample", "banana", "mala", "--start", "middle"), "unknown start 'middle'"),
        (("sample", "breast_cancer_logistic", "oracle"), "has no exact sampler"),
        (("list", "things"), "things"),
        (("run", "smoke", "--workers", "0"), "or equal to 1"),
        (("sing",), "sing"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(arguments, message):
    code, _, err = call(*arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("wrong", "line", "reason"),
    [
        ("record(nothing, chain", "record(nothing, chain", "NameError: name 'nothing' is not defined"),
        ("record(statistics.nothing, chain", "record(statistics.nothing", "Unknown attribute 'nothing'"),
        ("with open('x') as file: pass\n        record(statistics, chain", "@jit", "is not supported"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "sample"])
def test_a_sampler_that_does_not_compile_is_one_line(tmp_path, command, wrong, line, reason):
    right = (Path(mcmc_bench.samplers.__path__[0]) / "random_walk_metropolis.py").read_text()
    assert right.count("record(statistics, chain") == 1
    # Two files that are the same but for their folder are one function to the engine, which names the first of them.
    wrong, line, reason = (text.replace("nothing", f"nothing_to_{command}") for text in (wrong, line, reason))
    file = tmp_path / "mine.py"
    file.write_text(right.replace("record(statistics, chain", wrong))
    number = next(n for n, text in enumerate(file.read_text().splitlines(), start=1) if line in text)
    arguments = (file, "--quick") if command == "verify" else ("gaussian", "mine", "--samplers", file, "--draws", 10)
    code, _, err = call(command, *arguments)
    assert code == 2
    (said,) = (text for text in err.splitlines() if text.startswith("mcmc-bench: "))
    assert said.startswith(f"mcmc-bench: {file}, line {number}: step() cannot be compiled: ")
    assert reason in said


def test_an_output_that_cannot_be_written(small_suite, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = call("run", small_suite, "-o", tmp_path / "file" / "below", "--no-report", "--workers", 1)
    assert code == 2
    assert "file" in err


def test_results_need_a_folder(small_suite, tmp_path):
    file = tmp_path / "chains.nc"
    file.write_text("")
    code, _, err = call("run", small_suite, "-o", file, "--no-report", "--workers", 1)
    assert code == 2
    assert f"mcmc-bench: {file} is a file, not a folder" in err


def test_lists():
    for kind, words in (
        ("targets", ("banana", "reference run")),
        ("samplers", ("gradient_ascent", "optimiser")),
        ("suites", ("noise", "smoke")),
        ("metrics", ("r_hat_max", "convergence", "higher, ideal 1", "near 1")),
    ):
        code, out, _ = call("list", kind, "--no-cost")  # the cost of targets: tests/catalog/test_cost.py
        assert code == 0
        for word in words:
            assert word in out.replace("\n", " ")


def test_a_broken_target_hides_no_other(tmp_path):
    (tmp_path / "broken.py").write_text("def build():\n    raise RuntimeError('broken today')\n")
    (tmp_path / "cut_off.py").write_text("1 / 0\n")
    code, out, _ = call("list", "targets", "--no-cost", "--targets", tmp_path)
    assert code == 0
    assert "RuntimeError: broken today" in out
    assert "ZeroDivisionError" in out
    assert "banana" in out


@pytest.mark.parametrize(
    ("target", "further"),
    [
        ("banana", ()),
        ("gaussian", ("--set", "dim=1")),
        ("gaussian", ("--set", "dim=12", "--set", "condition=50")),
        ("breast_cancer_logistic", ()),
    ],
)
def test_show_draws_a_picture(tmp_path, target, further):
    file = tmp_path / "picture.png"
    code, out, _ = call("show", target, *further, "-o", file)
    assert code == 0
    assert "truth" in out
    with Image.open(file) as picture:
        assert min(picture.size) > 200
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 5  # not blank


def test_sample_measures_and_stores(tmp_path):
    file = tmp_path / "draws.nc"
    arguments = ("--draws", 200, "--set", "step_size=0.3", "--target-set", "dim=3", "-o", file)
    code, out, _ = call("sample", "gaussian", "hmc", *arguments)
    assert code == 0
    assert "within_mode_variance_ratio" in out
    assert file.stat().st_size > 1000


@pytest.mark.parametrize("command", commands())
def test_help_has_an_example(command):
    code, out, _ = call(command, "--help")
    assert code == 0
    assert f"mcmc-bench {command}" in " ".join(out.replace("│", " ").split())
    for example in commands()[command].EXAMPLES:
        words = shlex.split(example)
        assert words[:2] == ["mcmc-bench", command]
        typer.main.get_command(app).commands[command].make_context(command, words[2:])


def test_help_names_every_exit_code(python):
    out = " ".join(python("-m", "mcmc_bench", "--help").split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in out


def test_a_new_command_is_one_new_file(python, tmp_path):
    """In a copy of the package: the file is all that is written, and the command is listed and runs."""
    shutil.copytree(PACKAGE, tmp_path / "mcmc_bench", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "mcmc_bench" / "cli" / "greet.py").write_text(GREET)
    assert "Greet somebody." in python("-m", "mcmc_bench", "--help", path=[tmp_path])
    assert "mcmc-bench greet Ada" in python("-m", "mcmc_bench", "greet", "--help", path=[tmp_path])
    assert python("-m", "mcmc_bench", "greet", "Ada", path=[tmp_path]) == "hello Ada\n"


GREET = """
import typer
from mcmc_bench.cli.console import Group

GROUP = Group.LOOK
EXAMPLES = ("mcmc-bench greet Ada",)


def command(name: str) -> None:
    \"""Greet somebody.\"""
    typer.echo(f"hello {name}")
"""


def test_a_fault_of_ours_is_no_regression(tmp_path):
    """It has an exit code of its own, and a traceback."""
    shutil.copytree(PACKAGE, tmp_path / "mcmc_bench", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "mcmc_bench" / "cli" / "greet.py").write_text(GREET.replace("typer.echo", "None(1);"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "mcmc_bench", "greet", "Ada"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.INTERNAL_ERROR
    assert "TypeError" in done.stderr


def test_help_is_quick(python):
    """Its time is measured in benchmarks/speed; what is asserted here is that nothing heavy is imported."""
    assert "Exit codes" in python("-m", "mcmc_bench", "--help")
    loaded = python("-c", "import sys, mcmc_bench.cli.app; print(' '.join(sys.modules))").split()
    for heavy in ("numba", "numpy", "matplotlib", "xarray", "scipy", "arviz_stats", "pandas"):
        assert heavy not in loaded


def test_a_terminal_shows_a_bar_with_an_estimate(small_suite, tmp_path):
    """On a terminal of its own: what is done now, how many cells of how many, and the time that is left."""
    pty = pytest.importorskip("pty", reason="there are no such terminals on this system")
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mcmc_bench", "run", str(small_suite), "-o", str(tmp_path / "out"), "--no-report"],
        stderr=child,
        stdout=subprocess.PIPE,
        text=True,
        # With nothing compiled before: the bar is drawn ten times a second, and reading from a cache is over sooner.
        env={**os.environ, "TERM": "xterm", "COLUMNS": "160", "MCMC_BENCH_CACHE_DIR": str(tmp_path / "cache")},
    )
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # Linux's way to say that the other end is closed
        while piece := os.read(parent, 4096):
            shown += piece
    os.close(parent)
    out = process.communicate()[0]
    assert process.returncode == 0
    text = shown.decode()
    for words in ("running small", "compiling (1 of", "4/4", "left", "song_ermon · "):
        assert words in text
    assert re.search(r"left [^\n]*\d:\d\d:\d\d", text)
    assert "4 cells: 4 finished" in out
