"""Examples: the data that a density was learned from. Must not know the density, nor any particular data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.identity import documentation

__all__ = ["Classifier", "Examples"]


@dataclass(frozen=True, eq=False)
class Classifier:
    """A function that tells classes, learned from data that are not stored."""

    classify: Callable[[Array], npt.NDArray[np.int64]]  # points (k, dim) -> classes (k,)
    accuracy: float  # the share that it gets right of data that neither it nor the density was learned from
    description: str = documentation()  # what it is and how its accuracy was measured


@dataclass(frozen=True, eq=False)
class Examples:
    """Data that a density was learned from, in the target's coordinates: what its draws ought to look like.

    Training examples may be too many to be stored: then `further` ones, which are held out too, take their place where
    floors are measured, and `training_distance` says what can only be known beside them.
    """

    held_out: Array  # (m, dim), never seen in training
    held_out_class: npt.NDArray[np.int64] | None  # (m,), None for data that have no classes
    denoised: Callable[[Array], Array]  # points (k, dim) of the target -> data without its noise, E[y | x]
    training: Array | None = None  # (n, dim)
    training_class: npt.NDArray[np.int64] | None = None  # (n,)
    further: Array | None = None  # (n, dim), held out as well
    training_distance: float | None = None  # median of a held-out example to the nearest of the training
    classifier: Classifier | None = None  # None: by the nearest training examples
    class_names: tuple[str, ...] | None = None
    shape: tuple[int, int] | None = None  # of an image: height, width
    centre: Array | None = None  # (dim,): added to coordinates it gives pixels
    pixels: tuple[float, float] = (0.0, 1.0)  # of black and of white

    def __post_init__(self) -> None:
        """Check that floors can be measured and classes told."""
        if self.training is None and self.further is None:
            raise ValueError("examples need `training` ones, or where these are not stored `further` ones")
        if self.held_out_class is not None and self.training_class is None and self.classifier is None:
            raise ValueError("examples with classes need a `training_class` or a `classifier`")

    @property
    def real(self) -> Array:
        """Data from the same source as those held out, (n, dim), and none of them: what floors are measured with."""
        found = self.further if self.training is None else self.training
        assert found is not None  # checked when it was made
        return found

    @property
    def classes(self) -> int:
        """The number of classes; 0 for data that have none."""
        return 0 if self.held_out_class is None else int(self.held_out_class.max()) + 1

    @property
    def classifier_description(self) -> str:
        """A description of `classify` and of how its accuracy was measured; empty for data without classes."""
        if self.held_out_class is None:
            return ""
        if self.classifier is not None:
            return self.classifier.description
        return (
            "the vote of the five nearest training examples; its accuracy is that on "
            f"the {len(self.held_out):,} held-out ones"
        )

    @property
    def classifier_accuracy(self) -> float | None:
        """Share that `classify` gets right, of the held-out examples or as the classifier says; None without classes."""
        if self.held_out_class is None:
            return None
        if self.classifier is not None:
            return self.classifier.accuracy
        return float((self.classify(self.held_out) == self.held_out_class).mean())

    def classify(self, x: Array) -> npt.NDArray[np.int64]:
        """The class of points (k, dim).

        Without a classifier: that of most of the five nearest training examples, of the nearest in a tie.
        """
        if self.classifier is not None:
            return self.classifier.classify(x)
        assert self.training is not None, "no classifier, and no training examples to be one"
        assert self.training_class is not None, "data without classes"
        count = min(5, len(self.training))
        nearest = self._tree.query(x, range(1, count + 1))[1]
        votes = np.zeros((len(x), self.classes))
        for place in range(count):
            # A vote of an earlier neighbour counts a little more, which decides ties and nothing else.
            votes[np.arange(len(x)), self.training_class[nearest[:, place]]] += 1.0 - 1e-3 * place
        return np.asarray(votes.argmax(axis=1), dtype=np.int64)

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree  # when it is asked for: most targets have no examples

        return cKDTree(self.training)
