"""MNIST by kernel ridge regression with the infinite-width kernels of ReLU networks (chapter 2).

For each depth, both kernels (NNGP and NTK), several numbers of training images and several ridges, the
accuracy on the whole test set. Nothing is selected on the test set: every combination is written down.
A float64 kernel of all 60,000 training images takes 29 GB, so the larger scale stops at 10,000.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ntk_helpers import data, kernels
from ntk_helpers.experiments._runner import Experiment

CLASSES = 10


def unit_pixels(x: np.ndarray) -> np.ndarray:
    """Images (n, d) in float64, each scaled to mean squared pixel one: Sigma^1(x, x) is one number."""
    x = np.asarray(x, np.float64)
    return x / np.sqrt(np.mean(x**2, axis=1, keepdims=True))


def scores(
    train: np.ndarray, test: np.ndarray, y_train: np.ndarray, y_test: np.ndarray, ridge: float
) -> dict:
    """Accuracy and mean squared error of kernel ridge regression on one-hot labels less their mean.

    Parameters
    ----------
    train : (n, n) kernel of the training images.
    test : (m, n) kernel of test against training images.
    y_train, y_test : (n,) and (m,) labels.
    ridge : the number added to the diagonal of `train`, in units of its mean.
    """
    mean = 1 / CLASSES
    labels = np.eye(CLASSES)
    regularised = train.copy()
    np.fill_diagonal(regularised, np.diag(train) + ridge * np.mean(np.diag(train)))
    coefficients = cho_solve(cho_factor(regularised, overwrite_a=True), labels[y_train] - mean)
    outputs = test @ coefficients + mean
    return {
        "accuracy": float(np.mean(np.argmax(outputs, axis=1) == y_test)),
        "squared_error": float(np.mean((outputs - labels[y_test]) ** 2)),
    }


def slices(settings: dict) -> list[dict]:
    """One slice a depth: all sizes share its kernels."""
    return [{"depth": depth} for depth in settings["depths"]]


def run(settings: dict, piece: dict) -> dict:
    """Scores of both kernels at one depth for every number of training images and every ridge."""
    images = data.load("mnist")
    largest = max(settings["train_sizes"])
    x_train, y_train = unit_pixels(images.x_train[:largest]), images.y_train[:largest]
    x_test, y_test = (
        unit_pixels(images.x_test[: settings["test_size"]]),
        images.y_test[: settings["test_size"]],
    )
    network = {key: settings[key] for key in ("activation", "sigma_w", "sigma_b")} | piece
    train, test = kernels.fcn_kernels(x_train, **network), kernels.fcn_kernels(x_test, x_train, **network)
    return {
        "rows": [
            {"kernel": kernel, "train_size": n, "ridge": ridge}
            | scores(getattr(train, kernel)[:n, :n], getattr(test, kernel)[:, :n], y_train[:n], y_test, ridge)
            for kernel in ("nngp", "ntk")
            for n in settings["train_sizes"]
            for ridge in settings["ridges"]
        ]
    }


COMMON = {
    "activation": "relu",
    "sigma_w": 2**0.5,
    "sigma_b": 0.1,
    "ridges": [1e-6, 1e-3, 1e-1],
    "seeds": [],  # the first images in the official order; nothing is drawn
}

EXPERIMENT = Experiment(
    summary="MNIST by kernel regression with the NNGP and the NTK of ReLU networks of several depths",
    scales={
        "quick": COMMON | {"depths": [1, 3], "train_sizes": [300, 1_000], "test_size": 2_000},
        "paper": COMMON
        | {"depths": [1, 2, 3, 10], "train_sizes": [1_000, 3_000, 10_000], "test_size": 10_000},
    },
    slices=slices,
    run=run,
    data=("mnist",),
)
