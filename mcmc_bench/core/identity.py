"""Hashes of everything that determines a number: of the engine, of a target and of a sampler.

Finished cells and compiled code are found again by these. Must not know suites, nor where anything is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import MISSING, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mcmc_bench.kernels.compile_cache import compiler
from mcmc_bench.kernels.jit import ENGINE_FOLDER
from mcmc_bench.kernels.names import ENGINE_PARTS, library_version

#: Parts of the engine that can change a number of a cell besides what its target and its sampler name.
DETERMINING = (
    *ENGINE_PARTS,
    *(f"experiments/{name}.py" for name in ("cells", "known_law", "loading", "stored_draws", "target_facts", "worker")),
)


def hash_files(files: Iterable[Path]) -> str:
    """A hash of the names and contents of files, in the order of their paths, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


@cache
def engine_fingerprint() -> str:
    """The hash of `DETERMINING` as it is on disk at first use, of the libraries' versions and of the processor."""
    parts = [ENGINE_FOLDER / part for part in DETERMINING]
    sources = hash_files(file for part in parts for file in ([part] if part.suffix else part.rglob("*.py")))
    libraries = [
        library_version(name) for name in ("arviz_stats", "scipy")
    ]  # metrics use them; the compiler names its own
    return hashlib.sha256(f"{sources} {compiler()} {libraries}".encode()).hexdigest()[:16]


def documentation(default: Any = MISSING) -> Any:
    """A dataclass field that tells people something, and changes no number."""
    return field(default=default, metadata={"fingerprint": False})


def documentation_of(value: Any) -> list[Any]:
    """The contents of the documentation fields of a dataclass, and of the dataclasses in its fields."""
    if not is_dataclass(value):
        return []
    said: list[Any] = []
    for part in fields(value):
        content = getattr(value, part.name)
        said += [content] if not part.metadata.get("fingerprint", True) else documentation_of(content)
    return said
