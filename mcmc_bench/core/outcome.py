"""The outcomes of a cell, with one sentence of advice for each.

Must not know how cells are run, nor where the advice is shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Outcome(StrEnum):
    """The outcome of a cell; the value is the word that results files and pages use.

    Attributes:
        advice: one sentence on what to do; empty where there is nothing to do.
        failed: whether something went wrong that was meant to work.
    """

    advice: str
    failed: bool

    FINISHED = "finished"
    NOT_APPLICABLE = (
        "not applicable",
        "This sampler cannot sample this target: the message names what is missing.",
        False,
    )
    RAISED = (
        "raised",
        "The target or the sampler raised an exception: run again with `--executor debug`, which stops where it is raised.",
        True,
    )
    TIMED_OUT = (
        "timed out",
        "The cell was stopped at its time limit: raise `time_limit` or lower `budget` in the suite, then run again.",
        True,
    )
    DIED = (
        "died",
        "The process of the cell crashed or ran out of memory: check the target with `mcmc-bench check`, then run again.",
        True,
    )

    def __new__(cls, word: str, advice: str = "", failed: bool = False) -> Self:
        """The member whose value is `word`."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.advice, member.failed = advice, failed
        return member
