"""What each kernel must reproduce exactly: closed forms that need no reference run.

Every statistical check has a false-failure rate of 1e-6 (tests/statistical.py); the mutants at the end show what the
same checks catch.
"""

import numpy as np
import pytest
from scipy import linalg
from statistical import WrongMean, check_mean, mutant

from mcmc_bench.catalog.files import list_samplers, load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.sampling.replicate import Plan, run

DIMENSIONS = (1, 2, 10, 50)
METROPOLISED = [name for name in list_samplers() if load_sampler(name).mean_acceptance is not None]


def independent_chains(target, sampler, settings, steps, chains, name, start="exact", warmup=0, **more):
    return run(
        target, sampler, settings, Plan(warmup, steps), chains=chains, start=start, names=("closed", name), **more
    )


# ---------------------------------------------------------------- acceptance


def check_acceptance(sampler, settings, dim, chains=2048, steps=20):
    target = load_target("gaussian", dim=dim)
    draws = independent_chains(target, sampler, settings, steps, chains, f"acceptance {sampler.name} {dim}")
    expected = sampler.mean_acceptance(sampler.with_defaults(settings), 1.0, dim)
    check_mean(draws.mean_acceptance, expected, f"mean acceptance of {sampler.name}, d = {dim}")


SETTINGS = {
    "mala": {"step_size": 0.4},
    "hmc": {"step_size": 0.9, "num_integration_steps": 3},
    "random_walk_metropolis": {"step_size": 0.8},
}


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("name", METROPOLISED)
def test_mean_acceptance_in_any_dimension(name, dim):
    """2 I_{(1−r)/2}(d/2, d/2), see each sampler's docstring."""
    check_acceptance(load_sampler(name), SETTINGS.get(name, {}), dim)


def test_acceptance_is_one_where_the_score_is_constant(linear):
    for name, settings in {**SETTINGS, "barker": {"step_size": 1.5}}.items():
        if not load_sampler(name).uses_gradient:
            continue
        draws = independent_chains(linear, load_sampler(name), settings, 50, 16, "linear", start="dispersed")
        np.testing.assert_allclose(draws.acceptance_rate, 1.0, atol=1e-9)


def test_log_ratio_of_mala_on_a_gaussian():
    """log α = −(ελ²/4)(‖y‖² − ‖x‖²), seen where every proposal is accepted."""
    target = load_target("gaussian", dim=4)
    draws = independent_chains(target, load_sampler("mala"), {"step_size": 0.05}, 200, 16, "log ratio")
    before, after = (draws.position[:, :-1] ** 2).sum(-1), (draws.position[:, 1:] ** 2).sum(-1)
    moved = (draws.position[:, 1:] != draws.position[:, :-1]).any(-1)
    assert moved.mean() > 0.9
    np.testing.assert_allclose(draws.energy_error[:, 1:][moved], (0.05 / 4 * (after - before))[moved], atol=1e-12)


# ---------------------------------------------------------------- stationary distribution


def check_stationary_variance(sampler, settings, chains=1024, steps=400, warmup=400, condition=4.0):
    """E (vᵀx)² along every eigenvector v of the covariance."""
    target = load_target("gaussian", dim=3, condition=condition)
    draws = independent_chains(
        target, sampler, settings, steps, chains, f"variance {sampler.name} {settings}", "dispersed", warmup
    )
    precision, vectors = np.linalg.eigh(target.data.reshape(3, 3))
    along = draws.position @ vectors  # (chain, draw, dim)
    expected = sampler.stationary_variance(sampler.with_defaults(settings), precision)
    check_mean((along**2).mean(axis=1), expected, f"stationary variance of {sampler.name} {settings}")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ula", {"step_size": 0.05}),
        ("ula", {"step_size": 0.3}),
        ("ula", {"step_size": 0.2, "temperature": 0.5}),
        ("ula", {"step_size": 0.2, "temperature": 2.0}),
        ("mala", {"step_size": 0.3}),
        ("mala", {"step_size": 0.3, "temperature": 0.25}),
        ("mala", {"step_size": 0.1, "temperature": 2.0}),
        ("hmc", {"step_size": 0.45, "num_integration_steps": 3}),
        ("random_walk_metropolis", {"step_size": 0.9}),
        ("oracle", {}),
    ],
)
def test_stationary_variance(name, settings):
    check_stationary_variance(load_sampler(name), settings)


