"""Closed forms of how kernels move: momenta, energy errors, correlations, volume, the speed of ascent.

Every statistical check has a false-failure rate of 1e-6 (tests/statistical.py); the rest is exact up to rounding or finite
differences. That these checks see faults is shown at the end, on planted ones.
"""

import numpy as np
import pytest
from statistical import WrongMean, check_mean, mutant

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target, point_density
from mcmc_bench.kernels.microcanonical import isokinetic_leapfrog
from mcmc_bench.sampling.chains import Chains, Setup
from mcmc_bench.sampling.replicate import Plan, run


def go(target, sampler, settings, steps, chains, name, start="exact", warmup=0):
    return run(target, sampler, settings, Plan(warmup, steps), chains=chains, start=start, names=("motion", name))


def phase(h):
    """θ and χ of a leapfrog step h on N(0, 1): cos θ = 1 − h²/2, χ = √(1 − h²/4)."""
    return np.arccos(1.0 - h**2 / 2.0), np.sqrt(1.0 - h**2 / 4.0)


# ---- momenta ----


def check_variance_of_momentum(sampler, friction, of):
    """Along every eigenvector of the precision, after 100 transitions from equilibrium."""
    target, step_size = load_target("gaussian", dim=3, condition=4.0), 0.6
    setup = Setup(target, sampler, sampler.with_defaults({"step_size": step_size, "friction": friction}))
    start = target.starts("exact", stream("momenta", sampler.name), 8192)
    moving = Chains(setup, start, ("momenta", sampler.name, friction))
    moving.advance(100)
    precision, vectors = np.linalg.eigh(target.data.reshape(3, 3))
    momentum = np.concatenate([block.memory[0] for block in moving.blocks]) @ vectors
    check_mean(momentum**2, of(step_size**2 * precision), f"Var p of {sampler.name}, γ = {friction}")


MOMENTA = {"baoab": lambda squared: 1.0 - squared / 4.0, "obabo": np.ones_like}


@pytest.mark.parametrize("friction", [0.5, 5.0])
@pytest.mark.parametrize("name", MOMENTA)
def test_variance_of_the_momentum(name, friction):
    """BAOAB: 1 − h²λ/4; OBABO: 1; whatever γ."""
    check_variance_of_momentum(load_sampler(name), friction, MOMENTA[name])


# ---- leapfrog on N(0, 1) ----

TRAJECTORIES = [(0.9, 3), (1.3, 1), (0.4, 5)]


def check_energy_error(sampler, h, steps):
    """E ΔH = μ and Var ΔH = 2μ + 2μ², μ = h⁴ sin²(Lθ)/(32 χ²), from equilibrium."""
    theta, chi = phase(h)
    mu = h**4 * np.sin(steps * theta) ** 2 / (32.0 * chi**2)
    settings = {"step_size": h, "num_integration_steps": steps}
    error = go(load_target("gaussian", dim=1), sampler, settings, 1, 65536, f"error {h} {steps}").energy_error[:, 0]
    check_mean(error, mu, f"E ΔH at h = {h}, L = {steps}")
    check_mean((error - mu) ** 2, 2.0 * mu + 2.0 * mu**2, f"Var ΔH at h = {h}, L = {steps}")


@pytest.mark.parametrize(("h", "steps"), TRAJECTORIES)
def test_energy_error_of_a_trajectory(h, steps):
    check_energy_error(load_sampler("hmc"), h, steps)


@pytest.mark.parametrize(("h", "steps"), TRAJECTORIES)
def test_a_trajectory_turns_by_its_phase(h, steps):
    """Without rejection the correlation of its ends is cos Lθ."""
    generator = stream("phase", h, steps)
    q, p = generator.standard_normal((2, 65536, 1))
    settings = {"step_size": h, "num_integration_steps": steps}
    end, _ = load_sampler("hmc").flow(load_target("gaussian", dim=1), settings, q, p)
    check_mean(q * end, np.cos(steps * phase(h)[0]), "correlation of the ends of a trajectory")


