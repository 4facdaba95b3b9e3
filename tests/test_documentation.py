"""The documentation is true: its its examples run and its commands exist as they stand there, its links and tables are right."""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer

from mcmc_bench.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
YOUR_OWN = (ROOT / "docs" / "your_own_target.md").read_text()
GUIDES = [path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))]
#: The recipes themselves are run in test_recipes.py: some of their commands exist only when they have been followed.
WITHOUT_RECIPES = re.sub(r"^```.*?^```$", "", CONTRIBUTING, flags=re.DOTALL | re.MULTILINE)
SAMPLERS = (ROOT / "docs" / "samplers.md").read_text()


def script(path):
    """A script of the checkout as a module."""
    made = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


tables = script(ROOT / "docs" / "tables.py")
architecture = script(ROOT / "tests" / "test_architecture.py")
recipes = script(ROOT / "tests" / "test_recipes.py")


def blocks(text, language):
    """The code blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


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
    "words", [words for text in (README, WITHOUT_RECIPES, *GUIDES) for words in commands(text)], ids=" ".join
)
def test_commands_are_commands(words):
    """Each is parsed by the command line itself: its name, options and kinds of values exist. A name alone exists."""
    command = typer.main.get_command(app).commands[words[0]]
    if words[1:]:
        command.make_context(words[0], words[1:])


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


#: A path in code, but for those with a NAME to fill in.
PATH = re.compile(r"`((?:mcmc_bench|tests|targets|benchmarks|docs|reports|\.github|\.ci)/[a-z0-9_/.-]*)`")


@pytest.mark.parametrize("document", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=lambda path: path.name)
def test_paths_exist(document):
    """But for those that a recipe makes."""
    made = {name for recipe in recipes.RECIPES.values() for name in recipes.names(recipe)}
    for path in set(PATH.findall(document.read_text())) - made:
        assert (ROOT / path).exists(), f"{document.name} names {path}"


def test_the_rooms_are_those_of_the_architecture():
    """In their order, top floor first."""
    listing = re.search(r"^```\n(cli .*?)^```$", CONTRIBUTING, flags=re.DOTALL | re.MULTILINE)
    named = [line.split()[0] for line in listing[1].splitlines()]
    assert named == [room for room in architecture.MAY_IMPORT if room not in ("__main__", "pytest_plugin")]


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