def test_diagonal_inverse_mass_matrix_keeps_the_target():
    target = load_target("gaussian", dim=3, condition=4.0)
    draws = independent_chains(
        target,
        load_sampler("hmc"),
        {"step_size": 0.6, "num_integration_steps": 4},
        100,
        2048,
        "mass",
        inverse_mass_matrix=[0.5, 2.0, 1.0],
    )
    check_mean((draws.position**2).mean(axis=1), target.truth.second_moment, "E x² with a mass matrix")


def test_ula_is_linear_and_its_covariance_solves_the_lyapunov_equation():
    """x' = A x + w: Σ = A Σ Aᵀ + Q and lag-k autocovariance Aᵏ Σ."""
    step_size, lag = 0.15, 3
    target = load_target("gaussian", dim=3, condition=10.0)
    transition = np.eye(3) - step_size * target.data.reshape(3, 3)
    covariance = linalg.solve_discrete_lyapunov(transition, 2 * step_size * np.eye(3))
    draws = independent_chains(target, load_sampler("ula"), {"step_size": step_size}, 300, 2048, "lyapunov", warmup=200)
    x = draws.position  # (chain, draw, dim)
    check_mean(np.einsum("cti,ctj->cij", x, x) / x.shape[1], covariance, "covariance of ULA")
    lagged = np.einsum("cti,ctj->cij", x[:, lag:], x[:, :-lag]) / (x.shape[1] - lag)
    check_mean(lagged, np.linalg.matrix_power(transition, lag) @ covariance, "autocovariance of ULA")


def test_ula_transient():
    """From x₀: mean aⁿ x₀, variance V (1 − a²ⁿ), a = 1 − ελ."""
    target = load_target("gaussian", dim=1)
    step_size, n, x0 = 0.2, 5, 3.0
    draws = independent_chains(
        target, load_sampler("ula"), {"step_size": step_size}, n, 8192, "transient", start=np.full((8192, 1), x0)
    )
    a, limit = 1 - step_size, 1 / (1 - step_size / 2)
    last = draws.position[:, -1, 0]
    check_mean(last, a**n * x0, "transient mean")
    check_mean((last - a**n * x0) ** 2, limit * (1 - a ** (2 * n)), "transient variance")


def test_perfect_diagnostics_and_the_wrong_answer():
    """At ε = 1/λ the draws of ULA are independent with twice the variance: ESS and R-hat see nothing."""
    import arviz_stats.base as arviz

    target = load_target("gaussian", dim=1)
    draws = independent_chains(target, load_sampler("ula"), {"step_size": 1.0}, 2000, 16, "twice", warmup=1)
    x = draws.position[:, :, 0]
    assert arviz.array_stats.rhat(x) < 1.01
    assert arviz.array_stats.ess(x) > 0.8 * x.size
    check_mean((x**2).mean(axis=1), 2.0, "variance of ULA at ε = 1/λ")


def test_ula_mean_of_a_draw_is_worth_its_closed_form():
    """ESS/N for the mean is ελ/(2 − ελ): Var of the chain mean is V/(N · that) up to 1/N."""
    step_size, steps = 0.4, 2000
    target = load_target("gaussian", dim=1)
    draws = independent_chains(target, load_sampler("ula"), {"step_size": step_size}, steps, 2048, "worth", warmup=50)
    a, limit = 1 - step_size, 1 / (1 - step_size / 2)
    # Exact for finite N: the sum of an AR(1)'s autocovariances.
    exact = limit / steps * ((1 + a) / (1 - a) - 2 * a * (1 - a**steps) / (steps * (1 - a) ** 2))
    assert exact * steps / limit == pytest.approx((2 - step_size) / step_size, rel=2e-3)
    check_mean(draws.mean[:, 0] ** 2, exact, "variance of the mean of a ULA chain")


