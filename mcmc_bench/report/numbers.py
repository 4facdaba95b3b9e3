"""Numbers and names in the words of the page: sensible digits, intervals, and a word where there is no number.

Must not know what is measured.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

from mcmc_bench.core.results import Cell, MetricValue

NOT_GIVEN, NOT_MEASURED = "not given", "not measured"
#: Where fixed notation stops being readable.
SMALLEST_FIXED, LARGEST_FIXED = 1e-3, 1e6
#: Below this a share or ratio is 0 in a sentence: rounding errors of a collapsed chain. The full table keeps its digits.
NOTHING = 1e-9
#: An interval narrower than this share of the number is not shown: seven digits would say less than three.
NO_WIDTH = 1e-4

#: Settings that are not worth a word: all the noise there is to be.
_AS_USUAL = (("temperature", 1.0), ("start_noise", 1.0))
#: Persons within names of samplers.
_PERSONS = {"langevin", "metropolis"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def sampler_name(name: str) -> str:
    """``"reverse_sde"`` as "reverse SDE", ``"ula"`` as "ULA", ``"annealed_langevin"`` as "annealed Langevin".

    A word is an acronym if it has at most three letters, four where it is the whole name, or no vowel.
    """
    words = name.split("_")
    return " ".join(_spelled(word, longest=4 if len(words) == 1 else 3) for word in words)


def _spelled(word: str, longest: int) -> str:
    if len(word) <= longest or not set("aeiouy") & set(word):
        return word.upper()
    return word.capitalize() if word in _PERSONS else word


def plain_name(name: str) -> str:
    """Words of a key."""
    return name.replace("_", " ")


def decimals(value: float, low: float | None = None, high: float | None = None) -> int:
    """Decimals that the interval deserves: two digits of its half-width if they begin with 1 or 2, else one.

    At least as many as show the value's first digit. Without an interval: three significant digits.
    """
    half = 0.0 if low is None or high is None else max(high - value, value - low, 0.0)
    leading = 0 if value == 0 else -math.floor(math.log10(abs(value)))
    if half == 0.0:
        return 0 if value == 0 else max(0, leading + 2)
    exponent = math.floor(math.log10(half))
    deserved = -exponent + (1 if half / 10**exponent < 3 else 0)
    return max(0, deserved, leading)  # what is not 0 is not shown as 0


def number(value: float | None, places: int | None = None) -> str:
    """A number with three significant digits, or with `places` decimals; a word for None or a number that is none."""
    if value is None or not math.isfinite(value):
        return NOT_GIVEN
    if value == 0:
        return "0"
    if places is None:
        if not SMALLEST_FIXED <= abs(value) < LARGEST_FIXED:
            return _scientific(value)
        if value == int(value):
            return _minus(f"{value:.0f}")
        places = decimals(value)
    text = f"{value:.{places}f}"
    return _minus(text.lstrip("-") if float(text) == 0 else text)


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return _minus(mantissa) + "×10" + str(int(exponent)).translate(_SUPERSCRIPTS)


def interval(value: float, low: float | None, high: float | None) -> str:
    """``"1.03 (1.01–1.05)"``; the value alone where there is no interval or it has next to no width."""
    if low is None or high is None or low == high:
        return number(value)
    largest = max(abs(value), abs(low), abs(high))
    if high - low < NO_WIDTH * largest:
        return number(value)
    fixed = SMALLEST_FIXED <= largest < LARGEST_FIXED
    places = decimals(value, low, high) if fixed and not 0 < abs(value) < SMALLEST_FIXED else None
    first, second = number(low, places), number(high, places)
    dash = " to " if first.startswith("−") or "×" in first + second else "–"
    return f"{number(value, places)} ({first}{dash}{second})"


def with_interval(found: MetricValue | None) -> str:
    """The value and its interval, "> 3000" where it is a lower bound, a word where there is none."""
    if found is None:
        return NOT_MEASURED
    if found.value is None or not math.isfinite(found.value):
        return NOT_GIVEN
    return f"> {number(found.value)}" if found.censored else interval(found.value, found.low, found.high)


def in_sentence(found: MetricValue) -> str:
    """As `with_interval`, but "0" for what is next to nothing."""
    if found.value is not None and not found.censored and max(abs(found.value), abs(found.high or 0.0)) < NOTHING:
        return "0"
    return with_interval(found)


def percent(found: MetricValue) -> str:
    """A share and its interval in per cent; narrow spaces keep numbers and signs together."""
    value, low, high = (None if x is None else 100.0 * x for x in (found.value, found.low, found.high))
    if value is None:
        return NOT_GIVEN
    if low is None or high is None or low == high:
        return f"{number(value)}\u202f%"
    if value < 0.01:
        places = None
    else:
        places = min(decimals(value, low, high), 3) if high - low < 2 or value < 1 else 0
    return f"{number(value, places)}\u202f% ({number(low, places)}–{number(high, places)}\u202f%)"


def settings(values: Mapping[str, float]) -> str:
    """``"step size 0.1, temperature 1"``; "no settings" where there are none."""
    return ", ".join(f"{plain_name(key)} {value:g}" for key, value in values.items()) or "no settings"


def short_settings(cell: Cell) -> str:
    """The settings that say something: without a temperature of 1 and the like; what was tuned by its median over replicates."""
    given = {
        key: value for key, value in cell.settings.items() if (key, value) not in _AS_USUAL and key not in cell.tuned
    }
    found = {key: f"{statistics.median(values):.3g}" for key, values in cell.tuned.items() if values}
    rungs = [value for key, value in found.items() if key.startswith("rung_")]
    tuned = [f"{plain_name(key)} {value} (tuned)" for key, value in found.items() if not key.startswith("rung_")]
    tuned += [f"rungs of the ladder {', '.join(rungs)} (tuned)"] if rungs else []
    return ", ".join([*tuned, *([settings(given)] if given or not tuned else [])])


def listing(items: list[str]) -> str:
    """``"a, b and c"``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def count(number_of: int, thing: str, plural: str = "") -> str:
    """``"1 cell"``, ``"2 cells"``."""
    return f"{number_of} {thing if number_of == 1 else plural or thing + 's'}"
