"""A density in other coordinates: x = L u. Linear preconditioning for any sampler, diagonal or dense.

A kernel with unit mass in u is the kernel with inverse mass matrix L Lᵀ in x, so that no kernel needs to know one.
Knows the JIT layer. Must not know any particular target or sampler, nor where L comes from.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.kernels import jit as _jit

# data: rows of L's transpose (1 for a diagonal), their entries, and the data of the density itself.
_AFFINE = """def {name}_in_coordinates(u, log_density, gradient, data):
    chains, dim = u.shape
    rows = int(data[0])
    root = data[1 : 1 + rows * dim].reshape(rows, dim)
    x = np.empty((chains, dim))
    gradient_of_x = np.empty((chains, dim))
    if rows == 1 and dim > 1:
        for chain in range(chains):
            for i in range(dim):
                x[chain, i] = root[0, i] * u[chain, i]
    else:
        np.dot(u, root, x)
    density_of_x(x, log_density, gradient_of_x, data[1 + rows * dim :])
    if rows == 1 and dim > 1:
        for chain in range(chains):
            for i in range(dim):
                gradient[chain, i] = root[0, i] * gradient_of_x[chain, i]
    else:
        np.dot(gradient_of_x, root.T, gradient)
"""


@cache
def in_coordinates(density: Any) -> Any:
    """The block density of u for a block density of x = L u; L is constant, so that the Jacobian is too.

    Args:
        density: a dispatcher in block form, compiled for its one signature.

    Returns:
        A dispatcher in block form whose data are made by `coordinates_data`.
    """
    return _jit.built_around(density, _AFFINE, "density_of_x", "{name}_in_coordinates")


def coordinates_data(root: npt.NDArray[np.float64], data: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The data of a density made by `in_coordinates`.

    Args:
        root: Lᵀ (dim, dim), or the diagonal of L as (1, dim).
        data: of the density itself.
    """
    return np.concatenate([[len(root)], root.ravel(), data])


def root_of(inverse_mass_matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Lᵀ (dim, dim) of a matrix L Lᵀ, or the diagonal of L as (1, dim) for a diagonal (dim,)."""
    if inverse_mass_matrix.ndim == 1:
        return np.ascontiguousarray(np.sqrt(inverse_mass_matrix)[None, :])
    return np.ascontiguousarray(np.linalg.cholesky(inverse_mass_matrix).T, dtype=np.float64)


def outside(u: npt.NDArray[np.float64], root: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """x = L u for points (…, dim)."""
    return np.asarray(u * root[0] if _is_diagonal(root) else u @ root)


def inside(x: npt.NDArray[np.float64], root: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """u of x = L u for points (n, dim)."""
    if _is_diagonal(root):
        return np.ascontiguousarray(x / root[0])
    return np.ascontiguousarray(np.linalg.solve(root.T, x.T).T)


def _is_diagonal(root: npt.NDArray[np.float64]) -> bool:
    return len(root) == 1
