"""The recipes are followed, as they stand in CONTRIBUTING, in a copy of the checkout: nothing but their files is written.

One copy for all of them, since that is what costs; a command that stands in several recipes is run once.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mcmc_bench.core.results import Results
from mcmc_bench.experiments import suite

ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    "mcmc_bench",
    "targets",
    "benchmarks",
    "tests",
    "docs",
    "reports/published/noise/results.json",
    "pyproject.toml",
    "README.md",
    "CONTRIBUTING.md",
)
#: "Save this as `PATH`", and the block that follows.
FILE = re.compile(r"this\s+as\s+`([^`]+)`(?:(?!```).)*?\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def sections(document):
    """The text below each heading of second degree, by heading."""
    parts = re.split(r"^## (.*)$", (ROOT / document).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


RECIPES = sections("CONTRIBUTING.md")
LEARNED = sections("docs/learned_scores.md")["Images or points of your own"].split("### ")[1]


class Checkout:
    """A copy of what a newcomer has checked out."""

    def __init__(self, folder):
        self.folder, self.printed = folder, {}
        for name in COPIED:
            source, copy = ROOT / name, folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, copy, ignore=ignored) if source.is_dir() else shutil.copy(source, copy)

    def save(self, recipe):
        """Write the files of a recipe, none of which is there."""
        for name, text in FILE.findall(recipe):
            path = self.folder / name
            assert not path.exists(), f"{name} is no new file"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run(self, recipe):
        """The output of each command of a recipe, one after the other; none may fail."""
        lines = [line for block in SHELL.findall(recipe) for line in block.splitlines()]
        for line in lines:
            if line not in self.printed:
                self.printed[line] = self.call(line)
        return [self.printed[line] for line in lines]

    def call(self, line):
        program, *arguments = shlex.split(line)
        if line == "make tables":  # without its installation
            program, arguments = "python", ["docs/tables.py"]
        command = {"mcmc-bench": ["-m", "mcmc_bench"], "python": []}[program]
        done = subprocess.run(
            [sys.executable, *command, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{line} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """With the files of all recipes of CONTRIBUTING."""
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    for recipe in RECIPES.values():
        made.save(recipe)
    # "Move the file of your sampler"
    shutil.copy(made.folder / "my_samplers" / "box_metropolis.py", made.folder / "mcmc_bench" / "samplers")
    return made


def names(recipe):
    """The files that a recipe says to save."""
    return [name for name, _ in FILE.findall(recipe)]


def passed(output):
    """The number of tests that passed."""
    return int(re.search(r"(\d+) passed", output)[1])


def test_the_table_of_recipes_names_their_files():
    """One file, or two: a section has a template, a built-in sampler has planted faults, a metric has a test."""
    rows = re.findall(r"^\| \[([^]]*)\]\(#([\w-]+)\) \| (.*?) \|", RECIPES_TABLE, re.MULTILINE)
    assert len(rows) == 9
    for title, anchor, files in rows:
        heading = title[0].upper() + title[1:]
        assert anchor == title.replace(" ", "-")
        named = [Path(name) for name in re.findall(r"`([^`]+)`", files)]
        assert len(named) == (2 if title in ("a section of the report", "a built-in sampler", "a metric") else 1)
        folders = {path.parent for path in named if path.parent != Path()}
        assert {Path(name).parent for name in names(RECIPES[heading])} <= folders


RECIPES_TABLE = (ROOT / "CONTRIBUTING.md").read_text().split("\n## ")[0]


@pytest.mark.long
def test_what_recipes_write_passes_the_lint(checkout):
    """As `make lint` asks, which `make test` runs first; files of a user's own are left alone."""
    for line in ("ruff check", "ruff format --check", "mypy"):
        checkout.call(f"python -m {line}")


@pytest.mark.long
def test_a_target_of_your_own(checkout):
    recipe = RECIPES["A target of your own"]
    assert names(recipe) == ["my_targets/hill.py"]
    text = (checkout.folder / "my_targets" / "hill.py").read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 10
    checked, made, shown = checkout.run(recipe)
    assert "hill: no problem found" in checked
    assert "agrees with MALA" in made
    assert "reference run" in shown
    assert (checkout.folder / "my_targets" / "hill.reference.json").is_file()
    assert (checkout.folder / "hill.png").stat().st_size > 1000


@pytest.mark.slow
def test_a_sampler_of_your_own(checkout):
    recipe = RECIPES["A sampler of your own"]
    assert names(recipe) == ["my_samplers/box_metropolis.py", "my_samplers/elliptic.py"]
    verified, sampled, in_python = checkout.run(recipe)
    assert "box_metropolis: exact, as far as can be seen" in verified
    assert "box_metropolis on gaussian" in sampled
    assert "elliptic: exact, as far as can be seen" in in_python


def test_the_recipe_of_a_suite_names_every_key():
    rows = re.findall(r"^\| `(\w+)` \|", RECIPES["A suite"], re.MULTILINE)
    assert sorted(rows) == sorted(suite._LIMITS)


@pytest.mark.long
def test_a_suite(checkout):
    """With the sampler of the other recipe."""
    recipe = RECIPES["A suite"]
    assert names(recipe) == ["my_suites/widths.toml"]
    (ran,) = checkout.run(recipe)
    assert "10 cells: 10 finished" in ran
    assert (checkout.folder / "reports" / "widths" / "index.html").is_file()


