"""What counts for a target and a sampler: numbers do, what is said about them does not."""

import importlib
from dataclasses import fields, replace

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.identity import documentation_of, engine_fingerprint
from mcmc_bench.core.target import Target
from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.names import library_version

#: Another value of every field of a target that determines a number, and of every field that does not.
NUMBERS = {
    "dim": lambda target: 3,
    "density": lambda target: load_target("donut").density,
    "draw_dispersed": lambda target: lambda generator, n: np.ones((n, 2)),
    "one_point": lambda target: target.one_point + 1.0,
    "data": lambda target: target.data + 1.0,
    "truth": lambda target: replace(target.truth, mean=target.truth.mean + 1.0),
    "modes": lambda target: replace(target.modes, radius=2.0),
    "draw_exact": lambda target: lambda generator, n: np.ones((n, 2)),
    "block_chains": lambda target: 3,
    "reference_draws": lambda target: np.ones((4, 2)),
    "smallest_power": lambda target: 0.5,
    "smoothed": lambda target: lambda sigma: np.ones(1),
    "made_from": lambda target: 3,
}
SAID = {"tags": ("curved",), "formula": "other", "description": "other", "source": "other"}


@pytest.fixture(scope="module")
def target():
    return load_target("ring_of_8")


def changed(target, name, value):
    """`target` with one field changed as it stands, without the checks that a new one is made with."""
    other = object.__new__(Target)
    for field in fields(Target):
        object.__setattr__(other, field.name, getattr(target, field.name))
    object.__setattr__(other, name, value)
    return other


@pytest.mark.parametrize("name", NUMBERS)
def test_what_determines_a_number_counts(target, name):
    other = changed(target, name, NUMBERS[name](target))
    assert fingerprint(other) != fingerprint(target)
    assert documentation_of(other) == documentation_of(target)


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_does_not_count(target, name):
    other = changed(target, name, SAID[name])
    assert fingerprint(other) == fingerprint(target)
    assert documentation_of(other) != documentation_of(target)


def test_what_is_done_to_an_array_later_is_not_done_to_the_target(target):
    data, point = target.data.copy(), target.one_point.copy()
    other = replace(target, data=data, one_point=point)
    data[:], point[:] = 7.0, 7.0
    assert fingerprint(other) == fingerprint(target)


def test_building_again_and_using_it_change_nothing(target):
    again = load_target("ring_of_8")
    again.log_density_and_gradient(again.starts("exact", np.random.default_rng(0), 3))
    assert fingerprint(again) == fingerprint(target)


@pytest.mark.parametrize("name", ["mala", "nuts", "sgld", "oracle", "parallel_tempering"])
def test_samplers(name):
    sampler = load_sampler(name)
    assert fingerprint(replace(sampler, description="other", source="other")) == fingerprint(sampler)
    assert fingerprint(replace(sampler, varying_cost=not sampler.varying_cost)) != fingerprint(sampler)


def test_each_sampler_has_its_own():
    names = ["mala", "ula", "hmc", "nuts", "oracle"]
    assert len({fingerprint(replace(load_sampler(name), name="")) for name in names}) == len(names)


def test_a_setting_counts_by_its_range_and_not_by_its_description():
    sampler = load_sampler("mala")

    def with_setting(**changes):
        settings = {**sampler.settings, "step_size": replace(sampler.settings["step_size"], **changes)}
        return fingerprint(replace(sampler, settings=settings))

    assert with_setting(description="other") == fingerprint(sampler)
    assert with_setting(low=0.001) != fingerprint(sampler)


@pytest.mark.parametrize("library", ["scipy", "arviz_stats"])
def test_versions_of_what_metrics_use_are_in_the_fingerprint_of_the_engine(library, monkeypatch):
    def fresh():
        library_version.cache_clear()
        engine_fingerprint.cache_clear()
        return engine_fingerprint()

    before = fresh()
    monkeypatch.setattr(importlib.import_module(library), "__version__", "99")
    other = fresh()
    monkeypatch.undo()
    assert before == fresh() != other
