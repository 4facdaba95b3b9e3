"""Energy and score of the learned targets in blocks of 16 and 128 images, one thread, against two floors.

Where PyTorch is installed: its automatic gradient of the same energy in single precision, for the same batch, with the
weights folded for σ beforehand as ours are. Everywhere: the bare matrix products in NumPy, in the precision of the target.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_target
from mcmc_bench.densities.learning.network import LAYERS, noise_features, read

DATA = Path(__file__).resolve().parents[2] / "targets" / "data"
SIGMA = 0.75
CALLS = {"digits": 40, "fashion": 3}


def in_pytorch(network, sigma):
    """``energy(x) -> (log density, gradient)`` for a batch (n, dim) in single precision."""
    import torch

    torch.set_num_threads(1)
    arrays = {name: torch.tensor(array, dtype=torch.float32) for name, array in network.arrays.items()}
    features = torch.tensor(noise_features(np.log(sigma)), dtype=torch.float32)
    layers = []
    for layer in range(1, LAYERS + 1):
        stretch, shift = (features @ arrays[f"noise_{layer}"]).chunk(2)
        layers.append((arrays[f"weight_{layer}"] * (1.0 + stretch), arrays[f"bias_{layer}"] + shift))
    directions, scale = arrays.get("directions"), network.scale
    if directions is None:
        total, excess, shrinkage = scale**2 + sigma**2, None, (scale**2 + sigma**2) ** -0.5
    else:
        total = float(arrays["rest"]) + sigma**2
        excess = 1.0 / (arrays["variances"] + sigma**2) - 1.0 / total
        shrinkage = torch.rsqrt(sigma**2 + scale * torch.sqrt(arrays["variances"]))

    def energy(x):
        x = x.clone().requires_grad_()
        along = x if directions is None else x @ directions
        h = along * shrinkage
        for weight, bias in layers:
            v = torch.addmm(bias, h, weight)
            h = 0.5 * v * (1.0 + v * torch.rsqrt(v * v + 4.0))
        gain = h @ arrays["linear"] - 0.5 * ((h @ arrays["quadratic"]) ** 2).sum(dim=1)
        value = scale / sigma * gain - 0.5 / total * (x * x).sum(dim=1)
        if excess is not None:
            value = value - 0.5 * (along * along * excess).sum(dim=1)
        (gradient,) = torch.autograd.grad(value.sum(), x)
        return value.detach(), gradient

    return energy


def bare_products(network, chains, dtype):
    """A function of no argument: the matrix products of one evaluation, forth and back, and nothing else."""
    names = [
        *(["directions"] if "directions" in network.arrays else []),
        *(f"weight_{k}" for k in (1, 2, 3)),
        "quadratic",
    ]
    matrices = [network.arrays[name].astype(dtype) for name in names]
    generator = np.random.default_rng(2)
    first = generator.standard_normal((chains, len(matrices[0]))).astype(dtype)

    def products():
        h = first
        for matrix in matrices:
            h = h @ matrix
        for matrix in reversed(matrices):
            h = h @ matrix.T

    return products


@pytest.mark.parametrize("chains", [16, 128])
@pytest.mark.parametrize("name", ["digits", "fashion"])
def test_learned_score(compare, name, chains):
    target = load_target(name, sigma=SIGMA)
    network = read(DATA / f"{name}.weights.npz")
    calls = CALLS[name]
    x = target.starts("dispersed", np.random.default_rng(1), chains)
    log_density, gradient = np.empty(chains), np.empty_like(x)
    pointer, data = target.pointer, target.data

    def ours():
        for _ in range(calls):
            pointer(x, log_density, gradient, data)

    def repeated(function):
        def go():
            for _ in range(calls):
                function()

        return go

    products = bare_products(network, chains, np.float64 if target.double is None else np.float32)
    floors, asked = {"bare matrix products, NumPy": repeated(products)}, {"bare matrix products, NumPy": None}
    if importlib.util.find_spec("torch") is not None:
        import torch

        energy, points = in_pytorch(network, SIGMA), torch.tensor(x, dtype=torch.float32)
        value, slope = energy(points)
        expected = target.in_double().log_density_and_gradient(x)
        np.testing.assert_allclose(value.numpy(), expected[0], rtol=1e-4, atol=1e-2)
        np.testing.assert_allclose(slope.numpy(), expected[1], rtol=1e-3, atol=1e-3)
        floors["PyTorch, same batch"], asked["PyTorch, same batch"] = repeated(lambda: energy(points)), 1.0
    compare(
        f"energy and score of {name}, {chains} images at once, one thread",
        "µs per image",
        1e6 / (chains * calls),
        ours,
        floors,
        asked,
    )
