"""Statistical models written a second time from their definitions, with SciPy's distributions: priors, likelihoods, Jacobians.

A density is known up to a constant: differences between points are compared. The gradient is checked for every target by
finite differences (test_every_density).
"""

import numpy as np
import pytest
from scipy import integrate, special, stats

from mcmc_bench.catalog.files import content_folder, load_target
from mcmc_bench.core.streams import stream

DATA = content_folder("targets") / "data"


def half_normal(x, scale):
    return stats.halfnorm.logpdf(x, scale=scale)


def eight_schools_centred(x):
    theta, mu, tau = x[:8], x[8], np.exp(x[9])
    y, sigma = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    return (
        stats.norm.logpdf(y, theta, sigma).sum()
        + stats.norm.logpdf(theta, mu, tau).sum()
        + stats.norm.logpdf(mu, 0, 5)
        + stats.halfcauchy.logpdf(tau, scale=5)
        + x[9]
    )


def eight_schools_noncentred(x):
    z, mu, tau = x[:8], x[8], np.exp(x[9])
    y, sigma = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    prior = stats.norm.logpdf(z).sum() + stats.norm.logpdf(mu, 0, 5) + stats.halfcauchy.logpdf(tau, scale=5) + x[9]
    return stats.norm.logpdf(y, mu + tau * z, sigma).sum() + prior


def gaussian_process_regression(x):
    rho, alpha, sigma = np.exp(x)
    data = load_target("gaussian_process_regression").data
    places, y = data[1:12], data[12:]
    covariance = alpha**2 * np.exp(-0.5 * ((places[:, None] - places) / rho) ** 2) + (sigma**2 + data[0]) * np.eye(11)
    prior = stats.gamma.logpdf(rho, 25, scale=1 / 4)
    prior += stats.lognorm.logpdf(alpha, 0.7, scale=np.exp(0.5)) + stats.lognorm.logpdf(sigma, 0.7, scale=np.exp(-0.5))
    return stats.multivariate_normal.logpdf(y, np.zeros(11), covariance) + prior + x.sum()


def item_response(x):
    answers = np.loadtxt(DATA / "item_answers.csv", delimiter=",")
    theta, log_a, b = x[:100], x[100:115], x[115:]
    share = special.expit(np.exp(log_a) * (theta[:, None] - b))
    likelihood = stats.bernoulli.logpmf(answers, share).sum()
    return (
        likelihood
        + stats.norm.logpdf(theta).sum()
        + stats.norm.logpdf(log_a, 0, 0.5).sum()
        + stats.norm.logpdf(b, 0, 2).sum()
    )


def stochastic_volatility(x):
    y = np.loadtxt(DATA / "returns.csv")
    mu, phi, sigma, z = x[0], np.tanh(x[1]), np.exp(x[2]), x[3:]
    h = np.empty(100)
    h[0] = mu + sigma / np.sqrt(1 - phi**2) * z[0]
    for t in range(1, 100):
        h[t] = mu + phi * (h[t - 1] - mu) + sigma * z[t]
    prior = stats.norm.logpdf(mu, 0, 5) + stats.beta.logpdf((phi + 1) / 2, 20, 1.5) + half_normal(sigma, 1)
    jacobian = np.log(1 - phi**2) + x[2]
    return stats.norm.logpdf(y, 0, np.exp(h / 2)).sum() + stats.norm.logpdf(z).sum() + prior + jacobian


def log_gaussian_cox(x):
    counts = np.loadtxt(DATA / "cox_counts.csv", delimiter=",").ravel()
    at = np.stack(np.meshgrid(np.arange(16), np.arange(16), indexing="ij"), axis=-1).reshape(-1, 2) / 16
    distance = np.linalg.norm(at[:, None] - at, axis=2)
    field = np.log(126) - 1.91 / 2 + np.linalg.cholesky(1.91 * np.exp(-8 * distance)) @ x
    return stats.poisson.logpmf(counts, np.exp(field) / 256).sum() + stats.norm.logpdf(x).sum()


def credit_rows():
    table = np.loadtxt(DATA / "credit_shaped.csv", delimiter=",")
    covariates = (table[:, :-1] - table[:, :-1].mean(axis=0)) / table[:, :-1].std(axis=0)
    return np.column_stack([np.ones(1000), covariates]), table[:, -1]


def german_credit_logistic(x):
    rows, label = credit_rows()
    return stats.bernoulli.logpmf(label, special.expit(rows @ x)).sum() + stats.norm.logpdf(x).sum()


def sparse_logistic(x):
    rows, label = credit_rows()
    z, local, tau = x[:25], np.exp(x[25:50]), np.exp(x[50])
    prior = stats.gamma.logpdf(local, 0.5, scale=2).sum() + stats.gamma.logpdf(tau, 0.5, scale=2) + x[25:].sum()
    linear = rows @ (tau * local * z)
    likelihood = (label * special.log_expit(linear) + (1 - label) * special.log_expit(-linear)).sum()
    return likelihood + stats.norm.logpdf(z).sum() + prior


