"""PyMC models at native speed: eight schools against our own density, with the same draws."""

import numpy as np
import pytest

import mcmc_bench
from mcmc_bench import load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.kernels.fingerprint import fingerprint

pymc = pytest.importorskip("pymc", reason="NOT TESTED: the PyMC bridge; install the extra: pip install -e '.[pymc]'")
pytestmark = [pytest.mark.filterwarnings("ignore::FutureWarning"), pytest.mark.slow]

Y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
SIGMA = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


@pytest.fixture(scope="module")
def target():
    with pymc.Model() as model:
        z = pymc.Normal("z", 0, 1, shape=8)
        mu = pymc.Normal("mu", 0, 5)
        tau = pymc.HalfCauchy("tau", 5)
        theta = pymc.Deterministic("theta", mu + tau * z)
        pymc.Normal("y", theta, SIGMA, observed=Y)
    return mcmc_bench.from_pymc(model, name="eight_schools_noncentred")


def test_same_density_and_gradient_as_ours(target):
    ours = load_target("eight_schools_noncentred")
    points = ours.starts("dispersed", stream("pymc"), 50)
    found, expected = target.log_density_and_gradient(points), ours.log_density_and_gradient(points)
    difference = found[0] - expected[0]
    np.testing.assert_allclose(difference, difference[0], atol=1e-8)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-9, atol=1e-9)


def test_names_and_constrained_parameters(target):
    ours = load_target("eight_schools_noncentred")
    points = ours.starts("exact", stream("constrained"), 10)
    assert target.coordinate_names == (*(f"z[{i}]" for i in range(8)), "mu", "tau_log__")
    constrained = dict(zip(target.constrained.names, target.constrained.of(points).T, strict=True))
    mine = dict(zip(ours.constrained.names, ours.constrained.of(points).T, strict=True))
    np.testing.assert_allclose(constrained["tau"], mine["τ"])
    np.testing.assert_allclose(constrained["theta[4]"], mine["θ₅"])


def test_same_draws_as_ours(target):
    start = load_target("eight_schools_noncentred").starts("exact", stream("start"), 8)
    arguments = {"draws": 40, "chains": 8, "seed": 3, "start": start, "step_size": 0.1, "num_integration_steps": 5}
    found, expected = (
        mcmc_bench.sample(one, "hmc", **arguments)["posterior"]["x"].values
        for one in (target, load_target("eight_schools_noncentred"))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_discrete_variables_are_named():
    with pymc.Model() as model:
        pymc.Poisson("count", 3.0)
    with pytest.raises(ValueError, match="count: discrete variables have no gradient"):
        mcmc_bench.from_pymc(model)


def normal_model(y, *, declared):
    with pymc.Model() as model:
        mu = pymc.Normal("mu", 0, 5)
        pymc.Normal("y", mu, 1.0, observed=pymc.Data("data", y) if declared else y)
    return model


@pytest.mark.parametrize("declared", [False, True])
def test_data_are_its_identity(declared):
    one, same, other = (
        mcmc_bench.from_pymc(normal_model(np.array([1.0, last]), declared=declared), name="m")
        for last in (2.0, 2.0, 3.0)
    )
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)


def test_data_that_are_set_later_make_another_target():
    model = normal_model(np.array([1.0, 2.0]), declared=True)
    before = mcmc_bench.from_pymc(model)
    values = [before.log_density_and_gradient([[0.5]])[0][0]]
    with model:
        pymc.set_data({"data": np.array([1.0, 20.0])})
    after = mcmc_bench.from_pymc(model)
    values += [target.log_density_and_gradient([[0.5]])[0][0] for target in (before, after)]
    assert values[0] == values[1] != values[2]
    assert fingerprint(before) != fingerprint(after)
