"""Checks that compiled code does what the target's Python says, and that it is seen when the target changes.

Must not know truths or samplers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from mcmc_bench.checks.density.findings import Remark
from mcmc_bench.checks.density.traced_target import Subject, shown
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.interpreted import NotPython, interpreted
from mcmc_bench.kernels.tokens import NoFingerprintError

#: Points at which Python runs the density, and the compiled seconds of one call above which it would take too long.
POINTS, SLOWEST = 6, 0.05
#: Relative difference that is a fault: compiled code adds in another order.
TOLERANCE = 1e-7


def same_in_python(subject: Subject) -> Iterator[Remark]:
    """The compiled density against the plain Python function, at random points."""
    stage, target = "plain Python", subject.target
    if target.made_from is not None:
        yield Remark(stage, "skipped", "the density calls foreign code")
        return
    if min(_seconds(subject) for _ in range(3)) > SLOWEST:
        yield Remark(stage, "skipped", f"an evaluation takes more than {SLOWEST:g} s when it is compiled")
        return
    try:
        density = interpreted(target.density)
    except NotPython as error:
        yield Remark(stage, "skipped", str(error))
        return
    order = stream("check", "plain Python", target.label).permutation(len(subject.typical))[:POINTS]
    compared, raised = 0, ""
    for point in subject.typical[order]:
        subject.trace(f"in plain Python at the point {shown(point)}")
        value, slope = np.zeros(1), np.zeros((1, target.dim))  # as `evaluate` gives them
        try:
            with np.errstate(all="ignore"):
                density(point[None].copy(), value, slope, target.data)
        except IndexError as error:
            yield Remark(
                stage,
                "problem",
                f"plain Python raises IndexError: {error}, at {shown(point)}; compiled code reads or writes whatever is there",
                "correct the index: compiled code checks none",
            )
            return
        except Exception as error:  # noqa: BLE001 - Python raises where compiled code gives an infinity or a NaN
            raised = f"{type(error).__name__}: {error}"
            continue
        compared += 1
        if (difference := _difference(subject, point, value, slope)) is not None:
            yield Remark(stage, "problem", f"{difference} at {shown(point)}", _FIX)
            return
    if compared:
        yield Remark(stage, "passed", f"the same log density and gradient as compiled code at {compared} points")
    else:
        yield Remark(stage, "skipped", f"plain Python cannot run the density: {raised}")


def _seconds(subject: Subject) -> float:
    """The seconds that one call of the compiled density takes."""
    before = time.perf_counter()
    subject.evaluate(subject.typical[:1])
    return time.perf_counter() - before


_FIX = (
    "look for whole numbers that overflow, for variables that are read before they are set, and for a global that numba "
    "has compiled in; if there is none of these, empty the cache of compiled code and report it"
)


def _difference(subject: Subject, point: Array, value: Array, slope: Array) -> str | None:
    """The difference between compiled code and plain Python at a point, in words; None if there is none."""
    compiled_value, compiled_slope = subject.evaluate(point[None])
    size = 1.0 + np.abs(slope).max()
    if not np.isclose(value[0], compiled_value[0], rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
        return f"log density is {compiled_value[0]:.9g} compiled and {value[0]:.9g} in plain Python"
    wrong = np.flatnonzero(~np.isclose(slope[0], compiled_slope[0], rtol=0.0, atol=TOLERANCE * size, equal_nan=True))
    if len(wrong) == 0:
        return None
    first = int(wrong[0])
    return (
        f"the gradient in {subject.name(first)} is {compiled_slope[0, first]:.9g} compiled and {slope[0, first]:.9g} in "
        "plain Python"
    )


def identity(subject: Subject) -> Iterator[Remark]:
    """Whether everything that determines a number of the target can be seen."""
    try:
        known = fingerprint(subject.target, subject.target.label)
    except NoFingerprintError as error:
        yield Remark(
            "identity",
            "note",
            f"what the target depends on cannot all be seen, so its cells are run again each time. {error}",
        )
    else:
        yield Remark("identity", "passed", f"fingerprint {known[:12]}: of the density, its data and its draws")
