"""How gradients change parameters: plain steps as in word2vec, or AdaGrad; only rows that a batch met are touched."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["AdaGrad", "PlainSteps", "Update"]

F32 = NDArray[np.float32]


class Update(Protocol):
    """Adds gradients, times −1 and summed over a batch, to parameters."""

    state: dict[str, F32]

    def __call__(
        self,
        name: str,
        parameter: F32,
        rows: NDArray[np.int64] | slice,
        gradient: F32,
        terms: NDArray[np.float64] | None,
        lr: float,
    ) -> None:
        """Change some rows of a parameter in place.

        Args:
            name: Name of the parameter, by which its state is kept.
            parameter: ``[V, …]``.
            rows: Rows with a gradient, each at most once.
            gradient: ``[U, …]``.
            terms: Number of terms that each row's gradient is the sum of, ``[U]``; None where that doesn't matter.
            lr: Learning rate.
        """


class PlainSteps:
    """Adds ``lr`` times the gradient, summed over the batch, as if its pairs came one after another.

    That is true while a word has few pairs in a batch. A frequent word has hundreds, all of which see the same vector,
    and their sum may overshoot. So the sum of more than ``most`` terms is scaled to ``most`` times their mean.

    Args:
        most: Largest number of terms that are added up.
    """

    def __init__(self, most: float) -> None:
        self.most = most
        self.state: dict[str, F32] = {}

    def __call__(
        self,
        name: str,
        parameter: F32,
        rows: NDArray[np.int64] | slice,
        gradient: F32,
        terms: NDArray[np.float64] | None,
        lr: float,
    ) -> None:
        """See `Update`."""
        step = lr if terms is None else lr * np.minimum(1.0, self.most / np.maximum(terms, 1.0)).astype(np.float32)
        parameter[rows] += gradient * np.reshape(step, (-1, *(1,) * (gradient.ndim - 1)))


class AdaGrad:
    """AdaGrad (Duchi, Hazan & Singer 2011): each number's step shrinks with the squares of its gradients so far."""

    def __init__(self) -> None:
        self.state: dict[str, F32] = {}

    def __call__(
        self,
        name: str,
        parameter: F32,
        rows: NDArray[np.int64] | slice,
        gradient: F32,
        terms: NDArray[np.float64] | None,
        lr: float,
    ) -> None:
        """See `Update`."""
        squares = self.state.setdefault(name, np.zeros_like(parameter))
        squares[rows] += gradient**2
        parameter[rows] += lr * gradient / (np.sqrt(squares[rows]) + 1e-8)