def check_ula_stein_identity(sampler, target):
    """In equilibrium E[x·∇U] = d + (ε/2) E‖∇U‖² at any step size, on any target."""
    step_size = 0.08
    draws = independent_chains(target, sampler, {"step_size": step_size}, 400, 1024, "stein", "one_point", warmup=200)
    x = draws.position.reshape(-1, target.dim)
    force = -target.log_density_and_gradient(x)[1]
    difference = (x * force).sum(1) - target.dim - step_size / 2 * (force**2).sum(1)
    check_mean(difference.reshape(draws.chains, -1).mean(1), 0.0, "Stein identity of ULA")


def test_ula_stein_identity(quartic):
    check_ula_stein_identity(load_sampler("ula"), quartic)


# ---------------------------------------------------------------- detailed balance


def check_exponential_of_energy_error(sampler, settings, target):
    """Started from the target, the density f of ΔH has f(−s) = e^{−s} f(s), so that E (e^{−ΔH} − 1) over |ΔH| < c is 0 for
    any c, and E min(1, e^{−ΔH}) = 2 P(ΔH < 0). All of e^{−ΔH} has no variance under random-walk Metropolis.
    """
    draws = independent_chains(target, sampler, settings, 1, 65536, f"energy {sampler.name}")
    error = draws.energy_error[:, 0]
    for bound in (0.5, 2.0):
        inside = np.where(np.abs(error) < bound, np.expm1(-np.clip(error, -bound, bound)), 0.0)
        check_mean(inside, 0.0, f"E (exp(−ΔH) − 1) over |ΔH| < {bound} of {sampler.name} on {target.label}")
    check_mean(np.minimum(1, np.exp(-error)) - 2 * (error < 0), 0.0, f"2 P(ΔH < 0) of {sampler.name}")


@pytest.mark.parametrize("target", ["gaussian", "song_ermon"])
@pytest.mark.parametrize("name", METROPOLISED)
def test_energy_error_in_equilibrium(name, target):
    check_exponential_of_energy_error(load_sampler(name), SETTINGS.get(name, {}), load_target(target))


