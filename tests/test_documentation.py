"""The documentation is true: its examples, commands and recipes run as they stand there, its links and tables are right."""

import importlib.util
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from mcmc_bench.cli.app import app
from mcmc_bench.core.results import Results

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
YOUR_OWN = (ROOT / "docs" / "your_own_target.md").read_text()
LEARNED = (ROOT / "docs" / "learned_scores.md").read_text()
SAMPLERS = (ROOT / "docs" / "samplers.md").read_text()


def script(path):
    """A script of the checkout as a module."""
    made = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


tables = script(ROOT / "docs" / "tables.py")


def blocks(text, language):
    """The code blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def recipe(name):
    """The file that a recipe says to save under a path ending in `name`."""
    (found,) = [
        block for block in blocks(CONTRIBUTING, "python") if block.startswith("# ") and name in block.split("\n")[0]
    ]
    return found


def commands(text):
    """Every mcmc-bench command line in code, as lists of words, without the program's name and "mcmc-bench COMMAND"."""
    text = tables.TABLE.sub("", text)
    inline = re.findall(r"`(mcmc-bench [^`]*)`", text)
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in inline + lines if re.match("mcmc-bench [a-z]", line)]


def test_python_example_of_the_readme(python):
    (example,) = blocks(README, "python")
    assert len(example.strip().splitlines()) <= 12
    printed = python("-c", example)
    without, with_noise = (int(count) for count in re.findall(r"16 chains end at (\d+) points", printed))
    assert without <= 2  # the peaks
    assert with_noise == 16
    assert "calibration" in printed or "spread" in printed, printed


@pytest.mark.parametrize(
    "words", commands(README) + commands(CONTRIBUTING) + commands(YOUR_OWN) + commands(LEARNED), ids=" ".join
)
def test_commands_are_commands(words):
    """Each is parsed by the command line itself: its name, options and kinds of values exist."""
    group = typer.main.get_command(app)
    group.commands[words[0]].make_context(words[0], words[1:])


def test_a_wrong_command_is_seen():
    with pytest.raises(Exception, match="--misspelt"):
        test_commands_are_commands(["run", "noise", "--misspelt"])


