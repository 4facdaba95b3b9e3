"""A stored truth is taken for the target that it was made for, and for no other."""

from dataclasses import replace

import pytest

from mcmc_bench.catalog import stored_truth
from mcmc_bench.catalog.files import load_target, target_files


def test_a_stored_truth_of_other_constrained_parameters_is_refused():
    target, file = load_target("item_response"), target_files()["item_response"]
    stored_truth.verify(target, file)
    of = target.constrained.of
    other = replace(target, constrained=replace(target.constrained, of=lambda x: of(x) + 10.0))
    with pytest.raises(stored_truth.StoredTruthError, match="made for other constrained parameters"):
        stored_truth.verify(other, file)
