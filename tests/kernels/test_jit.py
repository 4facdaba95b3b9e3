"""Errors of the compiler name file, line and reason; the fast-math flags keep NaN and infinity."""

import inspect

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_target
from mcmc_bench.kernels import jit

HELPER = """
from mcmc_bench.kernels.jit import jit

@jit
def scale(x):
    return {scale} * x
"""
TARGET = """
from mcmc_bench.core.target import Target, point_density
from ._helper import scale
import numpy as np

@point_density
def log_density(x, gradient, data):
    gradient[0] = 0.0
    return scale(x[0])

def build():
    return Target(dim=1, density=log_density, draw_dispersed=lambda generator, n: np.ones((n, 1)), one_point=np.ones(1))
"""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("gradient.append(1)", ", line 8: log_density() cannot be compiled: TypingError: Unknown attribute 'append'"),
        ("gradient[0] = nothing", ": log_density() cannot be compiled: TypingError: NameError: name 'nothing' is not"),
    ],
)
def test_what_cannot_be_compiled_is_named(tmp_path, wrong, said):
    """Of a density of one point as well, which is compiled inside of its block form; numba does not tell every line."""
    file = tmp_path / "wrong.py"
    file.write_text(TARGET.replace("gradient[0] = 0.0", wrong))
    (tmp_path / "_helper.py").write_text(HELPER.format(scale=-1.0))
    target = load_target("wrong", targets_folder=tmp_path)
    with pytest.raises(jit.CompileError) as failed:
        _ = target.pointer
    assert str(failed.value).startswith(f"{file}{said}")


def test_a_function_without_a_file_is_compiled():
    namespace = {}
    exec("def double(x):\n    return 2.0 * x", namespace)
    assert jit.jit(namespace["double"])(3.0) == 6.0


@jit.jit
def _seen(x, y):
    """What kernels see of a value that comes out of an expression, not straight out of memory."""
    exponent = x - y + (x * x - y * y) / 4.0
    return np.isnan(exponent), jit.is_finite(exponent), np.isfinite(exponent)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_fast_math_keeps_nan_and_infinity(value):
    is_nan, is_finite, _ = _seen(value, 1.0)
    assert is_finite is False
    assert is_nan == np.isnan(value - 1.0 + (value * value - 1.0) / 4.0)
    assert _seen(2.0, 1.0)[:2] == (False, True)


def test_numpy_isfinite_is_not_to_be_used_in_kernels():
    """Why `is_finite` exists: under `reassoc` numba's `np.isfinite` of an expression is always true."""
    assert _seen(np.nan, 1.0)[2]
    for folder in ("kernels", "samplers"):
        for source in sorted((jit.ENGINE_FOLDER / folder).glob("*.py")):
            if source.name != "jit.py":
                assert "np.isfinite" not in source.read_text(), source


def test_a_lifted_density_has_the_source_of_its_point_form():
    """Numba reads the source of what it compiles; anywhere else in the file Python 3.13 may find no whole function."""
    from mcmc_bench.catalog.files import load_target

    lifted = load_target("banana").density.py_func
    assert "residual = x[1]" in inspect.getsource(lifted)
