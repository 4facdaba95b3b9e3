"""Compiled code against plain Python: another density's machine code, indices beyond arrays; and what is not seen."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_target
from mcmc_bench.checks.density.plain_python import identity, same_in_python
from mcmc_bench.checks.density.traced_target import Subject
from mcmc_bench.core.target import Target, point_density
from mcmc_bench.densities.callables import from_numpy
from mcmc_bench.kernels import compile_cache, frozen


def gaussian(k):
    @point_density
    def log_density(x, gradient, data):
        gradient[0] = -k * x[0]
        gradient[1] = -k * x[1]
        return -0.5 * k * (x[0] ** 2 + x[1] ** 2)

    return target_of(log_density)


def target_of(density):
    return Target(
        dim=2,
        density=density,
        one_point=np.ones(2),
        draw_dispersed=lambda generator, n: 3.0 * generator.standard_normal((n, 2)),
        name="planted",
    )


def finding(stage, target, folder):
    (found,) = stage(Subject(target, Path(folder) / "trace"))
    return found


def test_machine_code_of_another_density_is_found(tmp_path, monkeypatch):
    """With one fingerprint for everything, as every cache is that looks at files only; and right without."""
    monkeypatch.setenv("MCMC_BENCH_CACHE_DIR", str(tmp_path))
    assert finding(same_in_python, gaussian(25.0), tmp_path).verdict == "passed"
    monkeypatch.setattr(compile_cache, "fingerprint", lambda value: "same")
    monkeypatch.setattr(frozen, "_FROZEN", {})
    assert gaussian(1.0).log_density_and_gradient([[1.0, 0.0]])[0] == -0.5
    found = finding(same_in_python, gaussian(25.0), tmp_path)
    assert found.verdict == "problem"
    assert "compiled and" in found.what
    assert found.fix


def test_an_index_beyond_an_array_is_found(tmp_path):
    """Compiled code reads what happens to lie there; here it hardly matters."""

    @point_density
    def log_density(x, gradient, data):
        gradient[0] = -x[0]
        gradient[1] = -x[1]
        return -0.5 * (x[0] ** 2 + x[1] ** 2) + (1.0 if data[7] == 0.25 else 0.0)

    found = finding(same_in_python, target_of(log_density), tmp_path)
    assert (found.verdict, "IndexError: index 7 is out of bounds" in found.what) == ("problem", True)


@pytest.mark.parametrize("name", ["banana", "eight_schools_noncentred", "song_ermon"])
def test_the_catalogue_is_the_same_in_python(name, tmp_path):
    target = load_target(name).in_double()
    found = finding(same_in_python, target, tmp_path)
    assert found.verdict in ("passed", "skipped"), found
    assert found.verdict == "passed" or "when it is compiled" in found.what
    assert finding(identity, target, tmp_path).verdict == "passed"


def test_foreign_code_is_not_compared(tmp_path):
    target = from_numpy(lambda x: (-0.5 * x @ x, -x), dim=2, one_point=[0.0, 0.0])
    assert finding(same_in_python, target, tmp_path).verdict == "skipped"
    assert finding(identity, target, tmp_path).verdict == "passed"


def test_what_is_not_seen_is_named(tmp_path):
    pointer = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: -0.5 * x * x)

    @point_density
    def log_density(x, gradient, data):
        gradient[0] = -x[0]
        gradient[1] = -x[1]
        return pointer(x[0]) + pointer(x[1])

    target = target_of(log_density)
    assert finding(same_in_python, target, tmp_path).verdict == "passed"
    found = finding(identity, target, tmp_path)
    assert found.verdict == "note"
    assert "closure variable pointer of log_density()" in found.what
