"""Checks of what a target says about its density: exact draws, moments, quantiles, modes, constrained parameters.

Whether draws are the density's is asked by letting them move under a kernel that keeps the density (MALA): shares below
fixed quantiles must not change. These are bounded, so that heavy tails do no harm. Must not know any particular target.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from mcmc_bench.catalog import stored_truth
from mcmc_bench.checks.density.findings import Remark
from mcmc_bench.checks.density.traced_target import Subject, shown
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import QUANTILE_LEVELS, Truth
from mcmc_bench.sampling.replicate import Plan, run

#: Rate at which a right target fails one of these stages.
LEVEL = 1e-6
#: Transitions of the kernel that must not change the draws, and of each attempt at its step size.
MOVES, PILOT = 25, 10


def draws(subject: Subject, mala: Sampler) -> Iterator[Remark]:
    """Exact (or stored) draws are draws of this density."""
    x, target = subject.draws, subject.target
    stage = "exact sampler" if target.draw_exact is not None else "reference draws"
    if x is None:
        yield Remark("exact sampler", "skipped", "the target has neither exact nor reference draws")
        return
    if not np.isfinite(target.log_density_and_gradient(x)[0]).all():
        bad = x[~np.isfinite(target.log_density_and_gradient(x)[0])]
        yield Remark(
            stage,
            "problem",
            f"the density is not finite at {len(bad)} of {len(x)} draws, first at {shown(bad[0])}",
            "fix the sampler or the density: they do not belong together",
        )
        return
    end, acceptance = _moved(subject, mala, x)
    levels = np.array(QUANTILE_LEVELS)
    cut = np.quantile(x, levels, axis=0)  # (level, dim)
    values = target.log_density_and_gradient(x)[0], target.log_density_and_gradient(end)[0]
    cut_log = np.quantile(values[0], levels)
    change = np.concatenate(
        [
            ((end[:, None] <= cut).astype(float) - (x[:, None] <= cut)).reshape(len(x), -1),
            (values[1][:, None] <= cut_log).astype(float) - (values[0][:, None] <= cut_log),
        ],
        axis=1,
    )  # (draw, quantity)
    t, bound = _largest_t(change)
    resolution = float((bound * change.std(axis=0, ddof=1) / np.sqrt(len(x))).max())
    if np.abs(t).max() > bound:
        worst = int(np.abs(t).argmax())
        quantity = subject.name(worst % target.dim) if worst < 5 * target.dim else "log p"
        level = levels[worst // target.dim] if worst < 5 * target.dim else levels[worst - 5 * target.dim]
        yield Remark(
            stage,
            "problem",
            f"the draws are not of this density: {MOVES} MALA steps, which keep the density, change the share below their "
            f"{level:.0%} quantile of {quantity} by {change[:, worst].mean():+.3g} (z = {t[worst]:.1f}, bound {bound:.1f})",
            "fix the sampler, or the log density if it is that which is wrong",
        )
    else:
        yield Remark(
            stage,
            "passed",
            f"{len(x)} draws keep their shares below 5 quantiles of every coordinate and log p under {MOVES} MALA steps "
            f"(acceptance {acceptance:.2f}); a change of {resolution:.2g} would have been seen",
        )


def _moved(subject: Subject, mala: Sampler, x: Array) -> tuple[Array, float]:
    """The draws after MOVES steps of MALA, with a step that accepts about two thirds."""
    target, step = subject.target, 0.5 * float(np.min(subject.scale)) ** 2
    subject.trace("while draws move under MALA")

    def go(chosen: float, moves: int, name: str) -> tuple[Array, float]:
        result = run(
            target,
            mala,
            {"step_size": chosen},
            Plan(0, moves, keep=False),
            chains=len(x),
            start=x,
            names=("check", target.label, name),
        )
        return np.where(np.isfinite(result.end), result.end, x), float(np.nan_to_num(result.mean_acceptance).mean())

    for attempt in range(14):
        acceptance = go(step, PILOT, f"pilot {attempt}")[1]
        if 0.55 < acceptance < 0.8:
            break
        step *= 3.0 if acceptance > 0.9 else 1.6 if acceptance >= 0.8 else 0.3 if acceptance < 0.3 else 0.6
    return go(step, MOVES, "moves")


def _largest_t(values: Array) -> tuple[Array, float]:
    """t of the mean of each column of (n, k), and the two-sided Bonferroni bound at LEVEL."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, values.mean(axis=0) / error, np.where(values.mean(axis=0) == 0, 0.0, np.inf))
    return t, float(stats.t.isf(LEVEL / 2 / values.shape[1], len(values) - 1))


