"""Closed forms of the wider family: underdamped, Barker, jittered, tempering, trees, noise levels.

Checks by `check_mean` have a false-failure rate of 1e-6 (tests/statistical.py). The two that compare with a value up to
an approximation (round trips of replicas, weights after annealing) say what is left to it and what to chance. That each of
them sees faults is shown by `verify` on planted ones (tests/checks/kernel).
"""

import numpy as np
import pytest
from scipy import special
from statistical import check_mean

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.kernels.microcanonical import isokinetic_leapfrog
from mcmc_bench.sampling.replicate import Plan, run


def go(target, sampler, settings, steps, chains, name, start="exact", warmup=0, **more):
    return run(
        target,
        load_sampler(sampler),
        settings,
        Plan(warmup, steps),
        chains=chains,
        start=start,
        names=("family", name),
        **more,
    )


# ---- variances ----


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("preconditioned_ula", {"step_size": 0.2}),
        ("baoab", {"step_size": 0.7}),
        ("baoab", {"step_size": 0.7, "friction": 5.0, "temperature": 0.5}),
        ("obabo", {"step_size": 0.5}),
        ("obabo", {"step_size": 0.5, "friction": 0.2}),
        (
            "annealed_langevin",
            {"step_size": 0.01, "levels": 8, "steps": 5, "largest_noise": 5.0, "smallest_noise": 0.3},
        ),
        ("annealed_langevin", {"temperature": 0.0, "step_size": 0.01, "levels": 8, "smallest_noise": 0.3}),
        ("reverse_sde", {"levels": 10, "largest_noise": 5.0, "smallest_noise": 0.1}),
        ("reverse_sde", {"levels": 10, "largest_noise": 5.0, "smallest_noise": 0.1, "start_noise": 0.0}),
        ("annealed_langevin", {"step_size": 0.01, "levels": 8, "smallest_noise": 0.3, "start_noise": 0.0}),
        (
            "probability_flow",
            {"levels": 10, "order": 1, "largest_noise": 5.0, "smallest_noise": 0.1, "start_noise": 0.5},
        ),
        ("predictor_corrector", {"levels": 10, "signal_to_noise": 0.5, "largest_noise": 5.0, "start_noise": 0.5}),
        ("probability_flow", {"levels": 10, "order": 1, "largest_noise": 5.0, "smallest_noise": 0.1}),
        ("probability_flow", {"levels": 10, "order": 2, "largest_noise": 5.0, "smallest_noise": 0.1}),
        ("predictor_corrector", {"levels": 10, "signal_to_noise": 0.5, "corrections": 2, "largest_noise": 5.0}),
    ],
)
def test_variance_along_every_eigenvector(name, settings):
    target, sampler = load_target("gaussian", dim=3, condition=4.0), load_sampler(name)
    draws = go(target, name, settings, 40, 4096, f"variance {name} {settings}", warmup=40 if sampler.schedule else 200)
    precision, vectors = np.linalg.eigh(target.data.reshape(3, 3))
    expected = sampler.stationary_variance(sampler.with_defaults(settings), precision)
    check_mean(((draws.position @ vectors) ** 2).mean(axis=1), expected, f"variance of {name} {settings}")


def test_preconditioned_ula_solves_its_matrix_equation():
    """Σ = (Λ − (ε/2) Λ P Λ)⁻¹."""
    target, step_size = load_target("gaussian", dim=3, condition=10.0), 0.3
    precision = target.data.reshape(3, 3)
    preconditioner = np.array([[0.6, 0.1, 0.0], [0.1, 0.3, 0.05], [0.0, 0.05, 0.2]])
    expected = np.linalg.inv(precision - step_size / 2 * precision @ preconditioner @ precision)
    draws = go(
        target,
        "preconditioned_ula",
        {"step_size": step_size},
        100,
        4096,
        "matrix",
        warmup=200,
        inverse_mass_matrix=preconditioner,
    )
    x = draws.position
    check_mean(np.einsum("cti,ctj->cij", x, x) / x.shape[1], expected, "covariance of preconditioned ULA")


@pytest.mark.parametrize(("order", "factor"), [(1, 2.0), (2, 4.0)])
def test_order_of_the_probability_flow(order, factor):
    """Halving the steps halves Euler's error and quarters Heun's, for every start; the kernel does what its recursion says."""
    target, sampler, errors = load_target("gaussian", dim=1), load_sampler("probability_flow"), []
    # What the kernel draws its starts from: the stream of its only block.
    start = 20.0 * stream("family", "order", "block", 0).standard_normal((8, 1))
    exact = start * np.sqrt((1.0 + 0.05**2) / (1.0 + 20.0**2))  # x(σ) = x(σ₀) √((s² + σ²)/(s² + σ₀²)), s = 1
    for levels in (201, 401):
        settings = {"levels": levels, "order": order, "smallest_noise": 0.05}
        end = go(target, "probability_flow", settings, 1, 8, "order").end
        recursion = np.sqrt(sampler.stationary_variance(sampler.with_defaults(settings), np.ones(1))) / 20.0
        np.testing.assert_allclose(end, start * recursion, rtol=1e-10)
        errors.append(end - exact)
    np.testing.assert_allclose(errors[0] / errors[1], factor, rtol=0.1)


