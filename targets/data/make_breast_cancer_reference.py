"""Writes breast_cancer_reference.npz: the truth of the target breast_cancer_logistic, from long runs.

    python targets/data/make_breast_cancer_reference.py        # about three minutes on two cores

The values are those of HMC with a diagonal mass matrix, started dispersed. MALA, another algorithm from another
start, has to agree, and so have R-hat, ESS and Stein's identities; what was checked is stored with the values.
Standard errors come from the spread between independent chains, and so rest on no estimate of autocorrelation.
"""

import importlib.metadata
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from arviz_stats.base import array_stats
from scipy import stats

from mcmc_bench.catalog import _content_module, load_sampler
from mcmc_bench.draws import Draws
from mcmc_bench.sampling import Plan, run
from mcmc_bench.target import QUANTILE_LEVELS, Array, Target

TARGETS = Path(__file__).resolve().parent.parent
CHAINS = 64
RUNS: dict[str, dict[str, Any]] = {
    "hmc": {
        "settings": {"step_size": 0.2, "num_integration_steps": 8},
        "plan": Plan(warm_up=2_000, transitions=40_000, thin=10),
        "start": "dispersed",
    },
    "mala": {
        "settings": {"step_size": 0.018},
        "plan": Plan(warm_up=20_000, transitions=400_000, thin=200),
        "start": "one_point",
    },
}
STORED_DRAWS_PER_CHAIN = 63  # of 64 chains: 4032 draws, half a megabyte


@dataclass
class Estimate:
    """A value with its standard error, from the means of independent chains (chain, …)."""

    value: Array
    standard_error: Array

    @classmethod
    def of(cls, chain_means: Array) -> "Estimate":
        """Mean over chains, and its standard error from their spread."""
        return cls(chain_means.mean(axis=0), chain_means.std(axis=0, ddof=1) / np.sqrt(len(chain_means)))


def load_module() -> ModuleType:
    """The target's module: its `build` would ask for the very file that this script writes.

    Loaded as the catalog does it, since compiled code remembers the name of its module.
    """
    return _content_module(TARGETS / "breast_cancer_logistic.py")


def estimates(draws: Draws) -> dict[str, Estimate]:
    """E x and E x² over all transitions, E log p over the kept draws."""
    return {
        "mean": Estimate.of(draws.mean),
        "second_moment": Estimate.of(draws.mean_square),
        "mean_log_density": Estimate.of(draws.log_density.mean(axis=1)),
    }


def convergence(draws: Draws) -> tuple[float, float]:
    """The largest R-hat and the smallest bulk ESS of the kept draws, over coordinates and log p."""
    series = [*np.moveaxis(draws.position, 2, 0), draws.log_density]  # each (chain, draw)
    rhat = max(float(array_stats.rhat(one, chain_axis=0, draw_axis=1)) for one in series)
    return rhat, min(float(array_stats.ess(one, chain_axis=0, draw_axis=1)) for one in series)


def largest_z(pairs: list[tuple[Estimate, Estimate]]) -> tuple[float, float]:
    """The largest |z| of differences, and the two-sided Bonferroni bound that it exceeds once in a thousand times."""
    z = np.concatenate([np.ravel((a.value - b.value) / np.hypot(a.standard_error, b.standard_error)) for a, b in pairs])
    return float(np.abs(z).max()), float(stats.t.isf(1e-3 / 2 / len(z), CHAINS - 1))


