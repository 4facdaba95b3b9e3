"""Plants a fault in a built-in sampler: its source with pieces of it replaced.

What the sampler calls in the shared kernels is looked through too, and put into the same file, so that a fault there
spoils this sampler alone. Must not know how a fault is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import mcmc_bench.kernels
import mcmc_bench.samplers

_IMPORT = r"^from mcmc_bench\.kernels\.{module} import (\([^)]*\)|[^(\n]*)\n"


def planted_source(sampler: str, replaced: Sequence[tuple[str, str]]) -> str:
    """The source of a built-in sampler with a fault.

    Args:
        sampler: its name.
        replaced: pieces of the source of the sampler or of the kernels that it imports, and what stands in their place.

    Raises:
        ValueError: a piece that does not stand there.
    """
    source = (Path(mcmc_bench.samplers.__path__[0]) / f"{sampler}.py").read_text(encoding="utf-8")
    for right, wrong in replaced:
        if right not in source:
            source = _with_kernels_inside(source, right)
        if right not in source:
            raise ValueError(f"{right!r} does not stand in {sampler}.py, nor in the kernels that it imports")
        source = source.replace(right, wrong)
    return source


def _with_kernels_inside(source: str, piece: str) -> str:
    """`source` with the imported kernel module that holds `piece` in place of its import; without one as it was."""
    for file in sorted(Path(mcmc_bench.kernels.__path__[0]).glob("*.py")):
        text = file.read_text(encoding="utf-8")
        found = re.search(_IMPORT.format(module=file.stem), source, flags=re.MULTILINE)
        if found and piece in text:
            inside = text.replace("from __future__ import annotations\n", "")
            return source[: found.start()] + inside + source[found.end() :]
    return source


def plant(sampler: str, replaced: Sequence[tuple[str, str]], folder: Path) -> Path:
    """Write the faulty sampler's file into `folder`; it has the name of the built-in one, which it hides."""
    source = planted_source(sampler, replaced)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{sampler}.py"
    if not file.is_file() or file.read_text(encoding="utf-8") != source:
        file.write_text(source, encoding="utf-8")
    return file
