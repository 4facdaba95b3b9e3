"""Holm's procedure, against the book."""

import pytest

from mcmc_bench.core.multiple_tests import holm


def test_holm_is_that_of_the_book():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
