"""Bayesian logistic regression on the real breast-cancer data: 569 tumours, 30 correlated measurements, no closed form.

The data are in `data/`, beside the script that makes them.
"""

import itertools
from pathlib import Path

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import PartOfData, Target, block_density

from ._logistic import log_likelihood, part_of_log_density, signed_rows, starts

DATA_FILE = Path(__file__).resolve().parent / "data" / "breast_cancer.csv"


@block_density
def log_density(x, log_density, gradient, data):
    """The log likelihood − ½ ‖β‖²; `data` holds the rows of `_logistic.log_likelihood`."""
    chains, dim = x.shape
    log_likelihood(x, log_density, gradient, data.reshape(-1, dim))
    for chain in range(chains):
        square = 0.0
        for i in range(dim):
            square += x[chain, i] ** 2
            gradient[chain, i] -= x[chain, i]
        log_density[chain] -= 0.5 * square


def column_names() -> tuple[str, ...]:
    """The names in the last line of the data file's header."""
    with DATA_FILE.open(encoding="utf-8") as lines:
        header = list(itertools.takewhile(lambda line: line.startswith("#"), lines))
    return tuple(header[-1].lstrip("# ").strip().split(","))


def standardised_rows() -> Array:
    """The standardised measurements (569, 30), each row multiplied by +1 (benign) or −1 (malignant)."""
    table = np.loadtxt(DATA_FILE, delimiter=",")
    measurements, benign = table[:, :-1], table[:, -1]
    return signed_rows((measurements - measurements.mean(axis=0)) / measurements.std(axis=0), benign)


def build() -> Target:
    """The posterior of the 30 coefficients; its truth is a reference run, stored beside this file."""
    rows = standardised_rows()
    draw_dispersed, one_point = starts(rows)
    return Target(
        dim=rows.shape[1],
        density=log_density,
        data=rows,
        part_of_data=PartOfData(part_of_log_density, len(rows)),
        draw_dispersed=draw_dispersed,
        one_point=one_point,
        tags=("real data",),
        formula="β ~ N(0, I), benign ~ Bernoulli(1/(1 + e^−x·β)); 569 × 30, standardised, no intercept",
        description="A real posterior: correlated, no closed form, and the data that most people try first.",
        source="Wolberg et al. 1995, UCI, doi 10.24432/C5DW2B (CC BY 4.0)",
        coordinate_names=column_names()[:-1],
    )
