"""How noisy a batch is, and the learning rates at which the second moment of SGD stays bounded."""

import warnings

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, eigsh

from ntk_helpers import _checks
from ntk_helpers._precision import float64


def noise_factor(n: int, batch_size: int, replacement: bool) -> float:
    """nu, the variance of a batch mean over that of the data: 1/S, or (N - S) / (S (N - 1))."""
    _checks.positive_integer("batch_size", batch_size)
    if replacement:
        return 1 / batch_size
    if batch_size > n:
        raise ValueError(
            f"batch_size must be at most N = {n} without replacement, got {batch_size}; pass replacement=True"
        )
    return (n - batch_size) / (batch_size * (n - 1)) if n > 1 else 0.0


def warn_above(threshold, learning_rate, name, what, stacklevel) -> None:
    if learning_rate > threshold:
        warnings.warn(
            f"learning_rate = {learning_rate:.4g} is above {name} = {threshold:.4g}:"
            f" {what} grows without bound",
            stacklevel=stacklevel,
        )


@float64
def stability_threshold(kernel, *, batch_size, replacement=True) -> float:
    """Return the learning rate up to which the second moment of mini-batch SGD stays bounded.

    Parameters
    ----------
    kernel : (N, N), of the training points.
    batch_size, replacement : as in `ntk_helpers.dynamics.sgd_moments`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As in `sgd_moments`.

    Notes
    -----
    A second moment that one step leaves as it is satisfies, in the eigenbasis K = Q diag(lambda) Q^T,

        M = W * (Q^T diag(d) Q),
        W_ij = nu eta lambda_i lambda_j / (lambda_i + lambda_j - (1 - nu) eta lambda_i lambda_j / N),

    with d the diagonal of Q M Q^T and nu as in `sgd_moments`. So d = G(eta) d with a symmetric matrix G that
    grows with eta; the threshold is the eta at which its largest eigenvalue reaches one. For the full batch
    (nu = 0) it is 2 N / lambda_max.
    """
    _, _, eigenvalues, q = _checks.kernel_and_residual(kernel, np.zeros(np.shape(kernel)[:1]))
    n, largest = len(eigenvalues), eigenvalues[-1]
    nu = noise_factor(n, batch_size, replacement)
    if largest == 0:
        return float("inf")
    if nu == 0:
        return 2 * n / largest
    # In x = eta lambda_max / N the threshold lies in (0, 2 / (1 - nu)); for S = 1 that interval has no end,
    # but G is linear.
    lam = eigenvalues / largest
    if nu == 1:
        return float(n / largest / _largest_gain(1.0, lam, q, nu))
    end = 2 / (1 - nu)
    x = brentq(lambda x: _largest_gain(x, lam, q, nu) - 1, end * 1e-9, end * (1 - 1e-12), rtol=1e-12)
    return float(n / largest * x)


def _largest_gain(x, lam, q, nu):
    n = len(lam)
    product = lam[:, None] * lam
    total = lam[:, None] + lam - (1 - nu) * x * product
    w = nu * x * n * product / np.where(product > 0, total, 1.0)

    def gain(d):
        inner = w * ((q.T * d.ravel()) @ q)
        return np.sum((q @ inner) * q, axis=1)

    operator = LinearOperator((n, n), matvec=gain, dtype=np.float64)
    if n < 3:
        return np.linalg.eigvalsh(operator @ np.eye(n))[-1]
    return eigsh(operator, k=1, which="LA", v0=np.ones(n), return_eigenvectors=False)[0]
