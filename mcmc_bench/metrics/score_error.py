"""The error of a learned score against one in closed form, by noise level; and both as fields in the plane.

All values are of held-out data with noise on them, x = y + σ z. Must not know any particular target.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Counterpart, Target

#: Noise levels of the curves, in equal ratios, and noises on each example.
LEVELS, NOISES = 12, 4
#: Noise levels of the drawn fields, in multiples of the lowest; arrows and points of the density along an edge.
FIELD_LEVELS = (1.0, 3.0, 10.0)
ARROWS, POINTS = 16, 90
#: Half of a 95 % interval, in standard errors: every level has hundreds of examples.
HALF = 1.96


def score_error(target: Target) -> dict[str, list[float]] | None:
    """Curves over σ; None for a target without a counterpart. All lists are as long as `sigma`.

    Keys:
        sigma: the noise level.
        error, error_low, error_high: E ‖s − s*‖² / E ‖s*‖² at noisy held-out examples, s learned and s* in closed form,
            with its 95 % interval over examples.
        training_error: the same at noisy examples of the training.
        correlation: between both log densities at noisy held-out examples; they are known up to a constant for each σ.
        loss, loss_low, loss_high: E ‖D − y‖² / (σ² dim) of the denoiser D = x + σ² s: the share of the noise that it
            leaves, on held-out examples.
        counterpart_loss, counterpart_loss_low, counterpart_loss_high: the same of s*. Where that is the density of the
            examples no denoiser has less; where it is the training examples smoothed, it has the least loss on those.
        excess_loss, excess_loss_low, excess_loss_high: the first minus the second, with the interval of differences of
            the same example with the same noise.
    """
    counterpart, examples = target.counterpart, target.examples
    if counterpart is None or examples is None:
        return None
    assert examples.training is not None, "a counterpart is compared on the training examples too"
    held_out, training = examples.held_out, examples.training[: len(examples.held_out)]
    levels = np.geomspace(counterpart.sigma, counterpart.highest_noise, LEVELS)
    exact = counterpart.target()
    found: dict[str, list[float]] = {"sigma": levels.tolist()}

    def add(name: str, value: tuple[float, float] | float) -> None:
        if isinstance(value, tuple):
            middle, half = value
            found.setdefault(f"{name}_low", []).append(middle - half)
            found.setdefault(f"{name}_high", []).append(middle + half)
            value = middle
        found.setdefault(name, []).append(value)

    for sigma in levels:
        learned, true = (_at(one, counterpart, sigma) for one in (target, exact))
        x, z = _noisy(held_out, sigma)
        (value, score), (true_value, true_score) = learned.log_density_and_gradient(x), true.log_density_and_gradient(x)
        add("error", _ratio(_squares(score - true_score), _squares(true_score)))
        add("correlation", float(np.corrcoef(value, true_value)[0, 1]))
        # D − y = σ (z + σ s)
        noise = np.full(len(held_out), float(NOISES * target.dim))
        left, true_left = _squares(z + sigma * score), _squares(z + sigma * true_score)
        add("loss", _ratio(left, noise))
        add("counterpart_loss", _ratio(true_left, noise))
        add("excess_loss", _ratio(left - true_left, noise))
        x, _ = _noisy(training, sigma)
        score, true_score = (one.log_density_and_gradient(x)[1] for one in (learned, true))
        add("training_error", _ratio(_squares(score - true_score), _squares(true_score))[0])
    return found


def fields(target: Target) -> dict[str, Array]:
    """Both scores on a grid in the plane, at a few noise levels; nothing for other targets.

    Keys:
        field_sigma: noise levels (k,).
        field_x, field_y: where the arrows are, (ARROWS,) each.
        field_learned, field_true: scores (k, y, x, 2).
        density_x, density_y: (POINTS,) each.
        density_learned, density_true: log densities (k, y, x), each up to a constant.
    """
    counterpart, examples = target.counterpart, target.examples
    if counterpart is None or examples is None or target.dim != 2:
        return {}
    levels = [sigma for times in FIELD_LEVELS if (sigma := times * counterpart.sigma) <= counterpart.highest_noise]
    low, high = examples.held_out.min(axis=0), examples.held_out.max(axis=0)
    # A square, so that arrows keep their directions.
    centre, half = 0.5 * (low + high), 0.65 * float((high - low).max())
    exact = counterpart.target()
    found: dict[str, Array] = {"field_sigma": np.array(levels)}
    for name, count in (("field", ARROWS), ("density", POINTS)):
        step = half / count  # points are in the middle of cells
        axes = [np.linspace(middle - half + step, middle + half - step, count) for middle in centre]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        found |= {f"{name}_x": axes[0], f"{name}_y": axes[1]}
        for kind, one in (("learned", target), ("true", exact)):
            values = [_at(one, counterpart, sigma).log_density_and_gradient(grid) for sigma in levels]
            shape = (len(levels), count, count)
            if name == "field":
                found[f"field_{kind}"] = np.array([score for _, score in values]).reshape(*shape, 2)
            else:
                found[f"density_{kind}"] = np.array([value for value, _ in values]).reshape(shape)
    return found


def _at(target: Target, counterpart: Counterpart, sigma: float) -> Target:
    """`target` with noise until there is σ in all."""
    return target.at_noise(float(np.sqrt(max(sigma**2 - counterpart.sigma**2, 0.0))))


def _noisy(clean: Array, sigma: float) -> tuple[Array, Array]:
    """Examples (n, dim) with noise σ, `NOISES` of each in turn, (n · NOISES, dim), and the noise in units of σ.

    The same for every σ: curves over σ are smooth, and what differs between two of their points is not the noise.
    """
    z = stream("score error", clean.shape).standard_normal((NOISES * len(clean), clean.shape[1]))
    return np.repeat(clean, NOISES, axis=0) + sigma * z, z


def _squares(vectors: Array) -> Array:
    """Sums of ‖v‖² over the noises of each example, (n,)."""
    return np.asarray((vectors**2).sum(axis=1).reshape(-1, NOISES).sum(axis=1))


def _ratio(above: Array, below: Array) -> tuple[float, float]:
    """Σ above / Σ below, and half of its interval by the delta method; examples are independent of each other."""
    ratio = above.sum() / below.sum()
    return float(ratio), float(HALF * np.sqrt(((above - ratio * below) ** 2).sum()) / below.sum())
