"""Every stored reference run: its checks, its errors, and draws that fit the density, which know nothing of the run.

False failures: one in a million per quantity (`check_mean`).
"""

import dataclasses
import json

import numpy as np
import pytest
from statistical import WrongMean, check_mean

from mcmc_bench.catalog import stored_truth as reference_file
from mcmc_bench.catalog.files import content_folder, load_target, target_files
from mcmc_bench.core.target import QUANTILE_LEVELS
from mcmc_bench.metrics.reference import Moments


def stored(target):
    return reference_file.stored_for(target_files()[target.name], target.label)


def test_the_run_passed_its_checks(reference_target):
    content = stored(reference_target)
    first, second = content["runs"]
    assert {first, second} < {"hmc", "mala", "nuts"}
    assert content["runs"][first]["start"] != content["runs"][second]["start"]
    assert len(content["checks"]) >= 15 - ("nuts" in content["runs"])  # NUTS has no ratio to be checked by its energy
    for what, check in content["checks"].items():
        relation, bound = check["must be"].split()
        assert check["value"] < float(bound) if relation == "<" else check["value"] > float(bound), what
    assert content["made by"] == f"mcmc-bench reference {reference_target.name}"


def test_the_truth_is_of_this_density(reference_target):
    reference_file.verify(reference_target, target_files()[reference_target.name])
    # Power: data changed by one part in a thousand.
    other = dataclasses.replace(reference_target, data=1.001 * reference_target.data)
    with pytest.raises(reference_file.StoredTruthError, match="was made for another density"):
        reference_file.verify(other, target_files()[reference_target.name])


def test_standard_errors_are_far_below_the_threshold(reference_target):
    """b² is compared with 0.01: the truth's own share of it must not matter, so that every moment is used."""
    truth, moments = reference_target.truth, Moments.of(reference_target.truth, reference_target.dim)
    assert (truth.mean_standard_error > 0).all()
    assert moments.usable.all()
    assert moments.truth_error.max() < 5e-4
    assert (truth.quantile_share_standard_error < 0.02).all()


def test_files_are_small(reference_target):
    file = reference_file.json_file(target_files()[reference_target.name], reference_target.label)
    assert file.stat().st_size < 200_000
    assert reference_file.draws_file(file).stat().st_size < 300_000


def test_stored_draws_are_of_this_density(reference_target):
    """Stein's identities E ∂ᵢ log p = 0 and E (xⱼ − mⱼ) ∂ᵢ log p = −δᵢⱼ, which know nothing of the run.

    All pairs up to 30 dimensions, the diagonal beyond. Power: draws a tenth too wide, a fifth where a few hundred draws
    are stored, and a gradient without a standard normal prior.
    """
    x, centre = reference_target.reference_draws, reference_target.truth.mean
    pairs = reference_target.dim <= 30

    def check(points, gradient):
        check_mean(gradient, np.zeros(reference_target.dim), "E ∂ log p")
        away = points - centre
        products = -np.einsum("nj,ni->nji", away, gradient) if pairs else -away * gradient
        check_mean(products, np.eye(reference_target.dim) if pairs else np.ones(reference_target.dim), "E x ∂ log p")
        check_mean(-(away * gradient).mean(axis=1), 1.0, "E x ∂ log p, mean over coordinates")

    gradient = reference_target.log_density_and_gradient(x)[1]
    check(x, gradient)
    wide = centre + (1.1 if len(x) >= 2000 else 1.2) * (x - centre)
    with pytest.raises(WrongMean):
        check(wide, reference_target.log_density_and_gradient(wide)[1])
    with pytest.raises(WrongMean):
        check(x, gradient + (x - centre) / reference_target.truth.variance)


def test_stored_draws_agree_with_the_truth(reference_target):
    draws, truth = reference_target.reference_draws, reference_target.truth
    check_mean(draws, truth.mean, "E x")
    check_mean(draws**2, truth.second_moment, "E x²")
    # Where a tail is so long that Var x² is five times that of a Gaussian, excursions decide that few draws do not have.
    gaussian = 2.0 * truth.variance**2 + 4.0 * truth.variance * truth.mean**2
    told = truth.variance_of_square < 5.0 * gaussian
    assert told.mean() > 0.8
    squares = (draws**2 - truth.second_moment) ** 2
    check_mean(squares[:, told], truth.variance_of_square[told], "Var x²")
    check_mean(reference_target.log_density_and_gradient(draws)[0], truth.mean_log_density, "E log p")
    below = draws[:, :, None] <= truth.quantiles
    check_mean(below, np.broadcast_to(QUANTILE_LEVELS, below.shape[1:]), "share below the quantiles")
    shift = 0.2 if len(draws) >= 2000 else 0.6
    with pytest.raises(WrongMean):
        check_mean(draws, truth.mean + shift * np.sqrt(truth.variance), f"E x, {shift} standard deviations off")


def test_stored_draws_are_nearly_independent(reference_target):
    """Neighbours in the file belong to one chain: their correlation is within five standard errors of zero."""
    truth = reference_target.truth
    standardised = (reference_target.reference_draws - truth.mean) / np.sqrt(truth.variance)
    correlation = (standardised[1:] * standardised[:-1]).mean(axis=0)
    assert np.abs(correlation).max() < 5 / np.sqrt(len(standardised))


def test_the_data_folder_holds_no_targets():
    assert all(path.name.startswith("make_") for path in (content_folder("targets") / "data").glob("*.py"))
    assert not [name for name in target_files() if name.startswith("make_")]


def test_every_stored_file_has_its_target():
    for file in content_folder("targets").glob("*.reference.json"):
        name = file.name.removesuffix(".reference.json")
        assert load_target(name).truth.origin == "reference run", (
            f"{file.name} is not read: the target has a truth of its own"
        )


# ---- the file itself, on a copy ----


@pytest.fixture
def copied(tmp_path):
    """A folder with a target whose truth is stored, the helpers it imports, and the stored content."""
    source = target_files()["lotka_volterra"]
    for file in (source, *source.parent.glob("_*.py")):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"))
    for ending in ("json", "npz"):
        name = f"lotka_volterra.reference.{ending}"
        (tmp_path / name).write_bytes(source.with_name(name).read_bytes())
    return tmp_path


def test_a_users_target_gets_its_stored_truth(copied):
    target = load_target("lotka_volterra", targets_folder=copied)
    assert target.truth.origin == "reference run"
    assert target.constrained.truth.mean.shape == (8,)
    assert load_target("lotka_volterra", targets_folder=copied, stored_truth=False).truth is None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content | {"quantile_levels": [0.5]}, "has other quantile levels"),
        (lambda content: {k: v for k, v in content.items() if k != "coordinates"}, "do not fit lotka_volterra"),
        (lambda content: [content], "must hold an object, not a list"),
    ],
)
def test_a_spoilt_file_is_named_with_the_mend(copied, spoil, message):
    file = copied / "lotka_volterra.reference.json"
    file.write_text(json.dumps(spoil(json.loads(file.read_text(encoding="utf-8")))))
    with pytest.raises(ValueError, match=message):
        load_target("lotka_volterra", targets_folder=copied)


def test_a_truncated_file_is_named(copied):
    file = copied / "lotka_volterra.reference.json"
    file.write_text(file.read_text(encoding="utf-8")[:500])
    with pytest.raises(ValueError, match="cannot be read"):
        load_target("lotka_volterra", targets_folder=copied)


def test_levels_are_those_of_the_contract():
    for file in content_folder("targets").glob("*.reference.json"):
        assert json.loads(file.read_text(encoding="utf-8"))["quantile_levels"] == list(QUANTILE_LEVELS)
