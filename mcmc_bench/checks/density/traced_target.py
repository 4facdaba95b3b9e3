"""The target under check, inside a worker process: its points, and a trace of what is being done to it.

The trace is a file that the parent reads when the process had to be ended or has died: it holds the point at which the
density was last called. Must not know what is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target

#: Points of each kind that single calls are made with.
POINTS = 24
#: Draws behind statistical checks: at most this many, and this many numbers.
DRAWS, NUMBERS = 8192, 2_000_000
#: Numbers before and after every array that a single call is given.
ROOM = 256


@dataclass
class Subject:
    """A target with a trace."""

    target: Target
    trace_file: Path
    notes: list[str] = field(default_factory=list)

    def trace(self, text: str) -> None:
        """Remember what is being done, should it never end."""
        self.trace_file.write_text(text, encoding="utf-8")

    def name(self, coordinate: int) -> str:
        """A coordinate in words."""
        names = self.target.coordinate_names
        return f"coordinate {coordinate}" + (f" ({names[coordinate]})" if names is not None else "")

    def evaluate(self, points: Array) -> tuple[Array, Array]:
        """Log density (n,) and gradient (n, dim), one point at a time, each traced.

        On arrays with room on both sides, so that a density of another dimension does no harm here; `contract` names it.
        """
        dim = self.target.dim
        x, log_density, gradient = (np.zeros(ROOM + count + ROOM) for count in (dim, 1, dim))
        inside = slice(ROOM, -ROOM)
        values, slopes = np.empty(len(points)), np.empty((len(points), dim))
        for i, point in enumerate(points):
            self.trace(f"at the point {shown(point)}")
            x[inside] = point
            self.target.pointer(
                x[inside].reshape(1, dim), log_density[inside], gradient[inside].reshape(1, dim), self.target.data
            )
            if self.target.after_call is not None:
                self.target.after_call()
            values[i], slopes[i] = log_density[ROOM], gradient[inside]
        return values, slopes

    @cached_property
    def starts(self) -> dict[str, Array]:
        """Points by kind: every kind of start that the target has, and stored draws."""
        generator = stream("check", self.target.label)
        self.trace("in draw_dispersed")
        found = {"dispersed start": self.target.starts("dispersed", generator, POINTS)}
        found["one_point"] = self.target.one_point[None].copy()
        if self.target.draw_exact is not None:
            self.trace("in draw_exact")
            found["exact draw"] = self.target.starts("exact", generator, POINTS)
        elif self.target.reference_draws is not None:
            found["reference draw"] = self.target.reference_draws[:POINTS]
        return found

    @cached_property
    def typical(self) -> Array:
        """Finite points of all kinds (n, dim)."""
        points = np.concatenate(list(self.starts.values()))
        log_density, gradient = self.evaluate(points)
        return points[np.isfinite(log_density) & np.isfinite(gradient).all(axis=1)]

    @cached_property
    def scale(self) -> Array:
        """The spread of the typical points in every coordinate, (dim,); 1 where there is none."""
        points = np.concatenate(list(self.starts.values()))
        spread = points.std(axis=0)
        return np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)

    @cached_property
    def draws(self) -> Array | None:
        """Exact or reference draws (n, dim) for statistics."""
        target = self.target
        count = int(np.clip(NUMBERS // target.dim, 500, DRAWS))
        if target.draw_exact is not None:
            self.trace("in draw_exact")
            return target.starts("exact", stream("check", "draws", target.label), count)
        return None if target.reference_draws is None else target.reference_draws[:count]


def shown(point: Array) -> str:
    """A point in words, shortened."""
    return np.array2string(np.asarray(point), precision=4, threshold=8, edgeitems=3).replace("\n", "")
