"""A target from a Stan model that BridgeStan has compiled: its C function is called from our kernels.

Written against the documented C interface of BridgeStan 2 (`bs_log_density_gradient`); BridgeStan itself is not imported.
Must not know any particular model.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Constrained, Draw, Target
from mcmc_bench.densities.foreign import address_data, density_of_stan_model
from mcmc_bench.kernels.tokens import NoFingerprintError


def from_stan(model: Any, *, draw_dispersed: Draw | None = None, jitter: float = 2.0, **fields: Any) -> Target:
    """The target of a Stan model: the posterior of its unconstrained parameters, Jacobian and constants included.

    Args:
        model: a `bridgestan.StanModel`, compiled with ``make_args=["STAN_THREADS=true"]``: kernels call it from several
            threads.
        draw_dispersed: starts, ``(generator, n) -> (n, dim)`` in unconstrained coordinates; Uniform(−jitter, jitter) in
            every coordinate by default, as Stan starts.
        jitter: see above.
        fields: further fields of `Target`: truth, draw_exact, tags, name, …

    `constrained` holds the parameters as the Stan program names them. Where Stan rejects a point, log p is −∞.

    Raises:
        ValueError: the model is not compiled for threads, or is of an older BridgeStan.
    """
    library, handle = getattr(model, "stanlib", None), getattr(model, "model", None)
    if library is None or handle is None:
        raise ValueError(
            f"{type(model).__name__} is not a StanModel of BridgeStan 2 or newer: it lacks stanlib or model"
        )
    if "STAN_THREADS=true" not in model.model_info().replace("True", "true"):
        raise ValueError(
            "the model is compiled without threads, and kernels call it from several: compile it with "
            'StanModel(…, make_args=["STAN_THREADS=true"])'
        )
    dim, held = int(model.param_unc_num()), _Model(model)
    return Target(
        dim=dim,
        density=density_of_stan_model,
        data=address_data(
            _address(library.bs_log_density_gradient), _handle(handle), _address(library.bs_free_error_msg)
        ),
        draw_dispersed=draw_dispersed or (lambda generator, n: generator.uniform(-jitter, jitter, (n, dim))),
        one_point=np.zeros(dim),
        constrained=Constrained(
            tuple(model.param_names()),
            held.constrain,
        ),
        coordinate_names=tuple(model.param_unc_names()),
        after_call=held.nothing,
        made_from=held,
        **fields,
    )


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _handle(handle: Any) -> int:
    value = handle.value if isinstance(handle, ctypes.c_void_p) else handle
    return int(value or 0)


class _Model:
    """Holds a model: its library must not be unloaded while the target lives."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def nothing(self) -> None:
        """There is nothing to raise: Stan's own errors are log densities of −∞."""

    def constrain(self, x: Array) -> Array:
        """Constrained parameters (n, k) of unconstrained points (n, dim)."""
        return np.array([self.model.param_constrain(np.ascontiguousarray(row)) for row in x], dtype=np.float64)

    def __fingerprint__(self) -> tuple[Path, str | Path]:
        """The compiled program, and its data: a text or a file."""
        program, data = getattr(self.model, "lib_path", None), getattr(self.model, "data", None)
        if program is None or data is None:
            raise NoFingerprintError(f"{type(self.model).__name__} does not say its lib_path and data")
        return Path(program), Path(data) if data.endswith(".json") else data