def compared(subject: Subject) -> Iterator[Remark]:
    """Moments and quantiles against the draws, for coordinates and constrained parameters."""
    target, x = subject.target, subject.draws
    if target.truth is None:
        yield Remark(
            "truth",
            "note",
            f"the target gives no truth; metrics that need it are not given. `mcmc-bench reference {target.name}` makes one by long runs",
        )
    elif x is None:
        yield Remark("truth", "skipped", "no draws to compare with")
    else:
        log_density = target.log_density_and_gradient(x)[0]
        names = tuple(subject.name(i) for i in range(target.dim))
        yield from _against("truth", x, names, target.truth, log_density)
    constrained = target.constrained
    if constrained is not None:
        subject.trace("in constrained.of")
        values = np.asarray(constrained.of(subject.typical if x is None else x))
        if values.ndim != 2 or values.shape[1] != len(constrained.names) or not np.isfinite(values).all():
            yield Remark(
                "constrained parameters",
                "problem",
                f"constrained.of gives an array of shape {values.shape} for {len(constrained.names)} names, or values that are not finite",
                "give (n, k) finite values for (n, dim) points, in the order of names",
            )
        elif constrained.truth is not None and x is not None:
            yield from _against("constrained parameters", values, constrained.names, constrained.truth, None)
        else:
            yield Remark(
                "constrained parameters", "passed", f"{len(constrained.names)} names and as many finite values"
            )


def _against(stage: str, x: Array, names: tuple[str, ...], truth: Truth, log_density: Array | None) -> Iterator[Remark]:
    n, found, seen = len(x), False, []
    zero = np.zeros(x.shape[1])
    light = np.isfinite(truth.variance_of_square) & (truth.variance_of_square < 4.0 * truth.second_moment**2)
    finite = np.isfinite(truth.mean) & np.isfinite(truth.second_moment)
    tests: list[tuple[str, Array, Array, Array, npt.NDArray[np.bool_]]] = [
        ("E x", x, truth.mean, _or(truth.mean_standard_error, zero), finite),
        ("E x²", x**2, truth.second_moment, _or(truth.second_moment_standard_error, zero), light),
        (
            "Var x²",
            (x**2 - truth.second_moment) ** 2,
            truth.variance_of_square,
            0.02 * truth.variance_of_square if truth.origin == "reference run" else zero,
            light,
        ),
    ]
    if truth.quantiles is not None:
        for k, level in enumerate(QUANTILE_LEVELS):
            error = zero if truth.quantile_share_standard_error is None else truth.quantile_share_standard_error[:, k]
            below = (x <= truth.quantiles[:, k]).astype(float)
            tests.append(
                (f"the share below the {level:.0%} quantile", below, np.full(x.shape[1], level), error, zero == 0)
            )
    count = sum(int(which.sum()) for *_, which in tests) + 1
    # Stored draws are thinned ones of a run and not independent of its truth: the bound allows for that.
    bound = float(stats.t.isf(LEVEL / 2 / count, n - 1)) * (2.0 if truth.origin == "reference run" else 1.0)
    for what, values, expected, own_error, which in tests:
        error = np.hypot(values.std(axis=0, ddof=1) / np.sqrt(n), own_error)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(which & (error > 0), (values.mean(axis=0) - expected) / error, 0.0)
        worst = int(np.abs(z).argmax())
        if which.any() and what == "E x²":
            seen.append(float(np.max((bound * error / truth.second_moment)[which])))
        if abs(z[worst]) > bound:
            found = True
            yield Remark(
                stage,
                "problem",
                f"{what} of {names[worst]} should be {expected[worst]:.6g} by the truth and is {values.mean(axis=0)[worst]:.6g} ± "
                f"{error[worst]:.2g} over {n} draws (z = {z[worst]:.1f}, bound {bound:.1f})",
                "fix the truth or the exact sampler: they do not belong together",
            )
    if log_density is not None and np.isfinite(truth.mean_log_density):
        own = float(np.hypot(log_density.std(ddof=1) / np.sqrt(n), truth.mean_log_density_standard_error))
        z_log = (log_density.mean() - truth.mean_log_density) / own if own > 0 else 0.0
        if abs(z_log) > bound:
            found = True
            yield Remark(
                stage,
                "problem",
                f"E log p should be {truth.mean_log_density:.6g} by the truth and is {log_density.mean():.6g} ± {own:.2g} over {n} "
                f"draws (z = {z_log:.1f}, bound {bound:.1f})",
                "give E log p with the additive constant that the density itself has",
            )
    if not found:
        power = f"; an error of {max(seen):.1%} of E x² would have been seen" if seen else ""
        yield Remark(stage, "passed", f"moments, quantiles and E log p agree with {n} draws{power}")


