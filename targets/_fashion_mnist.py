"""The files of Fashion-MNIST, as Debian's package and its authors give them: 70,000 photographs of clothes, 28 × 28.

They are not shipped: only training and the script that made `data/fashion.npz` read them. Must not know what for.
"""

import gzip
from pathlib import Path

import numpy as np

#: Where Debian's package dataset-fashion-mnist puts them.
FOLDER = Path("/usr/share/datasets/fashion-mnist")
CLASSES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "trainer", "bag", "ankle boot")
SIDE = 28


def read(part: str, folder: Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 784) as bytes and labels (n,) of one part, "train" (60,000) or "t10k" (10,000, for testing).

    Raises:
        ValueError: the files are not there, or are none of these.
    """
    place = FOLDER if folder is None else Path(folder)
    images = _numbers(place / f"{part}-images-idx3-ubyte.gz", head=16).reshape(-1, SIDE * SIDE)
    labels = _numbers(place / f"{part}-labels-idx1-ubyte.gz", head=8)
    if len(images) != len(labels) or labels.max() >= len(CLASSES):
        raise ValueError(f"{place}: {len(images)} images and {len(labels)} labels of {part} do not belong together")
    return images, labels


def _numbers(file: Path, head: int) -> np.ndarray:
    """The bytes of a file in idx format, after as many as its head has."""
    try:
        content = gzip.decompress(file.read_bytes())
    except FileNotFoundError as error:
        raise ValueError(
            f"no file {file}: install Debian's package dataset-fashion-mnist (31 MB), or give the folder in which the "
            "four files *-ubyte.gz of github.com/zalandoresearch/fashion-mnist are, with --folder"
        ) from error
    except (OSError, EOFError) as error:
        raise ValueError(f"{file} cannot be read as a gzip file: {error}") from error
    count = int.from_bytes(content[4:8], "big")
    size = count * (SIDE * SIDE if head == 16 else 1)
    if len(content) != head + size or count == 0:
        raise ValueError(f"{file} is not one of Fashion-MNIST: {len(content)} bytes, where its head says {head + size}")
    return np.frombuffer(content, dtype=np.uint8, offset=head)