# ---- acceptance ----


@pytest.mark.parametrize(("step_size", "expected"), [(1.0, 0.91230), (2.4, 0.63662)])
def test_acceptance_of_barker_on_a_normal(step_size, expected):
    draws = go(load_target("gaussian", dim=1), "barker", {"step_size": step_size}, 200, 4096, f"barker {step_size}")
    check_mean(draws.mean_acceptance, expected, "acceptance of Barker's proposal")


@pytest.mark.parametrize("dim", [2, 6])
def test_swaps_of_two_temperatures(dim):
    """Mean acceptance 2 I_{β/(1+β)}(d/2, d/2) on a Gaussian; the hot replica needs a while to become hot."""
    hottest = 0.3
    draws = go(
        load_target("gaussian", dim=dim),
        "parallel_tempering",
        {"replicas": 2, "hottest": hottest, "step_size": 0.7},
        100,
        4096,
        f"swap {dim}",
        warmup=100,
    )
    expected = 2.0 * special.betainc(dim / 2, dim / 2, hottest / (1 + hottest))
    check_mean(1.0 - draws.extra_statistics["swap_rejection_1"].mean(axis=1), expected, "swap acceptance")


# ---- correlations ----


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        # L geometric on 1, 2, …: Re[p e^{iθ} / (1 − (1 − p) e^{iθ})], cos θ = 1 − h²/2
        ("randomised_hmc", {"step_size": 0.1, "mean_integration_steps": 12.0}, None),
        # T uniform on (1 − δ, 1 + δ) T: cos(T) sin(T δ)/(T δ), up to the step size
        ("jittered_hmc", {"step_size": 0.02, "trajectory_length": 1.0, "jitter": 0.5}, np.cos(1.0) * np.sin(0.5) / 0.5),
        ("jittered_hmc", {"step_size": 0.02, "trajectory_length": 0.8, "jitter": 1.0}, np.sin(1.6) / 1.6),
    ],
)
def test_lag_one_correlation(name, settings, expected):
    if expected is None:
        phase = np.exp(1j * np.arccos(1 - settings["step_size"] ** 2 / 2))
        stop = 1 / settings["mean_integration_steps"]
        expected = (stop * phase / (1 - (1 - stop) * phase)).real
    draws = go(load_target("gaussian", dim=1), name, settings, 60, 8192, f"lag {name} {settings}")
    x = draws.position[:, :, 0]
    # Blocks share their lengths: blocks are the replicates.
    products = (x[:, 1:] * x[:, :-1]).mean(axis=1).reshape(-1, 16).mean(axis=1)
    check_mean(products, expected, f"lag-one correlation of {name}")


# ---- trees ----


@pytest.mark.parametrize("step_size", [0.3, 0.45, 0.6])
def test_length_of_trees_in_many_dimensions(step_size):
    """On N(0, I), d = 1000: 2ʲ − 1 steps with the smallest j such that (2ʲ − 1) θ > π."""
    target = load_target("gaussian", dim=1000)
    draws = go(target, "nuts", {"step_size": step_size}, 10, 4, f"trees {step_size}")
    theta = np.arccos(1 - step_size**2 / 2)
    depth = int(np.ceil(np.log2(np.pi / theta + 1)))
    np.testing.assert_array_equal(draws.extra_statistics["n_steps"], 2**depth - 1)


def test_trees_do_not_run_round():
    """h = 0.1: 31 and 63 steps are nearly a half and a whole turn. Without the checks over seams, trees run to 1023 steps."""
    target = load_target("gaussian", dim=1000)
    for step_size in (0.1, np.pi / 31, np.pi / 63, 2 * np.sin(np.pi / 62)):
        draws = go(target, "nuts", {"step_size": float(step_size)}, 8, 2, f"round {step_size}")
        assert draws.extra_statistics["n_steps"].max() <= 127


# ---- replicas ----


