"""A step unpacks its settings on its first line, by the names and in the order of the declaration."""

import ast
import inspect
import re

import pytest

from mcmc_bench.catalog.files import list_samplers, load_sampler

WITH_STEP = [name for name in list_samplers() if load_sampler(name).step is not None]


def unpacked(source: str) -> list[str]:
    """The names that the first line of `source`, a function, gives to the settings in their order.

    Either ``a, b = settings`` or ``a, b = settings[0], int(settings[1])``; a leading underscore marks what is not used.
    Empty where the line is not of this form, or where another line asks for a setting by its number.
    """
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    first = function.body[0]
    if not (isinstance(first, ast.Assign) and isinstance(first.targets[0], ast.Tuple)):
        return []
    names = [ast.unparse(name).removeprefix("_") for name in first.targets[0].elts]
    by_number = ", ".join(f"settings[{k}]" for k in range(len(names)))
    if re.sub(r"int\((settings\[\d+\])\)", r"\1", ast.unparse(first.value)) not in ("settings", f"({by_number})"):
        return []
    return [] if "settings" in "".join(ast.unparse(line) for line in function.body[1:]) else names


@pytest.mark.parametrize("name", WITH_STEP)
def test_a_step_unpacks_what_is_declared(name):
    sampler = load_sampler(name)
    assert unpacked(inspect.getsource(sampler.step.py_func)) == list(sampler.settings)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("a, _b = settings", ["a", "b"]),
        ("(a,) = settings", ["a"]),
        ("a, b = settings[0], int(settings[1])", ["a", "b"]),
        ("a, b = settings[1], settings[0]", []),  # power: out of order
        ("(a,) = settings; b = settings[1]", []),  # by its number
        ("b = settings[0]", []),
    ],
)
def test_what_counts_as_unpacking(body, names):
    assert unpacked(f"def step(settings): {body}") == names
