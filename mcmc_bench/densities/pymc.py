"""A target from a PyMC model, at native speed: the numba function that PyTensor compiles is called from our kernels.

Needs the extra ``mcmc_bench[pymc]``; PyMC itself is imported by the model. Must not know any particular model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from types import FunctionType
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Constrained, Draw, Target
from mcmc_bench.kernels import jit as _jit

_POINT = """def density_of_model(x, gradient, data):
    log_density, slope = compiled_model(x)
    for i in range(x.shape[0]):
        gradient[i] = slope[i]
    return log_density.item()
"""


def from_pymc(model: Any, *, draw_dispersed: Draw | None = None, jitter: float = 2.0, **fields: Any) -> Target:
    """The target of a PyMC model: the posterior of its unconstrained parameters, Jacobian included.

    Args:
        model: a `pymc.Model` whose free variables are all continuous.
        draw_dispersed: starts, ``(generator, n) -> (n, dim)`` in unconstrained coordinates; by default the model's initial
            point plus Uniform(−jitter, jitter) in every coordinate, as PyMC and Stan start.
        jitter: see above.
        fields: further fields of `Target`: truth, draw_exact, tags, name, …

    The coordinates have the names of PyMC's value variables (``tau_log__``, ``theta[3]``); `constrained` holds the free
    variables as the model names them, and their deterministics. Compiling takes some seconds in every process.

    Raises:
        ValueError: a discrete free variable, or PyTensor cannot compile the model to numba.
    """
    discrete = [variable.name for variable in model.value_vars if "int" in str(variable.dtype)]
    if discrete:
        raise ValueError(
            f"{', '.join(discrete)}: discrete variables have no gradient; marginalise them, or leave them out"
        )
    if model.data_vars:  # the target is that of the data as they are now
        model = import_module("pymc.model.transform.optimization").freeze_dims_and_data(model)
    function = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    function.set_extra_values({})
    compiled_model = getattr(function._pytensor_function.vm, "jit_fn", None)  # noqa: SLF001 - the way to native speed
    if compiled_model is None:
        raise ValueError("this PyTensor gives no numba function: PyMC 5.16 or newer with numba is needed")
    point = model.initial_point()
    variables = [(variable.name, np.asarray(point[variable.name])) for variable in model.value_vars]
    start = np.concatenate([np.ravel(value) for _, value in variables]).astype(np.float64)
    names = tuple(name for variable, value in variables for name in _entries(variable, value.shape))
    namespace = {"compiled_model": compiled_model, "__name__": __name__}
    exec(compile(_POINT, "<PyMC model>", "exec"), namespace)  # noqa: S102 - our own text above, as it stands
    dim = len(start)
    return Target(
        dim=dim,
        density=_jit.lift(_jit.jit(namespace["density_of_model"])),
        draw_dispersed=draw_dispersed or (lambda generator, n: start + generator.uniform(-jitter, jitter, (n, dim))),
        one_point=start,
        constrained=_constrained(model, variables),
        coordinate_names=names,
        made_from=_graph([model.logp(), *model.unobserved_value_vars]),
        **fields,
    )


def _entries(name: str, shape: tuple[int, ...]) -> list[str]:
    """``theta`` of shape (2,) as ``theta[0]``, ``theta[1]``."""
    return [name + (f"[{','.join(map(str, index))}]" if index else "") for index in np.ndindex(shape)]


def _constrained(model: Any, variables: list[tuple[str, Array]]) -> Constrained:
    """Free variables and deterministics by name, from unconstrained points."""
    outputs = model.unobserved_value_vars
    wanted = [variable for variable in outputs if variable.name in {v.name for v in model.unobserved_RVs}]
    constrain = model.compile_fn(wanted, inputs=model.value_vars, on_unused_input="ignore", point_fn=False)
    sizes = [value.size for _, value in variables]
    shapes = [value.shape for _, value in variables]

    def of_point(x: Array) -> list[Array]:
        parts = np.split(x, np.cumsum(sizes)[:-1])
        values = constrain(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))
        return [np.asarray(value, dtype=np.float64) for value in values]

    first = of_point(np.concatenate([np.ravel(value) for _, value in variables]).astype(np.float64))
    names = tuple(
        name for variable, value in zip(wanted, first, strict=True) for name in _entries(variable.name, value.shape)
    )
    return Constrained(names, _Constrain(of_point, _graph(wanted)))


@dataclass(frozen=True)
class _Constrain:
    """Constrained parameters (n, k) of unconstrained points (n, dim); known by the graph that they are compiled from."""

    of_point: Callable[[Array], list[Array]]
    graph: list[Any]

    def __call__(self, x: Array) -> Array:
        return np.array([np.concatenate([np.ravel(value) for value in self.of_point(row)]) for row in x])

    def __fingerprint__(self) -> list[Any]:
        return self.graph


def _graph(outputs: list[Any]) -> list[Any]:
    """PyTensor's graph of `outputs` as plain values: operations with the numbers of what goes in, constants, shared data."""
    graph: list[Any] = [(version("pymc"), version("pytensor"), len(outputs))]
    number: dict[Any, int] = {}
    waiting = list(reversed(outputs))
    while waiting:
        variable = waiting[-1]
        inputs = [] if variable.owner is None else variable.owner.inputs
        missing = [part for part in inputs if part not in number]
        if variable not in number and missing:
            waiting += reversed(missing)
            continue
        waiting.pop()
        if variable in number:
            continue
        number[variable] = len(number)
        if variable.owner is None:
            value = variable.get_value() if hasattr(variable, "get_value") else getattr(variable, "data", variable.name)
            graph.append((str(variable.type), value))
        else:
            operation = variable.owner.op
            settings = [repr(getattr(operation, name)) for name in getattr(operation, "__props__", ())]
            inner = _graph(operation.fgraph.outputs) if hasattr(operation, "fgraph") else None
            called = [part for part in vars(operation).values() if isinstance(part, FunctionType)]
            place = variable.owner.outputs.index(variable)
            graph.append((str(operation), settings, called, inner, place, [number[part] for part in inputs]))
    return graph
