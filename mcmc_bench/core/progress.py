"""The contract by which long-running work reports how far it is. Must import nothing of the package."""

from __future__ import annotations

from collections.abc import Callable

#: ``(what is done now, how many parts are done, how many there are)``.
Progress = Callable[[str, int, int], None]
