"""The declaration of a sampler: what cannot be is named where it is made, and settings are fitted to a target."""

import numpy as np
import pytest

from mcmc_bench.catalog.files import list_samplers, list_targets, load_sampler, load_target
from mcmc_bench.core.sampler import LARGEST_WHOLE, Adaptation, Sampler, Setting


def declare(**changes):
    arguments = {
        "kind": "exact",
        "description": "",
        "source": "",
        "draw": lambda *_: None,
        "settings": {"step_size": Setting(1.0, "")},
    }
    return Sampler(**{**arguments, **changes})


STEP = {"draw": None, "step": lambda *_: None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "exakt"}, "kind = 'exakt' must be one of 'exact', 'biased'"),
        ({"requires": ("a smooth density",)}, "requires = 'a smooth density' must be one of 'an exact sampler'"),
        ({"draw": None}, "a step or a draw: neither is given"),
        ({"step": lambda *_: None}, "a step or a draw: both are given"),
        ({"share_of_data": "part"}, "share_of_data = 'part' must be one of the settings: step_size"),
        ({"block_chains": 0}, "block_chains = 0 must be a number of chains"),
        ({"block_chains": "every"}, "block_chains = 'every' must be a number of chains, 'all' or None"),
        ({"adaptation": Adaptation("acceptance", 0.8)}, "adaptation is given with a draw"),
        ({**STEP, "adaptation": Adaptation("acceptance", 0.8, "step")}, "adaptation.setting = 'step' must be one of"),
        (
            {**STEP, "adaptation": Adaptation("acceptance", 0.8, trajectory="length")},
            "adaptation.trajectory = 'length' must be one of the settings: step_size",
        ),
        ({**STEP, "adaptation": Adaptation("acceptanse", 0.8)}, "adaptation.rule = 'acceptanse' must be one of"),
        (
            {**STEP, "adaptation": Adaptation("acceptance", 0.8, ladder=True)},
            "tunes a ladder, and the sampler has none",
        ),
    ],
)
def test_a_declaration_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        declare(**changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"default": -1.0, "low": 0.0}, "the default -1.0 of a setting must be at least 0"),
        ({"default": 0.5, "integer": True}, "the default 0.5 of a setting must be a whole number"),
    ],
)
def test_a_setting_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        Setting(description="", **arguments)


def test_whole_numbers_have_an_end():
    """Beyond it a kernel's counter would overflow: no sampler of ours takes such a number."""
    assert Setting(1, "", integer=True).high == LARGEST_WHOLE
    for name in list_samplers():
        sampler = load_sampler(name)
        for setting in (key for key, one in sampler.settings.items() if one.integer):
            with pytest.raises(ValueError, match=f"{name}: {setting} = {10**20} must be at most"):
                sampler.with_defaults({setting: 10**20})


def test_exact_is_a_law():
    """The law of an exact sampler on a Gaussian needs no word; where something else is given, that holds."""
    precision = np.array([1.0, 4.0])
    for kind in ("exact", "oracle"):
        np.testing.assert_array_equal(declare(kind=kind).stationary_variance({}, precision), 1.0 / precision)
    assert declare(kind="biased").stationary_variance is None
    tempered = declare(stationary_variance=lambda settings, precision: 2.0 / precision)
    np.testing.assert_array_equal(tempered.stationary_variance({}, precision), 2.0 / precision)


@pytest.mark.parametrize("name", ["annealed_langevin", "reverse_sde", "predictor_corrector", "probability_flow"])
def test_noise_has_to_fall(name):
    with pytest.raises(ValueError, match=rf"{name}: largest_noise = 0.01 must be greater than smallest_noise = 5"):
        load_sampler(name).with_defaults({"largest_noise": 0.01, "smallest_noise": 5.0})


def test_a_schedule_has_to_fall():
    rising = declare(schedule=lambda settings: np.array([1.0, settings["step_size"]]))
    rising.with_defaults({"step_size": 0.5})
    with pytest.raises(ValueError, match="its schedule must fall, and rises with step_size = 2"):
        rising.with_defaults({"step_size": 2.0})


# ---- what a target can take ----


def test_powers_have_an_integral():
    """p^β of Student's t falls as |x|^−β(ν + 1) in each coordinate: β > 1/(ν + 1), for Cauchy's 1/2."""
    tempering = load_sampler("parallel_tempering")
    for name, parameters, bound in (
        ("student_t", {}, 0.25),
        ("student_t", {"degrees_of_freedom": 9.0, "dim": 5}, 0.1),
        ("cauchy", {}, 0.5),
    ):
        target = load_target(name, **parameters)
        assert target.smallest_power == pytest.approx(bound)
        assert not tempering.incompatibility(target, tempering.with_defaults({"hottest": 1.01 * bound}))
        message = tempering.incompatibility(target, tempering.with_defaults({"hottest": bound}))
        assert message.startswith(
            f"hottest = {bound:g}: the power p^β of {target.label} has an integral for β > {bound:g} only"
        )
        assert "set hottest between" in message
    assert not tempering.incompatibility(load_target("neal_funnel"))


@pytest.mark.parametrize("name", list_targets())
def test_every_tail_is_as_heavy_as_it_says(name):
    """Along both directions of every axis (of 20 at most): log p falls as −s log r with s β > 1 for β above the bound; where
    that is 0, faster than any power. Along other directions nothing is seen here.
    """
    target = load_target(name)
    for i in np.unique(np.linspace(0, target.dim - 1, min(target.dim, 20)).astype(int)):
        for sign in (-1.0, 1.0):
            ends = np.tile(target.one_point, (2, 1))
            ends[:, i] += sign * np.array([1e3, 1e4])
            values = target.log_density_and_gradient(ends)[0]
            if not np.isfinite(values).all():
                assert values[1] == -np.inf
                continue
            power = (values[0] - values[1]) / np.log(10.0)
            if target.smallest_power > 0.0:
                assert power * target.smallest_power == pytest.approx(1.0, rel=0.01)
            else:
                assert power > 100.0


def test_a_share_is_a_whole_number_of_rows():
    sampler, target = load_sampler("sgld"), load_target("breast_cancer_logistic")
    fitted = sampler.resolve_settings(target, sampler.with_defaults({"share": 0.1}))
    assert fitted["share"] == 57 / 569
    assert list(fitted) == list(sampler.settings)
    assert sampler.evaluations_per_step(fitted) == sampler.evaluation_share(fitted) == 57 / 569
    assert sampler.resolve_settings(target, sampler.with_defaults({"share": 1 / 569}))["share"] == 1 / 569
    with pytest.raises(
        ValueError, match=r"share = 0\.001 of the 569 rows of breast_cancer_logistic is less than one; set"
    ):
        sampler.resolve_settings(target, sampler.with_defaults({"share": 0.001}))