@pytest.mark.parametrize(("h", "steps"), TRAJECTORIES)
def test_trajectories_without_a_correction(h, steps):
    """Variance 1/(1 − h²/4), whatever L."""
    generator, flow, target = stream("unadjusted", h, steps), load_sampler("hmc").flow, load_target("gaussian", dim=1)
    q = generator.standard_normal((32768, 1))
    for _ in range(60):
        q, _ = flow(target, {"step_size": h, "num_integration_steps": steps}, q, generator.standard_normal(q.shape))
    check_mean(q**2, 1.0 / (1.0 - h**2 / 4.0), f"variance of unadjusted HMC at h = {h}, L = {steps}")


def check_energy_error_of_trees(sampler):
    """ΔH = (h²/8)(‖q'‖² − ‖q‖²) on N(0, I), of any point of a trajectory and so of the one that is chosen."""
    h, target = 0.4, load_target("gaussian", dim=5)
    draws = go(target, sampler, {"step_size": h}, 100, 16, "trees")
    squared = (draws.position**2).sum(axis=2)
    np.testing.assert_allclose(
        draws.energy_error[:, 1:], h**2 / 8.0 * (squared[:, 1:] - squared[:, :-1]), rtol=1e-9, atol=1e-12
    )


def test_energy_error_of_trees():
    check_energy_error_of_trees(load_sampler("nuts"))


# ---- ULA on N(0, 1) ----


def test_what_a_square_of_ula_is_worth():
    """ESS/N for x² is (1 − a²)/(1 + a²), a = 1 − ελ: Var of the mean of x², exactly for finite N."""
    step_size, steps = 0.4, 1000
    draws = go(
        load_target("gaussian", dim=1), load_sampler("ula"), {"step_size": step_size}, steps, 4096, "worth", warmup=60
    )
    variance, b = 1.0 / (1.0 - step_size / 2.0), (1.0 - step_size) ** 2
    worth = (1.0 - b) / (1.0 + b)
    exact = 2.0 * variance**2 / steps * (1.0 / worth - 2.0 * b * (1.0 - b**steps) / (steps * (1.0 - b) ** 2))
    assert exact == pytest.approx(2.0 * variance**2 / (steps * worth), rel=2e-3)
    check_mean((draws.mean_square[:, 0] - variance) ** 2, exact, "variance of the mean of x² of a ULA chain")


@pytest.mark.parametrize("step_size", [0.2, 1.0, 1.5])
def test_distance_of_ula_from_its_target(step_size):
    """KL(stationary ‖ p) = ½ (r − 1 − ln r), r = 1/(1 − ελ/2): the mean of log q − log p over draws of q."""
    draws = go(
        load_target("gaussian", dim=1),
        load_sampler("ula"),
        {"step_size": step_size},
        20,
        16384,
        f"KL {step_size}",
        warmup=60,
    )
    r = 1.0 / (1.0 - step_size / 2.0)
    x = draws.position[:, :, 0]
    difference = -0.5 * x**2 / r - 0.5 * np.log(r) + 0.5 * x**2
    check_mean(difference.mean(axis=1), 0.5 * (r - 1.0 - np.log(r)), f"KL of ULA at ε = {step_size}")


# ---- ascent ----


def test_the_best_step_of_ascent():
    """ε = 2/(λ₁ + λ_d) shrinks the distance by (κ − 1)/(κ + 1) at every step, and any other by less."""
    condition = 9.0
    target = load_target("gaussian", dim=2, condition=condition)
    precision, vectors = np.linalg.eigh(target.data.reshape(2, 2))
    start = (vectors @ np.ones(2))[None]  # along both eigenvectors

    def shrinkage(step_size):
        draws = go(target, load_sampler("gradient_ascent"), {"step_size": step_size}, 60, 1, "ascent", start=start)
        lengths = np.linalg.norm(draws.position[0], axis=1)
        return float(lengths[-1] / lengths[-2])

    best = 2.0 / precision.sum()
    assert shrinkage(best) == pytest.approx((condition - 1.0) / (condition + 1.0), rel=1e-9)
    assert shrinkage(0.9 * best) > shrinkage(best)
    assert shrinkage(1.1 * best) > shrinkage(best)


