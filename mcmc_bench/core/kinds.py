"""Closed sets of names that are both declared and stored: kinds of samplers, starts of chains, origins of truths.

Must import nothing of the package: results are read without compiling anything.
"""

from __future__ import annotations

from typing import Literal

#: exact: keeps the target at every setting; biased: its step size leaves a bias; optimiser: keeps no density; oracle:
#: independent exact draws.
Kind = Literal["exact", "biased", "optimiser", "oracle"]
StartName = Literal["dispersed", "one_point", "exact"]
TruthOrigin = Literal["exact", "quadrature", "reference run"]
