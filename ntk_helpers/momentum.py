"""SGD with heavy-ball momentum in function space: squared loss, a frozen kernel, exact second moments.

The setting and the letters are those of `ntk_helpers.dynamics`. One step moves a velocity w and z by

    w <- beta w - (eta / S) K D_B z_train,        z <- z + w,        w = 0 at the start,

so the second moments of the pair (z, w) obey a closed linear equation.
"""

import numbers

import numpy as np
from scipy.optimize import brentq

from ntk_helpers import _checks
from ntk_helpers._precision import float64
from ntk_helpers._stability import noise_factor, stability_threshold, warn_above
from ntk_helpers.dynamics import Moments

__all__ = ["momentum_moments", "momentum_threshold"]


@float64
def momentum_moments(
    kernel, residual, *, learning_rate, batch_size, momentum, steps, replacement=True
) -> Moments:
    """Exact mean and second moment of the residual along mini-batch SGD with momentum.

    With P = E[z z^T], C = E[z w^T], V = E[w w^T] and nu as in `sgd_moments`, C and P on the training columns
    where K multiplies them,

        V <- beta^2 V - (beta eta / N) (C^T K^T + K C)
             + eta^2 K [ (1 - nu) P / N^2 + nu diag(P) / N ] K^T,
        C <- beta C - (eta / N) P K^T + V,
        P <- P + (C - V) + (C - V)^T + V,

    each line with the V and C of the lines above it, and the C of the last step in the first.

    Parameters
    ----------
    kernel, learning_rate, batch_size, steps, replacement : as in `sgd_moments`.
    residual : (P,), at the start, where the velocity is zero.
    momentum : beta, between -1 and 1.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        As in `sgd_moments`, for a momentum outside of (-1, 1), or for several outputs.

    Warns
    -----
    UserWarning
        Above `momentum_threshold`; the moments are right there too, and grow.

    Notes
    -----
    Derived in chapter 18. The loss of this process is studied by Velikanov, Kuznedelev and Yarotsky (2023).
    """
    _checks.positive(learning_rate=learning_rate)
    beta = _checked_momentum(momentum)
    counts = _checks.step_counts(steps)
    if np.ndim(residual) != 1:
        raise ValueError(f"residual must have one axis, got shape {np.shape(residual)}; call once an output")
    kernel, state, eigenvalues, _ = _checks.kernel_and_residual(kernel, residual)
    n = len(eigenvalues)
    nu = noise_factor(n, batch_size, replacement)
    batches = {"batch_size": batch_size, "replacement": replacement}
    threshold = momentum_threshold(kernel[:n], momentum=beta, **batches)
    warn_above(threshold, learning_rate, "the mean-square stability threshold", "the second moment", 4)
    z, w = state[:, 0], np.zeros(len(state))
    second = np.outer(z, z)
    cross, velocity = np.zeros_like(second), np.zeros_like(second)
    kept = []
    for step in range(counts[-1] + 1):
        if step in counts:
            kept.append((z, second))
        w = beta * w - learning_rate / n * kernel @ z[:n]
        z = z + w
        train = second[:n, :n]
        kick = (1 - nu) / n**2 * train + nu / n * np.diag(np.diag(train))
        pull = beta * learning_rate / n * kernel @ cross[:n]
        velocity = beta**2 * velocity - pull - pull.T + learning_rate**2 * kernel @ kick @ kernel.T
        moved = beta * cross - learning_rate / n * second[:, :n] @ kernel.T  # E[z w'^T], the old z
        cross = moved + velocity
        second = second + moved + moved.T + velocity
    return Moments(*map(np.array, zip(*kept, strict=True)))


@float64
def momentum_threshold(kernel, *, batch_size, momentum, replacement=True) -> float:
    """Return the learning rate up to which the second moment of SGD with momentum stays bounded.

    Parameters
    ----------
    kernel : (N, N), of the training points.
    batch_size, momentum, replacement : as in `momentum_moments`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As in `momentum_moments`.

    Notes
    -----
    The condition of `stability_threshold` with, for x_i = eta lambda_i / N,

        W_ij = nu N x_i x_j / (1 / R_ij + nu x_i x_j),
        1 / R_ij = ((1 - beta)^2 [(1 + beta) (x_i + x_j) - x_i x_j] + beta (x_i - x_j)^2) / (1 - beta^2),

    where R_ij is the sum over time of the products of the responses of modes i and j to one kick. For the
    full batch it is 2 (1 + beta) N / lambda_max. Derived in chapter 18.
    """
    beta = _checked_momentum(momentum)
    _, _, eigenvalues, q = _checks.kernel_and_residual(kernel, np.zeros(np.shape(kernel)[:1]))
    n, largest = len(eigenvalues), eigenvalues[-1]
    nu = noise_factor(n, batch_size, replacement)
    if beta == 0 or largest == 0:
        return stability_threshold(kernel, batch_size=batch_size, replacement=replacement)
    descent = 2 * (1 + beta) * n / largest
    if nu == 0:
        return descent
    pairs = np.einsum("ki,li->kli", q, q).reshape(n * n, n)

    def excess(rate):
        x = rate * eigenvalues / n
        product = x[:, None] * x
        total = (1 - beta) ** 2 * ((1 + beta) * (x[:, None] + x) - product) + beta * (x[:, None] - x) ** 2
        total = total / (1 - beta**2) + nu * product
        w = nu * n * product / np.where(product > 0, total, 1.0)
        gain = np.sum((pairs @ w) * pairs, axis=1).reshape(n, n)
        return np.linalg.eigvalsh(gain)[-1] - 1

    # The first crossing: the gain is small at first, and above one at the threshold of descent.
    return float(brentq(excess, 1e-9 * descent, descent * (1 - 1e-12), rtol=1e-12))


def _checked_momentum(momentum) -> float:
    if not (isinstance(momentum, numbers.Real) and -1 < float(momentum) < 1):
        raise ValueError(f"momentum must be a number between -1 and 1, got {momentum!r}; 0 is plain SGD")
    return float(momentum)
