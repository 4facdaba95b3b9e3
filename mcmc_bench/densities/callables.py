"""A target from Python callables on NumPy arrays: any density, at the speed of Python.

Kernels call it through a C callback that takes Python's lock, so that it works from any thread, but only one at a time. A
call costs about 10 µs besides what the callable itself takes, a thousand times what a small compiled density costs; one
that takes a whole block (`batched`) is called once for 16 chains. Must not know any particular density.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Draw, Target
from mcmc_bench.densities.foreign import address_data, density_of_block_function

_CALLBACK = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)


def from_numpy(
    log_density: Callable[[Array], Any],
    gradient: Callable[[Array], Any] | None = None,
    *,
    dim: int,
    batched: bool = False,
    draw_dispersed: Draw | None = None,
    one_point: npt.ArrayLike | None = None,
    **fields: Any,
) -> Target:
    """The target whose log density and gradient are computed by Python.

    Args:
        log_density: of one point ``x (dim,)``, a number; or, if `batched`, of points ``x (n, dim)``, an array (n,).
            Without `gradient` it returns both: ``(log density, gradient)``.
        gradient: of one point, (dim,); or of points, (n, dim).
        dim: dimension.
        batched: whether the callables take many points at once.
        draw_dispersed: starts, ``(generator, n) -> (n, dim)``; N(one_point, 4 I) if only `one_point` is given.
        one_point: one start (dim,); the first of `draw_dispersed` if only that is given.
        fields: further fields of `Target`: truth, modes, draw_exact, tags, name, …

    Raises:
        ValueError: neither `draw_dispersed` nor `one_point`. What the callables raise, and a wrong shape of what they
            return, is raised by whoever evaluates the target: `log_density_and_gradient`, or `sample`.
    """
    if draw_dispersed is None and one_point is None:
        raise ValueError("give draw_dispersed, one_point or both: chains have to start somewhere")
    centre = (
        np.asarray(draw_dispersed(np.random.default_rng(0), 1), dtype=np.float64)[0]  # type: ignore[misc]
        if one_point is None
        else np.asarray(one_point, dtype=np.float64)
    )
    call = _Callback(log_density, gradient, dim, batched)
    return Target(
        dim=dim,
        density=density_of_block_function,
        data=address_data(call.address),
        draw_dispersed=draw_dispersed or (lambda generator, n: centre + 2.0 * generator.standard_normal((n, dim))),
        one_point=centre,
        after_call=call.raise_failure,
        made_from=(log_density, gradient, batched),
        **fields,
    )


class _Callback:
    """The C callback around the callables; lives as long as the target, which holds its method."""

    def __init__(
        self, log_density: Callable[[Array], Any], gradient: Callable[[Array], Any] | None, dim: int, batched: bool
    ) -> None:
        self.log_density, self.gradient, self.dim, self.batched = log_density, gradient, dim, batched
        self.failure: BaseException | None = None
        self.function = _CALLBACK(self._call)
        self.address = ctypes.cast(self.function, ctypes.c_void_p).value or 0

    def raise_failure(self) -> None:
        """Raise what the callables have raised since the last time."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def _call(self, chains: int, dim: int, x: int, log_density: int, gradient: int) -> None:
        # An exception cannot pass through compiled code: it is kept, and the points have no density.
        values, slopes = _array(log_density, chains), _array(gradient, chains * dim).reshape(chains, dim)
        try:
            # A copy: whatever the callable keeps or changes, the chains' own positions are not it.
            self._fill(_array(x, chains * dim).reshape(chains, dim).copy(), values, slopes)
        except BaseException as error:  # noqa: BLE001 - raised again as soon as compiled code has returned
            self.failure = self.failure or error
            values[:], slopes[:] = np.nan, np.nan

    def _fill(self, x: Array, values: Array, slopes: Array) -> None:
        rows: list[Any] = [x] if self.batched else list(x)
        places: list[Any] = [slice(None)] if self.batched else list(range(len(x)))
        for row, place in zip(rows, places, strict=True):
            if self.gradient is None:
                both = self.log_density(row)
                if not isinstance(both, tuple) or len(both) != 2:
                    raise ValueError(
                        f"without gradient, log_density must return (log density, gradient), not a {type(both).__name__}; "
                        "or give gradient too"
                    )
                value, slope = both
            else:
                value, slope = self.log_density(row), self.gradient(row)
            values[place] = _checked("log density", value, np.shape(values[place]))
            slopes[place] = _checked("gradient", slope, slopes[place].shape)


def _array(address: int, count: int) -> Array:
    return np.ctypeslib.as_array((ctypes.c_double * count).from_address(address))


def _checked(what: str, value: Any, shape: tuple[int, ...]) -> Array:
    found = np.asarray(value, dtype=np.float64)
    if found.shape != shape:
        if shape == () and found.size == 1:
            return found.reshape(())
        raise ValueError(f"the {what} must have shape {shape}, not {found.shape}")
    return found