def lotka_volterra(x):
    """With SciPy's integrator at a tolerance of 1e-10 in the place of our steps."""
    alpha, beta, gamma, delta, hare, lynx, sigma_hare, sigma_lynx = np.exp(x)
    data = load_target("lotka_volterra").data[1:].reshape(21, 2)

    def rates(_, state):
        return [(alpha - beta * state[1]) * state[0], (-gamma + delta * state[0]) * state[1]]

    solved = integrate.solve_ivp(rates, (0, 20), [hare, lynx], t_eval=np.arange(21), rtol=1e-10, atol=1e-10).y
    counts = np.exp(data)
    likelihood = sum(
        stats.lognorm.logpdf(counts[:, k], sigma, scale=solved[k]).sum()
        for k, sigma in ((0, sigma_hare), (1, sigma_lynx))
    )
    prior = sum(stats.norm.logpdf(rate, 1, 0.5) for rate in (alpha, gamma))
    prior += sum(stats.norm.logpdf(rate, 0.05, 0.05) for rate in (beta, delta))
    prior += sum(stats.lognorm.logpdf(value, 1, scale=10) for value in (hare, lynx))
    prior += sum(stats.lognorm.logpdf(value, 1, scale=np.exp(-1)) for value in (sigma_hare, sigma_lynx))
    return likelihood + prior + x.sum()


def phi4(x):
    field = x.reshape(16, 16)
    neighbours = sum((field * np.roll(field, 1, axis=axis)).sum() for axis in (0, 1))
    return 2 * 0.26 * neighbours - ((1 - 2 * 0.022) * field**2 + 0.022 * field**4).sum()


def muller_brown(x):
    value = 0.0
    for height, a, b, c, x0, y0 in (
        (-200, -1, 0, -10, 1, 0),
        (-100, -1, 0, -10, 0, 0.5),
        (-170, -6.5, 11, -6.5, -0.5, 1.5),
        (15, 0.7, 0.6, 0.7, -1, 1),
    ):
        value += height * np.exp(a * (x[0] - x0) ** 2 + b * (x[0] - x0) * (x[1] - y0) + c * (x[1] - y0) ** 2)
    return -value / 20


def quartic(x):
    return -0.25 * (x**4).sum()


MODELS = {
    model.__name__: model
    for model in (
        eight_schools_centred,
        eight_schools_noncentred,
        gaussian_process_regression,
        item_response,
        stochastic_volatility,
        log_gaussian_cox,
        german_credit_logistic,
        sparse_logistic,
        lotka_volterra,
        phi4,
        muller_brown,
        quartic,
    )
}


@pytest.mark.parametrize("name", MODELS)
def test_the_density_is_that_of_the_model(name):
    target = load_target(name)
    if target.draw_exact is not None:
        points = target.draw_exact(stream("model", name), 8)
    else:
        points = (
            target.reference_draws[:8]
            if target.reference_draws is not None
            else target.starts("dispersed", stream(name), 8)
        )
    found = target.log_density_and_gradient(points)[0]
    expected = np.array([MODELS[name](x) for x in points])
    # The steps of the Runge–Kutta method are 1e-5 off in log populations where sigma is a quarter.
    tolerance = 2e-2 if name == "lotka_volterra" else 1e-8 * np.abs(expected).max()
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=tolerance)


def test_eight_schools_is_the_published_posterior():
    """posteriordb, eight_schools-eight_schools_noncentered: means and standard deviations of 10 000 reference draws, so that
    their own error is a hundredth of a standard deviation; four of those are allowed.
    """
    truth = load_target("eight_schools_noncentred").constrained.truth
    for index, mean, sd in ((8, 4.4105, 3.3091), (9, 3.6021, 3.1983)):
        assert truth.mean[index] == pytest.approx(mean, abs=0.04 * sd)
        assert np.sqrt(truth.variance[index]) == pytest.approx(sd, rel=0.04)
    # "Eight schools" names three posteriors: with a flat prior on τ its mean is far away.
    assert truth.mean[9] < 4.0


def test_both_parametrisations_are_one_posterior():
    centred, noncentred = (load_target(f"eight_schools_{kind}") for kind in ("centred", "noncentred"))
    np.testing.assert_array_equal(centred.constrained.truth.mean, noncentred.constrained.truth.mean)
    x = noncentred.draw_exact(stream("both"), 50)
    theta = noncentred.constrained.of(x)[:, :8]
    other = np.column_stack([theta, x[:, 8:]])
    jacobian = 8 * x[:, 9]  # dθ = τ⁸ dz
    difference = noncentred.log_density_and_gradient(x)[0] - centred.log_density_and_gradient(other)[0] - jacobian
    np.testing.assert_allclose(difference, difference[0], atol=1e-9)
    np.testing.assert_allclose(centred.constrained.of(other), noncentred.constrained.of(x))


