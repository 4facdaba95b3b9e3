"""Makes fashion.npz from Fashion-MNIST: images held out, a small classifier, and what needs the training images to be known.

    pip install -e '.[data]' && apt install dataset-fashion-mnist && python targets/data/make_fashion.py

The images (28 × 28, bytes) are by H. Xiao, K. Rasul and R. Vollgraf 2017, arXiv 1708.07747, copyright Zalando SE, licence MIT
(fashion.LICENSE.txt). Two sets of 400 are drawn from the 10,000 of the test set by a seed from the name, whatever their class:
with as many of each class in both, the sets would be more alike than two samples of the data are. No network has seen them.
The classifier is a perceptron with one hidden layer that has learned the 60,000 images of the training set; its accuracy is
measured on the 9,200 test images that are in neither set. It takes images less `mean`, that of the training set. Another version
of scikit-learn, or another machine, learns a slightly other one: with --keep-classifier, the one that is in fashion.npz stays.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from _fashion_mnist import FOLDER, read  # noqa: E402 - beside the targets

EACH, SETS = 400, 2
HIDDEN = 128


def split(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the images that are shipped, one set after the other, and of all others, of `count` images."""
    seed = int.from_bytes(hashlib.sha256(b"fashion: held out").digest()[:8], "little")
    order = np.random.default_rng(seed).permutation(count)
    return order[: SETS * EACH], np.sort(order[SETS * EACH :])


def nearest(images: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Distance (n,) of each image to the nearest of `training`, pixels from −1 to 1."""
    x, y = (part.astype(np.float32) / 127.5 for part in (images, training))
    squared = (x**2).sum(axis=1)[:, None] - 2.0 * x @ y.T + (y**2).sum(axis=1)
    return np.sqrt(squared.min(axis=1))


def learned(images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """A classifier of `images`, pixels from −1 to 1 less their mean: the weights of two layers, then their biases."""
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier((HIDDEN,), alpha=1e-3, batch_size=256, max_iter=25, random_state=0, tol=0.0)
    classifier.fit(images, labels)
    return [array.astype(np.float16) for array in (*classifier.coefs_, *classifier.intercepts_)]


def kept() -> list[np.ndarray]:
    """The classifier of the file that is there, as `learned` gives it."""
    with np.load(HERE / "fashion.npz", allow_pickle=False) as stored:
        return [stored[name] for name in ("hidden_weights", "output_weights", "hidden_bias", "output_bias")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes fashion.npz.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files of Fashion-MNIST are")
    parser.add_argument("--keep-classifier", action="store_true", help="do not learn it again")
    arguments = parser.parse_args()
    folder = arguments.folder
    try:
        training, training_labels = read("train", folder)
        test, test_labels = read("t10k", folder)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    mean = training.mean(axis=0) / 127.5 - 1.0
    shipped, others = split(len(test))
    if arguments.keep_classifier:
        weights = kept()
    else:
        weights = learned(training.astype(np.float32) / 127.5 - 1.0 - mean.astype(np.float32), training_labels)
    hidden = np.maximum((test / 127.5 - 1.0 - mean) @ weights[0] + weights[2], 0.0)
    right = (hidden @ weights[1] + weights[3]).argmax(axis=1) == test_labels
    distance = nearest(test[shipped], training)
    np.savez_compressed(
        HERE / "fashion.npz",
        images=test[shipped],
        labels=test_labels[shipped],
        sets=np.array(SETS),
        mean=mean.astype(np.float32),
        hidden_weights=weights[0],
        hidden_bias=weights[2],
        output_weights=weights[1],
        output_bias=weights[3],
        classifier_accuracy=np.array(right[others].mean()),
        nearest_training=np.median(distance.reshape(SETS, -1), axis=1),
    )
    print(f"classifier: {right[others].mean():.4f} of {len(others)} test images right")
    print(f"median distance to the nearest training image: {np.median(distance):.3f}")
