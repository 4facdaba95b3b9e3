"""Checks of a density alone: finite, gradient, corners, and the contract of a block.

Must not know truths or samplers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.catalog import cost
from mcmc_bench.checks.density.findings import Remark
from mcmc_bench.checks.density.traced_target import Subject, shown
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import BLOCK_CHAINS

#: Relative difference between gradient and differences that is a fault.
TOLERANCE = 1e-4
#: Steps of the differences, in units of the points' spread; the best of them counts.
STEPS = (1e-4, 1e-3, 1e-2)
#: Directions along which all coordinates are looked at, coordinates of wrong groups looked at one by one, corner points.
DIRECTIONS, SUSPECTS, CORNERS = 40, 60, 400
SENTINEL = 1.2345e301

Mask = npt.NDArray[np.bool_]


def finite(subject: Subject) -> Iterator[Remark]:
    """Log density and gradient are finite wherever chains may start."""
    count = 0
    for kind, points in subject.starts.items():
        log_density, gradient = subject.evaluate(points)
        count += len(points)
        bad = np.flatnonzero(~np.isfinite(log_density))
        if len(bad):
            yield Remark(
                "finite at the starts",
                "problem",
                f"log density is {log_density[bad[0]]} at {len(bad)} of {len(points)} points of kind {kind!r}, "
                f"first at {shown(points[bad[0]])}",
                f"give {_source(kind)} that lies where the density is finite, or fix the density there",
            )
        bad = np.flatnonzero(np.isfinite(log_density) & ~np.isfinite(gradient).all(axis=1))
        if len(bad):
            coordinate = int(np.flatnonzero(~np.isfinite(gradient[bad[0]]))[0])
            yield Remark(
                "finite at the starts",
                "problem",
                f"the gradient is {gradient[bad[0], coordinate]} in {subject.name(coordinate)} at {len(bad)} of "
                f"{len(points)} points of kind {kind!r}, first at {shown(points[bad[0]])}",
                "look for a division by zero or an overflow in the gradient; the log density is finite there",
            )
    yield Remark("finite at the starts", "passed", f"{count} points looked at")


def _source(kind: str) -> str:
    return {"one_point": "a one_point", "dispersed start": "a draw_dispersed"}.get(kind, "an exact sampler")


def gradient(subject: Subject) -> Iterator[Remark]:
    """The gradient against finite differences of the log density, in every coordinate.

    Many coordinates are looked at in groups, along a direction of random signs each; those of a group that is wrong, one
    by one.
    """
    points, dim = subject.typical, subject.target.dim
    if len(points) == 0:
        yield Remark("gradient", "skipped", "no point at which the density is finite")
        return
    stated = subject.evaluate(points)[1]
    groups = np.array_split(np.arange(dim), min(DIRECTIONS, dim))
    signs = np.where(stream("check", "signs", subject.target.label).random(dim) < 0.5, -1.0, 1.0)
    directions = np.stack([np.isin(np.arange(dim), group) * signs * subject.scale for group in groups])
    difference, allowed = _differences(subject, points, directions)
    wrong = np.asarray(~(np.abs(stated @ directions.T - difference) <= allowed))
    if not wrong.any():
        size = np.sqrt((stated**2) @ (directions**2).T) + np.finfo(float).tiny  # of the slope along a direction
        yield Remark(
            "gradient",
            "passed",
            f"agrees with finite differences at {len(points)} points in all {dim} coordinates, along {len(groups)} "
            f"directions; an error of {np.median(allowed / size):.1g} of the slope along one would have been seen",
        )
        return
    suspects = np.concatenate([group for group, bad in zip(groups, np.asarray(wrong.any(axis=0)), strict=True) if bad])
    coordinates = suspects[np.unique(np.linspace(0, len(suspects) - 1, min(SUSPECTS, len(suspects))).astype(int))]
    fault = _Fault.of(subject, points, stated, coordinates, others=dim - len(suspects))
    yield Remark("gradient", "problem", f"{fault.pattern(subject)}; {fault.largest(subject, points)}", fault.fix)


@dataclass(frozen=True)
class _Fault:
    """A gradient that is wrong, coordinate by coordinate: arrays are (point, coordinate)."""

    coordinates: npt.NDArray[np.int64]
    others: int  # coordinates that are right, as their groups say
    stated: Array
    difference: Array
    allowed: Array
    wrong: Mask

    @classmethod
    def of(
        cls, subject: Subject, points: Array, stated: Array, coordinates: npt.NDArray[np.int64], others: int
    ) -> _Fault:
        """Look at some coordinates one by one."""
        scale = subject.scale[coordinates]
        directions = np.eye(subject.target.dim)[coordinates] * scale[:, None]
        difference, allowed = (values / scale for values in _differences(subject, points, directions))
        wrong = np.asarray(~(np.abs(stated[:, coordinates] - difference) <= allowed))
        return cls(coordinates, others, stated[:, coordinates], difference, allowed, wrong)

    def factor(self, columns: Any = slice(None)) -> float | None:
        """c if stated = c · difference in all of some columns, else None."""
        stated, difference, allowed = (values[:, columns] for values in (self.stated, self.difference, self.allowed))
        total = float((difference**2).sum())
        if total == 0 or not np.isfinite(stated).all():
            return None
        c = float((stated * difference).sum() / total)
        close = np.abs(stated - c * difference) <= (1.0 + abs(c)) * allowed + 1e-3 * np.abs(difference)
        return c if close.all() and abs(c - 1.0) > 1e-5 else None

    @staticmethod
    def _is_sign(factor: float | None) -> bool:
        return factor is not None and abs(factor + 1.0) < 1e-3

    def pattern(self, subject: Subject) -> str:
        """The kind of fault, in words: everything, a sign, a factor, some coordinates, or a region."""
        factor, bad = self.factor(), np.flatnonzero(self.wrong.any(axis=0))
        right = self.others + len(self.coordinates) - len(bad)
        if self.others == 0 and self._is_sign(factor):
            return "the gradient has the opposite sign: it is that of −log p, while the log density is log p (or the reverse)"
        if self.others == 0 and factor is not None:
            return f"the gradient is {factor:.6g} times what it should be, in every coordinate"
        if right >= len(bad) > 0:
            named = ", ".join(subject.name(int(self.coordinates[i])) for i in bad[:4])
            more = f" and {len(bad) - 4} more" if len(bad) > 4 else ""
            one = self.factor(bad)
            how = (
                ", with the opposite sign"
                if self._is_sign(one)
                else ""
                if one is None
                else f", {one:.6g} times too large"
            )
            return f"the gradient is wrong in {named}{more}{how}; the other {right} looked at are right"
        bad_points = int(self.wrong.any(axis=1).sum())
        where = "in a region only, " if bad_points < 0.6 * len(self.wrong) else ""
        return f"the gradient is wrong {where}at {bad_points} of {len(self.wrong)} points"

    def largest(self, subject: Subject, points: Array) -> str:
        """Where it is worst, and by how much."""
        error = np.abs(self.stated - self.difference) / self.allowed
        at = np.unravel_index(np.where(self.wrong, error, 0.0).argmax(), error.shape)
        return (
            f"largest at {shown(points[at[0]])} in {subject.name(int(self.coordinates[at[1]]))}: the gradient says "
            f"{self.stated[at]:.6g}, differences of the log density say {self.difference[at]:.6g}"
        )

    @property
    def fix(self) -> str:
        """The advice for this kind of fault."""
        if self.others == 0 and self._is_sign(self.factor()):
            return "return log p and write ∇log p, both without the minus of an energy"
        if self.others == 0 and self.factor() is not None:
            return "write ∇log p without a factor of its own"
        return "derive this part of the gradient anew; if the log density has a kink or a jump there, differences cannot be right"


def _differences(subject: Subject, points: Array, directions: Array) -> tuple[Array, Array]:
    """Central differences of fourth order along directions (k, dim): (n, k), and the error that each may have.

    Of three steps the one counts whose neighbours it agrees with best.
    """
    target = subject.target
    log_density, stated = target.log_density_and_gradient(points)
    size = np.sqrt((stated**2) @ (directions**2).T)  # of the slope along each direction, if signs were random
    best, spread = np.zeros((len(points), len(directions))), np.full((len(points), len(directions)), np.inf)
    for column, direction in enumerate(directions):
        subject.trace(f"at finite differences about {shown(points[0])}")
        estimates, rounding = [], []
        for step in STEPS:
            plus, minus, plus2, minus2 = (
                target.log_density_and_gradient(points + multiple * step * direction)[0] for multiple in (1, -1, 2, -2)
            )
            with np.errstate(invalid="ignore"):
                estimates.append((8.0 * (plus - minus) - (plus2 - minus2)) / (12.0 * step))
            # Rounding of the density itself, and of its argument.
            argument = np.abs(points * stated) @ (direction != 0)
            rounding.append(30 * np.finfo(float).eps * (np.abs(log_density) + argument + 1.0) / step)
        for number, estimate in enumerate(estimates):
            nearest = np.min([np.abs(estimate - other) for k, other in enumerate(estimates) if k != number], axis=0)
            error = np.where(np.isfinite(nearest), nearest, np.inf) + rounding[number]
            better = error < spread[:, column]
            best[better, column], spread[better, column] = estimate[better], error[better]
    return best, TOLERANCE * np.maximum(size, np.abs(best)) + 3.0 * np.where(np.isfinite(spread), spread, 0.0)


def corners(subject: Subject) -> Iterator[Remark]:
    """Far from the starts: never NaN and never +∞; and falling in the end."""
    generator = stream("check", "corners", subject.target.label)
    points = np.concatenate(list(subject.starts.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    centre, half = (low + high) / 2.0, np.maximum((high - low) / 2.0, subject.scale)
    dim = subject.target.dim
    boxes = [centre + half * factor * generator.uniform(-1.0, 1.0, (CORNERS, dim)) for factor in (1.0, 2.0, 5.0, 100.0)]
    signs = np.where(generator.random((CORNERS // 4, dim)) < 0.5, -1.0, 1.0)
    boxes += [centre + half * factor * signs for factor in (1.0, 3.0, 1e3, 1e6)]
    everywhere = np.concatenate(boxes)
    log_density, slope = subject.evaluate(everywhere)
    found = False
    for what, bad, fix in (
        (
            "log density is NaN",
            np.isnan(log_density),
            "return −np.inf where there is no density, and see what makes a NaN (0·∞, ∞ − ∞, the logarithm or root of a negative number)",
        ),
        (
            "log density is +∞",
            log_density == np.inf,
            "a density may not be infinite: look for an overflow, or for a pole that has to be bounded",
        ),
        (
            "the gradient is NaN or infinite where the log density is finite",
            np.isfinite(log_density) & ~np.isfinite(slope).all(axis=1),
            "look for an overflow or 0·∞ in the gradient",
        ),
    ):
        if bad.any():
            found = True
            first = int(np.flatnonzero(bad)[np.abs((everywhere[bad] - centre) / half).max(axis=1).argmin()])
            away = np.abs((everywhere[first] - centre) / half).max()
            yield Remark(
                "corners",
                "problem",
                f"{what} at {bad.sum()} of {len(everywhere)} points in and around the box of the starts; the nearest, "
                f"{away:.3g} half-widths from its centre: {shown(everywhere[first])}",
                fix,
            )
    if rises := _rises(subject, centre, half):
        found = True
        yield rises
    if not found:
        yield Remark(
            "corners",
            "passed",
            f"{len(everywhere)} points up to a million half-widths away: no NaN, no +∞, and log p falls in the end; a corner "
            f"of 1 % of the box of the starts would have been seen with probability {1 - 0.99**CORNERS:.2f}",
        )


def _rises(subject: Subject, centre: Array, half: Array) -> Remark | None:
    """log p that goes on rising along most rays is the log density of nothing: an energy, perhaps."""
    directions = stream("check", "rays", subject.target.label).standard_normal((50, subject.target.dim))
    rays = [subject.target.log_density_and_gradient(centre + t * half * directions)[0] for t in (1.0, 10.0, 100.0)]
    rising = (rays[2] > rays[1]) & (rays[1] > rays[0])
    if rising.mean() <= 0.5:
        return None
    return Remark(
        "corners",
        "problem",
        f"log p goes on rising along {rising.mean():.0%} of 50 rays, from {np.median(rays[0]):.3g} to {np.median(rays[2]):.3g} "
        "(median) a hundred half-widths away: it cannot be normalised; this looks like −log p, an energy",
        "return log p, the negative of the energy, and the gradient of log p",
    )


def contract(subject: Subject) -> Iterator[Remark]:
    """Test the contract with kernels: the density writes all its results and nothing else, and no chain affects another."""
    points = np.resize(subject.typical, (BLOCK_CHAINS, subject.target.dim)).copy()
    alone_density = subject.evaluate(points)[0]
    stage, found = "contract", False
    subject.trace(f"on a block of {BLOCK_CHAINS} chains")
    results = [_guarded(subject, points, sentinel) for sentinel in (SENTINEL, -SENTINEL)]
    for what, fix in results[0].complaints:
        found = True
        yield Remark(stage, "problem", what, fix)
    first, second = results
    unwritten = ~np.isclose(first.gradient, second.gradient, rtol=1e-6, atol=0.0, equal_nan=True)
    if unwritten.any():
        found = True
        columns = np.flatnonzero(unwritten.any(axis=0))
        yield Remark(
            stage,
            "problem",
            f"the gradient is not written, or added to, in {', '.join(subject.name(int(i)) for i in columns[:4])}"
            f"{' and more' if len(columns) > 4 else ''}: it depends on what the array held before",
            "write every entry of the gradient with =, the first time never with +=",
        )
    if not np.isclose(first.log_density, second.log_density, rtol=1e-6, atol=0.0, equal_nan=True).all():
        found = True
        yield Remark(
            stage,
            "problem",
            "log_density is not written for every chain of a block",
            "write log_density[chain] for every chain",
        )
    tolerance = 1e-9 * (1.0 + np.abs(alone_density))
    differ = ~(np.abs(first.log_density - alone_density) <= tolerance)
    if differ.any() and not unwritten.any():
        found = True
        chain = int(np.flatnonzero(differ)[0])
        yield Remark(
            stage,
            "problem",
            f"chains of a block are not for themselves: at {shown(points[chain])} log p is {alone_density[chain]:.10g} alone and "
            f"{first.log_density[chain]:.10g} as chain {chain} of {BLOCK_CHAINS}",
            "read only row `chain` of x, and have no state between calls; if dim is larger than what the density reads or "
            "smaller, set dim to the number of coordinates that it uses",
        )
    with_nan = points.copy()
    with_nan[BLOCK_CHAINS // 2] = np.nan
    density, _ = subject.target.log_density_and_gradient(with_nan)
    others = np.arange(BLOCK_CHAINS) != BLOCK_CHAINS // 2
    if np.isfinite(density[BLOCK_CHAINS // 2]):
        found = True
        yield Remark(
            stage,
            "problem",
            "a point of NaN has a finite log density: a chain that became non-finite would come back",
            "let NaN pass through; np.isfinite is always true in these kernels, use mcmc_bench.kernels.jit.is_finite",
        )
    if not np.isfinite(density[others]).all():
        found = True
        yield Remark(
            stage,
            "problem",
            "one chain of NaN spoils the other chains of its block",
            "keep sums and maxima of each chain apart",
        )
    if not found:
        yield Remark(stage, "passed", "all results are written, nothing else is, each chain is for itself")


class _guarded:  # noqa: N801 - used like a function
    """One call on arrays between guards, with everything that it should not have done."""

    def __init__(self, subject: Subject, points: Array, sentinel: float) -> None:
        target = subject.target
        size, dim = points.shape
        guard = 4 * dim + 64
        buffers = [np.full(2 * guard + count, sentinel) for count in (size * dim, size, size * dim)]
        x = buffers[0][guard:-guard].reshape(size, dim)
        self.log_density = buffers[1][guard:-guard]
        self.gradient = buffers[2][guard:-guard].reshape(size, dim)
        x[:] = points
        data = target.data.copy()
        target.pointer(x, self.log_density, self.gradient, data)
        if target.after_call is not None:
            target.after_call()
        self.complaints: list[tuple[str, str]] = []
        if not np.array_equal(x, points, equal_nan=True):
            self.complaints.append(
                ("the density changes x, the chains' positions", "work on a copy of what has to be changed")
            )
        if not np.array_equal(data, target.data, equal_nan=True):
            self.complaints.append(("the density changes its data", "work on a copy of what has to be changed"))
        outside = [
            not (buffer[:guard] == sentinel).all() or not (buffer[-guard:] == sentinel).all() for buffer in buffers
        ]
        if any(outside):
            names = ", ".join(name for name, out in zip(("x", "log_density", "gradient"), outside, strict=True) if out)
            self.complaints.append(
                (
                    f"the density writes outside of {names}: it has another dimension than dim = {dim}",
                    f"set dim to the number of coordinates that the density uses, or fix the loop over them; dim is {dim}",
                )
            )


def speed(subject: Subject) -> Iterator[Remark]:
    """Time of an evaluation, alone and in a block, and what the block form would bring."""
    points = np.resize(subject.typical, (BLOCK_CHAINS, subject.target.dim)).copy()
    subject.trace("while its speed is measured")
    alone, block = cost.nanoseconds(subject.target, points[:1]), cost.nanoseconds(subject.target, points)
    lifted = subject.target.density.py_func.__name__.endswith("_of_block")
    text = f"{cost.words(block)} an evaluation in blocks of {BLOCK_CHAINS} chains, {cost.words(alone)} alone"
    advice = ""
    if lifted and block > 2000.0:
        advice = "; written for one point: as a block_density a matrix product serves all chains of a block at once"
    elif lifted and subject.target.dim <= 4 and block > 50.0:
        advice = (
            "; written for one point: as a block_density with the chains as inner loop, exp can run in SIMD registers"
        )
    yield Remark("speed", "note", f"{text}{advice}")
