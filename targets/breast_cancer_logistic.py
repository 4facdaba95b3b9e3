"""Bayesian logistic regression on the real breast-cancer data: 569 tumours, 30 correlated measurements, no closed form.

The data and the reference run are in `data/`, each beside the script that makes it.
"""

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from mcmc_bench.kernels.mathematics import exp
from mcmc_bench.target import QUANTILE_LEVELS, Array, Target, Truth, block_density

FOLDER = Path(__file__).resolve().parent / "data"
DATA_FILE = FOLDER / "breast_cancer.csv"
REFERENCE_FILE = FOLDER / "breast_cancer_reference.npz"


@block_density
def log_density(x, log_density, gradient, data):
    """−Σ log(1 + e^−z) − ½ ‖β‖² with z = a·β over the rows a of `data` (row, dim), which carry the sign of their label.

    One matrix product for all chains each way. Safe for any z: log(1 + e^−z) = max(−z, 0) + log(1 + e^−|z|), and the
    last term is summed as the logarithm of a product, whose 569 factors between 1 and 2 cannot overflow.
    """
    chains, dim = x.shape
    rows = data.reshape(-1, dim)
    weight = np.dot(x, rows.T)  # (chain, row): z, then 1/(1 + e^z)
    for chain in range(chains):
        linear = 0.0
        product = 1.0
        for row in range(rows.shape[0]):
            z = weight[chain, row]
            small = exp(-abs(z))
            linear += min(z, 0.0)
            product *= 1.0 + small
            weight[chain, row] = (small if z > 0.0 else 1.0) / (1.0 + small)
        log_density[chain] = linear - np.log(product)
    np.dot(weight, rows, gradient)
    for chain in range(chains):
        square = 0.0
        for i in range(dim):
            square += x[chain, i] ** 2
            gradient[chain, i] -= x[chain, i]
        log_density[chain] -= 0.5 * square


def data_hash() -> str:
    """SHA-256 of the data file."""
    return hashlib.sha256(DATA_FILE.read_bytes()).hexdigest()


def column_names() -> tuple[str, ...]:
    """The names in the last line of the data file's header."""
    with DATA_FILE.open(encoding="utf-8") as lines:
        header = list(itertools.takewhile(lambda line: line.startswith("#"), lines))
    return tuple(header[-1].lstrip("# ").strip().split(","))


def signed_rows() -> Array:
    """The standardised measurements (569, 30), each row multiplied by +1 (benign) or −1 (malignant)."""
    table = np.loadtxt(DATA_FILE, delimiter=",")
    measurements, benign = table[:, :-1], table[:, -1]
    standardised = (measurements - measurements.mean(axis=0)) / measurements.std(axis=0)
    return standardised * np.where(benign == 1, 1.0, -1.0)[:, None]


def laplace(rows: Array) -> tuple[Array, Array]:
    """The mode (dim,) and the covariance (dim, dim) of the Gaussian approximation there, by Newton's method."""
    mode = np.zeros(rows.shape[1])
    for _ in range(20):  # ten reach rounding
        share = special.expit(-rows @ mode)
        curvature = (rows.T * (share * (1.0 - share))) @ rows + np.eye(len(mode))
        mode += np.linalg.solve(curvature, rows.T @ share - mode)
    return mode, np.linalg.inv(curvature)


def posterior(**known: Any) -> Target:
    """The target, with what the reference run found out as `known`."""
    rows = signed_rows()
    mode, covariance = laplace(rows)
    root = np.linalg.cholesky(covariance)
    dim = len(mode)
    return Target(
        dim=dim,
        density=log_density,
        data=rows,
        # Wide draws of the prior would be no better test: they misclassify so many tumours that the curvature there is
        # forty times that of the posterior, and a Langevin step that suits the posterior never leaves.
        draw_dispersed=lambda generator, n: mode + 1.5 * generator.standard_normal((n, dim)) @ root.T,
        one_point=mode / 2.0,  # half-way from the prior's mean
        tags=("real data", "reference run"),
        formula="β ~ N(0, I), benign ~ Bernoulli(1/(1 + e^−x·β)); 569 × 30, standardised, no intercept",
        description="A real posterior: correlated, no closed form, and the data that most people try first.",
        source="Wolberg et al. 1995, UCI, doi 10.24432/C5DW2B (CC BY 4.0)",
        coordinate_names=column_names()[:-1],
        **known,
    )


def build() -> Target:
    """The posterior of the 30 coefficients."""
    with np.load(REFERENCE_FILE, allow_pickle=False) as stored:
        reference = {key: stored[key] for key in stored.files}
    provenance = json.loads(str(reference["provenance"]))
    if provenance["data"] != data_hash():
        raise ValueError(f"{REFERENCE_FILE.name} was made from other data; run make_breast_cancer_reference.py again")
    if not np.array_equal(reference["quantile_levels"], QUANTILE_LEVELS):
        raise ValueError(f"{REFERENCE_FILE.name} has other quantile levels; run make_breast_cancer_reference.py again")
    return posterior(
        truth=Truth(
            origin="reference run",
            mean=reference["mean"],
            second_moment=reference["second_moment"],
            variance_of_square=reference["variance_of_square"],
            mean_log_density=float(reference["mean_log_density"]),
            mean_standard_error=reference["mean_standard_error"],
            second_moment_standard_error=reference["second_moment_standard_error"],
            mean_log_density_standard_error=float(reference["mean_log_density_standard_error"]),
            quantiles=reference["quantiles"],
            note=provenance["note"],
        ),
        reference_draws=reference["draws"].astype(np.float64),
    )
