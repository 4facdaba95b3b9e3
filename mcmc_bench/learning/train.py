"""Denoising score matching of an energy network, in PyTorch.

    σ ~ log-uniform,  x = y + σ z:   minimise E ‖D(x, σ) − y‖² (σ² + s²) / (σ² s² dim),   D = x + σ² score(x, σ)

(Vincent 2011; weights as in Karras et al. 2022, arXiv 2206.00364), with an average of the weights over steps. Needs the
extra `train`. Must not know where the data come from.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.learning.network import LAYERS, Array, Network, frequencies

Progress = Callable[[int, float], None]

#: Examples with noise that the loss after training is the mean of, at least half as many.
FINAL = 4000


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are what suits 1,400 images of 64 pixels."""

    width: int = 128
    rank: int = 64
    steps: int = 5000
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    average: float = 0.999  # of the weights, for each step
    clip: float = 5.0  # largest norm of the gradient
    cooling: float = 1.0  # share of the steps, the last, in which the learning rate falls to 0 along half a cosine
    directions: int = 0  # principal directions that the network looks along; 0: the coordinates themselves
    lowest_noise: float = 0.1
    highest_noise: float = 8.0


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    network: Network
    losses: Array  # (step,)
    interrupted: bool  # by Ctrl-C, after as many steps as there are losses
    held_out_loss: float  # of the averaged weights, same noise for every training
    training_loss: float


