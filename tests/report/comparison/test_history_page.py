"""The page of accepted baselines: whole, safe against what it shows, and right in words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from read_page import AS_SHOWN, HOSTILE, Browser, Page, browser, seen

from mcmc_bench.core.results import ResultsError
from mcmc_bench.report.comparison.history_page import read_history, write_history

__all__ = ["browser"]  # a fixture


def line(number: int, efficiency: float | None = 0.02, **changes: Any) -> dict[str, Any]:
    estimate = None if efficiency is None else {"value": efficiency, "low": 0.9 * efficiency, "high": 1.1 * efficiency}
    cells = {
        f"match{index}": {"label": label, "real_ess_per_evaluation": estimate, "largest_bias": 0.01 * number}
        for index, label in enumerate(
            ["hmc(step_size=0.1) on banana, exact start", "hmc on banana, dispersed start", "nuts on ring, exact start"]
        )
    }
    return {
        "accepted": f"2026-01-{number:02d}T03:04:05Z",
        "commit": f"c0ffee{number}",
        "suite": "smoke",
        "verdict": "pass",
        "geometric_mean": {"value": 1.02, "low": 0.98, "high": 1.06},
        "cells": cells,
        **changes,
    }


def history_of(lines: list[dict[str, Any]], folder: Path) -> Page:
    return Page(write_history(lines, folder / "pages" / "history.html"))


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = history_of([line(1), line(2)], tmp_path)
    assert [address for address in page.addresses if not address.startswith(("#", "data:,"))] == []
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_history_shows_every_run_and_every_cell(tmp_path: Path) -> None:
    page = history_of(
        [line(1), line(2, 0.03), line(3, 0.04, commit=None, verdict="inconclusive", geometric_mean=None)], tmp_path
    )
    assert [row[0] for row in page.rows[""]] == ["3", "2", "1"], "the newest run stands first"
    assert "inconclusive" in page.rows[""][0]
    assert "c0ffee2" in page.rows[""][1]
    assert len(page.rows["numbers"]) == 3
    for number in ("hmc(step_size=0.1) on banana, exact start", "20.0 (18.0–22.0)", "40 (36–44)", "2", "0.03"):
        assert number in page.rows["numbers"][0]


def test_the_history_has_a_chart_for_each_sampler_on_each_target(tmp_path: Path) -> None:
    write_history([line(1), line(2)], tmp_path / "history.html")
    html = (tmp_path / "history.html").read_text(encoding="utf-8")
    labels = re.findall(r'class="chart"[^>]*aria-label="([^"]*)"', html)
    assert [label.split(" over ")[0] for label in labels[1:]] == [
        "Efficiency of hmc on banana",
        "Efficiency of nuts on ring",
    ]
    assert "2 accepted runs" in labels[1]
    assert "latest 20.0 (18.0–22.0)" in labels[1]
    assert html.count("2026-01-02</text>") == len(labels), "dates stand at the ticks"


def test_what_was_never_measured_is_named(tmp_path: Path) -> None:
    page = history_of([line(1, None)], tmp_path)
    assert "No cell has a measured efficiency" in page.text
    assert "Never measured: hmc(step_size=0.1) on banana, exact start" in page.text


def test_hostile_history_is_text(tmp_path: Path) -> None:
    cells = {
        HOSTILE: {
            "label": f"{HOSTILE} on {HOSTILE}, x start",
            "real_ess_per_evaluation": {"value": 1.0},
            "largest_bias": 0.1,
        }
    }
    odd = {"plain": {"label": HOSTILE, "real_ess_per_evaluation": {"value": 10**400}, "largest_bias": "<b>"}}
    bad = {"accepted": HOSTILE, "commit": HOSTILE, "suite": HOSTILE, "verdict": HOSTILE, "geometric_mean": None}
    page = history_of([{**bad, "cells": cells}, {**bad, "cells": odd}, {"cells": {}}], tmp_path)
    assert page.tags.count("script") == 1
    assert {"img", "b"} & set(page.tags) == set()
    assert page.handlers == []
    assert page.text.count(AS_SHOWN) > 10


def test_an_empty_history_is_a_page(tmp_path: Path) -> None:
    assert "Nothing has been accepted yet." in history_of([], tmp_path).text


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    lines = [line(1), line(2, commit="\u2028")]
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines) + "\n", encoding="utf-8")
    assert read_history(file) == lines


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', '{"cells": {"m": 1}}', "[" * 100_000, "\ufeff{}"])
def test_a_broken_history_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(json.dumps(line(1)) + "\n" + text, encoding="utf-8")
    with pytest.raises(ResultsError, match="line 2"):
        read_history(file)


def test_a_history_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot be read"):
        read_history(tmp_path / "none.jsonl")


def test_the_history_works_in_a_browser(tmp_path: Path, browser: Browser) -> None:
    found = seen(
        write_history([line(number, 0.01 * number) for number in range(1, 29)], tmp_path / "page.html"), browser
    )
    assert found["width"] <= 390
    assert found["told"] == "3 of 3 cells"
    assert found["filter"] != "none"


def test_hostile_history_is_not_executed_by_a_browser(tmp_path: Path, browser: Browser) -> None:
    bad = [line(1, suite=HOSTILE, commit=HOSTILE, accepted=HOSTILE, verdict=HOSTILE)]
    bad[0]["cells"] = {HOSTILE: {"label": f"{HOSTILE} on {HOSTILE}", "real_ess_per_evaluation": {"value": 1.0}}}
    found = seen(write_history(bad, tmp_path / "history.html"), browser)
    assert found["title"].startswith("Accepted baselines: <script>")
    assert found["width"] <= 390
