"""Samplers of other libraries come in as files: those that are installed sample a Gaussian, and every evaluation is counted."""

from pathlib import Path

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target, sampler_files
from mcmc_bench.sampling.replicate import Plan, run

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "peers"
NAMES = sorted(file.stem for file in FOLDER.glob("*.py") if not file.name.startswith("_"))
SETTINGS = {"blackjax_mala": {"step_size": 0.5}, "blackjax_hmc": {"step_size": 0.6, "num_integration_steps": 4}}


@pytest.mark.parametrize("name", NAMES)
def test_a_peer_is_declared_like_any_sampler(name):
    sampler = load_sampler(name, samplers_folder=FOLDER)
    assert sampler.draw is not None
    assert sampler.description
    assert name in sampler_files(FOLDER)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("name", NAMES)
def test_a_peer_samples(name):
    """Variances within a quarter of the truth: far outside what 8 chains of 400 draws vary by."""
    library = name.split("_")[0]
    pytest.importorskip(library, reason=f"NOT TESTED: {library}; install the extra: pip install -e '.[peers]'")
    target = load_target("gaussian", dim=2)
    draws = run(
        target,
        load_sampler(name, samplers_folder=FOLDER),
        SETTINGS.get(name, {}),
        Plan(100, 400),
        chains=8,
        start="exact",
        names=("peers", name),
    )
    assert draws.cost.evaluations >= 500
    np.testing.assert_allclose(draws.mean_square.mean(axis=0), 1.0, atol=0.25)
