"""Numbers that must come out, written down: closed forms, published values, and densities written a second time."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.streams import stream


def test_banana():
    """Var x₁² is 4610; 4600.898, which is in circulation, is wrong."""
    truth = load_target("banana").truth
    np.testing.assert_allclose(truth.mean, 0.0)
    np.testing.assert_allclose(truth.second_moment, [100.0, 19.0])
    np.testing.assert_allclose(truth.variance_of_square, [20000.0, 4610.0])
    np.testing.assert_allclose(np.sqrt(truth.variance), [10.0, np.sqrt(19.0)])


@pytest.mark.parametrize("blocks", [1, 3])
def test_rosenbrock(blocks):
    """E y² is 10.1; 11.36, which is in circulation, is wrong. The covariance of x and y is 2."""
    target = load_target("rosenbrock", blocks=blocks)
    np.testing.assert_allclose(target.truth.mean, [1.0, 2.0] * blocks)
    np.testing.assert_allclose(target.truth.second_moment, [2.0, 10.1] * blocks)
    np.testing.assert_allclose(target.truth.variance_of_square, [6.0, 668.02] * blocks)
    draws = target.draw_exact(stream("rosenbrock"), 400_000)
    assert np.cov(draws[:, :2].T)[0, 1] == pytest.approx(2.0, abs=0.06)  # six standard errors of 0.01


@pytest.mark.parametrize("dim", [2, 10, 20])
def test_neal_funnel(dim):
    """E x⁴ is 1.97e8; values of 1e7 to 1.7e8 from samples are in circulation."""
    truth = load_target("neal_funnel", dim=dim).truth
    np.testing.assert_allclose(np.sqrt(truth.second_moment), [3.0] + [9.48774] * (dim - 1), rtol=1e-6)
    np.testing.assert_allclose(truth.second_moment[1:], 90.0171, rtol=1e-6)
    np.testing.assert_allclose(truth.variance_of_square, [162.0] + [1.96972e8] * (dim - 1), rtol=1e-5)
    # By quadrature over v: E x² = E eᵛ and E x⁴ = 3 E e²ᵛ.
    for power, factor, expected in (
        (1, 1.0, truth.second_moment[1]),
        (2, 3.0, truth.variance_of_square[1] + 90.01713**2),
    ):
        value = integrate.quad(lambda v, k=power: np.exp(k * v) * stats.norm.pdf(v / 3.0) / 3.0, -40, 60, limit=200)[0]
        assert factor * value == pytest.approx(expected, rel=1e-6)


def test_song_ermon():
    target = load_target("song_ermon")
    np.testing.assert_allclose(target.truth.mean, 3.0)
    np.testing.assert_allclose(target.truth.second_moment, 26.0)
    np.testing.assert_allclose(target.modes.weights, [0.8, 0.2])
    np.testing.assert_allclose(target.modes.locations, [[5.0, 5.0], [-5.0, -5.0]])
    starts = target.starts("dispersed", stream("box"), 10_000)
    assert starts.min() > -8
    assert starts.max() < 8
    assert np.ptp(starts) > 15.9
    # Without noise all chains of the one-point experiment climb to the larger mode.
    x = target.one_point[None]
    for _ in range(2000):
        x = x + 0.05 * target.log_density_and_gradient(x)[1]
    np.testing.assert_allclose(x, [[5.0, 5.0]], atol=1e-6)


def test_bimodal():
    truth = load_target("bimodal").truth
    np.testing.assert_allclose(truth.mean, [1.0] + [0.0] * 49)
    np.testing.assert_allclose(truth.second_moment, [4.84] + [0.84] * 49)


def test_bimodal_has_one_peak_and_two_modes():
    """At the centre of the wide component the narrow one is nine times as dense, yet each draw is clearly of one."""
    target = load_target("bimodal")
    log_density, gradient = target.log_density_and_gradient(target.modes.locations)
    wide = np.log(0.75)
    narrow = np.log(0.25) - 50 * np.log(0.6) - 16 / (2 * 0.36)
    assert np.exp(narrow - wide) == pytest.approx(9.2, abs=0.1)
    assert log_density[0] == pytest.approx(np.logaddexp(wide, narrow))
    assert gradient[0, 0] > 9  # towards the narrow one
    assert target.modes.assign(target.modes.locations).tolist() == [1, 1]
    # Of the wide component's draws fewer than one in a thousand are given away, although many lie nearer to the
    # other's location than to their own in units of the other's reach.
    z = stream("bimodal").standard_normal((50_000, 50))
    assert (target.modes.assign(z) == 0).mean() > 0.999
    assert (target.modes.assign(0.6 * z + target.modes.locations[1]) == 1).mean() > 0.999


def test_many_well():
    """Published: Z = 11784.509265, P(x > 0) = 0.844307, E x = 1.187961, E x² = 2.959806, E x⁴ = 9.277913."""
    target = load_target("many_well", dim=1)

    def density(x):
        return float(np.exp(target.log_density_and_gradient(np.array([[x]]))[0][0]))

    def integral(f, low=-4.0, high=4.0):
        return integrate.quad(lambda x: f(x) * density(x), low, high, epsrel=1e-12, limit=500, points=[-1.7, 1.75])[0]

    constant = integral(lambda x: 1.0)
    assert constant == pytest.approx(11784.509265, abs=1e-5)
    right = integrate.quad(density, 0.0, 4.0, epsrel=1e-12, limit=500)[0] / constant
    assert right == pytest.approx(0.844307, abs=1e-6)
    truth = target.truth
    assert truth.mean[0] == pytest.approx(1.187961, abs=1e-6)
    assert truth.second_moment[0] == pytest.approx(2.959806, abs=1e-6)
    assert truth.variance_of_square[0] + truth.second_moment[0] ** 2 == pytest.approx(9.277913, abs=1e-6)
    np.testing.assert_allclose(target.modes.weights, [1 - right, right], atol=1e-9)
    eight = load_target("many_well", dim=3).modes
    assert eight.locations.shape == (8, 3)
    np.testing.assert_allclose(eight.weights[[0, -1]], [(1 - right) ** 3, right**3], rtol=1e-8)
    assert load_target("many_well", dim=32).modes is None


def test_cauchy():
    """E[−log p] = log 4π per dimension, density normalised; the mean does not exist, E x² is infinite."""
    target = load_target("student_t", dim=3, degrees_of_freedom=1)
    assert -target.truth.mean_log_density + 3 * np.log(np.pi) == pytest.approx(3 * np.log(4 * np.pi))
    assert np.isnan(target.truth.mean).all()
    assert np.isinf(target.truth.second_moment).all()
    assert np.isinf(target.truth.variance_of_square).all()
    np.testing.assert_allclose(target.truth.quantiles[:, 1:4], [[-1.0, 0.0, 1.0]] * 3, atol=1e-12)
    # sd of log p is π/√3 per dimension; five of its standard errors.
    log_density = target.log_density_and_gradient(target.draw_exact(stream("cauchy"), 200_000))[0]
    assert log_density.std() == pytest.approx(np.sqrt(3) * np.pi / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize(
    ("degrees", "mean", "second", "variance_of_square"),
    [
        (1, np.nan, np.inf, np.inf),
        (2, 0, np.inf, np.inf),
        (3, 0, 3.0, np.inf),
        (4, 0, 2.0, np.inf),
        (5, 0, 5 / 3, 200 / 9),
    ],
)
def test_student_t(degrees, mean, second, variance_of_square):
    truth = load_target("student_t", degrees_of_freedom=degrees).truth
    np.testing.assert_allclose(truth.mean, mean)
    np.testing.assert_allclose(truth.second_moment, second)
    np.testing.assert_allclose(truth.variance_of_square, variance_of_square)


def test_forty_modes_are_the_published_ones():
    """The first numbers of torch.manual_seed(0); torch.rand(...), as its documentation and papers print them."""
    locations = load_target("forty_modes").modes.locations
    uniform = (locations.ravel()[:8] + 40) / 80
    np.testing.assert_allclose(uniform, [0.4963, 0.7682, 0.0885, 0.1320, 0.3074, 0.6341, 0.4901, 0.8964], atol=5e-5)
    assert np.abs(locations).max() <= 40


def test_mixture_layouts():
    ring = load_target("gaussian_mixture", modes=8, separation=5.0, scale=2.0).modes.locations
    np.testing.assert_allclose(np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1), 10.0)
    np.testing.assert_allclose(np.linalg.norm(load_target("ring_of_8").modes.locations, axis=1), 10.0)
    grid = load_target("grid_of_25").modes.locations
    np.testing.assert_allclose(np.unique(grid.round(9)), [-4.0, -2.0, 0.0, 2.0, 4.0])
    line = load_target("gaussian_mixture", layout="line", modes=3, separation=8.0, dim=1, weights="alternating")
    np.testing.assert_allclose(line.modes.locations.ravel(), [-8.0, 0.0, 8.0])
    np.testing.assert_allclose(line.modes.weights, np.array([7, 3, 7]) / 17)


def test_the_mixture_family_compiles_once():
    """All members share one compiled density: parameters are data."""
    members = [load_target(name) for name in ("song_ermon", "ring_of_8", "grid_of_25", "forty_modes", "bimodal")]
    assert len({id(member.pointer) for member in members}) == 1


# ---- densities written a second time, in plain NumPy that also takes complex numbers ----


def numpy_banana(x):
    return -0.5 * (x[0] / 10) ** 2 - 0.5 * (x[1] - 0.03 * (x[0] ** 2 - 100)) ** 2


def numpy_rosenbrock(x):
    return -0.5 * (x[0] - 1) ** 2 - 5.0 * (x[1] - x[0] ** 2) ** 2


def numpy_funnel(x):
    return -(x[0] ** 2) / 18 - sum(0.5 * xi**2 * np.exp(-x[0]) + 0.5 * x[0] for xi in x[1:])


def numpy_student_t(x):
    return -2.0 * sum(np.log(1 + xi**2 / 3) for xi in x)


def numpy_donut(x):
    return -0.5 * ((np.sqrt(x[0] ** 2 + x[1] ** 2) - 2.6) / 0.18) ** 2


def numpy_many_well(x):
    return sum(0.5 * xi + 6 * xi**2 - xi**4 for xi in x)


def numpy_ring(x):
    angle = np.pi / 4 * np.arange(8)
    squared = (x[0] - 10 * np.cos(angle)) ** 2 + (x[1] - 10 * np.sin(angle)) ** 2
    return np.log(np.sum(np.exp(-squared / 2) / 8))


def numpy_bimodal(x):
    rest = sum(xi**2 for xi in x[1:])
    wide = 0.75 * np.exp(-0.5 * (x[0] ** 2 + rest))
    return np.log(wide + 0.25 * 0.6**-50 * np.exp(-((x[0] - 4) ** 2 + rest) / 0.72))


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("banana", numpy_banana),
        ("rosenbrock", numpy_rosenbrock),
        ("neal_funnel", numpy_funnel),
        ("student_t", numpy_student_t),
        ("donut", numpy_donut),
        ("many_well", numpy_many_well),
        ("ring_of_8", numpy_ring),
        ("bimodal", numpy_bimodal),
    ],
)
def test_density_and_complex_step_gradient(name, again):
    """Value and gradient to rounding: the imaginary part of log p(x + 1e-30 i eⱼ) is 1e-30 ∂ⱼ log p."""
    target = load_target(name)
    points = target.draw_exact(stream("complex", name), 20)
    log_density, gradient = target.log_density_and_gradient(points)
    for x, value, slope in zip(points, log_density, gradient, strict=True):
        assert value == pytest.approx(again(x), rel=1e-11, abs=1e-11)
        for j in range(target.dim):
            shifted = x.astype(complex)
            shifted[j] += 1e-30j
            assert slope[j] == pytest.approx(again(shifted).imag / 1e-30, rel=1e-9, abs=1e-10 * np.abs(slope).max())


def test_mixture_log_sum_exp_far_away():
    """Ten thousand standard deviations out, where every component underflows, against SciPy."""
    target = load_target("forty_modes")
    x = stream("far").uniform(-1e4, 1e4, (50, 2))
    scale = np.log1p(np.e)
    squared = ((x[:, None] - target.modes.locations) ** 2).sum(axis=2)
    exponents = -0.5 * squared / scale**2 - np.log(40) - 2 * np.log(scale)
    log_density, gradient = target.log_density_and_gradient(x)
    np.testing.assert_allclose(log_density, special.logsumexp(exponents, axis=1), rtol=1e-13)
    responsibility = special.softmax(exponents, axis=1)
    expected = (responsibility @ target.modes.locations - x) / scale**2
    np.testing.assert_allclose(gradient, expected, rtol=1e-9)
