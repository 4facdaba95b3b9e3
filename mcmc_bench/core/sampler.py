"""The contract of a sampler: one transition of a block of chains, and what it declares about itself.

Knows the JIT layer. Must not know any particular sampler or target.

A sampler file holds a compiled function ``step`` and the declaration ``SAMPLER``. `step` moves all chains of a
block by one transition, in place::

    step(target, data, generator, settings,
         position, log_density, gradient, statistics, memory, scratch, evaluations)

==================== ===================== ===============================================================
argument             shape                 meaning
==================== ===================== ===============================================================
target, data         pointer, flat array   pass both to `kernels.block.evaluate`, which counts
generator            one per block         ``generator.standard_normal()``, ``generator.random()``
settings             (number of settings,) in the order of the declaration
position             (chain, dim)          in: current state; out: next state
log_density          (chain,)              of `position`, kept up to date
gradient             (chain, dim)          of `position`, kept up to date
statistics           (chain, 3 + k) [out]  columns ACCEPTANCE, DIVERGING, ENERGY_ERROR of this transition, then the
                                           k that the sampler declares in `extra_statistics`
memory               (memory, chain, dim)  what else the next transition needs (a momentum, hotter replicas)
scratch              (scratch, chain, dim) memory that the step may use as it likes; not kept between calls
evaluations          (1,)                  target evaluations per chain so far; only `evaluate` changes it
==================== ===================== ===============================================================

State is only what the next transition needs; tuning, thinning and bookkeeping live elsewhere. No kernel knows a mass
matrix: unit mass in other coordinates is the same (`mcmc_bench.kernels.affine`), for every sampler alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.identity import documentation
from mcmc_bench.core.kinds import Kind
from mcmc_bench.core.target import Target
from mcmc_bench.kernels import jit as _jit
from mcmc_bench.kernels.block import ACCEPTANCE, DIVERGING, ENERGY_ERROR
from mcmc_bench.kernels.frozen import frozen

__all__ = ["ACCEPTANCE", "DIVERGING", "ENERGY_ERROR", "STATISTICS", "Adaptation", "Sampler", "Setting"]

Settings = Mapping[str, float]

#: Names of the first columns of `statistics` in ArviZ's schema.
STATISTICS = ("acceptance_rate", "diverging", "energy_error")

Rule = Literal["acceptance", "energy", "ascent", "distance", "scale"]

#: What a sampler may need of a target, and how it is seen that it is there.
REQUIREMENTS: dict[str, Callable[[Target], bool]] = {
    "an exact sampler": lambda target: target.draw_exact is not None,
    "a smoothed density": lambda target: target.smoothed is not None,
    "a density of part of its data": lambda target: target.part_of_data is not None,
    "more than one dimension": lambda target: target.dim >= 2,
}


#: The largest whole number that a setting may have where nothing smaller is declared: beyond it a kernel's counters of
#: 64 bits could overflow.
LARGEST_WHOLE = 2**31 - 1


@dataclass(frozen=True)
class Setting:
    """One number that a user may set.

    Raises:
        ValueError: a default that is not allowed.
    """

    default: float | int
    description: str = documentation()
    low: float = -np.inf  # smallest value allowed
    high: float = np.inf  # largest value allowed; at most `LARGEST_WHOLE` for whole numbers
    above: bool = False  # True: `low` itself is not allowed
    integer: bool = False

    def __post_init__(self) -> None:
        """Check the default, so that a wrong file fails where it is made."""
        if self.integer:
            object.__setattr__(self, "high", min(self.high, LARGEST_WHOLE))
        if wrong := self.problem(self.default):
            raise ValueError(f"the default {self.default!r} of a setting {wrong}")

    def problem(self, value: Any) -> str:
        """The reason why a value is not allowed, in words; empty if it is."""
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            return "is not a number"
        try:
            finite = math.isfinite(value)
        except OverflowError:  # a whole number beyond the largest float
            finite = False
        if not finite:
            return "is not finite"
        if self.integer and value != int(value):
            return "must be a whole number"
        if value < self.low or (self.above and value == self.low):
            return f"must be {'greater than' if self.above else 'at least'} {self.low:g}"
        return f"must be at most {self.high:.10g}" if value > self.high else ""


@dataclass(frozen=True)
class Adaptation:
    """The settings that are tuned, and the goal; `mcmc_bench.sampling.tuning.schedule` does it without knowing the kernel.

    - acceptance: the mean acceptance over all chains is `goal` (dual averaging, Hoffman and Gelman 2014).
    - energy: for kernels without a correction. The variance of the energy error of a step, over dim, is 4 b³ with
      b = `goal`: on a Gaussian, b is then the relative bias of the variance (ULA, OBABO; derived in `tuning`).
    - ascent: half of the step size at which a share of `goal` of the steps do not lower the log density.
    - distance, scale: the noise that draws begin in is `goal` × the largest distance between two starts, or `goal` × the
      root mean square of their coordinates. Costs no transition.
    """

    rule: Rule
    goal: float
    setting: str = "step_size"  # what is tuned
    exponent: float = 1.0  # energy errors of a step go as step_size^exponent
    trajectory: str | None = None  # the setting that is the length of a trajectory, tuned by ChEES
    ladder: bool = False  # tuned to even rejection; the first records are the rejection rates of its pairs
    mass_matrix: bool = True  # the coordinates are tuned

    @property
    def by_starts(self) -> bool:
        """True if the starts alone say what the setting is tuned to."""
        return self.rule in ("distance", "scale")


@dataclass(frozen=True, eq=False)
class Sampler:
    """A kernel with its declaration; `name` is the name of its file.

    Raises:
        ValueError: a declaration that cannot be; the message names the field, its value and the fix.
    """

    kind: Kind  # exact: keeps the target; biased: has a step-size bias; optimiser: no noise; oracle: i.i.d. draws
    description: str = documentation()
    source: str = documentation()  # author, year, arXiv id or DOI
    settings: Mapping[str, Setting] = field(default_factory=dict)
    step: Any = None  # the compiled transition
    scratch: int | Callable[[Settings], int] = 0  # how many (chain, dim) arrays the step needs
    memory: int | Callable[[Settings], int] = 0  # how many of them are kept between transitions
    #: What `memory` holds before the first transition: ``(counted target, generator, settings, schedule, position (chain,
    #: dim)) -> (memory, chain, dim)``. For an exact sampler, positions drawn from the target must give a joint draw from
    #: the distribution that its transitions keep. Zeros by default.
    init_memory: Callable[[Any, np.random.Generator, Settings, Array, Array], Array] | None = None
    #: For a transition that goes down noise levels: at how many of them it leaves its state on arrival in `memory`, as far
    #: as that has room. It has none but for trajectory snapshots, see `mcmc_bench.sampling.snapshots`.
    num_snapshots: Callable[[Settings], int] | None = None
    #: Names of what else a transition records, in the order of the further columns of `statistics`.
    extra_statistics: Callable[[Settings], tuple[str, ...]] = lambda settings: ()
    #: Temperatures or noise levels, (level,), where the sampler goes through several densities.
    schedule: Callable[[Settings], Array] | None = None
    #: ``(target, settings, schedule) -> (density, data)``: what `step` is given instead of the target's own density. The
    #: log density that the step leaves behind is then not taken for that of the target.
    prepare: Callable[[Target, Settings, Array], tuple[Any, Array]] | None = None
    #: Target evaluations of one transition; their expectation where it varies.
    evaluations_per_step: Callable[[Settings], float] = lambda settings: 1
    varying_cost: bool = False
    #: For stochastic gradients, the setting that is the share of the rows that an evaluation uses, and costs. The step
    #: writes the rows that it draws into the data that `prepare` gives.
    share_of_data: str | None = None
    requires: tuple[str, ...] = ()  # from REQUIREMENTS
    #: ``(target, settings) -> settings`` as they are on this target, where one of them depends on it: a share of its rows is
    #: a whole number of rows. Raises ValueError where the target cannot have them; the message names setting, value and fix.
    resolve_settings: Callable[[Target, Settings], Settings] = lambda target, settings: settings
    #: Chains that move in lock-step, where their number is not the driver's to choose: a number, or all of a run.
    block_chains: int | Literal["all"] | None = None
    uses_gradient: bool = True
    uses_inverse_mass_matrix: bool = False
    metropolised: bool = False  # statistics[:, ACCEPTANCE] means something
    adaptation: Adaptation | None = None
    #: Instead of `step`: a Python callable ``(counted target, generator, start (chain, dim), draws, settings) ->
    #: positions (draws, chain, dim)``.
    draw: Callable[..., Array] | None = None
    #: Closed form on a Gaussian: ``(settings, precision eigenvalues) -> stationary variance along each``. That of an exact
    #: sampler and of the oracle is 1/precision by what they are, unless something else is given.
    stationary_variance: Callable[[Settings, Array], Array] | None = None
    #: Closed form: ``(settings, precision, dim) -> mean acceptance`` on an isotropic Gaussian in equilibrium.
    mean_acceptance: Callable[[Settings, float, int], float] | None = None
    #: ``(settings, target, x (n, dim), a (k, dim)) -> (n, k)``: the characteristic function of one transition,
    #: E exp(i a·(x' − x)) given x, on any target; for kernels without a correction that have it in closed form.
    characteristic: Callable[[Settings, Target, Array, Array], npt.NDArray[np.complex128]] | None = None
    #: For a Hamiltonian kernel, its deterministic part: ``(target, settings, position, momentum) -> (position, momentum)``,
    #: all (chain, dim). It keeps volume, and is its own inverse once the momentum is turned round.
    flow: Callable[[Target, Settings, Array, Array], tuple[Array, Array]] | None = None
    #: Whether `energy_error` is minus the log of the Metropolis ratio of a proposal that is its own reverse.
    energy_error_is_log_ratio: bool = True
    #: False where `init_memory` cannot give a joint draw: the kernel then has to forget its beginning first.
    starts_in_equilibrium: bool = True
    name: str = ""  # filled in by the catalog

    def __post_init__(self) -> None:
        """Freeze the step, and check the declaration, so that a wrong file fails where it is made and not in a run."""
        for name, value, known in (
            ("kind", self.kind, get_args(Kind)),
            *(("requires", requirement, tuple(REQUIREMENTS)) for requirement in self.requires),
        ):
            if value not in known:
                raise ValueError(f"{name} = {value!r} must be one of {', '.join(map(repr, known))}")
        if (self.step is None) == (self.draw is None):
            given = "neither is given" if self.step is None else "both are given"
            raise ValueError(f"a sampler has a step or a draw: {given}")
        if self.block_chains not in (None, "all") and not (
            isinstance(self.block_chains, int) and self.block_chains > 0
        ):
            raise ValueError(f"block_chains = {self.block_chains!r} must be a number of chains, 'all' or None")
        if self.share_of_data is not None and self.share_of_data not in self.settings:
            raise ValueError(
                f"share_of_data = {self.share_of_data!r} must be one of the settings: {', '.join(self.settings)}"
            )
        if self.adaptation is not None:
            self._check_adaptation(self.adaptation)
        if self.step is not None:
            object.__setattr__(self, "step", frozen(self.step))
        if self.stationary_variance is None and self.kind in ("exact", "oracle"):
            object.__setattr__(self, "stationary_variance", lambda settings, precision: 1.0 / precision)

    def _check_adaptation(self, adaptation: Adaptation) -> None:
        if self.draw is not None:
            raise ValueError(
                "adaptation is given with a draw, which is not tuned from outside: leave it out, and let draw() "
                "tune by itself"
            )
        if adaptation.rule not in get_args(Rule):
            raise ValueError(
                f"adaptation.rule = {adaptation.rule!r} must be one of {', '.join(map(repr, get_args(Rule)))}"
            )
        for name, value in (("setting", adaptation.setting), ("trajectory", adaptation.trajectory)):
            if value is not None and value not in self.settings:
                raise ValueError(
                    f"adaptation.{name} = {value!r} must be one of the settings: {', '.join(self.settings)}"
                )
        if self.schedule is None and (adaptation.ladder or adaptation.by_starts):
            raise ValueError("adaptation tunes a ladder, and the sampler has none: give schedule")

    def statistics(self, settings: Settings) -> tuple[str, ...]:
        """Names of all columns of `statistics`."""
        return (*STATISTICS, *self.extra_statistics(settings))

    def evaluation_share(self, settings: Settings) -> float:
        """The part of a target evaluation that one call of the step's density counts as."""
        return 1.0 if self.share_of_data is None else settings[self.share_of_data]

    def incompatibility(self, target: Target, settings: Settings | None = None) -> str:
        """The reason why this sampler cannot run on `target`, in words; empty if it can.

        `settings` are complete; None stands for the defaults.
        """
        missing = [what for what in self.requires if not REQUIREMENTS[what](target)]
        if missing:
            return f"{target.label} has no {missing[0].removeprefix('an ').removeprefix('a ')}"
        try:
            self.resolve_settings(target, self.with_defaults({}) if settings is None else settings)
        except ValueError as error:
            return str(error)
        return ""

    @property
    def compiled(self) -> bool:
        """True for a compiled step, False for a `draw` written in Python."""
        return self.draw is None

    @property
    def evaluations_at_start(self) -> int:
        """Target evaluations at the start of a chain; a `draw` counts its own."""
        return 1 if self.compiled else 0

    @property
    def pointer(self) -> Any:
        """The step, compiled so that the chunk loop takes it as a function pointer."""
        return _jit.compiled(self.step, _jit.STEP_SIGNATURE)

    def with_defaults(self, given: Mapping[str, Any]) -> dict[str, float]:
        """All settings with `given` filled in over the defaults.

        Raises:
            ValueError: an unknown setting, a value outside its range, or settings that give no schedule together; the
                message names the sampler, the setting, the value and what is allowed.
        """
        values: dict[str, float] = {name: setting.default for name, setting in self.settings.items()}
        for name, value in given.items():
            if name not in self.settings:
                from mcmc_bench.core.spelling import unknown

                raise ValueError(unknown(f"setting of {self.name}", name, list(self.settings)))
            setting = self.settings[name]
            if wrong := setting.problem(value):
                raise ValueError(f"{self.name}: {name} = {value!r} {wrong}")
            values[name] = int(value) if setting.integer else float(value)
        if self.schedule is not None:
            try:
                schedule = np.asarray(self.schedule(values))
            except ValueError as error:
                raise ValueError(f"{self.name}: {error}") from error
            if not (np.isfinite(schedule).all() and (np.diff(schedule) <= 0.0).all()):
                given_settings = ", ".join(f"{name} = {value:g}" for name, value in values.items())
                raise ValueError(f"{self.name}: its schedule must fall, and rises with {given_settings}")
        return values
