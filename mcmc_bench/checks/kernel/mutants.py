"""Plants a fault in a built-in sampler: its source with pieces of it replaced.

What the sampler calls in the shared kernels is looked through too, and put into the same file, so that a fault there
spoils this sampler alone. Must not know how a fault is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mcmc_bench.kernels
import mcmc_bench.samplers

__all__ = ["Fault", "planted_source"]

_IMPORT = r"^from mcmc_bench\.kernels\.{module} import (?:\([^)]*\)|[^(\n]*)\n"


@dataclass(frozen=True)
class Fault:
    """A fault planted in a built-in sampler."""

    what: str  # in words
    replaced: tuple[tuple[str, str], ...]  # pieces of the source, and what stands in their place
    #: With which it is looked for, where those that are tuned hide it.
    settings: tuple[tuple[str, float], ...] = ()
    sampler: str = ""  # filled in by whoever lists the faults

    def write(self, folder: Path) -> Path:
        """The faulty sampler's file in `folder`; it has the name of the built-in one, which it hides."""
        return plant(self.sampler, self.replaced, folder)


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


def _imports(text: str, module: str) -> bool:
    return re.search(_IMPORT.format(module=module), text, flags=re.MULTILINE) is not None


def _with_kernels_inside(source: str, piece: str) -> str:
    """`source` with the kernel module that holds `piece`, and all that call it, in place of their imports."""
    kernels = {
        file.stem: file.read_text(encoding="utf-8") for file in Path(mcmc_bench.kernels.__path__[0]).glob("*.py")
    }
    holder = next((module for module, text in sorted(kernels.items()) if piece in text), None)
    if holder is None:
        return source
    # What stands between the sampler and the piece comes inside first, so that nothing goes on using the right one.
    while between := [m for m, text in sorted(kernels.items()) if _imports(source, m) and _imports(text, holder)]:
        source = _inside(source, between[0], kernels[between[0]])
    return _inside(source, holder, kernels[holder])


def _inside(source: str, module: str, text: str) -> str:
    """`text` in place of the first import of `module`; further ones go."""
    text = text.replace("from __future__ import annotations\n", "")
    pattern = re.compile(_IMPORT.format(module=module), flags=re.MULTILINE)
    found = pattern.search(source)
    if found is None:
        return source
    return source[: found.start()] + text + pattern.sub("", source[found.end() :])


def plant(sampler: str, replaced: Sequence[tuple[str, str]], folder: Path) -> Path:
    """Write the faulty sampler's file into `folder`; it has the name of the built-in one, which it hides."""
    source = planted_source(sampler, replaced)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{sampler}.py"
    if not file.is_file() or file.read_text(encoding="utf-8") != source:
        file.write_text(source, encoding="utf-8")
    return file