def test_mala_is_hmc_with_one_leapfrog_step():
    """The same normals and uniforms give the same chain, draw by draw; h = √(2ε)."""
    target = load_target("banana")
    step_size = 0.4
    names, start = ("twins",), target.draw_exact(stream("twins start"), 20)
    plan = Plan(0, 500)
    mala = run(target, load_sampler("mala"), {"step_size": step_size}, plan, chains=20, start=start, names=names)
    settings = {"step_size": np.sqrt(2 * step_size), "num_integration_steps": 1}
    hmc = run(target, load_sampler("hmc"), settings, plan, chains=20, start=start, names=names)
    assert 0.05 < mala.mean_acceptance.mean() < 0.99
    np.testing.assert_allclose(mala.position, hmc.position, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(mala.acceptance_rate, hmc.acceptance_rate, atol=1e-6)


# ---------------------------------------------------------------- the noise dial


def test_gradient_ascent_is_ula_without_noise():
    target = load_target("song_ermon")
    start = target.draw_dispersed(stream("dial start"), 32)
    plan = Plan(0, 100)
    settings = {"step_size": 0.05}
    ascent = run(target, load_sampler("gradient_ascent"), settings, plan, chains=32, start=start, names=("a",))
    cold = run(
        target, load_sampler("ula"), {**settings, "temperature": 0.0}, plan, chains=32, start=start, names=("b",)
    )
    np.testing.assert_array_equal(ascent.position, cold.position)


def test_gradient_ascent_on_a_gaussian():
    """xₙ = (1 − ελ)ⁿ x₀ exactly, and it converges if and only if ε < 2/λ."""
    target = load_target("gaussian", dim=2)
    start = np.array([[1.0, -2.0]])
    for step_size, converges in ((0.3, True), (1.9, True), (2.1, False)):
        draws = run(
            target,
            load_sampler("gradient_ascent"),
            {"step_size": step_size},
            Plan(0, 200),
            chains=1,
            start=start,
            names=("ascent",),
        )
        np.testing.assert_allclose(draws.position[0, 9], (1 - step_size) ** 10 * start[0], rtol=1e-12)
        assert (np.abs(draws.end).max() < 1e-3) == converges


def test_the_two_mode_toy_of_song_and_ermon():
    """Starts uniform on [−8, 8]²: mass in the 0.8 mode is half for ascent and ULA, whatever the true weights are;
    the spread within a mode is 0 for ascent and the closed form for ULA (Song and Ermon 2019, arXiv 1907.05600).
    """
    target = load_target("song_ermon")
    start = stream("toy start").uniform(-8, 8, (1024, 2))
    step_size = 0.05
    ends, spreads = {}, {}
    for name in ("gradient_ascent", "ula"):
        draws = run(
            target,
            load_sampler(name),
            {"step_size": step_size},
            Plan(400, 400),
            chains=1024,
            start=start,
            names=("toy",),
        )
        mode = np.where(draws.mean[:, 0] > 0, 1, -1)  # no chain crosses
        ends[name] = (mode > 0).astype(float)
        spreads[name] = ((draws.position - 5.0 * mode[:, None, None]) ** 2).mean(axis=(1, 2))
    for name, share in ends.items():
        check_mean(share, 0.511 if name == "gradient_ascent" else 0.509, f"share of the 0.8 mode under {name}")
        with pytest.raises(WrongMean):  # power: plain Langevin does not find the true weight
            check_mean(share, 0.8, "true weight")
    assert spreads["gradient_ascent"].max() < 1e-12
    check_mean(spreads["ula"], 1 / (1 - step_size / 2), "variance within a mode under ULA")


# ---------------------------------------------------------------- mutants: what these checks catch


@pytest.mark.parametrize(
    ("sampler", "right", "wrong"),
    [
        ("ula", "np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),
        ("ula", "+= step_size * gradient", "+= 0.5 * step_size * gradient"),
        ("ula", "+= step_size * gradient", "-= -0.9 * step_size * gradient"),
    ],
)
def test_unadjusted_mutants_are_caught(sampler, right, wrong, quartic, tmp_path):
    planted = mutant(sampler, right, wrong, tmp_path)
    with pytest.raises(WrongMean):
        check_stationary_variance(planted, {"step_size": 0.3})
    with pytest.raises(WrongMean):
        check_ula_stein_identity(planted, quartic)


def test_acceptance_mutants_are_caught(tmp_path):
    """A half instead of a quarter, the ratio upside down, a stale gradient in the way back, no correction at all."""
    for right, wrong in (
        ("(4.0 * step_size)", "(2.0 * step_size)"),
        ("(forward - backward)", "(backward - forward)"),
        ("- step_size * proposal_gradient", "- step_size * gradient"),
        ("(forward - backward)", "0.0 * (forward - backward)"),
    ):
        planted = mutant("mala", right, wrong, tmp_path)
        with pytest.raises(WrongMean):
            check_acceptance(planted, SETTINGS["mala"], 10)
        with pytest.raises(WrongMean):
            check_exponential_of_energy_error(planted, SETTINGS["mala"], load_target("gaussian"))


def test_stationary_mutants_are_caught(tmp_path):
    """Faults that keep the energy error right and move the target all the same."""
    for sampler, right, wrong in (
        ("mala", "if generator.random() < statistics[chain, ACCEPTANCE]", "if generator.random() < 1.0"),
        ("random_walk_metropolis", "if generator.random() < statistics[chain, ACCEPTANCE]", "if True"),
        (
            "hmc",
            "fill_standard_normal(generator, momentum)",
            "fill_standard_normal(generator, momentum)\n    momentum *= 0.8",
        ),
    ):
        planted = mutant(sampler, right, wrong, tmp_path)
        with pytest.raises(WrongMean):
            check_stationary_variance(planted, SETTINGS[sampler])