def with_provenance(trained: Trained, *, name: str, seed: int, recipe: Recipe) -> Network:
    """The network with what made it."""
    import torch

    every = max(1, len(trained.losses) // 50)
    return replace(
        trained.network,
        provenance={
            "name": name, "seed": seed, "recipe": asdict(recipe), "steps_made": len(trained.losses),
            "held_out_loss": trained.held_out_loss, "training_loss": trained.training_loss,
            "losses": [round(float(value), 4) for value in trained.losses[::every]],
            "versions": {"torch": torch.__version__.split("+")[0], "numpy": np.__version__},
            "made by": f"mcmc-bench train {name} --seed {seed}",
        },
    )  # fmt: skip


def draw_losses(trained: Trained, file: Path, name: str) -> None:
    """The loss against the step, and its running mean, as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    window = max(1, len(trained.losses) // 50)
    smooth = np.convolve(trained.losses, np.ones(window) / window, mode="valid")
    axes.plot(np.arange(1, len(trained.losses) + 1), trained.losses, color="#c3c1b9", linewidth=0.5)
    axes.plot(np.arange(len(smooth)) + window, smooth, color="#0072b2", label=f"mean of {window} steps")
    axes.axhline(trained.held_out_loss, color="#d55e00", linestyle="--", label="held out, averaged weights")
    axes.set(xlabel="step", ylabel="loss of denoising", title=f"Learning {name}")
    axes.legend(frameon=False)
    figure.savefig(file, dpi=120)


def read_data(file: Path) -> Array:
    """The examples in a NumPy file, checked.

    Raises:
        ValueError: it cannot be read (pickled objects are not), or `check_data` refuses it.
    """
    try:
        data = np.load(file, allow_pickle=False)
    except FileNotFoundError as error:
        raise ValueError(f"--data {file}: no such file") from error
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"--data {file} is not a NumPy array file (.npy) of numbers: {error}") from error
    if not isinstance(data, np.ndarray):
        raise ValueError(f"--data {file} holds several arrays; store one, with numpy.save")
    return check_data(data, f"--data {file}")


def check_data(data: Any, what: str) -> Array:
    """`data` as float64 (n, dim), flattened.

    Raises:
        ValueError: what is wrong with it.
    """
    array = np.asarray(data)
    if array.ndim not in (2, 3):
        raise ValueError(f"{what} has shape {array.shape}; it must be (number, dim) or (number, height, width)")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{what} holds {array.dtype}; it must hold numbers")
    array = array.reshape(len(array), -1).astype(np.float64)
    if len(array) < 20:
        raise ValueError(f"{what} holds {len(array)} examples; at least 20 are needed")
    if array.shape[1] > 28 * 28:
        raise ValueError(f"{what} has {array.shape[1]} coordinates; at most 784 (28 × 28) are possible")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{what} holds {np.count_nonzero(~np.isfinite(array))} numbers that are not finite; remove them"
        )
    if not array.std() > 0:
        raise ValueError(f"{what}: all examples are the same; there is nothing to learn")
    return array


def train(
    training: Array, held_out: Array, recipe: Recipe, *, seed: int, progress: Progress = lambda step, loss: None
) -> Trained:
    """Train on `training` (n, dim); `held_out` (m, dim) is only looked at in the end.

    Raises:
        ImportError: PyTorch is not installed.
    """
    import torch

    torch.manual_seed(seed)
    mean = training.mean(axis=0)
    scale = float((training - mean).std())
    principal = _principal(training - mean, recipe.directions)
    variances = torch.tensor(principal.get("variances", scale**2), dtype=torch.float32)

    def seen(data: Array) -> Any:
        return torch.tensor((data - mean) @ principal.get("directions", np.eye(len(mean))), dtype=torch.float32)

    y = seen(training)
    model = _model(torch, y.shape[1], recipe)
    averaged = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _cooled(step / recipe.steps, recipe.cooling))
    low, high = np.log(recipe.lowest_noise), np.log(recipe.highest_noise)
    losses: list[float] = []

    def one_step(step: int) -> None:
        clean = y[torch.randint(len(y), (recipe.batch,))]
        sigma = torch.exp(low + (high - low) * torch.rand(recipe.batch, 1))
        loss = _loss(torch, model, clean, sigma, torch.randn_like(clean), scale, variances)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.values(), recipe.clip)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            decay = min(recipe.average, (1.0 + step) / (10.0 + step))
            for name, value in model.items():
                averaged[name].lerp_(value, 1.0 - decay)
        losses.append(loss.item())
        progress(step + 1, losses[-1])

    interrupted = False
    try:
        for step in range(recipe.steps):
            one_step(step)
    except KeyboardInterrupt:
        interrupted = True
    arrays = {"mean": mean, **principal, **{name: value.detach().double().numpy() for name, value in averaged.items()}}
    network = Network(arrays, scale, recipe.lowest_noise, recipe.highest_noise)
    held_out_loss, training_loss = (
        _final_loss(torch, averaged, seen(data[:FINAL]), low, high, scale, variances) for data in (held_out, training)
    )
    return Trained(network, np.array(losses), interrupted, held_out_loss, training_loss)


def _cooled(done: float, cooling: float) -> float:
    """The learning rate after a share `done` of the steps, in units of the first."""
    return float(0.5 * (1.0 + np.cos(np.pi * max(0.0, 1.0 - (1.0 - done) / cooling))))


def _principal(centred: Array, count: int) -> dict[str, Array]:
    """`network.DIRECTIONS`: the `count` principal directions of data (n, dim), or nothing for none."""
    if count == 0:
        return {}
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))  # ascending
    return {
        "directions": np.ascontiguousarray(vectors[:, : -count - 1 : -1]),
        "variances": values[: -count - 1 : -1].copy(),
        "rest": np.array(values[:-count].mean() if count < len(values) else values[0]),
    }


def _model(torch: Any, dim: int, recipe: Recipe) -> dict[str, Any]:
    """Parameters by name, as in `network.SHAPES`; what σ changes begins at nothing."""
    sizes = [dim, *[recipe.width] * LAYERS]
    model = {}
    for layer in range(1, LAYERS + 1):
        model[f"weight_{layer}"] = torch.randn(sizes[layer - 1], recipe.width) / np.sqrt(sizes[layer - 1])
        model[f"bias_{layer}"] = torch.zeros(recipe.width)
        model[f"noise_{layer}"] = torch.zeros(2 * len(frequencies()), 2 * recipe.width)
    model["linear"] = torch.zeros(recipe.width)
    model["quadratic"] = torch.randn(recipe.width, recipe.rank) / np.sqrt(recipe.width)
    return {name: value.requires_grad_() for name, value in model.items()}


def energy_gain(torch: Any, model: dict[str, Any], u: Any, sigma: Any) -> Any:
    """G(u, σ) of `mcmc_bench.learning.network`, (n,), for u (n, dim) and σ (n, 1)."""
    angle = torch.log(sigma) * torch.tensor(frequencies(), dtype=torch.float32)
    features = torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
    h = u
    for layer in range(1, LAYERS + 1):
        stretch, shift = (features @ model[f"noise_{layer}"]).chunk(2, dim=1)
        v = (h @ model[f"weight_{layer}"]) * (1.0 + stretch) + model[f"bias_{layer}"] + shift
        h = 0.5 * v * (1.0 + v * torch.rsqrt(v * v + 4.0))
    return h @ model["linear"] - 0.5 * ((h @ model["quadratic"]) ** 2).sum(dim=1)


def _loss(
    torch: Any, model: dict[str, Any], clean: Any, sigma: Any, z: Any, scale: float, variances: Any
) -> Any:
    """The weighted squared error of the denoiser D = (λ/(σ² + λ)) x + (σ s/√(σ² + s√λ)) ∇G along each direction."""
    noisy = clean + sigma * z
    shrinkage = torch.rsqrt(sigma**2 + scale * torch.sqrt(variances))
    u = (noisy * shrinkage).requires_grad_()
    (slope,) = torch.autograd.grad(energy_gain(torch, model, u, sigma).sum(), u, create_graph=True)
    wanted = (clean - variances / (sigma**2 + variances) * noisy) / (sigma * scale)
    return (((shrinkage * slope - wanted) ** 2) * (sigma**2 + scale**2)).mean()


def _final_loss(
    torch: Any, model: dict[str, Any], clean: Any, low: float, high: float, scale: float, variances: Any
) -> float:
    """The loss over a fixed set of noises."""
    generator = torch.Generator().manual_seed(0)
    y = clean.repeat(max(1, FINAL // len(clean)), 1)
    sigma = torch.exp(low + (high - low) * torch.rand(len(y), 1, generator=generator))
    z = torch.randn(y.shape, generator=generator)
    return float(_loss(torch, model, y, sigma, z, scale, variances).item())
