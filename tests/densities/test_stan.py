"""Stan models through BridgeStan's C function, with a stand-in of the same signatures compiled here.

The stand-in is N(m, 1) in every coordinate with its constants, and rejects x₀ > 50 with a message, as Stan does.
"""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from scipy import stats

import mcmc_bench
from mcmc_bench import from_stan
from mcmc_bench.kernels.fingerprint import fingerprint

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
needs_compiler = pytest.mark.skipif(
    COMPILER is None, reason="NOT TESTED: the Stan bridge, no C compiler on this machine"
)

SOURCE = r"""
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
typedef struct { int dim; double mean; } bs_model;
static int freed = 0;
bs_model *stand_in(int dim, double mean) { bs_model *m = malloc(sizeof *m); m->dim = dim; m->mean = mean; return m; }
int stand_in_freed(void) { return freed; }
void bs_free_error_msg(char *message) { freed++; free(message); }
int bs_log_density_gradient(const bs_model *m, bool propto, bool jacobian, const double *x, double *value,
                            double *gradient, char **message) {
  if (propto || !jacobian || x[0] > 50.0) { *message = strdup("rejected"); return -1; }
  *value = 0.0;
  for (int i = 0; i < m->dim; i++) {
    gradient[i] = m->mean - x[i];
    *value -= 0.5 * gradient[i] * gradient[i] + 0.5 * log(2.0 * M_PI);
  }
  return 0;
}
"""


class StandIn:
    """What of `bridgestan.StanModel` is used."""

    def __init__(self, library, dim, mean, info="STAN_THREADS=true"):
        self.stanlib = library
        library.stand_in.restype = ctypes.c_void_p
        library.stand_in.argtypes = [ctypes.c_int, ctypes.c_double]
        self.model = library.stand_in(dim, mean)
        self.dim, self.info = dim, info
        self.lib_path, self.data = library._name, f'{{"mean": {mean}}}'

    def model_info(self):
        return f"BridgeStan version: 2\nStan C++ Defines:\n\t{self.info}\n"

    def param_unc_num(self):
        return self.dim

    def param_unc_names(self):
        return [f"x.{i + 1}" for i in range(self.dim)]

    def param_names(self):
        return [f"e.{i + 1}" for i in range(self.dim)]

    def param_constrain(self, x):
        return np.exp(x)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stan")
    (folder / "stand_in.c").write_text(SOURCE)
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-O1", "-o", folder / "stand_in.so", folder / "stand_in.c", "-lm"], check=True
    )
    return ctypes.CDLL(str(folder / "stand_in.so"))


@needs_compiler
def test_the_density_is_that_of_the_model(library):
    target = from_stan(StandIn(library, 3, 1.5), name="stand_in")
    x = np.random.default_rng(0).standard_normal((20, 3))
    log_density, gradient = target.log_density_and_gradient(x)
    np.testing.assert_allclose(log_density, stats.norm.logpdf(x, 1.5).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(gradient, 1.5 - x, rtol=1e-12)
    assert target.coordinate_names == ("x.1", "x.2", "x.3")
    assert target.constrained.names == ("e.1", "e.2", "e.3")
    np.testing.assert_allclose(target.constrained.of(x), np.exp(x))


@needs_compiler
def test_program_and_data_are_its_identity(library, tmp_path):
    one, same, other = (from_stan(StandIn(library, 3, mean), name="stand_in") for mean in (1.5, 1.5, 2.5))
    assert not np.array_equal(one.data, same.data)  # addresses
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    model, found = StandIn(library, 3, 1.5), []
    model.data = str(tmp_path / "data.json")
    for mean in (1.5, 2.5, 1.5):
        (tmp_path / "data.json").write_text(f'{{"mean": {mean}}}')
        found.append(fingerprint(from_stan(model)))
    assert found[0] == found[2] != found[1]


@needs_compiler
def test_what_stan_rejects_has_no_density_and_leaks_no_message(library):
    target = from_stan(StandIn(library, 2, 0.0))
    before = library.stand_in_freed()
    log_density, gradient = target.log_density_and_gradient([[0.0, 0.0], [51.0, 0.0], [1.0, 1.0], [np.nan, 0.0]])
    assert np.isfinite(log_density[[0, 2]]).all()
    assert log_density[1] == -np.inf
    assert (gradient[1] == 0).all()
    assert np.isnan(log_density[3])
    assert library.stand_in_freed() == before + 1


@needs_compiler
def test_sampling_from_several_threads(library):
    target = from_stan(StandIn(library, 2, 1.5))
    tree = mcmc_bench.sample(target, "hmc", draws=500, chains=64, threads=2, step_size=0.8, num_integration_steps=3)
    x = tree["posterior"]["x"].values
    # 32 000 draws, fewer than four in each independent one: six standard errors.
    assert abs(x.mean() - 1.5) < 6 / np.sqrt(2 * 32_000 / 4)
    assert abs(x.std() - 1.0) < 0.04


@needs_compiler
def test_a_model_without_threads_is_refused_with_the_mend(library):
    with pytest.raises(ValueError, match=r'make_args=\["STAN_THREADS=true"\]'):
        from_stan(StandIn(library, 2, 0.0, info="STAN_THREADS=false"))


def test_what_is_no_stan_model_is_named():
    with pytest.raises(ValueError, match="object is not a StanModel of BridgeStan 2"):
        from_stan(object())
