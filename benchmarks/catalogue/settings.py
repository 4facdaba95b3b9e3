"""Writes benchmarks/suites/catalogue.toml: every target with a step size for MALA and HMC that a pilot has found.

    python benchmarks/catalogue/settings.py        # some minutes

The pilot knows no truth: it halves an interval of step sizes until chains that start where the target has its mass accept
60 % (MALA) and 80 % (HMC) of their proposals. A trajectory is as long as the widest coordinate, but at most 32 leapfrog
steps. The suite is a survey at equal budgets, not a tuned comparison.
"""

from pathlib import Path

import numpy as np

from mcmc_bench.catalog import list_targets, load_sampler, load_target
from mcmc_bench.sampling import Plan, run
from mcmc_bench.streams import stream

FILE = Path(__file__).resolve().parents[1] / "suites" / "catalogue.toml"
HEAD = """# Made by benchmarks/catalogue/settings.py: step sizes from a pilot, not by hand.
[suite]
title = "Catalogue: every target under the oracle, MALA and HMC"
description = "A survey of all targets at one budget, with step sizes from a pilot on acceptance rates. The first experiment asks whether what the catalogue says about its targets is true: exact draws against the stored quantiles, to be read with `mcmc-bench calibrate`."
budget = 2000
burn_in = 0.25
chains = 16
replicates = 4
max_draws = 250
time_limit = 300
metrics = ["cost", "convergence", "accuracy", "modes", "diagnostics"]

# ---- Is the truth true? 48 replicates of independent exact draws.

[[experiment]]
name = "calibration"
title = "Exact draws against the truth"
budget = 1000
burn_in = 0.0
chains = 4
replicates = 48
max_draws = 1000
metrics = ["cost", "accuracy"]
targets = [{exact}]
samplers = ["oracle"]

# ---- What do the samplers make of it?
"""
ONE = """
[[experiment]]
name = "survey"
title = "Every target at one budget"
targets = ["{name}"]
samplers = ["oracle", {{ name = "mala", step_size = {mala:.2g} }}, {{ name = "hmc", step_size = {hmc:.2g}, num_integration_steps = {steps} }}]
"""


def accepted(target, sampler, settings, start):
    """Mean acceptance over short chains from `start`."""
    found = run(
        target, load_sampler(sampler), settings, Plan(10, 30, keep=False), chains=len(start), start=start,
        names=("catalogue", target.label, sampler),
    )  # fmt: skip
    return float(np.nan_to_num(found.mean_acceptance).mean())


def step_size(target, sampler, goal, start, settings):
    """The step size with acceptance `goal`, by bisection of its logarithm."""
    low, high = -14.0, 5.0
    for _ in range(14):
        middle = 0.5 * (low + high)
        value = float(np.exp(middle))
        low, high = (middle, high) if accepted(target, sampler, settings(value), start) > goal else (low, middle)
    return float(np.exp(low))


def entry(name):
    """The experiment of one target."""
    target = load_target(name)
    if target.draw_exact is not None:
        points = target.draw_exact(stream("catalogue", name), 500)
    else:
        points = (
            target.reference_draws
            if target.reference_draws is not None
            else target.starts("dispersed", stream(name), 500)
        )
    start = points[:32]
    widest = float(np.median(np.abs(points - np.median(points, axis=0)), axis=0).max()) / 0.6745

    def trajectory(h):
        return {"step_size": h, "num_integration_steps": int(np.clip(np.ceil(1.5 * widest / h), 1, 32))}

    mala = step_size(target, "mala", 0.6, start, lambda value: {"step_size": value})
    hmc = step_size(target, "hmc", 0.8, start, trajectory)
    return ONE.format(name=name, mala=mala, hmc=hmc, steps=trajectory(hmc)["num_integration_steps"])


def main():
    """Write the file."""
    exact = [name for name in list_targets() if load_target(name).draw_exact is not None]
    text = HEAD.replace("{exact}", ", ".join(f'"{name}"' for name in exact))
    for name in list_targets():
        text += entry(name)
        print(text.splitlines()[-1], flush=True)
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