def test_eight_schools_truth_by_another_integral():
    """E τ and E μ from the joint density of (μ, τ) on a plain grid, without the algebra of the tables."""
    y, sigma = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    mu, u = np.meshgrid(np.linspace(-30, 40, 701), np.linspace(-14, 7, 1401), indexing="ij")
    tau = np.exp(u)
    log_p = stats.norm.logpdf(mu, 0, 5) + stats.halfcauchy.logpdf(tau, scale=5) + u
    for one, error in zip(y, sigma, strict=True):
        log_p += stats.norm.logpdf(one, mu, np.hypot(error, tau))
    weight = np.exp(log_p - log_p.max())
    weight /= weight.sum()
    truth = load_target("eight_schools_centred").constrained.truth
    assert truth.mean[9] == pytest.approx((weight * tau).sum(), rel=1e-5)
    assert truth.mean[8] == pytest.approx((weight * mu).sum(), rel=1e-6)


@pytest.mark.parametrize("name", ["muller_brown", "gaussian_process_regression"])
def test_quadrature_has_converged(name):
    """Every second point of the grid gives the same moments, and the density at its edges is nothing."""
    import dataclasses

    target = load_target(name)
    grid = target.draw_exact.__self__
    coarse = dataclasses.replace(
        grid,
        axes=tuple(axis[::2] for axis in grid.axes),
        log_density=grid.log_density[(slice(None, None, 2),) * target.dim],
    )
    for fine_moment, coarse_moment in zip(grid.moments(), coarse.moments(), strict=True):
        np.testing.assert_allclose(fine_moment, coarse_moment, rtol=1e-6, atol=1e-8)
    for axis in range(target.dim):
        for end in (0, -1):
            edge = np.take(grid.log_density, end, axis=axis)
            assert edge.max() < grid.log_density.max() - 25.0, f"axis {axis}, end {end}"


@pytest.mark.parametrize("name", ["muller_brown", "gaussian_process_regression"])
def test_the_envelope_of_rejection_lies_above_the_density(name):
    """At a million points inside cells that hold the mass: the sampler is exact only if no density exceeds its bound."""
    target = load_target(name)
    grid, generator = target.draw_exact.__self__, stream("envelope", name)
    bound, cumulative = grid._envelope
    shape = tuple(len(axis) - 1 for axis in grid.axes)
    cell = np.searchsorted(cumulative, generator.random(200_000 if target.dim == 3 else 1_000_000), side="right")
    index = np.stack(np.unravel_index(cell, shape), axis=1)
    steps = np.array([axis[1] - axis[0] for axis in grid.axes])
    x = np.array([axis[0] for axis in grid.axes]) + steps * (index + generator.random(index.shape))
    assert (grid.at(x) <= bound[cell]).all()


def test_muller_brown_is_the_published_potential():
    """Minima −146.70, −108.17, −80.77 and saddles −40.66, −72.25, as the literature lists them."""
    target = load_target("muller_brown")
    energies = -20.0 * target.log_density_and_gradient(target.modes.locations)[0]
    np.testing.assert_allclose(np.sort(energies), [-146.70, -108.17, -80.77], atol=0.005)
    passes = np.array([[-0.822, 0.624], [0.212, 0.293]])
    np.testing.assert_allclose(-20.0 * target.log_density_and_gradient(passes)[0], [-40.66, -72.25], atol=0.02)


def test_quartic_moments():
    truth = load_target("quartic").truth
    np.testing.assert_allclose(truth.second_moment, 0.675978, atol=1e-6)
    np.testing.assert_allclose(truth.variance_of_square + truth.second_moment**2, 1.0)


def test_lotka_volterra_is_near_the_published_posterior():
    """Stan's case study: θ about 0.55, 0.028, 0.80, 0.024, σ about 0.25, start about 34 and 5.9 thousand pelts."""
    found = load_target("lotka_volterra").constrained.truth.mean
    np.testing.assert_allclose(found, [0.55, 0.028, 0.80, 0.024, 34.0, 5.9, 0.25, 0.25], rtol=0.05)


def test_phi4_is_symmetric():
    """E φ = 0 and all sites alike, within the run's own errors over 256 sites: one in a million each."""
    truth = load_target("phi4").truth
    assert (np.abs(truth.mean) < 5.5 * truth.mean_standard_error).all()
    centre = truth.second_moment.mean()
    assert (np.abs(truth.second_moment - centre) < 5.5 * truth.second_moment_standard_error).all()


@pytest.mark.parametrize("script", ["credit_shaped", "item_answers", "returns", "cox_counts"])
def test_the_scripts_make_the_data_files(script):
    """Generated once; another NumPy may give other streams, and then the stored file counts: same shape, same header."""
    import importlib.util

    file = DATA / f"make_{script}.py"
    specification = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.text() == (DATA / f"{script}.csv").read_text(encoding="utf-8")
