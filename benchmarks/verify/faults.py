"""Faults planted in every kind of kernel: what `mcmc-bench verify` has to see.

Those of the sampler NAME stand in ``planted/NAME.py``, found by listing. Must not know how they are looked for.
"""

from __future__ import annotations

import hashlib
import runpy
from dataclasses import replace
from pathlib import Path

import mcmc_bench
from mcmc_bench.catalog.files import sampler_files
from mcmc_bench.checks.kernel.mutants import Fault

PACKAGE = Path(mcmc_bench.__path__[0])
PLANTED = Path(__file__).resolve().parent / "planted"


def _listed(kind: str) -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for file in sorted(PLANTED.glob("*.py")):
        for name, fault in runpy.run_path(str(file)).get(kind, {}).items():
            if name in found:
                raise ValueError(f"{name!r} of {file.name} is the name of a fault of {found[name].sampler} too")
            found[name] = replace(fault, sampler=file.stem)
    return found


FAULTS = _listed("FAULTS")
#: Nothing replaced, with the shared kernels inside as they are in the faults: what is planted, not the planting, is seen.
CONTROLS = _listed("CONTROLS")


def made_of(sampler: str, fault: Fault | None = None) -> str:
    """A digest of what a verdict is made of: the sampler, the shared kernels, what drives and verifies it, and the fault."""
    driving = [PACKAGE / "core" / "sampler.py", PACKAGE / "core" / "target.py", *PACKAGE.glob("sampling/**/*.py")]
    files = [sampler_files()[sampler], *driving, *PACKAGE.glob("kernels/*.py"), *PACKAGE.glob("checks/kernel/*.py")]
    texts = [file.read_bytes() for file in sorted(files)]
    planted = repr(fault and ((fault.replaced, fault.settings) if fault.settings else fault.replaced)).encode()
    return hashlib.sha256(b"\0".join([*texts, planted])).hexdigest()[:16]
