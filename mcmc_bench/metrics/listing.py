"""The metrics there are, found by listing the modules of `mcmc_bench.metrics.groups`.

Must not know any of them: to add a metric, add its function to a module there, or a module.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterator

from mcmc_bench.core.results import Definition
from mcmc_bench.metrics import groups
from mcmc_bench.metrics.declaration import DeclaredCurve, Group, Metric


def _declared() -> Iterator[object]:
    """All that the modules declare, in the order of their names and then of declaration."""
    for info in sorted(pkgutil.iter_modules(groups.__path__), key=lambda info: info.name):
        yield from vars(importlib.import_module(f"{groups.__name__}.{info.name}")).values()


@functools.cache
def metrics() -> tuple[Metric, ...]:
    """Every metric, in the order of the page.

    Raises:
        ValueError: two metrics have one key, or two groups one name.
    """
    found = list(dict.fromkeys(one for one in _declared() if isinstance(one, Metric)))
    for kind, names in (
        ("metrics", [one.key for one in found]),
        ("groups of metrics", [group.name for group in {one.group for one in found}]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two {kind} are called {name!r}: rename one")
    return tuple(sorted(found, key=lambda one: one.group.place))


@functools.cache
def curves() -> tuple[DeclaredCurve, ...]:
    """Every curve of a cell."""
    return tuple(dict.fromkeys(one for one in _declared() if isinstance(one, DeclaredCurve)))


def definitions() -> dict[str, Definition]:
    """The definition of every metric, in the order of the page."""
    return {one.key: one.definition for one in metrics()}


def group_names() -> tuple[str, ...]:
    """The groups, in the order of the page."""
    names: dict[Group, None] = dict.fromkeys(one.group for one in metrics())
    return tuple(group.name for group in names)
