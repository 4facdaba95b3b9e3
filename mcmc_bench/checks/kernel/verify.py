"""Is a kernel exact? Everything that is tested of one sampler, in stages, with one rate of false alarms for the whole.

Which tests there are is said in `exact`, `biased` and `flows`; here they are run with more and more chains. Knows samplers
by their contract. Must not know any particular one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcmc_bench.checks.kernel.biased import bias
from mcmc_bench.checks.kernel.exact import forgets, keeps
from mcmc_bench.checks.kernel.findings import ROUNDING, KernelFinding
from mcmc_bench.checks.kernel.flows import flow
from mcmc_bench.checks.kernel.session import Session
from mcmc_bench.core.progress import Progress
from mcmc_bench.core.sampler import Sampler

#: Family-wise rate of false alarms of one call.
ALPHA = 1e-6
#: Independent chains of the stages; an error that is large is seen in the first. Every stage has an equal part of ALPHA.
STAGES = (2048, 8192, 32768)
#: The most tests with a chance of failing that one stage can consist of: ALPHA is divided by it, so that skipping some
#: cannot raise the rate.
TESTS = 100

Check = Callable[[Session, int, float], list[KernelFinding]]


@dataclass(frozen=True)
class Verification:
    """Everything that was found about one sampler."""

    sampler: str
    settings: Mapping[str, Mapping[str, float]]  # by target
    findings: list[KernelFinding] = field(default_factory=list)
    chains: int = 0  # of the last stage that was run

    @property
    def failed(self) -> bool:
        """True if a fault has been seen."""
        return any(finding.failed for finding in self.findings)

    @property
    def verified(self) -> bool:
        """True if anything could be tested at all."""
        return bool(self.findings)

    @property
    def inconclusive(self) -> bool:
        """True if no fault has been seen, and something could not be decided."""
        return not self.failed and any(finding.inconclusive for finding in self.findings)

    @property
    def passed(self) -> bool:
        """True if something was tested, and nothing is wrong."""
        return self.verified and all(finding.passed for finding in self.findings)


def verify(
    sampler: Sampler,
    settings: Mapping[str, Any] | None = None,
    *,
    stages: tuple[int, ...] = STAGES,
    seed: str = "verify",
    progress: Progress | None = None,
) -> Verification:
    """Test one sampler.

    Args:
        sampler: the sampler.
        settings: the rest are tuned where the sampler says how, and keep their defaults otherwise.
        stages: numbers of chains; the first stage with a failure is the last.
        seed: the name of the random streams.
        progress: called with what is done, the steps that are behind and their number.

    Returns:
        All findings of the last stage. The probability that a right kernel fails any of them is at most `ALPHA`, if what
        it was given to forget is forgotten where it comes to rest; one that is too slow for that is inconclusive.

    Raises:
        ValueError: its settings are unstable.
    """
    session = Session(sampler, dict(settings or {}), seed)
    checks, level = checks_of(sampler), ALPHA / len(stages) / TESTS
    result = Verification(sampler.name, {})
    for number, chains in enumerate(stages):
        findings: list[KernelFinding] = []
        for index, check in enumerate(checks):
            if progress is not None:
                done = number * len(checks) + index
                progress(f"{sampler.name}: {check.__name__}, {chains} chains", done, len(stages) * len(checks))
            findings += check(session, chains, level)
        if sampler.flow is not None:
            findings += flow(session)
        by_chance = sum(finding.unit != ROUNDING for finding in findings)
        if by_chance > TESTS:
            raise AssertionError(f"{by_chance} tests, and the level is for {TESTS}")
        result = Verification(sampler.name, session.tuned, findings, chains)
        if result.failed:
            break
    return result


def checks_of(sampler: Sampler) -> list[Check]:
    """The tests with chains that fit what the sampler declares of itself."""
    if sampler.kind not in ("exact", "oracle"):
        return [bias]
    return [keeps, forgets] if sampler.starts_in_equilibrium else [forgets]
