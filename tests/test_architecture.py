"""The house keeps its floors: imports only point down, every module says what it is for, nothing names one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mcmc_bench"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "content" not in path.parts)

#: The rooms, top floor first, and the rooms below that each may use. Whatever is not named here is forbidden.
MAY_IMPORT = {
    "__main__": {"cli"},
    "cli": {
        "catalog",
        "checks",
        "comparison",
        "core",
        "densities",
        "executors",
        "experiments",
        "metrics",
        "report",
        "sampling",
    },
    "pytest_plugin": {"catalog", "comparison", "experiments"},
    "experiments": {"catalog", "comparison", "core", "executors", "kernels", "metrics", "sampling"},
    "checks": {"catalog", "comparison", "core", "executors", "kernels", "samplers", "sampling"},
    "sampling": {"catalog", "core", "kernels"},
    "catalog": {"core", "kernels", "report", "samplers"},
    "report": {"comparison", "core"},
    "comparison": {"core"},
    "metrics": {"core"},
    "densities": {"core", "kernels"},
    "samplers": {"core", "kernels"},
    "executors": {"core"},
    "core": {"kernels"},
    "kernels": set(),
}


def name_of(path):
    """``mcmc_bench/metrics/cell.py`` is ``metrics.cell``; the file of a package is the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


def imported(tree):
    """The imports that a module makes from the package, as names below ``mcmc_bench``, with line numbers."""
    modules = {name_of(path) for path in MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            found = [
                f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}".removeprefix("mcmc_bench.") in modules
                else str(node.module)
                for alias in node.names
            ]
        else:
            continue
        for name in found:
            if name.split(".")[0] == "mcmc_bench":
                yield node.lineno, name.removeprefix("mcmc_bench").removeprefix(".") or "__init__"


def violations(name, source):
    """The imports of module `name` that do not point down."""
    room = name.split(".")[0]
    return [
        f"{name}, line {line}: imports {target}"
        for line, target in imported(ast.parse(source))
        if target.split(".")[0] not in MAY_IMPORT[room] | {room} - {"samplers", "__main__"}
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    if name_of(path) == "__init__":  # the public names, imported on first use
        return
    assert name_of(path).split(".")[0] in MAY_IMPORT, f"give {name_of(path)} its place in MAY_IMPORT"
    assert violations(name_of(path), path.read_text()) == []


def test_an_import_that_points_up_is_seen():
    """The test above catches them, also inside a function."""
    assert violations("report.page", "def f():\n    from mcmc_bench.experiments.run import run\n")
    assert violations("metrics.cell", "import mcmc_bench.sampling")
    assert violations("kernels.jit", "from mcmc_bench.core import target")
    assert violations("samplers.ula", "from mcmc_bench.samplers.mala import step")
    assert not violations("report.page", "from mcmc_bench.core.results import Results")


def test_the_rooms_stand_on_floors():
    """A room may use only rooms that stand below it in the table, so that there is no circle."""
    order = list(MAY_IMPORT)
    for room, below in MAY_IMPORT.items():
        assert below <= set(order[order.index(room) + 1 :]), room


def test_every_arrow_of_the_table_is_used():
    """A permission that nobody uses says that a room knows more than it does."""
    used = {room: set() for room in MAY_IMPORT}
    for path in MODULES:
        room = name_of(path).split(".")[0]
        if room in used:
            used[room] |= {target.split(".")[0] for _, target in imported(ast.parse(path.read_text()))} - {room}
    assert used == MAY_IMPORT


def test_the_listing_shows_the_rooms():
    """The root of the package holds rooms, the two doors into them, and nothing else."""
    entries = {path.name for path in PACKAGE.iterdir()} - {"__pycache__", "content"}
    rooms = set(MAY_IMPORT) - {"__main__", "pytest_plugin"}
    assert entries == rooms | {"__init__.py", "__main__.py", "pytest_plugin.py", "py.typed"}
    for room in rooms:
        assert ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text())), room


def public_things(node):
    """Public functions and classes of a module, and the public methods of its public classes."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public_things(child)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_public_has_a_docstring(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module opens with what it is for and what it must not know"
    if path.parent.name == "samplers":  # a sampler's docstring is its file's: the algorithm box
        return
    missing = [thing.name for thing in public_things(tree) if not ast.get_docstring(thing)]
    assert missing == []


@pytest.mark.parametrize("path", sorted((ROOT / "targets").rglob("*.py")), ids=lambda path: path.stem)
def test_targets_know_only_their_contract(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    if path.parent.name == "data":  # scripts that make data are users of the whole
        return
    for node in ast.walk(tree):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if name.startswith("mcmc_bench"):
                contract = name in (
                    "mcmc_bench",
                    "mcmc_bench.core.arrays",
                    "mcmc_bench.core.examples",
                    "mcmc_bench.core.target",
                    "mcmc_bench.core.spelling",
                    "mcmc_bench.densities.learning.density",
                    "mcmc_bench.core.streams",
                    "mcmc_bench.densities.learning.network",
                )
                assert contract or name.startswith("mcmc_bench.kernels"), name


def tracked_files():
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: no list of its files")
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


#: An absolute path into a folder that only one machine has. The look-behind leaves `targets/data/home/…` and URLs.
MACHINE_PATH = re.compile(r"(?<![\w.~/}\])-])/(?:work|root|home|tmp|Users|mnt)/\w")


def test_no_file_names_a_path_of_one_machine():
    home = "/home"
    assert MACHINE_PATH.search(f'open("{home}/me/x")')
    assert not MACHINE_PATH.search("https://example.org/home/x")
    text = {".py", ".md", ".toml", ".yml", ".json", ".html", ".css", ".js", ".c", ".svg", ".csv", ""}
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        if path.suffix in text
        for match in [MACHINE_PATH.search(path.read_text(errors="ignore"))]
        if match
    ]
    assert found == []


def test_no_file_is_long():
    """A file of more than 400 lines does more than one thing."""
    lengths = {path: len(path.read_text().splitlines()) for path in tracked_files() if path.suffix == ".py"}
    assert {path.name: lines for path, lines in lengths.items() if lines > 400} == {}
