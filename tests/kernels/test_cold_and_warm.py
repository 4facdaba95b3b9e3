"""Machine code that is compiled here and machine code that is read from the cache draw the same numbers."""

import json

import pytest

PROGRAM = """
import hashlib, json
import mcmc_bench
found = {}
for name in mcmc_bench.list_samplers():
    try:
        tree = mcmc_bench.sample("gaussian", name, draws=60, chains=16, seed=3, threads=1)
    except ValueError:  # it needs what a Gaussian in ten dimensions has not
        continue
    found[name] = hashlib.sha256(tree["posterior"]["x"].values.tobytes()).hexdigest()
print(json.dumps(found))
"""


@pytest.mark.long
def test_every_sampler_draws_the_same_from_a_warm_cache(python, tmp_path):
    """A helper that stands outside of its caller is linked to another copy of itself in a process that compiled both.

    Its last bits then depend on what the cache held. Such a helper is compiled with `jit_inline`. What this has caught:
    the turn of mclmc and adjusted_mclmc, and the weights of annealed_importance.
    """
    cold, warm = (json.loads(python("-c", PROGRAM, MCMC_BENCH_CACHE_DIR=str(tmp_path / "cache"))) for _ in range(2))
    assert len(cold) > 15
    assert {name for name in cold if cold[name] != warm[name]} == set()
