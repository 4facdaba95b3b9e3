"""Reads the pages of a comparison for the tests: as text and elements, and opened in a browser."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

# The browser of the report's tests.
_SPEC = importlib.util.spec_from_file_location("report_conftest", Path(__file__).parent / "report" / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_CONFTEST = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CONFTEST)
browser = _CONFTEST.browser

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\x00\x1b[31m|`\n]]>\u202e\ud800"
AS_SHOWN = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
Browser = Callable[..., tuple[str, str]]


class Page(HTMLParser):
    """Elements, ids, addresses and text of a page; every element that must be closed has to be."""

    VOID = frozenset({"meta", "link", "br", "img", "input"})

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.rows: dict[str, list[str]] = {"numbers": [], "forest": [], "": []}
        self.tables: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.addresses += [
            given[name] for name in ("src", "href", "xlink:href", "action", "data", "srcset") if name in given
        ]
        self.handlers += [name for name in given if name.startswith("on")]
        if tag == "table":
            self.tables.append(given.get("id") or ("forest" if "figure" in self.open else ""))
        if tag == "tr" and "tbody" in self.open:
            self.rows[self.tables[-1]].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.texts.append(data)
            if "tbody" in self.open and "tr" in self.open:
                self.rows[self.tables[-1]][-1] += data

    @property
    def text(self) -> str:
        """All that is read, with single spaces."""
        return " ".join(" ".join(self.texts).split())


#: Loads a page as a phone does and reports what it finds, in the title of the outer document.
HARNESS = """<!doctype html><meta charset="utf-8"><iframe id="f" style="width:390px;height:800px;border:0" srcdoc="{page}"></iframe>
<script>
document.getElementById("f").onload = () => {{
  const inner = document.getElementById("f").contentDocument;
  const rows = () => [...inner.querySelectorAll("#numbers tbody tr")].map((row) => row.cells[0].textContent);
  const before = rows();
  inner.querySelector("#numbers th button").click();
  const mark = inner.querySelector(".strip use[href^='#shape']");
  document.title = JSON.stringify({{
    title: inner.title, width: inner.documentElement.scrollWidth, before, after: rows(),
    told: inner.querySelector("output").textContent, filter: getComputedStyle(inner.querySelector(".filter")).display,
    mark: mark ? [mark.getBoundingClientRect().width, mark.getBoundingClientRect().left] : [],
  }});
}};
</script>"""


def seen(file: Path, browser: Browser) -> dict[str, Any]:
    dom, log = browser(HARNESS.format(page=escape(file.read_text(encoding="utf-8"))))
    assert "CONSOLE" not in log, log[-2000:]
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title is not None, f"the page did not load: {log[-2000:]}"
    return json.loads(unescape(title[1]))
