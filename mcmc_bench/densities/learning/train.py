"""Denoising score matching of an energy network, in PyTorch.

    σ ~ log-uniform,  x = y + σ z:   minimise E ‖D(x, σ) − y‖² (σ² + s²) / (σ² s² dim),   D = x + σ² score(x, σ)

(Vincent 2011; weights as in Karras et al. 2022, arXiv 2206.00364), with an average of the weights over steps. Needs the
extra `train`. Must not know where the data come from.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.densities.learning.denoising import noises
from mcmc_bench.densities.learning.network import LAYERS, Network, frequencies

Progress = Callable[[int, float], None]


@dataclass(frozen=True)
class Recipe:
    """The settings of a training; the defaults suit 1,400 images of 64 pixels."""

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

    def __post_init__(self) -> None:
        """See that it can be followed, before anything is."""
        for name in ("width", "rank", "steps", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be at least 1")
        if not 0.0 < self.lowest_noise < self.highest_noise < np.inf:
            raise ValueError(
                f"lowest_noise = {self.lowest_noise:g} must be greater than 0 and less than highest_noise = "
                f"{self.highest_noise:g}"
            )


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    network: Network
    losses: Array  # (step,)
    interrupted: bool  # by Ctrl-C, after as many steps as there are losses
    held_out_loss: float  # of the averaged weights, see `mcmc_bench.densities.learning.denoising`
    training_loss: float


def with_provenance(
    trained: Trained, *, name: str, seed: int, recipe: Recipe, command: str, others: Sequence[float] = ()
) -> Network:
    """The network with what made it, and the held-out losses of `others`: trainings that differ by the seed alone."""
    import torch

    every = max(1, len(trained.losses) // 50)
    return replace(
        trained.network,
        provenance={
            "name": name,
            "seed": seed,
            "recipe": asdict(recipe),
            "steps_made": len(trained.losses),
            "held_out_loss": trained.held_out_loss,
            "training_loss": trained.training_loss,
            "losses": [round(float(value), 4) for value in trained.losses[::every]],
            "versions": {"torch": torch.__version__.split("+")[0], "numpy": np.__version__},
            "held_out_losses_of_further_seeds": list(others),
            "made by": command,
        },
    )


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


def train(
    training: Array, held_out: Array, recipe: Recipe, *, seed: int, progress: Progress = lambda step, loss: None
) -> Trained:
    """Train on `training` (n, dim); `held_out` (m, dim) is only looked at in the end.

    Ctrl-C ends it early, and what was learned until then is returned.

    Raises:
        ImportError: PyTorch is not installed.
        ValueError: the loss is no longer finite.
        KeyboardInterrupt: before the first step was made.
    """
    import torch

    torch.manual_seed(seed)
    mean = training.mean(axis=0)
    view = _View.of(training - mean, recipe.directions)
    y = torch.tensor((training - mean) @ view.basis[:, : view.inputs], dtype=torch.float32)
    model = _model(torch, view.inputs, recipe)
    averaged = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _cooled(step / recipe.steps, recipe.cooling))
    low, high = np.log(recipe.lowest_noise), np.log(recipe.highest_noise)
    losses: list[float] = []

    def one_step(step: int) -> None:
        clean = y[torch.randint(len(y), (recipe.batch,))]
        sigma = torch.exp(low + (high - low) * torch.rand(recipe.batch, 1))
        loss = _loss(torch, model, clean, sigma, torch.randn_like(clean), view)
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
        if not np.isfinite(losses[-1]):
            raise ValueError(
                f"the loss is {losses[-1]} after {step + 1} steps: the training has diverged; are there examples far "
                "from all others? Else take a smaller --width"
            )
        progress(step + 1, losses[-1])

    interrupted = False
    try:
        for step in range(recipe.steps):
            one_step(step)
    except KeyboardInterrupt:
        if not losses:
            raise
        interrupted = True
    arrays = {
        "mean": mean,
        **(view.stored() if recipe.directions else {}),
        **{name: value.detach().double().numpy() for name, value in averaged.items()},
    }
    network = Network(arrays, view.scale, recipe.lowest_noise, recipe.highest_noise)
    return Trained(
        network,
        np.array(losses),
        interrupted,
        held_out_loss=_final_loss(torch, averaged, held_out - mean, view, recipe),
        training_loss=_final_loss(torch, averaged, training - mean, view, recipe),
    )


@dataclass(frozen=True)
class _View:
    """The coordinates in which a network learns: principal directions first, or those of the data themselves."""

    basis: Array  # (dim, dim), orthonormal
    variances: Array  # (dim,): λ along the directions, λ₀ along the others; s² for coordinates of the data
    inputs: int  # coordinates that the network looks at, the first ones
    scale: float  # s

    @classmethod
    def of(cls, centred: Array, directions: int) -> _View:
        dim, scale = centred.shape[1], float(centred.std())
        if directions == 0:
            return cls(np.eye(dim), np.full(dim, scale**2), dim, scale)
        values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))  # ascending
        # Rounding puts those of constant coordinates a little below 0.
        variances, inputs = np.maximum(values[::-1], 0.0), min(directions, dim)
        variances[inputs:] = variances[inputs:].mean() if inputs < dim else 0.0
        return cls(np.ascontiguousarray(vectors[:, ::-1]), variances, inputs, scale)

    def stored(self) -> dict[str, Array]:
        """The arrays of `network.DIRECTIONS`."""
        k = self.inputs
        return {"directions": self.basis[:, :k], "variances": self.variances[:k], "rest": np.array(self.variances[-1])}


def _cooled(done: float, cooling: float) -> float:
    """The learning rate after a share `done` of the steps, in units of the first."""
    return float(0.5 * (1.0 + np.cos(np.pi * max(0.0, 1.0 - (1.0 - done) / cooling))))


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
    """G(u, σ) of `mcmc_bench.densities.learning.network`, (n,), for u (n, dim) and σ (n, 1)."""
    angle = torch.log(sigma) * torch.tensor(frequencies(), dtype=torch.float32)
    features = torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
    h = u
    for layer in range(1, LAYERS + 1):
        stretch, shift = (features @ model[f"noise_{layer}"]).chunk(2, dim=1)
        v = (h @ model[f"weight_{layer}"]) * (1.0 + stretch) + model[f"bias_{layer}"] + shift
        h = 0.5 * v * (1.0 + v * torch.rsqrt(v * v + 4.0))
    return h @ model["linear"] - 0.5 * ((h @ model["quadratic"]) ** 2).sum(dim=1)


def _loss(torch: Any, model: dict[str, Any], clean: Any, sigma: Any, z: Any, view: _View) -> Any:
    """The weighted squared error of the denoiser D = λ/(σ² + λ) x + σ s/√(σ² + s√λ) ∇G, per coordinate of the data.

    `clean` and `z` may lack last coordinates of `view`: where the network does not look, its expectation is known.
    """
    present, inputs, scale = clean.shape[1], view.inputs, view.scale
    variances = torch.tensor(view.variances, dtype=torch.float32)
    noisy = clean + sigma * z
    shrinkage = torch.rsqrt(sigma**2 + scale * torch.sqrt(variances[:inputs]))
    u = (noisy[:, :inputs] * shrinkage).requires_grad_()
    (slope,) = torch.autograd.grad(energy_gain(torch, model, u, sigma).sum(), u, create_graph=True)
    wanted = (clean - variances[:present] / (sigma**2 + variances[:present]) * noisy) / (sigma * scale)
    squared = ((shrinkage * slope - wanted[:, :inputs]) ** 2).sum(dim=1) + (wanted[:, inputs:] ** 2).sum(dim=1)
    lacking = (variances[present:] / (sigma**2 + variances[present:])).sum(dim=1) / scale**2
    return ((squared + lacking) * (sigma[:, 0] ** 2 + scale**2)).mean() / len(variances)


def _final_loss(torch: Any, model: dict[str, Any], examples: Array, view: _View, recipe: Recipe) -> float:
    """`mcmc_bench.densities.learning.denoising.loss`, here by PyTorch: the two are compared by the tests."""
    each = []
    for sigma, y, z in noises(examples, recipe.lowest_noise, recipe.highest_noise):
        clean, noise = (torch.tensor(array, dtype=torch.float32) for array in (y @ view.basis, z @ view.basis))
        each.append(_loss(torch, model, clean, torch.full((len(y), 1), sigma), noise, view).item())
    return float(np.mean(each))
