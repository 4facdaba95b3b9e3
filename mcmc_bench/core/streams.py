"""Streams of random numbers derived from names.

The same names give the same stream on any machine and in any order of work, so that results do not depend on the
number of threads or workers and adding a cell shifts no other. Must not know what the names mean.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(*names: object) -> np.random.Generator:
    """An SFC64 generator for `names`, e.g. ``stream(suite_seed, "banana", "mala", settings, replicate, block)``."""
    text = "\x1f".join(str(name) for name in names)
    entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "little")
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))
