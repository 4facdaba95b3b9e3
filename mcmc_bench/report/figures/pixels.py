"""Grey pictures as arrays: side by side in a grid, and as PNG.

Must not know results, metrics or samplers.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mcmc_bench.core.arrays import Array

#: Pixels between the pictures of a grid, as a share of their height; at least 1.
GAP = 1 / 12
#: Shades of a picture as PNG: a quarter of the size of all 256, and no eye sees it in small pictures.
SHADES = 32


def grid(pictures: Array, columns: int) -> Array:
    """Pictures (n, height, width) in rows of `columns`, as one (…, …); NaN between them and where one is missing."""
    count, height, width = pictures.shape
    rows = math.ceil(count / columns)
    gap = max(1, round(GAP * height))
    found = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for index, picture in enumerate(pictures):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        found[top : top + height, left : left + width] = picture
    return found


def middles(count: int, width: int, height: int) -> list[float]:
    """The middles of the pictures in a row of a `grid`, as shares of its width."""
    gap = max(1, round(GAP * height))
    whole = count * (width + gap) - gap
    return [(index * (width + gap) + 0.5 * width) / whole for index in range(count)]


def shades(values: Array, black_and_white: Sequence[float]) -> Array:
    """`values` as shares of the way from black to white, cut off at both."""
    black, white = black_and_white
    return np.clip((values - black) / (white - black), 0.0, 1.0)


def png(values: Array) -> bytes:
    """Values (height, width) from 0, black, to 1, white, as PNG; NaN is transparent."""
    shown = np.nan_to_num(np.round(values * (SHADES - 1))).astype(np.uint8)
    missing = np.isnan(values)
    shown[missing] = SHADES
    image = Image.fromarray(shown).convert("P")
    image.putdata(shown.ravel().tolist())
    levels = [round(255 * shade / (SHADES - 1)) for shade in range(SHADES)]
    image.putpalette([level for shade in [*levels, 0] for level in (shade, shade, shade)])
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True, **({"transparency": SHADES} if missing.any() else {}))
    return stream.getvalue()
