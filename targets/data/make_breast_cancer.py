"""Writes breast_cancer.csv, the data of the target breast_cancer_logistic. Needs scikit-learn, which carries the data.

Run as: python targets/data/make_breast_cancer.py
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

HEADER = """Breast Cancer Wisconsin (Diagnostic): 569 tumours, 30 measurements of cell nuclei, diagnosis.
Wolberg, Mangasarian, Street and Street 1995, UCI Machine Learning Repository, doi 10.24432/C5DW2B, licence CC BY 4.0.
Written by make_breast_cancer.py from the copy in scikit-learn; values unchanged. Last column: 1 benign, 0 malignant.
{names}"""


def text() -> str:
    """The content of the file."""
    measured = load_breast_cancer()
    names = ",".join([*(name.replace(" ", "_") for name in measured.feature_names), "benign"])
    lines = [f"# {line}" for line in HEADER.format(names=names).splitlines()]
    for values, benign in zip(measured.data, measured.target, strict=True):
        lines.append(",".join([*(np.format_float_positional(value, trim="-") for value in values), str(benign)]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    file = Path(__file__).with_name("breast_cancer.csv")
    file.write_text(text(), encoding="utf-8")
    print(f"wrote {file}")
