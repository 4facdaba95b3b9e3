"""The contract of a sampler: one transition of a block of chains, and what it declares about itself.

Knows the JIT layer. Must not know any particular sampler or target.

A sampler file holds a compiled function ``step`` and the declaration ``SAMPLER``. `step` moves all chains of a
block by one transition, in place::

    step(target, data, generator, settings, inverse_mass_matrix,
         position, log_density, gradient, statistics, scratch, evaluations)

==================== ===================== ===============================================================
argument             shape                 meaning
==================== ===================== ===============================================================
target, data         pointer, flat array   pass both to `kernels.block.evaluate`, which counts
generator            one per block         ``generator.standard_normal()``, ``generator.random()``
settings             (number of settings,) in the order of the declaration
inverse_mass_matrix  (dim,)                diagonal; ones where the sampler declares no use of it
position             (chain, dim)          in: current state; out: next state
log_density          (chain,)              of `position`, kept up to date
gradient             (chain, dim)          of `position`, kept up to date
statistics           (chain, 3) [out]      columns ACCEPTANCE, DIVERGING, ENERGY_ERROR of this transition
scratch              (scratch, chain, dim) memory that the step may use as it likes; not kept between calls
evaluations          (1,)                  target evaluations per chain so far; only `evaluate` changes it
==================== ===================== ===============================================================

State is only what the next transition needs; tuning, thinning and bookkeeping live elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mcmc_bench.kernels import jit as _jit

Array = npt.NDArray[np.float64]

#: Columns of `statistics`, and their names in ArviZ's schema.
ACCEPTANCE, DIVERGING, ENERGY_ERROR = 0, 1, 2
STATISTICS = ("acceptance_rate", "diverging", "energy_error")

Kind = Literal["exact", "biased", "optimiser", "oracle"]


@dataclass(frozen=True)
class Setting:
    """One number that a user may set."""

    default: float | int
    description: str
    low: float = -np.inf  # smallest value allowed
    high: float = np.inf
    above: bool = False  # True: `low` itself is not allowed
    integer: bool = False


@dataclass(frozen=True, eq=False)
class Sampler:
    """A kernel with its declaration; `name` is the name of its file."""

    kind: Kind  # exact: keeps the target; biased: has a step-size bias; optimiser: no noise; oracle: i.i.d. draws
    description: str
    source: str  # author, year, arXiv id or DOI
    settings: Mapping[str, Setting] = field(default_factory=dict)
    step: Any = None  # the compiled transition
    scratch: int = 0  # how many (chain, dim) arrays the step needs
    evaluations_per_step: Callable[[Mapping[str, float]], int] = lambda settings: 1
    uses_gradient: bool = True
    uses_inverse_mass_matrix: bool = False
    metropolised: bool = False  # statistics[:, ACCEPTANCE] means something
    #: Instead of `step`: a Python callable ``(counted target, generator, start (chain, dim), draws, settings) ->
    #: positions (draws, chain, dim)``.
    draw: Callable[..., Array] | None = None
    #: Closed form on a Gaussian: ``(settings, precision eigenvalues) -> stationary variance along each``.
    stationary_variance: Callable[[Mapping[str, float], Array], Array] | None = None
    #: Closed form: ``(settings, precision, dim) -> mean acceptance`` on an isotropic Gaussian in equilibrium.
    mean_acceptance: Callable[[Mapping[str, float], float, int], float] | None = None
    name: str = ""  # filled in by the catalog

    @property
    def pointer(self) -> Any:
        """The step, compiled so that the chunk loop takes it as a function pointer."""
        return _jit.compiled(self.step, _jit.STEP_SIGNATURE)

    def complete(self, given: Mapping[str, Any]) -> dict[str, float]:
        """All settings with `given` filled in over the defaults.

        Raises:
            ValueError: an unknown setting or a value outside its range; the message names the sampler, the
                setting, the value and what is allowed.
        """
        values: dict[str, float] = {name: setting.default for name, setting in self.settings.items()}
        for name, value in given.items():
            if name not in self.settings:
                from mcmc_bench.spelling import unknown

                raise ValueError(unknown(f"setting of {self.name}", name, list(self.settings)))
            values[name] = self._checked(name, value)
        return values

    def _checked(self, name: str, value: Any) -> float:
        setting = self.settings[name]
        what = f"{self.name}: {name} = {value!r}"
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise ValueError(f"{what} is not a number")
        try:
            finite = math.isfinite(value)
        except OverflowError:  # a whole number beyond the largest float
            finite = False
        if not finite:
            raise ValueError(f"{what} is not finite")
        if setting.integer and value != int(value):
            raise ValueError(f"{what} must be a whole number")
        if value < setting.low or (setting.above and value == setting.low):
            relation = "greater than" if setting.above else "at least"
            raise ValueError(f"{what} must be {relation} {setting.low:g}")
        if value > setting.high:
            raise ValueError(f"{what} must be at most {setting.high:g}")
        return int(value) if setting.integer else float(value)
