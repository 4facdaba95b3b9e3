"""The logistic target: its data file, its density in plain NumPy, and its stored reference run."""

import importlib.util

import numpy as np
import pytest
from scipy import special
from statistical import WrongMean, check_mean

from mcmc_bench.catalog.files import content_folder, load_target
from mcmc_bench.core.streams import stream

FOLDER = content_folder("targets") / "data"
DATA = FOLDER / "breast_cancer.csv"


@pytest.fixture(scope="module")
def target():
    return load_target("breast_cancer_logistic")


def test_data_are_the_published_ones():
    """569 tumours, 357 benign and 212 malignant; the first has a mean radius of 17.99 and is malignant."""
    table = np.loadtxt(DATA, delimiter=",")
    assert table.shape == (569, 31)
    assert (table[:, -1] == 1).sum() == 357
    assert (table[:, -1] == 0).sum() == 212
    np.testing.assert_array_equal(table[0, [0, 1, 2, 3, 30]], [17.99, 10.38, 122.8, 1001.0, 0.0])
    header = DATA.read_text(encoding="utf-8").split("17.99")[0]
    assert "CC BY 4.0" in header
    assert "10.24432/C5DW2B" in header


def test_the_script_makes_the_data_file():
    pytest.importorskip("sklearn", reason="the script takes the data from scikit-learn: pip install scikit-learn")
    specification = importlib.util.spec_from_file_location("make_breast_cancer", FOLDER / "make_breast_cancer.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.text() == DATA.read_text(encoding="utf-8")


def test_density_against_plain_numpy_and_complex_step(target):
    table = np.loadtxt(DATA, delimiter=",")
    x = (table[:, :-1] - table[:, :-1].mean(axis=0)) / table[:, :-1].std(axis=0)
    benign = table[:, -1]

    def again(beta):
        z = x @ beta
        return np.sum(benign * z - np.log(1 + np.exp(z))) - 0.5 * np.sum(beta**2)

    points = target.reference_draws[:10]
    log_density, gradient = target.log_density_and_gradient(points)
    for beta, value, slope in zip(points, log_density, gradient, strict=True):
        assert value == pytest.approx(again(beta), rel=1e-12)
        for j in range(30):
            step = beta.astype(complex)
            step[j] += 1e-30j
            assert slope[j] == pytest.approx(again(step).imag / 1e-30, abs=1e-10)


def test_log_likelihood_is_safe_far_away(target):
    """At ‖β‖ of 10⁵ each term is max(−z, 0) to rounding: no overflow, nothing lost."""
    beta = 1e5 * stream("far").standard_normal((4, 30))
    z = beta @ target.data.reshape(-1, 30).T
    log_density, gradient = target.log_density_and_gradient(beta)
    np.testing.assert_allclose(log_density, -np.logaddexp(0, -z).sum(axis=1) - 0.5 * (beta**2).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(gradient, special.expit(-z) @ target.data.reshape(-1, 30) - beta, rtol=1e-9)


def test_standard_errors_are_those_of_the_first_reference_run(target):
    """The most used truth has the least error: squared, below 1e-5 of every variance."""
    truth = target.truth
    assert (truth.mean_standard_error**2 / truth.variance).max() < 1e-5
    assert (truth.second_moment_standard_error**2 / truth.variance_of_square).max() < 1e-5
    assert 0 < truth.mean_log_density_standard_error < 0.02


def test_draws_of_the_other_diagnosis_are_caught(target):
    """Power of Stein's identities: coefficients with the opposite sign, at which E ∂ log p is far from zero."""
    other = -target.reference_draws
    with pytest.raises(WrongMean):
        check_mean(target.log_density_and_gradient(other)[1], 0.0, "E ∂ log p")
