"""Stochastic gradient Langevin dynamics: ULA whose gradient sees a part of the data.

    x' = x + ε ĝ(x) + √(2ε) z,   ĝ = ∇log prior + (n/m) Σ over m random rows of ∇log likelihood

Every chain draws its own m of the n rows, with replacement. The noise of ĝ heats the chain: the variance is too large by
about ε Var ĝ / 2 on top of ULA's bias, and only ε → 0 removes it. A step costs m/n of an evaluation, and is counted so.
Convention of ε as in `ula` (Welling and Teh write ε/2).
"""

import numpy as np

from mcmc_bench.core.sampler import Sampler, Setting
from mcmc_bench.core.target import BLOCK_CHAINS
from mcmc_bench.kernels.block import evaluate, flat
from mcmc_bench.kernels.jit import BLOCK_SIGNATURE, compiled, jit
from mcmc_bench.kernels.noise_levels import nothing_to_report


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, _share = settings
    noise_scale = np.sqrt(2.0 * step_size)
    chains = position.shape[0]
    batch, rows = int(data[0]), data[1]
    for j in range(chains * batch):
        data[3 + j] = np.floor(rows * generator.random())
    evaluate(target, data, position, log_density, gradient, evaluations)
    x, score = flat(position), flat(gradient)
    for j in range(x.shape[0]):
        x[j] += step_size * score[j] + noise_scale * generator.standard_normal()
    nothing_to_report(statistics)


def whole_rows(target, settings):
    """The settings with a share that is m/n of the target's n rows, m a whole number."""
    rows, share = target.part_of_data.rows, settings["share"]
    if share * rows < 1.0 - 1e-9:
        raise ValueError(
            f"share = {share:g} of the {rows} rows of {target.label} is less than one; set share to at least {1 / rows:.3g}"
        )
    return {**settings, "share": round(share * rows) / rows}


def with_rows(target, settings, schedule):
    """The density of part of the data; see `mcmc_bench.core.target.PartOfData`."""
    part = target.part_of_data
    batch = round(whole_rows(target, settings)["share"] * part.rows)
    return part.density, np.concatenate([[batch, part.rows, BLOCK_CHAINS], np.zeros(BLOCK_CHAINS * batch), target.data])


def characteristic(settings, target, x, a):
    """φ(εa/m)^m exp(−ε ‖a‖²): a Gaussian step, and m rows drawn with replacement.

    φ(b) is the mean of exp(i b·gᵣ) over all rows r, with gᵣ the gradient that one row alone would give, the prior's included.
    """
    rows, step_size = target.part_of_data.rows, settings["step_size"]
    batch = round(whole_rows(target, settings)["share"] * rows)
    density = compiled(target.part_of_data.density, BLOCK_SIGNATURE)
    single, value, points = np.empty_like(x), np.empty(len(x)), np.ascontiguousarray(x)
    data = np.concatenate([[1, rows, len(x)], np.zeros(len(x)), target.data])
    mean = np.zeros((len(x), len(a)), dtype=np.complex128)
    for row in range(rows):
        data[3 : 3 + len(x)] = row
        density(points, value, single, data)
        mean += np.exp(1j * step_size / batch * (single @ a.T)) / rows
    return mean**batch * np.exp(-step_size * (a**2).sum(axis=1))


SAMPLER = Sampler(
    kind="biased",
    description="Langevin with gradients from a few rows of the data: cheap steps, and a temperature that is too high",
    source="Welling and Teh 2011, ICML; bias: Vollmer, Zygalakis and Teh 2016, arXiv 1501.00438",
    step=step,
    prepare=with_rows,
    share_of_data="share",
    resolve_settings=whole_rows,
    evaluations_per_step=lambda settings: settings["share"],
    block_chains=BLOCK_CHAINS,  # at most: every chain has rows of its own
    requires=("a density of part of its data",),
    characteristic=characteristic,
    settings={
        "step_size": Setting(0.001, "ε in x + ε ĝ(x) + √(2ε) z", low=0.0, above=True),
        "share": Setting(
            0.1, "m/n, the share of the rows in each step, made a whole number of them", low=0.0, high=1.0, above=True
        ),
    },
)
