"""A noise-conditional energy network as arrays, and the file that holds one.

    E(x, σ) = ½ xᵀ (Σ + σ²)⁻¹ x − (s/σ) G(u, σ),   u = xV / √(σ² + s√λ),   score = −∇E
    G = w·h − ½ ‖hW‖²,   h = φ(φ(φ(u W₁ + b₁) W₂ + b₂) W₃ + b₃),   φ(v) = v/2 · (1 + v/√(v² + 4))

with s the data's standard deviation. Small data have V = 1 and Σ = λ = s²; for large ones the columns of V are principal
directions and Σ = V diag(λ) Vᵀ + λ₀ (1 − VVᵀ), so that the Gaussian part is the data's own and G has only the rest to learn,
from the coordinates where there is something to learn. Sines and cosines of log σ change the scale and the bias of each
layer; for one σ they are folded into its weights, so that the kernel sees a plain network (`Network.folded`). The form is
the preconditioning of Karras et al. 2022 (arXiv 2206.00364), made the gradient of an energy: a density exists up to a
constant for each σ, so that Metropolis and log p make sense. It confines by itself: ½ ‖hW‖² and the Gaussian part only add
up, h grows no faster than x, and nothing is clipped.

Must not know how a network is trained, nor on what.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array

LAYERS = 3
FREQUENCIES = 8  # of log σ: a sine and a cosine each
FORMAT = 1
#: Bytes of all arrays of a file, unpacked: what promises more is no weights file.
LARGEST_FILE = 2**28
#: How to fix a weights file.
AGAIN = "train it again with `mcmc-bench train`"
#: Names and dimensions of the arrays in a file; d, i, h, r: dim, inputs, width of the layers, rank of W. Inputs are the
#: coordinates themselves where there are no directions.
SHAPES = {
    "mean": "d",
    "weight_1": "ih",
    "bias_1": "h",
    "noise_1": "nm",
    "weight_2": "hh",
    "bias_2": "h",
    "noise_2": "nm",
    "weight_3": "hh",
    "bias_3": "h",
    "noise_3": "nm",
    "linear": "h",
    "quadratic": "hr",
}
#: Of a network with principal directions: V, λ and λ₀.
DIRECTIONS = {"directions": "di", "variances": "i", "rest": ""}


class WeightsError(ValueError):
    """A weights file that cannot be used; the message names the file, what is wrong and what to do."""


def noise_features(log_sigma: Any) -> Any:
    """Sines and cosines (…, 2 · FREQUENCIES) of log σ, for NumPy arrays; periods from 16 down to 1/8 in equal ratios."""
    angle = np.asarray(log_sigma)[..., None] * frequencies()
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)


def frequencies() -> Array:
    """Angular frequencies of `noise_features`."""
    return np.asarray(2.0 * np.pi / np.geomspace(16.0, 0.5, FREQUENCIES))


@dataclass(frozen=True, eq=False)
class Network:
    """The arrays of a network, see `SHAPES`, and what is known of its data."""

    arrays: dict[str, Array]
    scale: float  # s, standard deviation of the centred data, over all coordinates
    lowest_noise: float  # σ seen in training
    highest_noise: float
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def dim(self) -> int:
        """Coordinates of the data."""
        return len(self.arrays["mean"])

    @property
    def parameters(self) -> int:
        """Numbers that were learned, and the principal directions."""
        return sum(array.size for name, array in self.arrays.items() if name != "mean")

    def gaussian(self, normals: Array, sigma: float) -> Array:
        """Draws (n, dim) of N(0, Σ + σ²), the density without G, from standard normals (n, dim)."""
        if "directions" not in self.arrays:
            return np.hypot(self.scale, sigma) * normals
        directions = self.arrays["directions"]
        rest, along = (np.sqrt(self.arrays[name] + sigma**2) for name in ("rest", "variances"))
        return rest * normals + (normals @ directions * (along - rest)) @ directions.T

    def folded(self, sigma: float, *, single: bool = False) -> Array:
        """The data of `mcmc_bench.kernels.energy_network.log_density` at noise level σ, flat.

        Above the noise of the training, which drowns the data, the density is N(0, Σ + σ²): G is left out.

        Args:
            sigma: σ, the standard deviation of the noise.
            single: compute the network in single precision: half the time. Two numbers of 32 bits then lie in each of
                64, which no one but the kernel can read.

        Raises:
            ValueError: not a finite number, or below the noise that the network has seen.
        """
        if not isinstance(sigma, int | float | np.number) or not np.isfinite(sigma):
            raise ValueError(f"noise level {sigma!r} is not a finite number")
        if not sigma >= 0.999 * self.lowest_noise:
            raise ValueError(
                f"noise level {sigma:g} is below {self.lowest_noise:g}, the lowest that the network was trained with"
            )
        drowned = sigma > 1.001 * self.highest_noise
        features = noise_features(np.log(sigma))
        width, rank = self.arrays["quadratic"].shape
        parts: list[Any] = []
        inputs, rest = 0, self.scale**2
        if "directions" in self.arrays:
            directions, variances = self.arrays["directions"], self.arrays["variances"]
            rest = float(self.arrays["rest"])
            inputs = len(variances)
            # Of the Gaussian part, what is left along a direction when 1/(λ₀ + σ²) has been taken off.
            parts += [directions, 1.0 / (variances + sigma**2) - 1.0 / (rest + sigma**2)]
            parts += [1.0 / np.sqrt(sigma**2 + self.scale * np.sqrt(variances))]
        for layer in range(1, LAYERS + 1):
            change = features @ self.arrays[f"noise_{layer}"]  # (2 h,)
            parts += [self.arrays[f"weight_{layer}"] * (1.0 + change[:width])]
            parts += [self.arrays[f"bias_{layer}"] + change[width:]]
        parts += [(not drowned) * self.arrays["linear"], (not drowned) * self.arrays["quadratic"]]
        body = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in parts])
        if single:
            body = np.append(body, np.zeros(len(body) % 2)).astype(np.float32).view(np.float64)
        return np.concatenate([[single, self.dim, inputs, width, rank, sigma, self.scale, rest], body])


def write(file: Path, network: Network) -> None:
    """One npz file, float32, without pickle; the old file or the new one, whatever happens."""
    from mcmc_bench.core.files import write_atomically

    about = {
        "format": FORMAT,
        "scale": network.scale,
        "lowest_noise": network.lowest_noise,
        "highest_noise": network.highest_noise,
        "provenance": network.provenance,
    }
    arrays = {name: array.astype(np.float32) for name, array in network.arrays.items()}
    stored = io.BytesIO()
    np.savez(stored, allow_pickle=False, about=np.array(json.dumps(about, sort_keys=True)), **arrays)
    write_atomically(file, stored.getvalue())


def read(file: Path) -> Network:
    """The network that `write` has stored.

    Raises:
        WeightsError: no such file, truncated, of another network, or numbers that are not finite or describe no density.
            Nothing in a file is ever executed: it is read without pickle.
    """
    found = _arrays(file)
    shapes = SHAPES | (DIRECTIONS if "directions" in found else {"mean": "i"})
    missing, further = sorted({"about", *shapes} - set(found)), sorted(set(found) - {"about", *shapes})
    if missing:
        raise WeightsError(f"{file} holds no {', '.join(missing)}: weights of another network; {AGAIN}")
    if further:
        raise WeightsError(f"{file} holds {', '.join(further)} besides: weights of another network; {AGAIN}")
    try:
        about = json.loads(str(found.pop("about")))
        scale, low, high = (float(about[name]) for name in ("scale", "lowest_noise", "highest_noise"))
        given, provenance = about["format"], dict(about["provenance"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WeightsError(f"{file} says nothing readable about itself ({error!r}); {AGAIN}") from error
    if given != FORMAT:
        raise WeightsError(f"{file} has format {given}, and this version reads {FORMAT}; {AGAIN}")
    _check_shapes(file, found, shapes)
    if not (0 < scale < np.inf and 0 < low < high < np.inf):
        raise WeightsError(
            f"{file}: scale {scale:g} and noise {low:g} … {high:g} must be greater than 0 and rising; {AGAIN}"
        )
    for name in ("variances", "rest"):
        if name in shapes and (found[name] < 0.0).any():
            raise WeightsError(
                f"{file}: {name} must not be negative, and the least is {found[name].min():g}: the energy would not "
                f"confine; {AGAIN}"
            )
    arrays = {name: np.asarray(found[name], dtype=np.float64) for name in shapes}
    return Network(arrays, scale, low, high, provenance)


def _arrays(file: Path) -> dict[str, Any]:
    """All arrays of a file, whatever they are."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST_FILE:
            raise ValueError(f"it unpacks to {size} bytes")  # noqa: TRY301
        with np.load(file, allow_pickle=False) as stored:
            return {name: np.array(stored[name]) for name in stored.files}
    except FileNotFoundError as error:
        raise WeightsError(f"no weights file {file}; {AGAIN}") from error
    except (
        Exception
    ) as error:  # damaged bytes raise whatever they like: zlib's errors, NotImplementedError, MemoryError
        raise WeightsError(f"{file} is not a whole weights file ({error}); {AGAIN}") from error


def _check_shapes(file: Path, found: dict[str, Any], shapes: dict[str, str]) -> None:
    sizes = {"n": 2 * FREQUENCIES}
    for name, letters in shapes.items():
        array = found[name]
        if array.dtype.kind != "f" or array.ndim != len(letters):
            raise WeightsError(
                f"{file}: {name} must have {len(letters)} dimensions of floats, not {array.dtype}{array.shape}; {AGAIN}"
            )
        for letter, size in zip(letters, array.shape, strict=True):
            expected = 2 * sizes["h"] if letter == "m" else sizes.setdefault(letter, size)
            if size != expected or size < 1:
                raise WeightsError(f"{file}: {name} has shape {array.shape}, which does not fit the others; {AGAIN}")
        if not np.isfinite(array).all():
            raise WeightsError(f"{file}: {name} holds numbers that are not finite; {AGAIN}")
