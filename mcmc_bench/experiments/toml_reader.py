"""Checks the tables of a TOML file, one at a time; every mistake is named with file, key, value and the fix.

Must not know what the tables are for.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from mcmc_bench.core.spelling import unknown

#: No count in a suite is larger: what is computed from them must fit into a float and 64 bits.
LARGEST = 10**12


class SuiteError(ValueError):
    """A suite that cannot be run; the message names the file, the key, the value and the fix."""


@dataclass
class TableReader:
    """Checks one table at a time and remembers where it is, for the messages."""

    file: str
    path: list[str] = field(default_factory=list)

    def fail(self, message: str, key: str | None = None) -> NoReturn:
        """Raise a SuiteError that begins with the file and the place in it."""
        where = ".".join([*self.path, *([key] if key else [])])
        raise SuiteError(f"{self.file}: {where}: {message}" if where else f"{self.file}: {message}")

    def keys(self, table: Mapping[str, Any], known: Sequence[str]) -> None:
        """Every key of `table` is one of `known`."""
        for key in table:
            if key not in known:
                self.fail(unknown("key", key, known), key)

    def text(self, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
        """A text that is not empty; without a default it must be there."""
        value = table.get(key, default)
        if value is None:
            near = difflib.get_close_matches(key, table, n=1)
            self.fail(f'is missing; give {key} = "…"' + (f" instead of {near[0]!r}" if near else ""), key)
        if not isinstance(value, str) or not value.strip():
            self.fail(f"{value!r} must be a text that is not empty", key)
        return value

    def whole(self, table: Mapping[str, Any], key: str, default: int, smallest: int) -> int:
        """A whole number from `smallest` to `LARGEST`."""
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
            self.fail(f"{value!r} must be a whole number, at least {smallest}", key)
        if value > LARGEST:
            self.fail(f"a number of {len(str(value))} digits must be a whole number, at most {LARGEST:g}", key)
        return value

    def number(self, table: Mapping[str, Any], key: str, default: float, low: float, high: float) -> float:
        """A number from `low` to below `high`."""
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < high:
            self.fail(f"{value!r} must be a number from {low:g} to below {high:g}", key)
        return float(value)

    def list_of(self, table: Mapping[str, Any], key: str, default: list[str], known: Sequence[str]) -> tuple[str, ...]:
        """A list, or a single text, of names that are `known`."""
        value = table.get(key, default)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not values:
            self.fail(f"{value!r} must be a list that is not empty", key)
        for item in values:
            if not isinstance(item, str) or item not in known:
                self.fail(unknown(f"entry of {key}", str(item), known), key)
        return tuple(values)

    def tables(self, table: Mapping[str, Any], key: str, all_names: Sequence[str]) -> list[dict[str, Any]]:
        """The entries of a list of names and tables; "all" instead of a list stands for everything there is."""
        value = list(all_names) if table.get(key) == "all" else table.get(key)
        if not isinstance(value, list) or not value:
            self.fail(f'{value!r} must be "all", or a list of names or tables that is not empty', key)
        entries = [{"name": entry} if isinstance(entry, str) else entry for entry in value]
        if not all(isinstance(entry, dict) for entry in entries):
            self.fail(f"{value!r} must hold names or tables", key)
        return entries
