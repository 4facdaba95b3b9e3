"""A frozen density computes what it was made of, however it is made, and whatever is changed afterwards."""

import numpy as np
import pytest

from mcmc_bench.core.target import Target
from mcmc_bench.kernels.frozen import frozen
from tests.kernels.kinds_of_identity import KINDS, change, module

FIXED = [kind for kind, (_, statement) in KINDS.items() if statement is None]
CHANGEABLE = [kind for kind, (_, statement) in KINDS.items() if statement is not None]


def target_of(density):
    return Target(dim=1, density=density, one_point=np.ones(1), draw_dispersed=lambda generator, n: np.ones((n, 1)))


def value(target):
    return target.log_density_and_gradient([[1.0]])[1][0, 0]


@pytest.mark.parametrize("kind", FIXED)
def test_each_has_its_own_number_in_one_process(kind):
    targets = {k: target_of(module(kind, k)["density"]) for k in (1.0, 25.0)}
    assert {k: value(target) for k, target in targets.items()} == {1.0: -1.0, 25.0: -25.0}
    assert target_of(module(kind, 25.0)["density"]).density is targets[25.0].density


@pytest.mark.parametrize("kind", CHANGEABLE)
def test_what_is_set_later_reaches_new_targets_only(kind):
    """Before the old one is compiled as well as after: numba would read the number when it compiles."""
    namespace = module(kind, 2.0)
    compiled, waiting = target_of(namespace["density"]), target_of(namespace["density"])
    assert value(compiled) == -2.0
    change(namespace, kind, 3.0)
    changed = target_of(namespace["density"])
    assert (value(compiled), value(waiting), value(changed)) == (-2.0, -2.0, -3.0)


def test_a_frozen_function_is_frozen_once():
    once = frozen(module("scalar", 4.0)["density"])
    assert frozen(once) is once


def test_what_is_defined_below_is_found():
    """A file may declare its sampler above the helpers of its step: then it is frozen once they are there."""
    namespace = module("scalar", 4.0)
    k = namespace.pop("K")
    target = target_of(namespace["density"])
    namespace["K"] = k
    assert value(target) == -4.0
