"""Numbers in words: sensible digits, and never a number where there is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcmc_bench.core.results import MetricValue
from mcmc_bench.report import numbers


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (1.0316, 1.0102, 1.0531, "1.032 (1.010–1.053)"),
        (1.03, 0.98, 1.08, "1.03 (0.98–1.08)"),
        (0.27, 0.01, 0.53, "0.27 (0.01–0.53)"),
        (-0.36, -0.74, 0.01, "−0.4 (−0.7 to 0.0)"),
        (4000.0, 4000.0, 4000.0, "4000"),
        (12.3456, None, None, "12.3"),
        (1.1e-26, 6.6e-27, 1.5e-26, "1.1×10⁻²⁶ (6.6×10⁻²⁷ to 1.5×10⁻²⁶)"),
        (2.5e7, None, None, "2.5×10⁷"),
        (0.0, 0.0, 0.0, "0"),
        (0.002, 0.0, 0.48, "0.002 (0–0.480)"),
        (2.9, 0.1, 126614.0, "3 (0–126614)"),
    ],
)
def test_interval(value: float, low: float | None, high: float | None, expected: str) -> None:
    assert numbers.interval(value, low, high) == expected


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_no_number_is_a_word(value: float | None) -> None:
    assert numbers.with_interval(MetricValue("m", value)) == "not given"
    assert numbers.number(value) == "not given"


def test_absent_row_is_a_word() -> None:
    assert numbers.with_interval(None) == "not measured"


def test_censored_is_a_bound() -> None:
    assert numbers.with_interval(MetricValue("m", 3000.0, 3000.0, None, censored=True)) == "> 3000"


def test_nothing_is_nothing_only_in_sentences() -> None:
    assert numbers.in_sentence(MetricValue("m", 1e-26, 1e-27, 2e-26)) == "0"
    assert numbers.in_sentence(MetricValue("m", 4.8e-4, 4.4e-4, 5.2e-4)) != "0"
    assert numbers.in_sentence(MetricValue("m", 1e-12, 0.0, 0.5)) != "0", "its interval is not nothing"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (MetricValue("m", 0.24, 0.16, 0.32), "24\u202f% (16–32\u202f%)"),
        (MetricValue("m", 0.00038, 0.00031, 0.00046), "0.038\u202f% (0.031–0.046\u202f%)"),
        (MetricValue("m", 0.002, 0.0, 0.48), "0.2\u202f% (0–48.0\u202f%)"),
        (MetricValue("m", 0.2), "20\u202f%"),
        (MetricValue("m", None), "not given"),
    ],
)
def test_percent(row: MetricValue, expected: str) -> None:
    assert numbers.percent(row) == expected


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12), st.floats(0, 1e12))
def test_any_interval_reads(value: float, below: float, above: float) -> None:
    text = numbers.interval(value, value - below, value + above)
    assert "nan" not in text
    assert "inf" not in text
    assert not text.startswith("−0 ")
    assert text.count("(") <= 1


@given(st.floats(1e-3, 1e5))
def test_rounding_is_below_one_percent(value: float) -> None:
    assert float(numbers.number(value)) == pytest.approx(value, rel=0.006)


def test_names() -> None:
    names = {
        "ula": "ULA",
        "mala": "MALA",
        "mclmc": "MCLMC",
        "gradient_ascent": "gradient ascent",
        "tamed_ula": "tamed ULA",
        "generalised_hmc": "generalised HMC",
        "annealed_langevin": "annealed Langevin",
    }
    assert {name: numbers.sampler_name(name) for name in names} == names
    assert numbers.listing(["a"]) == "a"
    assert numbers.listing(["a", "b", "c"]) == "a, b and c"
    assert numbers.count(1, "cell") == "1 cell"
    assert numbers.count(2, "cell") == "2 cells"


@given(st.floats(1e-300, 1e5), st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_is_not_zero_is_never_shown_as_zero(value: float, below: float, above: float) -> None:
    text = numbers.interval(value, value - below, value + above)
    assert float(text.split(" (")[0].replace("×10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-"))) > 0
