"""The report knows results and comparisons, and no sampler or target by name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import mcmc_bench.report
from mcmc_bench.catalog.files import list_samplers, list_targets


def test_the_report_knows_results_only() -> None:
    core = ("arrays", "files", "outcome", "progress", "results")
    allowed = ("mcmc_bench.report", "mcmc_bench.comparison", *(f"mcmc_bench.core.{name}" for name in core))
    for file in Path(mcmc_bench.report.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            own = [name for name in names if name.startswith("mcmc_bench.")]
            assert all(name.startswith(allowed) for name in own), f"{file.name} imports {own}"


#: Names that are words too: "oracle" is also a kind of sampler, and one speaks of a Gaussian and of digits.
WORDS = {".py": {"oracle"}, ".j2": {"oracle", "gaussian"}, ".js": {"digits"}}


def names_in(file: Path) -> set[str]:
    """Names of samplers and targets: strings of a module that are one, words of a template that are one."""
    text = file.read_text(encoding="utf-8")
    names = {*list_samplers(), *list_targets()} - WORDS[file.suffix]
    if file.suffix == ".py":
        nodes = ast.walk(ast.parse(text))
        return names & {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    spoken = {name: name.replace("_", "[_ ]") for name in names}
    return {name for name, pattern in spoken.items() if re.search(rf"(?i)\b{pattern}\b", text)}


def test_no_sampler_or_target_is_known_by_name() -> None:
    folder = Path(mcmc_bench.report.__file__).parent
    files = [file for ending in ("py", "j2", "js") for file in folder.rglob(f"*.{ending}")]
    assert len(files) > 40
    assert {file.name: found for file in files if (found := names_in(file))} == {}


@pytest.mark.parametrize(
    ("file", "text"), [("x.py", 'if sampler == "ula": pass'), ("x.j2", "<p>Annealed Langevin</p>")]
)
def test_a_known_name_would_be_found(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert names_in(tmp_path / file)
