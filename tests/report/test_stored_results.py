"""Results that were published with an older schema version still make a report."""

from pathlib import Path

import pytest

from mcmc_bench.core.results import Results
from mcmc_bench.report import write_report

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published"


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="not a checkout: nothing is published")
def test_a_published_file_makes_a_report_as_it_is_stored(tmp_path):
    results = Results.load(PUBLISHED / "noise")
    page = write_report(results, tmp_path).read_text(encoding="utf-8")
    assert page.count('<tr id="cell-') == len(results.cells)
    for title in ("Mode-weight error", "Unbiased", "wrong mode"):  # of a metric, a verdict and a card
        assert title in page
    assert "off by " in page