def test_make_commands_exist():
    code = "\n".join(blocks(README + CONTRIBUTING, "sh") + re.findall(r"`(make [a-z-]+)`", README + CONTRIBUTING))
    wanted = set(re.findall(r"\bmake ([a-z-]+)", code))
    assert {"demo", "test"} <= wanted
    for name in sorted(wanted | {"report", "bench", "clean", "lint", "help"}):
        done = subprocess.run(["make", "--dry-run", name], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_tables_are_those_of_the_declarations():
    """Commands, exit codes, samplers and targets."""
    found = {name for path in tables.documents() for _, name, _ in tables.TABLE.findall(path.read_text())}
    assert found == set(tables.TABLES)
    for path in tables.documents():
        wrong = tables.difference(path.read_text())
        assert not wrong, f"{path.relative_to(ROOT)} is out of date; run `make tables`:\n{wrong}"


def test_a_table_that_lacks_a_line_is_seen():
    """The line to write is named; so is a line that says something else."""
    line = next(line for line in SAMPLERS.splitlines() if "`mala`" in line)
    assert tables.difference(SAMPLERS.replace(line + "\n", "")) == f"+{line}"
    assert tables.difference(SAMPLERS.replace(line, line + "!")) == f"-{line}!\n+{line}"


def test_every_published_report_is_named_in_the_readme():
    linked = set(re.findall(r"\(reports/published/(\w+)/index.html\)", README))
    assert linked == {path.parent.name for path in ROOT.glob("reports/published/*/index.html")}


@pytest.mark.parametrize("document", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if not link.startswith("http"):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_numpy_example_of_your_own_target(python):
    (example,) = blocks(YOUR_OWN, "python")
    # The density is narrower than a normal one, whose standard deviation is 1, and wider than half of it.
    assert 0.5 < float(python("-c", example)) < 0.95


@pytest.mark.slow
def test_pymc_example_of_your_own_target(python):
    pytest.importorskip("pymc", reason="NOT TESTED: the PyMC example; install the extra: pip install -e '.[pymc]'")
    (example,) = blocks(YOUR_OWN, "python pymc")
    printed = python("-c", example)
    assert "('mu', 'tau_log__')" in printed
    constants = [float(number) for number in re.findall(r"-?\d+\.\d+", printed.split("__')")[1])]
    assert max(constants) - min(constants) < 1e-6


@pytest.mark.slow
def test_add_a_target_in_ten_lines(python, tmp_path):
    """The recipe's lines are ten at most, and its commands run one after the other: check, reference, show."""
    text = recipe("hill.py")
    assert len([line for line in text.splitlines() if line.strip() and not line.startswith("#")]) <= 10
    (tmp_path / "my_targets").mkdir()
    (tmp_path / "my_targets" / "hill.py").write_text(text)
    mentioned = [words for words in commands(CONTRIBUTING) if any("hill" in word for word in words)]
    assert [words[0] for words in mentioned] == ["check", "reference", "show"]
    checked, made, shown = (python("-m", "mcmc_bench", *words) for words in mentioned)
    assert "hill: no problem found" in checked
    assert "agrees with MALA" in made
    assert "reference run" in shown
    assert (tmp_path / "my_targets" / "hill.reference.json").is_file()
    assert (tmp_path / "hill.png").stat().st_size > 1000


@pytest.mark.slow
def test_a_sampler_in_plain_python(python, tmp_path):
    (tmp_path / "elliptic.py").write_text(recipe("elliptic.py"))
    (words,) = [words for words in commands(CONTRIBUTING) if "elliptic.py" in words]
    assert "elliptic: exact, as far as can be seen" in python("-m", "mcmc_bench", *words)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute where nothing else runs
def test_learn_a_density_from_your_own_images(python, tmp_path):
    """The recipe's commands, one after the other; without the noise there is one image, with it there are many."""
    pytest.importorskip(
        "torch", reason="NOT TESTED: the recipe that learns; install the extra: pip install -e '.[train]'"
    )
    (tmp_path / "my_images.py").write_text(recipe("my_images.py"))
    (suite,) = [block for block in blocks(CONTRIBUTING, "toml") if block.startswith("# discs.toml")]
    (tmp_path / "discs.toml").write_text(suite)
    python("my_images.py")
    mentioned = [words for words in commands(CONTRIBUTING) if any("discs" in word for word in words)]
    assert [words[0] for words in mentioned] == ["train", "check", "run"]
    trained, checked, ran = (python("-m", "mcmc_bench", *words) for words in mentioned)
    assert float(re.search(r"loss: +(\S+) on 80 held-out examples", trained)[1]) < 0.5
    assert "discs: no problem found" in checked
    assert "2 cells: 2 finished" in ran
    without, with_noise = (
        {row.metric: row.value for row in cell.metric_values}
        for cell in Results.load(tmp_path / "reports" / "discs").cells
    )
    assert without["distinct_data"] < 0.1
    assert with_noise["distinct_data"] > 0.9
    assert with_noise["data_sliced_wasserstein"] < 0.5 * without["data_sliced_wasserstein"]
    assert with_noise["escaped_share"] == 0.0


@pytest.mark.slow
def test_add_a_target(python, tmp_path):
    """The recipe's commands, and its truth against a sampler: six standard errors over 64 chains.

    A right truth fails with probability 1e-7 for each of three moments; one for a higher barrier must fail.
    """
    (tmp_path / "my_targets").mkdir()
    (tmp_path / "my_targets" / "two_wells.py").write_text(recipe("two_wells.py"))
    mentioned = [words for words in commands(CONTRIBUTING) if "two_wells" in words]
    assert len(mentioned) == 2
    for words in mentioned:
        python("-m", "mcmc_bench", *words)
    assert (tmp_path / "two_wells.png").stat().st_size > 1000
    python("-c", CHECK_TARGET, path=[ROOT])


CHECK_TARGET = """
import numpy as np
import mcmc_bench
target = mcmc_bench.load_target("two_wells", targets_folder="my_targets", height=2.0)
x, step = np.array([0.3, -0.7]), 1e-6
log_p = lambda x: target.log_density_and_gradient(x)[0][0]
numeric = [(log_p(x + step * e) - log_p(x - step * e)) / (2 * step) for e in np.eye(2)]
np.testing.assert_allclose(target.log_density_and_gradient(x)[1][0], numeric, rtol=1e-6)
wrong = mcmc_bench.load_target("two_wells", targets_folder="my_targets", height=6.0)
tree = mcmc_bench.sample(target, "mala", draws=4000, warmup=500, chains=64, seed="recipe", step_size=0.05)
def z(estimates, truth):
    return abs((estimates.mean(axis=0) - truth) / (estimates.std(axis=0, ddof=1) / 8))

square = (tree["posterior"]["x"].values ** 2).mean(axis=1)
log_density = tree["sample_stats"]["lp"].values.mean(axis=1)
assert (z(square, target.truth.second_moment) < 6).all(), z(square, target.truth.second_moment)
assert z(log_density, target.truth.mean_log_density) < 6, z(log_density, target.truth.mean_log_density)
assert z(square, wrong.truth.second_moment)[0] > 6, "no power: a barrier three times as high is not seen"
"""


@pytest.mark.slow
def test_add_a_sampler(python, tmp_path):
    """In a copy of the checkout: the recipe's commands, the property tests among them, with nothing else edited."""
    ignore = shutil.ignore_patterns("__pycache__", "published")
    for name in ("mcmc_bench", "targets", "tests/samplers", "tests/statistical.py", "pyproject.toml"):
        source, copy = ROOT / name, tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        shutil.copytree(source, copy, ignore=ignore) if source.is_dir() else shutil.copy(source, copy)
    (tmp_path / "mcmc_bench" / "samplers" / "box_metropolis.py").write_text(recipe("box_metropolis.py"))
    lines = [line for block in blocks(CONTRIBUTING, "sh") for line in block.splitlines() if "box_metropolis" in line]
    assert len(lines) == 2
    first, second = (shlex.split(line) for line in lines)
    assert "box_metropolis on gaussian" in python("-m", "mcmc_bench", *first[1:], path=[tmp_path])
    assert second[0] == "python"
    tested = python(*second[1:], path=[tmp_path])
    assert int(re.search(r"(\d+) passed", tested)[1]) >= 10, tested
