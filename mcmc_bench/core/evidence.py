"""The evidence of a cell: values of single replicates, which is what two runs are compared by.

Pure data, stored with results. Must not know how it is measured, nor how sides are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcmc_bench.core.json_form import Count, NotNegative, Positive, Share

#: How it is known what the draws should give: "truth": an exact kernel that was started from exact draws; "closed form": its
#: known bias; "": not known.
Expectation = Literal["truth", "closed form", ""]


@dataclass
class Indicators:
    """Shares of the draws below known quantiles and in known modes: bounded, so that they can be tested for bias.

    All lists run over the indicators.
    """

    name: list[str]
    truth: list[Share]  # probability under the target
    truth_error: list[NotNegative]  # its standard error
    #: Probability under what the sampler should give at its settings, where that is known; see Evidence.expected_from.
    expected: list[Share] | None
    expected_error: list[NotNegative] | None
    mean: list[Share]  # over replicates, of the share in all chains of a replicate
    standard_deviation: list[NotNegative]  # of one replicate
    skewness: list[float]  # of one replicate
    constant: list[Share]  # share of replicates in which no draw, or every draw, is inside

    def __post_init__(self) -> None:
        _same_length(self, len(self.name))


@dataclass
class Evidence:
    """The data that a comparison of two runs rests on: values of single replicates, which are independent of each other."""

    replicates: Positive
    expected_from: Expectation
    planned_evaluations: NotNegative | None  # of one chain, by the suite's budget and the sampler's declaration
    evaluations: list[NotNegative]  # of one chain, counted; of each replicate
    squared_error: list[
        NotNegative | None
    ]  # of one chain's estimates, in variances: 1 / real ESS; None where a chain became non-finite
    low_error_evaluations: list[NotNegative | None]  # None: not reached within the budget
    seconds: list[NotNegative]  # of sampling, all chains
    stopped_chains: list[Count]
    moved: list[Share]  # share of the chains that do not end where they began
    divergent: list[Share]  # share of the transitions
    indicators: Indicators | None = None  # None where no quantile of the target is known

    def __post_init__(self) -> None:
        _same_length(self, self.replicates)


def _same_length(columns: object, length: int) -> None:
    for name, values in vars(columns).items():
        if isinstance(values, list) and len(values) != length:
            raise ValueError(f"{name} has {len(values)} entries, not {length}")