def _or(given: Array | None, default: Array) -> Array:
    return default if given is None else given


def stored(subject: Subject, target_file: Path) -> Iterator[Remark]:
    """A stored reference run was made for this very density."""
    if subject.target.truth is None or subject.target.truth.origin != "reference run":
        return
    try:
        stored_truth.verify(subject.target, target_file)
    except stored_truth.StoredTruthError as error:
        yield Remark("reference run", "problem", str(error), f"mcmc-bench reference {subject.target.name}")
    else:
        yield Remark("reference run", "passed", "the stored truth was made for this density")


def modes(subject: Subject) -> Iterator[Remark]:
    """Mode locations are where the gradient is zero, and weights are those of the draws."""
    target, x = subject.target, subject.draws
    if target.modes is None:
        yield Remark("modes", "skipped", "the target names no modes")
        return
    found = False
    known = target.modes
    number = known.assign(known.locations)
    own = number == np.arange(len(known.weights))
    slope = subject.evaluate(known.locations)[1]
    assigned = None if x is None else known.assign(x)
    for k in map(int, np.flatnonzero(own)):
        inside = None if x is None or assigned is None else x[assigned == k]
        width = inside.std(axis=0) if inside is not None and len(inside) > 10 else subject.scale
        if (np.abs(slope[k]) * width).max() > 0.5:
            found = True
            i = int((np.abs(slope[k]) * width).argmax())
            yield Remark(
                "modes",
                "problem",
                f"mode {k} at {shown(known.locations[k])} is no zero of the gradient: {slope[k, i]:.4g} in {subject.name(i)}, where the "
                f"mode's draws have a width of {width[i]:.3g}",
                "give the location of the maximum, by Newton's method from where it is",
            )
    if assigned is not None:
        counts = np.bincount(assigned[assigned >= 0], minlength=len(known.weights))
        tests = [
            stats.binomtest(int(c), int(counts.sum()), float(w)).pvalue
            for c, w in zip(counts, known.weights, strict=True)
        ]
        if min(tests) * len(tests) < LEVEL * (1.0 if target.draw_exact is not None else 1e-2):
            found = True
            k = int(np.argmin(tests))
            yield Remark(
                "modes",
                "problem",
                f"mode {k} should have {known.weights[k]:.4g} of the mass and has {counts[k] / counts.sum():.4g} of {len(assigned)} draws",
                "fix weights, assignment or the exact sampler",
            )
        if (assigned < 0).mean() > 0.01:
            yield Remark(
                "modes",
                "note",
                f"{(assigned < 0).mean():.1%} of the draws belong to no mode: a larger radius would take them in",
            )
    if not found:
        beside = "" if own.all() else f"; {(~own).sum()} locations belong to another mode (a component without a peak)"
        yield Remark(
            "modes", "passed", f"{len(known.weights)} modes: zeros of the gradient, with the draws' weights{beside}"
        )