@pytest.mark.long
def test_a_built_in_target(checkout, python):
    """The tests of every target among them; and its truth against a sampler, see `CHECK_TARGET`."""
    recipe = RECIPES["A built-in target"]
    assert names(recipe) == ["targets/two_wells.py"]
    tables, checked, _, sampled, tested, documented = checkout.run(recipe)
    assert "docs/targets.md: written" in tables
    assert "two_wells: no problem found" in checked
    assert "mala on two_wells" in sampled
    assert passed(tested) >= 10
    assert passed(documented) >= 1
    python("-c", CHECK_TARGET, path=[checkout.folder])


#: Six standard errors over 64 chains: a right truth fails with probability 1e-7 for each of three moments; that of a
#: barrier three times as high must fail.
CHECK_TARGET = """
import numpy as np
import mcmc_bench
target = mcmc_bench.load_target("two_wells", height=2.0)
wrong = mcmc_bench.load_target("two_wells", height=6.0)
tree = mcmc_bench.sample(target, "mala", draws=4000, warmup=500, chains=64, seed="recipe", step_size=0.05)
def z(estimates, truth):
    return abs((estimates.mean(axis=0) - truth) / (estimates.std(axis=0, ddof=1) / 8))

square = (tree["posterior"]["x"].values ** 2).mean(axis=1)
log_density = tree["sample_stats"]["lp"].values.mean(axis=1)
assert (z(square, target.truth.second_moment) < 6).all(), z(square, target.truth.second_moment)
assert z(log_density, target.truth.mean_log_density) < 6, z(log_density, target.truth.mean_log_density)
assert z(square, wrong.truth.second_moment)[0] > 6, "no power: a barrier three times as high is not seen"
"""


@pytest.mark.long
def test_a_built_in_sampler(checkout):
    """The file of the other recipe, moved."""
    tables, verified, judged, tested, documented = checkout.run(RECIPES["A built-in sampler"])
    assert "docs/samplers.md: written" in tables
    assert "box_metropolis: exact, as far as can be seen" in verified
    assert "right box_metropolis: passed" in judged
    assert "wrong box_ratio: FAILED" in judged
    assert passed(tested) >= 10
    assert passed(documented) >= 1


@pytest.mark.long
def test_a_metric(checkout):
    recipe = RECIPES["A metric"]
    assert names(recipe) == ["mcmc_bench/metrics/groups/repeats.py", "tests/metrics/test_repeats.py"]
    listed, sampled, tested = checkout.run(recipe)
    assert "Share of kept draws that equal the draw before." in " ".join(listed.split())
    assert 0.1 < float(re.search(r"repeated_draws\W+([\d.]+)", sampled)[1]) < 0.9
    assert passed(tested) >= 10


@pytest.mark.long
def test_a_section_of_the_report(checkout):
    recipe = RECIPES["A section of the report"]
    assert [Path(name).suffix for name in names(recipe)] == [".py", ".j2"]
    _, tested = checkout.run(recipe)
    page = (checkout.folder / "reports" / "with_time" / "index.html").read_text()
    assert '<a href="#time">Time</a>' in page
    assert re.search(r'<section id="time">.*?<th scope="row">mala</th><td>\d+\.\d\d</td>', page, re.DOTALL)
    assert passed(tested) >= 10


@pytest.mark.long
def test_a_command(checkout):
    recipe = RECIPES["A command"]
    assert names(recipe) == ["mcmc_bench/cli/cite.py"]
    tables, cited, tested, documented = checkout.run(recipe)
    assert "README.md: written" in tables
    assert "Roberts and Tweedie 1996" in cited
    assert passed(tested) >= 1
    assert passed(documented) >= 1
    assert "Print the publications that a sampler comes from." in checkout.call("mcmc-bench --help")


@pytest.mark.long
def test_an_executor(checkout):
    recipe = RECIPES["An executor"]
    assert names(recipe) == ["mcmc_bench/executors/standard.py"]
    (tested,) = checkout.run(recipe)
    assert passed(tested) >= 5
    assert "standard: worker processes of Python's standard library" in " ".join(
        checkout.call("mcmc-bench run --help").replace("│", " ").split()
    )


@pytest.mark.long
def test_learn_a_density_from_your_own_images(checkout):
    """Without the noise there is one image, with it there are many."""
    assert names(LEARNED) == ["my_images.py", "discs.toml"]
    pytest.importorskip(
        "torch", reason="NOT TESTED: the recipe that learns; install the extra: pip install -e '.[train]'"
    )
    checkout.save(LEARNED)
    _, trained, checked, ran = checkout.run(LEARNED)
    assert float(re.search(r"loss: +(\S+) on 80 held-out examples", trained)[1]) < 0.5
    assert "discs: no problem found" in checked
    assert "2 cells: 2 finished" in ran
    without, with_noise = Results.load(checkout.folder / "reports" / "discs").cells
    assert without.value("distinct_data") < 0.1
    assert with_noise.value("distinct_data") > 0.9
    assert with_noise.value("data_sliced_wasserstein") < 0.5 * without.value("data_sliced_wasserstein")
    assert with_noise.value("escaped_share") == 0.0
