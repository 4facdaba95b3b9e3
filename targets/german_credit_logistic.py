"""Logistic regression of the shape of the German credit data, 1000 × 25, on generated data.

The data in `data/credit_shaped.csv` are made by the script beside them and are *not* the German credit data: they have
their shape, columns as correlated as such columns are, and labels from known coefficients.
"""

from pathlib import Path

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import PartOfData, Target

from ._logistic import part_of_log_density, signed_rows, starts
from .breast_cancer_logistic import log_density

DATA_FILE = Path(__file__).resolve().parent / "data" / "credit_shaped.csv"


def credit_rows() -> Array:
    """Intercept and 24 standardised covariates (1000, 25), each row multiplied by the sign of its label."""
    table = np.loadtxt(DATA_FILE, delimiter=",")
    covariates = (table[:, :-1] - table[:, :-1].mean(axis=0)) / table[:, :-1].std(axis=0)
    return signed_rows(np.column_stack([np.ones(len(table)), covariates]), table[:, -1])


def build() -> Target:
    """The posterior of the intercept and the 24 coefficients."""
    rows = credit_rows()
    draw_dispersed, one_point = starts(rows)
    return Target(
        dim=rows.shape[1],
        density=log_density,
        data=rows,
        part_of_data=PartOfData(part_of_log_density, len(rows)),
        draw_dispersed=draw_dispersed,
        one_point=one_point,
        tags=("generated data",),
        formula="β ~ N(0, I), label ~ Bernoulli(1/(1 + e^−x·β)); 1000 × 25 with intercept, generated",
        description="The regression that most papers on samplers report, at its size; easier than it looks.",
        source="shape: Hofmann 1994, UCI, doi 10.24432/C5NC77; the data are generated",
        coordinate_names=("intercept", *(f"β{i}" for i in range(1, rows.shape[1]))),
    )