# ---- Barker ----


@point_density
def _without_slope(x, gradient, data):
    """log p of N(0, I), with a gradient that is 0 everywhere."""
    total = 0.0
    for i in range(x.shape[0]):
        gradient[i] = 0.0
        total -= 0.5 * x[i] ** 2
    return total


@pytest.mark.parametrize("dim", [1, 5])
def test_barker_without_a_gradient_is_a_random_walk(dim):
    target = Target(
        dim=dim,
        density=_without_slope,
        draw_exact=lambda generator, n: generator.standard_normal((n, dim)),
        draw_dispersed=lambda generator, n: generator.standard_normal((n, dim)),
        one_point=np.zeros(dim),
        name="without_slope",
    )
    draws = go(target, load_sampler("barker"), {"step_size": 0.9}, 20, 4096, f"barker {dim}")
    expected = load_sampler("random_walk_metropolis").mean_acceptance({"step_size": 0.9}, 1.0, dim)
    check_mean(draws.mean_acceptance, expected, "acceptance of Barker's proposal without a gradient")


# ---- isokinetic motion ----


def tangents(u):
    """An orthonormal basis (dim − 1, dim) of what is perpendicular to `u` (dim,)."""
    return np.linalg.svd(u[None])[2][1:]


@pytest.mark.parametrize("dim", [2, 4])
def test_isokinetic_motion_changes_volume_as_the_kinetic_energy_says(dim):
    """log |det J| of (x, u) on ℝᵈ × sphere is −(d − 1) Δ log ‖p‖, by central differences."""
    target = load_target("gaussian", dim=dim, condition=5.0)
    generator = stream("volume", dim)
    x, u = generator.standard_normal(dim), generator.standard_normal(dim)
    u /= np.linalg.norm(u)

    def flow(x, u):
        q, v, kinetic = x[None].copy(), u[None].copy(), np.zeros(1)
        log_density, gradient = target.log_density_and_gradient(q)
        isokinetic_leapfrog(
            target.pointer, target.data, 0.3, 7, q, v, log_density, gradient, kinetic, np.zeros(1, dtype=np.int64)
        )
        return q[0], v[0], kinetic[0]

    _, v, kinetic = flow(x, u)
    out, step = tangents(v), 1e-5
    columns = []
    for along_x, along_u in [*((e, 0.0 * u) for e in np.eye(dim)), *((0.0 * x, t) for t in tangents(u))]:
        ends = []
        for sign in (1.0, -1.0):
            turned = u + sign * step * along_u
            q_end, v_end, _ = flow(x + sign * step * along_x, turned / np.linalg.norm(turned))
            ends.append(np.concatenate([q_end, out @ v_end]))
        columns.append((ends[0] - ends[1]) / (2.0 * step))
    assert abs(kinetic) > 0.1
    assert np.log(abs(np.linalg.det(np.array(columns)))) == pytest.approx(-kinetic, abs=1e-6)


# ---- what these checks see ----


def test_faults_of_motion_are_seen(tmp_path):
    for name, right, wrong in (
        ("baoab", "(1.0 - decay * decay)", "(1.0 - decay)"),
        ("obabo", "np.exp(-0.5 * friction * step_size)", "np.exp(-0.5 * friction * step_size)\n    temperature *= 1.2"),
    ):
        with pytest.raises(WrongMean):
            check_variance_of_momentum(mutant(name, right, wrong, tmp_path), 0.5, MOMENTA[name])
    with pytest.raises(WrongMean):
        check_energy_error(mutant("hmc", "energy_error = final - initial", "energy_error = final", tmp_path), 0.9, 3)
    joined = "numbers[LOG_DENSITY, top - 1], numbers[ERROR, top - 1] = numbers[LOG_DENSITY, top], numbers[ERROR, top]"
    without_error = "numbers[LOG_DENSITY, top - 1] = numbers[LOG_DENSITY, top]"
    with pytest.raises(AssertionError):
        check_energy_error_of_trees(mutant("nuts", joined, without_error, tmp_path))
