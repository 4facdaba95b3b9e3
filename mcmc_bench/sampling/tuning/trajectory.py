"""Tunes the length of a trajectory by ChEES, the change in the estimator of the expected square.

Source: Hoffman, Radul and Sountsov 2021 (PMLR 130), maximised over a grid; over the square root of the cost, as Wang,
Mohamed and de Freitas 2013 (arXiv 1302.6182) do, since over the cost itself the shortest trajectories win by their number.
Must not know any kernel.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.sampling.tuning.rounds import Rounds

#: Transitions of all chains with each length that is compared.
TRANSITIONS = 16
LONGEST = 2**9  # steps of a trajectory


def climb(rounds: Rounds, name: str, step_size: float, until: float) -> None:
    """Climb to the trajectory with the largest ChEES over the root of its cost, from the one that is set.

    By doubling or halving, then by √2 either way; where the budget ends first, by as far as it got.

    Args:
        rounds: the chains.
        name: the setting that is the length.
        step_size: the shortest length.
        until: the share of the budget at which it ends.
    """
    begin = float(np.clip(rounds.value(name), step_size, LONGEST * step_size))
    found: dict[float, float] = {}

    def is_better(length: float, than: float) -> bool:
        if step_size <= length <= LONGEST * step_size:
            criterion = chees(rounds, name, length, until)
            if criterion is not None:
                found[length] = criterion
        return than in found and found.get(length, 0.0) > found[than]

    is_better(begin, begin)
    for factors in ((2.0, 0.5), (np.sqrt(2.0), np.sqrt(0.5))):
        top = max(found, key=lambda length: found[length], default=begin)
        for factor in factors:
            best = top
            while is_better(best * factor, best) and factor in (2.0, 0.5):
                best *= factor
            if best != top:
                break
    rounds.set(name, float(max(found, key=lambda length: found[length], default=begin)))


def chees(rounds: Rounds, name: str, length: float, until: float) -> float | None:
    """¼ E[(‖u' − m‖² − ‖u − m‖²)²] over √cost, with trajectories of this length; None if the budget ends before."""
    rounds.set(name, length)
    before, spent = rounds.chains.all("position"), float(rounds.chains.spent.mean())
    pairs = []
    for _ in range(TRANSITIONS):
        if rounds.spent > until:
            return None
        rounds.make()
        after = rounds.chains.all("position")
        pairs.append((before, after))
        before = after
    centre = np.mean([after for _, after in pairs], axis=(0, 1))
    change = [((b - centre) ** 2).sum(axis=1) - ((a - centre) ** 2).sum(axis=1) for a, b in pairs]
    cost = (float(rounds.chains.spent.mean()) - spent) / TRANSITIONS
    return float(0.25 * np.mean(np.square(change)) / np.sqrt(cost))
