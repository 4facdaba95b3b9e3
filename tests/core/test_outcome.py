"""Outcomes: stored as plain words, each failure with advice."""

import json

import pytest

from mcmc_bench.core.outcome import Outcome


def test_an_outcome_is_stored_as_its_word():
    assert json.dumps([*Outcome]) == '["finished", "not applicable", "raised", "timed out", "died"]'
    assert [Outcome(str(outcome)) for outcome in Outcome] == [*Outcome]
    assert f"{Outcome.TIMED_OUT}" == "timed out"


def test_an_unknown_word_is_refused():
    with pytest.raises(ValueError, match="'lost' is not a valid Outcome"):
        Outcome("lost")


def test_failures_come_with_advice():
    assert {outcome for outcome in Outcome if outcome.failed} == {Outcome.RAISED, Outcome.TIMED_OUT, Outcome.DIED}
    for outcome in Outcome:
        assert outcome.advice.endswith(".") or outcome is Outcome.FINISHED
