"""Statistical tests with a stated rate of false failures, and mutants that show their power.

Every test made with `check_mean` fails a correct kernel with probability `FALSE_FAILURE` (one in a million) per
quantity. Streams are fixed by names, so that a test that passes once passes always: the rate says how probable it was
that a correct kernel got a failing stream, not how often CI flakes.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy import stats

from mcmc_bench.catalog.files import load_sampler
from mcmc_bench.checks.kernel.mutants import plant
from mcmc_bench.core.sampler import Sampler

FALSE_FAILURE = 1e-6


class WrongMean(AssertionError):
    """The mean is not what it should be."""


def check_mean(replicates: np.ndarray, expected: np.ndarray | float, what: str) -> None:
    """Two-sided t-test, Bonferroni over quantities, that independent `replicates` (n, …) have mean `expected`."""
    values = np.asarray(replicates, dtype=float)
    values = values.reshape(len(values), -1)
    wanted = np.broadcast_to(np.asarray(expected, dtype=float).ravel(), values.shape[1:])
    standard_error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    z = (values.mean(axis=0) - wanted) / np.where(standard_error > 0, standard_error, 1e-12)
    bound = stats.t.isf(FALSE_FAILURE / 2 / values.shape[1], len(values) - 1)
    worst = int(np.argmax(np.abs(z)))
    if not np.all(np.abs(z) < bound):
        raise WrongMean(
            f"{what}: {values.mean(axis=0)[worst]:.6g} ± {standard_error[worst]:.2g} should be {wanted[worst]:.6g} "
            f"(z = {z[worst]:.1f}, bound {bound:.1f})"
        )


def mutant(sampler: str, right: str, wrong: str, folder: Path) -> Sampler:
    """The built-in sampler with one piece of its source, or of the kernels that it calls, replaced: a planted fault."""
    number = len(list(folder.glob("mutant*")))  # a folder for each: a file that is loaded stays what it was
    file = plant(sampler, [(right, wrong)], folder / f"mutant{number}")
    return dataclasses.replace(load_sampler(sampler, samplers_folder=file), name=f"{sampler}_mutant")
