"""The leapfrog integrator: reversible, keeps volume, second order, exact on a Gaussian (see Neal 2011)."""

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.kernels.block import leapfrog
from mcmc_bench.sampling.chains import Setup


def integrate(target, step_size, num_steps, position, momentum):
    q, p = position.copy(), momentum.copy()
    log_density, gradient = target.log_density_and_gradient(q)
    evaluations = np.zeros(1, dtype=np.int64)
    leapfrog(target.pointer, target.data, step_size, num_steps, q, p, log_density, gradient, evaluations)
    assert evaluations[0] == num_steps
    energy = -log_density + 0.5 * (p**2).sum(axis=1)
    return q, p, energy


@pytest.fixture(params=["gaussian", "banana"])
def target(request):
    return load_target(request.param)


def state(target, chains=5):
    generator = stream("leapfrog", target.label)
    return target.draw_exact(generator, chains), generator.standard_normal((chains, target.dim))


def test_is_reversible(target):
    q, p = state(target)
    q_end, p_end, _ = integrate(target, 0.1, 20, q, p)
    q_back, p_back, _ = integrate(target, 0.1, 20, q_end, -p_end)
    np.testing.assert_allclose(q_back, q, atol=1e-9)
    np.testing.assert_allclose(-p_back, p, atol=1e-9)
    with pytest.raises(AssertionError):  # power: without turning the momentum it does not come back
        np.testing.assert_allclose(integrate(target, 0.1, 20, q_end, p_end)[0], q, atol=1e-9)


def test_keeps_volume():
    target = load_target("banana")
    q, p = state(target, 1)
    z = np.concatenate([q[0], p[0]])
    width = 1e-5

    def flow(z):
        q_end, p_end, _ = integrate(target, 0.2, 7, z[None, :2].copy(), z[None, 2:].copy())
        return np.concatenate([q_end[0], p_end[0]])

    jacobian = np.stack([(flow(z + width * e) - flow(z - width * e)) / (2 * width) for e in np.eye(4)], axis=1)
    assert np.linalg.det(jacobian) == pytest.approx(1.0, abs=1e-6)


def test_energy_error_falls_by_four_when_the_step_is_halved():
    target = load_target("banana")
    q, p = state(target, 64)
    start_energy = integrate(target, 1e-300, 1, q, p)[2]

    def error(step_size, num_steps):
        return np.abs(integrate(target, step_size, num_steps, q, p)[2] - start_energy).mean()

    assert error(0.02, 50) / error(0.01, 100) == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize("num_steps", [1, 3, 17])
def test_is_a_rotation_on_a_gaussian(num_steps):
    """q(L) = cos(Lθ) q + sin(Lθ)/χ p with cos θ = 1 − h²/2, χ = √(1 − h²/4)."""
    h = 0.7
    target = load_target("gaussian", dim=3)
    q, p = state(target)
    theta, chi = np.arccos(1 - h**2 / 2), np.sqrt(1 - h**2 / 4)
    expected = np.cos(num_steps * theta) * q + np.sin(num_steps * theta) / chi * p
    np.testing.assert_allclose(integrate(target, h, num_steps, q, p)[0], expected, atol=1e-12)


def test_a_mass_matrix_is_a_change_of_coordinates():
    """Inverse mass matrix C on x is unit mass on u with x = L u, C = L Lᵀ: density and gradient follow the chain rule."""
    target = load_target("banana")
    covariance = np.array([[2.0, 0.5], [0.5, 0.25]])
    for matrix in (covariance, np.diag(covariance)):
        setup = Setup(target, load_sampler("hmc"), {}, np.ascontiguousarray(matrix))
        root = np.linalg.cholesky(np.diag(matrix) if matrix.ndim == 1 else matrix)
        x, _ = state(target)
        u = setup.inside(x)
        np.testing.assert_allclose(u @ root.T, x, rtol=1e-12)
        np.testing.assert_allclose(setup.outside(u), x, rtol=1e-12)
        log_density, gradient = setup.inner.log_density_and_gradient(u)
        expected, slope = target.log_density_and_gradient(x)
        np.testing.assert_allclose(log_density, expected, rtol=1e-12)
        np.testing.assert_allclose(gradient, slope @ root, rtol=1e-10)
