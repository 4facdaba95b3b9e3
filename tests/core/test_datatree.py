"""Draws go into a tree in ArviZ's schema and come back."""

from dataclasses import replace

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.datatree import draws_of, to_datatree
from mcmc_bench.core.draws import Cost, Draws
from mcmc_bench.core.streams import stream


@pytest.fixture(scope="module")
def target():
    return load_target("gaussian", dim=2)


@pytest.fixture(scope="module")
def draws(target):
    generator = stream("tests", "datatree")
    position = generator.standard_normal((3, 5, 2))
    return Draws(
        position=position,
        log_density=target.log_density_and_gradient(position.reshape(-1, 2))[0].reshape(3, 5),
        acceptance_rate=generator.random((3, 5)),
        diverging=generator.random((3, 5)) < 0.5,
        energy_error=generator.standard_normal((3, 5)),
        mean=generator.standard_normal((3, 2)),
        mean_square=generator.random((3, 2)),
        mean_acceptance=generator.random(3),
        divergences=np.array([4, 0, 2]),
        stopped_at=np.array([-1, -1, 7]),
        start=position[:, 0],
        end=position[:, -1],
        transitions=10,
        thin=2,
        extra_statistics={"n_steps": generator.random((3, 5))},
        cost=Cost(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0),
    )


ARRAYS = (
    "position log_density acceptance_rate diverging energy_error mean mean_square mean_acceptance divergences stopped_at "
    "start end"
)


def test_what_goes_in_comes_out(draws, target):
    back = draws_of(to_datatree(draws, {"target": "gaussian"}), target)
    for name in ARRAYS.split():
        np.testing.assert_array_equal(getattr(back, name), getattr(draws, name), err_msg=name)
        assert getattr(back, name).dtype == getattr(draws, name).dtype, name
    assert (back.transitions, back.thin, back.cost) == (draws.transitions, draws.thin, draws.cost)
    assert back.extra_statistics.keys() == {"n_steps"}
    np.testing.assert_array_equal(back.extra_statistics["n_steps"], draws.extra_statistics["n_steps"])
    assert back.not_recorded == frozenset()


@pytest.mark.parametrize("what", ["acceptance_rate", "divergences"])
def test_what_is_not_recorded_comes_out_as_not_recorded(draws, target, what):
    tree = to_datatree(replace(draws, not_recorded=frozenset({what})), {})
    assert draws_of(tree, target).not_recorded == {what}


def test_a_tree_without_statistics_has_the_density_of_the_target(draws, target):
    tree = to_datatree(draws, {}).drop_nodes(["sample_stats", "moments"])
    tree.attrs.clear()
    back = draws_of(tree, target)
    np.testing.assert_allclose(back.log_density, draws.log_density)
    assert back.not_recorded >= {"acceptance_rate", "divergences", "evaluations", "sampling_seconds"}
    assert back.transitions == 5


def test_a_tree_of_another_dimension_is_refused(draws):
    with pytest.raises(ValueError, match="dim = 3 for gaussian"):
        draws_of(to_datatree(draws, {}), load_target("gaussian", dim=3))
    with pytest.raises(ValueError, match="no posterior/x"):
        draws_of(to_datatree(draws, {}).drop_nodes("posterior"), load_target("gaussian", dim=2))
