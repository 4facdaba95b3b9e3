"""The page opened in Chromium with the network off."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

Browser = Callable[..., tuple[str, str]]

#: Loads the page as a phone does and reports what it finds, in the title of the outer document.
HARNESS = """<!doctype html><meta charset="utf-8"><iframe id="f" style="width:390px;height:800px;border:0" srcdoc="{page}"></iframe>
<script>
document.getElementById("f").onload = () => {{
  const inner = document.getElementById("f").contentDocument, found = {{}};
  const rows = () => [...inner.querySelectorAll("#numbers tbody tr")];
  const head = inner.querySelector('th[data-key="within_mode_variance_ratio"]'), column = head.cellIndex;
  const texts = () => rows().map((row) => row.cells[column].firstChild.textContent.trim());
  found.width = inner.documentElement.scrollWidth;
  found.before = texts();
  head.querySelector("button").click();
  found.up = texts(); found.sort_up = head.ariaSort;
  head.querySelector("button").click();
  found.down = texts();
  const input = inner.querySelector(".filter input");
  input.value = "ULA dial"; input.dispatchEvent(new Event("input"));
  found.filtered = rows().filter((row) => !row.hidden).map((row) => row.id);
  found.told = inner.querySelector("output").textContent;
  input.value = "no such cell"; input.dispatchEvent(new Event("input"));
  found.none = rows().filter((row) => !row.hidden).length;
  const shown = () => getComputedStyle(head).display !== "none";
  found.column = [shown()];
  for (const box of inner.querySelectorAll(".groups input")) box.click();
  found.column.push(shown());
  found.paper = getComputedStyle(inner.body).backgroundColor;
  found.small = [...inner.querySelectorAll("main p, main td, main dd")].filter((e) => parseFloat(getComputedStyle(e).fontSize) < 10).length;
  found.wide = [...inner.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > 391 && !e.closest(".scroll, nav, .full .scroll, svg svg"))
    .map((e) => e.tagName + "." + e.getAttribute("class") + " " + e.textContent.trim().slice(0, 40)).slice(0, 5);
  document.title = JSON.stringify(found);
}};
</script>"""


@pytest.fixture(scope="module")
def seen(page: Path, browser: Browser) -> dict[str, Any]:
    """The browser's findings on the page."""
    dom, log = browser(HARNESS.format(page=escape(page.read_text(encoding="utf-8"))))
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title is not None, f"the page did not load: {log[-2000:]}"
    return {"log": log, **json.loads(unescape(title[1]))}


def value(text: str) -> float | None:
    """The number that a text of the table begins with."""
    superscript = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    scientific = re.match(r"([\d.−]+)×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
    if scientific:
        return float(scientific[1].replace("−", "-")) * 10.0 ** int(scientific[2].translate(superscript))
    plain = re.match(r"−?[\d.]+", text)
    return float(plain[0].replace("−", "-")) if plain else None


def test_the_console_is_silent(seen: dict[str, Any]) -> None:
    assert "CONSOLE" not in seen["log"]


def test_an_error_would_be_heard(browser: Browser) -> None:
    assert "CONSOLE" in browser("<script>undefined_function()</script>")[1]


def test_no_horizontal_overflow_on_a_phone(seen: dict[str, Any]) -> None:
    assert seen["width"] <= 390, seen["wide"]


def test_sorting(seen: dict[str, Any]) -> None:
    numbers = [value(text) for text in seen["up"]]
    given = [number for number in numbers if number is not None]
    assert given == sorted(given)
    assert given[0] == pytest.approx(1e-20), "scientific notation counts as the number it is"
    assert seen["before"] != seen["up"]
    assert sorted(seen["before"]) == sorted(seen["up"]) == sorted(seen["down"])
    assert seen["sort_up"] == "ascending"


def test_sorting_down_keeps_what_has_no_number_last(seen: dict[str, Any]) -> None:
    numbers = [value(text) for text in seen["down"]]
    missing = numbers.count(None)
    assert missing == 4
    assert numbers[-missing:] == [None] * missing
    given = [number for number in numbers if number is not None]
    assert given == sorted(given, reverse=True)


def test_filtering(seen: dict[str, Any]) -> None:
    assert set(seen["filtered"]) == {
        f"cell-{target}ulat{tau}" for target in ("two", "rou") for tau in ("0", "0.5", "1")
    }
    assert seen["told"].startswith("6 of ")
    assert seen["none"] == 0


def test_columns_can_be_hidden(seen: dict[str, Any]) -> None:
    assert seen["column"] == [True, False]


def test_nothing_is_too_small_to_read(seen: dict[str, Any]) -> None:
    assert seen["small"] == 0


def test_dark(page: Path, browser: Browser, seen: dict[str, Any]) -> None:
    html = HARNESS.format(page=escape(page.read_text(encoding="utf-8")))
    papers = []
    for scheme in ("0", "1"):
        dom, _ = browser(html, f"--blink-settings=preferredColorScheme={scheme}")
        papers.append(json.loads(unescape(re.search(r"<title>(.*?)</title>", dom)[1]))["paper"])  # type: ignore[index]
    dark, light = (sum(int(part) for part in re.findall(r"\d+", paper)[:3]) for paper in papers)
    assert dark < 150
    assert light > 600


#: Loads the page where scripts are forbidden.
NO_SCRIPTS = """<!doctype html><meta charset="utf-8"><iframe id="f" sandbox="allow-same-origin" srcdoc="{page}"></iframe>
<script>
document.getElementById("f").onload = () => {{
  const inner = document.getElementById("f").contentDocument;
  document.title = JSON.stringify({{
    rows: inner.querySelectorAll("#numbers tbody tr").length,
    buttons: inner.querySelectorAll("#numbers button").length,
    filter: getComputedStyle(inner.querySelector(".filter")).display,
    text: inner.querySelector("#numbers").innerText,
    download: inner.querySelector("a[download]").href.slice(0, 14),
  }});
}};
</script>"""


def test_without_scripts_the_table_is_there(page: Path, browser: Browser) -> None:
    html = page.read_text(encoding="utf-8")
    dom, _ = browser(NO_SCRIPTS.format(page=escape(html)))
    found = json.loads(unescape(re.search(r"<title>(.*?)</title>", dom, re.DOTALL)[1]))  # type: ignore[index]
    assert found["rows"] == html.count('<tr id="cell-') > 20
    assert found["filter"] == "none", "what cannot work is not offered"
    assert found["buttons"] == 0
    assert "0.99 (0.89–1.09)" in found["text"]
    assert found["download"] == "data:text/csv;"