def checks(target: Target, runs: dict[str, Draws]) -> dict[str, Any]:
    """Every check with its number and its bound.

    Raises:
        RuntimeError: one that fails.
    """
    found = {name: estimates(draws) for name, draws in runs.items()}
    agreement, bound = largest_z([(found["hmc"][key], found["mala"][key]) for key in found["hmc"]])
    hmc = runs["hmc"]
    variance = found["hmc"]["second_moment"].value - found["hmc"]["mean"].value ** 2
    variance_of_square = (hmc.position**2).reshape(-1, hmc.dim).var(axis=0)
    relative = max(
        float((found["hmc"]["mean"].standard_error ** 2 / variance).max()),
        float((found["hmc"]["second_moment"].standard_error ** 2 / variance_of_square).max()),
    )
    gradient = target.log_density_and_gradient(hmc.flat)[1].reshape(hmc.position.shape)
    zero, one = Estimate(np.zeros(hmc.dim), np.zeros(hmc.dim)), Estimate(np.ones(hmc.dim), np.zeros(hmc.dim))
    stein, stein_bound = largest_z(
        [
            (Estimate.of(gradient.mean(axis=1)), zero),
            (Estimate.of(-(hmc.position * gradient).mean(axis=1)), one),
        ]
    )
    table = {
        "hmc against mala, largest |z| of E x, E x², E log p": (agreement, "<", bound),
        "Stein's identities E ∂U = 0, E x ∂U = 1 (hmc), largest |z|": (stein, "<", stein_bound),
        "squared standard error over variance, largest of x and x²": (relative, "<", 1e-5),
    }
    for name, draws in runs.items():
        rhat, ess = convergence(draws)
        table[f"{name}: largest R-hat of kept draws"] = (rhat, "<", 1.001)
        table[f"{name}: smallest bulk ESS of kept draws"] = (ess, ">", 10_000.0)
        table[f"{name}: chains stopped"] = (float((draws.stopped_at >= 0).sum()), "<", 0.5)
        table[f"{name}: smallest acceptance of a chain"] = (float(draws.mean_acceptance.min()), ">", 0.4)
    for what, (value, relation, limit) in table.items():
        print(f"{what}: {value:.6g} (must be {relation} {limit:.6g})")
    failed = [
        key for key, (value, sign, limit) in table.items() if not (value < limit if sign == "<" else value > limit)
    ]
    if failed:
        raise RuntimeError(f"not written, these checks failed: {failed}")
    return {what: {"value": value, "must be": f"{sign} {limit:.6g}"} for what, (value, sign, limit) in table.items()}


def main() -> None:
    """Run, check, write."""
    module = load_module()
    target = module.posterior(name="breast_cancer_logistic")
    variances = np.diag(module.laplace(module.signed_rows())[1])
    runs = {
        name: run(
            target, load_sampler(name), how["settings"], how["plan"], chains=CHAINS, start=how["start"],
            names=("reference run", target.name, name), threads=os.cpu_count() or 1,
            inverse_mass_matrix=variances if name == "hmc" else None,
        )
        for name, how in RUNS.items()
    }  # fmt: skip
    passed = checks(target, runs)
    hmc = runs["hmc"]
    found = estimates(hmc)
    quantiles = np.quantile(hmc.flat, QUANTILE_LEVELS, axis=0).T  # (dim, level)
    below = (hmc.position[:, :, :, None] <= quantiles).mean(axis=1)  # (chain, dim, level)
    evaluations = {name: int(draws.cost.evaluations * CHAINS) for name, draws in runs.items()}
    provenance = {
        "note": f"HMC, {CHAINS} chains, {evaluations['hmc']:.3g} evaluations; agrees with MALA, "
        f"{evaluations['mala']:.3g} evaluations; R-hat, ESS and Stein's identities checked",
        "made by": Path(__file__).name,
        "data": module.data_hash(),
        "runs": {name: {**how, "plan": vars(how["plan"])} for name, how in RUNS.items()},
        "chains": CHAINS,
        "evaluations": evaluations,
        "seconds": {name: round(draws.cost.sampling_seconds, 1) for name, draws in runs.items()},
        "checks": passed,
        "versions": {
            name: importlib.metadata.version(name) for name in ("mcmc_bench", "numba", "numpy", "arviz-stats")
        },
    }
    apart = hmc.position.shape[1] // STORED_DRAWS_PER_CHAIN
    stored = hmc.position[:, apart - 1 :: apart][:, :STORED_DRAWS_PER_CHAIN]
    file = Path(__file__).with_name("breast_cancer_reference.npz")
    np.savez_compressed(
        file,
        mean=found["mean"].value,
        mean_standard_error=found["mean"].standard_error,
        second_moment=found["second_moment"].value,
        second_moment_standard_error=found["second_moment"].standard_error,
        variance_of_square=(hmc.flat**2).var(axis=0),
        mean_log_density=found["mean_log_density"].value,
        mean_log_density_standard_error=found["mean_log_density"].standard_error,
        quantile_levels=np.array(QUANTILE_LEVELS),
        quantiles=quantiles,
        share_below_quantile_standard_error=Estimate.of(below).standard_error,
        draws=stored.reshape(-1, hmc.dim).astype(np.float32),
        provenance=np.array(json.dumps(provenance, ensure_ascii=False)),
    )
    print(f"wrote {file}, {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
