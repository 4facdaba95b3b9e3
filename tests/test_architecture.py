"""The house keeps its floors: imports only point down, every module says what it is for, nothing names one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mcmc_bench"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "content" not in path.parts)

#: For each part, top floor first, what it may import of the package, wherever the import stands. Whatever is not named
#: here is forbidden, so that a new part has to be given its place.
MAY_IMPORT = {
    "__main__": {"cli"},
    "cli": {
        "api", "catalog", "cli_check", "cli_compare", "cli_reference", "cli_score", "cli_targets", "cli_train", "cli_verify", "console", "metrics", "provenance", "report", "results", "running", "show",
        "spelling", "suite",
    },
    "cli_compare": {"comparison", "console", "gate", "provenance", "results"},
    "cli_targets": {"calibration", "catalog", "console", "cost", "gallery", "results", "show", "spelling", "target"},
    "gallery": {"catalog", "cost", "gallery", "reference_file", "report", "results", "show", "target"},
    "calibration": {"comparison.inference", "results"},
    "cost": {"kernels", "streams", "target"},
    "cli_score": {"catalog", "console", "metrics", "scoring"},
    "scoring": {"target"},
    "cli_train": {"catalog", "console", "learning"},
    "learning": {"kernels", "learning", "results", "streams", "target"},
    "cli_verify": {"catalog", "console", "verification"},
    "cli_check": {"catalog", "checking", "console"},
    "checking": {
        "catalog", "checking", "cost", "draws", "processes", "reference_file", "sampler", "sampling", "show", "spelling",
        "streams", "target",
    },
    "cli_reference": {"catalog", "console", "reference_checks", "reference_file", "reference_run"},
    "reference_run": {
        "catalog", "draws", "kernels", "reference_checks", "reference_file", "sampling", "streams", "target",
    },
    "reference_checks": {"draws", "target"},
    "pytest_plugin": {"catalog", "comparison", "gate"},
    "gate": {"comparison", "results", "running", "suite"},
    "comparison": {"comparison", "report", "results"},
    "console": {"spelling"},
    "running": {"catalog", "kernels", "metrics", "processes", "provenance", "results", "suite", "worker"},
    "worker": {
        "api", "catalog", "draws", "expectation", "film", "metrics", "reference_file", "results", "plan", "sampler", "sampling", "streams", "suite", "target", "tuning",
    },
    "film": {"chains", "sampler", "streams", "target"},
    "expectation": {"sampler", "target"},
    "suite": {"catalog", "metrics.definitions", "plan", "results", "spelling", "target", "tuning"},
    "bridges": {"bridges", "kernels", "target"},
    "api": {"catalog", "draws", "sampler", "sampling", "target", "tuning"},
    "show": {"cost", "streams", "target"},
    "report": {"report", "results"},
    "verification": {
        "catalog", "chains", "draws", "kernels", "plan", "sampler", "samplers", "sampling", "streams", "target", "tuning", "verification",
    },
    "sampling": {"chains", "draws", "plan", "sampler", "streams", "target", "tuning"},
    "tuning": {"chains", "sampler"},
    "chains": {"counted", "kernels", "plan", "sampler", "streams", "target"},
    "counted": {"plan", "target"},
    "plan": {"sampler"},
    "metrics": {"metrics", "draws", "results", "spelling", "streams", "target"},
    "catalog": {"reference_file", "sampler", "samplers", "spelling", "target"},
    "reference_file": {"streams", "target"},
    "samplers": {"kernels", "sampler"},
    "target": {"kernels"},
    "sampler": {"kernels", "spelling", "target"},
    "draws": set(),
    "results": set(),
    "processes": set(),
    "provenance": {"kernels"},
    "kernels": {"kernels"},
    "spelling": set(),
    "streams": set(),
}  # fmt: skip


def name_of(path):
    """``mcmc_bench/metrics/cell.py`` is ``metrics.cell``; the file of a package is the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


def imported(tree):
    """What a module imports of the package, as names below ``mcmc_bench``, with line numbers."""
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
    part = name.split(".")[0]
    allowed = MAY_IMPORT.get(part, set())
    return [
        f"{name}, line {line}: imports {target}"
        for line, target in imported(ast.parse(source))
        if not any(target == permitted or target.startswith(f"{permitted}.") for permitted in allowed)
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    if name_of(path) == "__init__":  # the public names, imported on first use
        return
    assert name_of(path).split(".")[0] in MAY_IMPORT, f"give {name_of(path)} its place in MAY_IMPORT"
    assert violations(name_of(path), path.read_text()) == []


def test_an_import_that_points_up_is_seen():
    """What the test above would catch, also inside a function."""
    assert violations("report.page", "def f():\n    from mcmc_bench.running import run\n")
    assert violations("metrics.cell", "import mcmc_bench.sampling")
    assert violations("kernels.jit", "from mcmc_bench import target")
    assert violations("samplers.ula", "from mcmc_bench.samplers.mala import step")
    assert not violations("report.page", "from mcmc_bench.results import Results")


def test_floors_have_no_cycles():
    """The table itself points down: what a part may import may not import it."""

    def below(part, seen):
        for other in MAY_IMPORT[part]:
            other = other.split(".")[0]  # noqa: PLW2901
            if other != part and other not in seen:
                seen.add(other)
                below(other, seen)
        return seen

    for part in MAY_IMPORT:
        assert part not in below(part, set()), part


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
                    "mcmc_bench.target",
                    "mcmc_bench.spelling",
                    "mcmc_bench.learning.density",
                    "mcmc_bench.learning.network",
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
    """A file much over 400 lines does more than one thing."""
    lengths = {path: len(path.read_text().splitlines()) for path in tracked_files() if path.suffix == ".py"}
    assert {path.name: lines for path, lines in lengths.items() if lines > 450} == {}
