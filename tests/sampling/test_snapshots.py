"""Snapshots show what a run does: the same kernel, common starts, and nothing changed in a run without them."""

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.sampling.replicate import Plan, run
from mcmc_bench.sampling.snapshots import CHAINS, SNAPSHOTS, trajectory_snapshots

SETTINGS = {"largest_noise": 6.0, "smallest_noise": 0.1, "levels": 20}
DOWN_THE_LEVELS = ("annealed_langevin", "reverse_sde", "predictor_corrector", "probability_flow")


def found_by(name, names=("test", "film"), **settings):
    sampler = load_sampler(name)
    found = trajectory_snapshots(
        load_target("song_ermon"), sampler, sampler.with_defaults({**SETTINGS, **settings}), names
    )
    assert found is not None
    return found


@pytest.mark.parametrize("name", DOWN_THE_LEVELS)
def test_snapshots_end_where_a_run_of_the_same_names_ends(name):
    target, sampler = load_target("song_ermon"), load_sampler(name)
    draws = run(target, sampler, SETTINGS, Plan(0, 1), chains=CHAINS, start="dispersed", names=("test", "film"))
    found = found_by(name)
    assert found.position.shape == (CHAINS, SNAPSHOTS, 2)
    assert np.array_equal(found.position[:, -1], draws.end)
    assert (np.diff(found.noise[:-1]) < 0).all()


@pytest.mark.parametrize("name", DOWN_THE_LEVELS)
def test_snapshots_begin_at_the_same_points_whatever_the_sampler_and_its_settings(name):
    start = found_by("annealed_langevin", temperature=0.0).position[:, 0]
    assert np.array_equal(found_by(name).position[:, 0], start)
    assert not np.array_equal(found_by(name, ("test", "another")).position[:, 0], start)


def test_what_has_no_noise_levels_has_no_snapshots():
    sampler = load_sampler("mala")
    assert trajectory_snapshots(load_target("song_ermon"), sampler, sampler.with_defaults({}), ("test",)) is None


@pytest.mark.parametrize("name", DOWN_THE_LEVELS)
def test_at_no_start_noise_all_chains_begin_at_one_point(name):
    found = found_by(name, start_noise=0.0).position
    assert (found[:, 0] == 0.0).all()
    ends = {tuple(end) for end in found[:, -1]}
    # Without noise on the way they end at one point too; with it they part.
    assert len(ends) == (1 if name == "probability_flow" else CHAINS)
