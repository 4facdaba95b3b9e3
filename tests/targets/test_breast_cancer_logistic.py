"""The logistic target: its data file, its density in plain NumPy, and its stored reference run."""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from statistical import WrongMean, check_mean

from mcmc_bench.catalog import content_folder, load_target
from mcmc_bench.streams import stream
from mcmc_bench.target import QUANTILE_LEVELS

FOLDER = content_folder("targets") / "data"
DATA = FOLDER / "breast_cancer.csv"
REFERENCE = FOLDER / "breast_cancer_reference.npz"


@pytest.fixture(scope="module")
def target():
    return load_target("breast_cancer_logistic")


@pytest.fixture(scope="module")
def provenance():
    with np.load(REFERENCE, allow_pickle=False) as stored:
        return json.loads(str(stored["provenance"]))


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


def test_reference_run_was_checked(provenance):
    """Which checks it passed is stored with it, and it was made from the data file that is here."""
    assert provenance["data"] == hashlib.sha256(DATA.read_bytes()).hexdigest()
    assert set(provenance["runs"]) == {"hmc", "mala"}
    assert provenance["runs"]["hmc"]["start"] != provenance["runs"]["mala"]["start"]
    assert len(provenance["checks"]) >= 11
    for what, check in provenance["checks"].items():
        relation, bound = check["must be"].split()
        assert check["value"] < float(bound) if relation == "<" else check["value"] > float(bound), what
    assert REFERENCE.stat().st_size < 600_000


def test_standard_errors_are_far_below_the_threshold(target):
    """b² is compared with 0.01: the truth's own share of it must not matter."""
    truth = target.truth
    assert truth.origin == "reference run"
    assert (truth.mean_standard_error > 0).all()
    assert (truth.mean_standard_error**2 / truth.variance).max() < 1e-5
    assert (truth.second_moment_standard_error**2 / truth.variance_of_square).max() < 1e-5
    assert 0 < truth.mean_log_density_standard_error < 0.02


def check_stein(points, gradient):
    """E ∂ᵢU = 0 and E xⱼ ∂ᵢU = δᵢⱼ: true of draws of the density with this gradient, and of few others."""
    check_mean(-gradient, 0.0, "E ∂U")
    products = -np.einsum("nj,ni->nji", points, gradient)
    check_mean(products, np.eye(points.shape[1]), "E x ∂U")


def test_stored_draws_are_of_this_posterior(target):
    """Stein's identities, which know nothing of the run; 4032 nearly independent draws, 1e-6 per quantity."""
    assert target.reference_draws.shape == (4032, 30)
    gradient = target.log_density_and_gradient(target.reference_draws)[1]
    check_stein(target.reference_draws, gradient)
    # Power: draws a tenth too wide, draws of the other diagnosis, a gradient without its prior.
    wide = target.truth.mean + 1.1 * (target.reference_draws - target.truth.mean)
    with pytest.raises(WrongMean):
        check_stein(wide, target.log_density_and_gradient(wide)[1])
    with pytest.raises(WrongMean):
        check_stein(-target.reference_draws, target.log_density_and_gradient(-target.reference_draws)[1])
    with pytest.raises(WrongMean):
        check_stein(target.reference_draws, gradient + target.reference_draws)


def test_stored_draws_agree_with_the_truth(target):
    draws, truth = target.reference_draws, target.truth
    check_mean(draws, truth.mean, "E x")
    check_mean(draws**2, truth.second_moment, "E x²")
    check_mean((draws**2 - truth.second_moment) ** 2, truth.variance_of_square, "Var x²")
    check_mean(target.log_density_and_gradient(draws)[0], truth.mean_log_density, "E log p")
    below = draws[:, :, None] <= truth.quantiles
    check_mean(below, np.broadcast_to(QUANTILE_LEVELS, below.shape[1:]), "share below the quantiles")
    with pytest.raises(WrongMean):
        check_mean(draws, truth.mean + 0.2 * np.sqrt(truth.variance), "E x, a fifth of a standard deviation off")


def test_stored_draws_are_nearly_independent(target):
    """Neighbours in the file belong to one chain: their correlation is within five standard errors of zero."""
    standardised = (target.reference_draws - target.truth.mean) / np.sqrt(target.truth.variance)
    correlation = (standardised[1:] * standardised[:-1]).mean(axis=0)
    assert np.abs(correlation).max() < 5 / np.sqrt(len(standardised))


def test_the_data_folder_holds_no_targets():
    assert {path.name for path in Path(FOLDER).iterdir() if path.suffix == ".py"} == {
        "make_breast_cancer.py",
        "make_breast_cancer_reference.py",
    }
