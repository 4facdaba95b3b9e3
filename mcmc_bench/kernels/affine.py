"""A density in other coordinates: x = m + L u. Linear preconditioning for any sampler, diagonal or dense.

Knows the JIT layer. Must not know any particular target or sampler, nor where m and L come from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.kernels import jit as _jit

Array = npt.NDArray[np.float64]

_AFFINE = """def in_coordinates(u, log_density, gradient, data):
    chains, dim = u.shape
    root = data[: dim * dim].reshape(dim, dim)  # Lᵀ
    centre = data[dim * dim : dim * dim + dim]
    x = np.dot(u, root)
    for chain in range(chains):
        for i in range(dim):
            x[chain, i] += centre[i]
    gradient_of_x = np.empty((chains, dim))
    density(x, log_density, gradient_of_x, data[dim * dim + dim :])
    np.dot(gradient_of_x, root.T, gradient)
"""


def in_coordinates(density: Any) -> Any:
    """The block density of u for a block density of x = m + L u; L is constant, so that the Jacobian is too.

    Args:
        density: a dispatcher in block form, compiled for its one signature.

    Returns:
        A dispatcher in block form whose data are made by `coordinates_data`. It is compiled again in every process.
    """
    namespace = {"density": density, "np": np, "__name__": __name__}
    exec(compile(_AFFINE, "<in coordinates>", "exec"), namespace)  # noqa: S102 - our own text above, as it stands
    return _jit.jit(namespace["in_coordinates"])


def coordinates_data(root: Array, centre: Array, data: Array) -> Array:
    """What a density made by `in_coordinates` is computed from: L (dim, dim), m (dim,) and the density's own data."""
    return np.concatenate([np.ascontiguousarray(root.T).ravel(), centre, data])
