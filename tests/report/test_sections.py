"""A section of the report is one module and one template, found by listing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_up_results import made_up

from mcmc_bench.report import sections, write_report
from mcmc_bench.report.page import find_sections


def test_every_section_has_a_module_and_a_template() -> None:
    files = [file for folder in sections.__path__ for file in Path(folder).iterdir() if file.is_file()]
    modules = {file.stem for file in files if file.suffix == ".py" and file.stem != "__init__"}
    assert modules == {file.name.removesuffix(".html.j2") for file in files if file.suffix == ".j2"}
    assert len(modules) > 5


MY_SECTION = """
TITLE, ORDER = "Mine", {order}

def build(context):
    return {answer}
"""


@pytest.fixture
def with_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """The page with one more section: a module that answers so, and a template, in a folder that is listed too."""
    folder = tmp_path / "sections"
    folder.mkdir()
    order = next(section.order for section in find_sections() if section.name == "matrix") - 1

    def page(answer: str) -> str:
        (folder / "my_section.py").write_text(MY_SECTION.format(order=order, answer=answer))
        (folder / "my_section.html.j2").write_text("{% set style %}.mine { color: red; }{% endset %}<p>{{ text }}</p>")
        monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(folder)])
        results = made_up(tmp_path / "results")
        results.cells = results.cells[:3]
        return write_report(results, tmp_path / "page").read_text(encoding="utf-8")

    yield page
    sys.modules.pop("mcmc_bench.report.sections.my_section", None)


def test_a_section_is_one_module_and_one_template(with_section: Callable[[str], str]) -> None:
    html = with_section("{'text': f'{len(context.results.cells)} cells & more'}")
    assert re.search(r'<section id="my-section">\s*<p>3 cells &amp; more</p>\s*</section>', html)
    assert '<a href="#my-section">Mine</a>' in html
    assert ".mine { color: red; }" in html.split("</style>", maxsplit=1)[0]
    for pattern in (r'<section id="([^"]*)">', r'<a href="#([^"]*)">[A-Z][a-z ]*</a>\n'):
        found = re.findall(pattern, html)
        assert found.index("my-section") == found.index("matrix") - 1


def test_a_section_with_nothing_to_say_leaves_no_trace(with_section: Callable[[str], str], tmp_path: Path) -> None:
    html = with_section("None")
    assert "Mine" not in html
    assert "mine" not in html
    assert "my-section" not in html


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("ORDER = 1\n", "section my_section declares no TITLE and no build"),
        ("TITLE, ORDER, build = 'T', 1, print\n", "section my_section has no template: add my_section.html.j2"),
    ],
)
def test_half_a_section_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, message: str) -> None:
    (tmp_path / "my_section.py").write_text(module)
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    try:
        with pytest.raises(ValueError, match=message):
            find_sections()
    finally:
        sys.modules.pop("mcmc_bench.report.sections.my_section", None)