def test_round_trips_of_replicas():
    """1 / (2 + 2 Σ r/(1 − r)) a transition where replicas forget between swaps (Syed et al. 2022, equation 21).

    Eight thousand trips are counted, with a standard error of 0.7 %, so that chance exceeds 4 % less than once in a million;
    the rest of the tenth is the theory's.

    On a round Gaussian a trajectory of a quarter of a turn forgets nearly all, so that a tenth is left to the theory's
    assumption; a trip counted at each visit of the coldest replica is wrong by a factor of three and more.
    """
    target = load_target("gaussian", dim=10)
    settings = {"replicas": 5, "hottest": 0.1, "step_size": 0.16, "num_integration_steps": 10}
    draws = go(target, "parallel_tempering", settings, 4000, 32, "round trips")
    r = np.array([draws.extra_statistic_means[f"swap_rejection_{k}"] for k in range(1, 5)])
    expected = 1.0 / (2.0 + 2.0 * (r / (1.0 - r)).sum())
    assert draws.extra_statistic_means["round_trips"] == pytest.approx(expected, rel=0.1)


# ---- isokinetic motion ----


def test_isokinetic_flow():
    """‖u‖ = 1 always, the way back leads back, and the energy error falls by four when the step is halved."""
    target = load_target("banana")
    generator = stream("isokinetic")
    x, u = target.draw_exact(generator, 8), generator.standard_normal((8, 2))
    u /= np.linalg.norm(u, axis=1, keepdims=True)

    def flow(x, u, step_size, steps):
        q, v, kinetic = x.copy(), u.copy(), np.zeros(len(x))
        log_density, gradient = target.log_density_and_gradient(q)
        before, evaluations = log_density.copy(), np.zeros(1, dtype=np.int64)
        isokinetic_leapfrog(
            target.pointer, target.data, step_size, steps, q, v, log_density, gradient, kinetic, evaluations
        )
        return q, v, kinetic - log_density + before

    q, v, coarse = flow(x, u, 0.05, 40)
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), 1.0, atol=1e-12)
    back, direction, _ = flow(q, -v, 0.05, 40)
    np.testing.assert_allclose(back, x, atol=1e-8)
    np.testing.assert_allclose(-direction, u, atol=1e-8)
    fine = flow(x, u, 0.025, 80)[2]
    assert np.median(np.abs(coarse) / np.abs(fine)) == pytest.approx(4.0, rel=0.25)


# ---- where ULA overflows ----


def tamed_moments(step_size):
    """E x² and E x⁴ of tamed ULA on U = x⁴/4, one coordinate: the distribution that its transition density keeps, on a grid."""
    x = np.linspace(-4.0, 4.0, 801)
    drift = -(x**3) / (1.0 + step_size * np.abs(x) ** 3)
    transition = np.exp(-((x - (x + step_size * drift)[:, None]) ** 2) / (4.0 * step_size))  # (from, to)
    transition /= transition.sum(axis=1, keepdims=True)
    kept = transition.T - np.eye(len(x))
    kept[0] = 1.0  # one equation too many: the probabilities sum to 1
    distribution = np.linalg.solve(kept, np.eye(len(x))[0])
    return np.array([distribution @ x**2, distribution @ x**4])


def test_tamed_ula_stays_where_ula_overflows():
    """U = x⁴/4 from a far start; then E x² and E x⁴ are those of its own distribution, which goes to E x² = 2 Γ(3/4)/Γ(1/4) = 0.675978
    and E x⁴ = 1 with the step size.
    """
    target, step_size = load_target("quartic"), 0.02
    start = np.full((256, target.dim), 30.0)
    ula = go(target, "ula", {"step_size": step_size}, 200, 256, "far", start=start)
    assert (ula.stopped_at >= 0).all()
    settings = {"step_size": step_size, "coordinatewise": 1}
    tamed = go(target, "tamed_ula", settings, 2000, 256, "far", start=start, warmup=2000)
    assert (tamed.stopped_at < 0).all()
    limit = 2.0 * tamed_moments(0.0025) - tamed_moments(0.005)  # the bias is linear in ε
    np.testing.assert_allclose(limit, [0.675978, 1.0], rtol=1e-3)
    for power, expected in zip((2, 4), tamed_moments(step_size), strict=True):
        check_mean((tamed.position**power).mean(axis=1), expected, f"E x^{power} of tamed ULA")


@pytest.mark.parametrize(
    ("settings", "bias"),
    [({"steps": 10, "step_size": 0.002}, 0.06), ({"steps": 80, "step_size": 0.0005}, 0.02)],
)
def test_annealing_repairs_the_weights(settings, bias):
    """Song and Ermon's 0.8 and 0.2: annealed Langevin is near, where half of all starts stay in each mode.

    10,240 independent draws: their share strays by 0.02 once in a million; the rest is left to the bias of finite steps, which
    falls with ε: ε/σ² is 0.8 at every level for the first settings, and 0.2 for the second.
    """
    target = load_target("song_ermon")
    draws = go(target, "annealed_langevin", {"levels": 20, **settings}, 20, 512, "weights", start="dispersed")
    assert abs((draws.position[:, :, 0] > 0).mean() - 0.8) < bias + 0.02
