"""Makes digits.npz from scikit-learn's copy of the UCI handwritten digits: images as bytes, labels, and a split.

    pip install -e '.[data]' && python targets/data/make_digits.py

The images (8 × 8, values 0 … 16, 43 writers) are by E. Alpaydin and C. Kaynak 1998, UCI Machine Learning Repository, doi
10.24432/C50P49, licence CC BY 4.0. Their order is shuffled with a seed from the name, so that the last 360, which are held
out, are of all writers.
"""

import hashlib
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

HELD_OUT = 360

if __name__ == "__main__":
    digits = load_digits()
    seed = int.from_bytes(hashlib.sha256(b"digits: held out").digest()[:8], "little")
    order = np.random.default_rng(seed).permutation(len(digits.images))
    np.savez_compressed(
        Path(__file__).with_name("digits.npz"),
        images=digits.images[order].astype(np.uint8),
        labels=digits.target[order].astype(np.uint8),
        held_out=np.array(HELD_OUT),
    )
