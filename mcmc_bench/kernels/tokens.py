"""Tokens that go into a hash one after the other, and where in a value the walk stands that puts them there.

Must not know what is walked through: see `fingerprint`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: A walk that meets more objects than this has wandered off into something that no density is made of.
MOST_OBJECTS = 200_000
#: Steps of a walk that tell a reader nothing.
_UNSAID = ("content", "source", "state")


class NoFingerprintError(ValueError):
    """A value that no hash can stand for; the message says what it is and where it was found."""


class Tokens:
    """The hash, the place, and what has been met."""

    def __init__(self, name: str) -> None:
        self.hash = hashlib.sha256()
        self.met: dict[Any, int] = {}  # number of each object that may lead back to itself, in the order of meeting
        self.alive: list[Any] = []  # an id is only good while its object lives
        self.place = [name] if name else []

    # ------------------------------------------------------------ the hash

    def put(self, kind: str, content: bytes | str = b"") -> None:
        """Add a token. Its kind and length are part of it, so that no two sequences of tokens are the same bytes."""
        content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        self.hash.update(f"{kind}:{len(content)}:".encode())
        self.hash.update(content)

    @property
    def here(self) -> str:
        """The present place: ``closure variable k of log_density``."""
        return " of ".join(place for place in reversed(self.place) if place not in _UNSAID) or "the value"

    def refuse(self, what: str) -> NoFingerprintError:
        """The error for something at the present place."""
        return NoFingerprintError(f"{self.here}: {what}")

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Visits inside this context stand at `place` of the present one."""
        self.place.append(place)
        yield
        self.place.pop()

    def again(self, value: Any, *context: Any) -> bool:
        """Whether `value` has been met before; if so, its number is put down instead of its content."""
        key = (id(value), *context)
        if key in self.met:
            self.put("met", str(self.met[key]))
            return True
        if len(self.met) >= MOST_OBJECTS:
            raise self.refuse(f"it leads to more than {MOST_OBJECTS:,} objects")
        self.met[key] = len(self.met)
        self.alive.append(value)
        return False

    def file(self, path: Path) -> None:
        """Name and content of a file."""
        self.put("file", path.name)
        self.put("content", hashlib.sha256(path.read_bytes()).digest())
