"""Training in function space with squared loss and a frozen kernel: gradient flow, GD, SGD and its SDE.

Setting (paper S, section 2): N examples, loss (1/N) sum_i |f(x_i) - y_i|^2 / 2, kernel K frozen. The state
is the residual z = f - y on P points of which the first N are the training points; a test point's label
plays no part, y = 0 will do. With K of shape (P, N) one step of size eta on a batch B of S examples is

    z <- z - (eta / S) K D_B z_train,          D_B = diag(how often each training point is in B).

D_B is drawn afresh at each step, so mean and second moment of z obey closed linear equations, which are
solved here without sampling. Several outputs, z of shape (P, o), share K and the batches.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import exprel

from ntk_helpers import _checks
from ntk_helpers._precision import float64, numbers
from ntk_helpers._samplers import sample_sde, sample_sgd
from ntk_helpers._stability import noise_factor, stability_threshold, warn_above

__all__ = [
    "Moments", "gradient_descent", "gradient_flow", "sample_sde", "sample_sgd", "sde_moments",
    "sgd_moments", "sgd_moments_step", "stability_threshold",
]  # fmt: skip


class Moments(NamedTuple):
    """Mean and second moment of the residual along training.

    Attributes
    ----------
    mean : (T, P) or (T, P, o).
    second : (T, P, P) or (T, P, P, o), the raw moment E[z z^T] of each output.
    """

    mean: np.ndarray
    second: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """The covariance second - mean mean^T, of the shape of `second`."""
        return self.second - self.mean[:, :, None] * self.mean[:, None, :]


def _spectral(kernel, residual, factor, integral) -> np.ndarray:
    """z_k on all points, from factor_k(lambda) and integral_k(lambda) = (1 - factor_k) / lambda.

    z_train = Q factor Q^T z_0 and z_test = z_test,0 - K_test Q integral Q^T z_0. Returns (T, P, o).
    """
    kernel, state, eigenvalues, q = _checks.kernel_and_residual(kernel, residual)
    n = len(eigenvalues)
    modes = q.T @ state[:n]
    train = np.einsum("ij,tj,jo->tio", q, factor(eigenvalues), modes)
    moved = np.einsum("pj,tj,jo->tpo", kernel[n:] @ q, integral(eigenvalues), modes)
    return np.concatenate([train, state[n:] - moved], axis=1).reshape(-1, *np.shape(residual))


@numbers
def gradient_flow(kernel, residual, *, times) -> np.ndarray:
    """Residual under gradient flow: z' = -(1/N) K z_train.

    Parameters
    ----------
    kernel : (P, N), the first N rows the training points.
    residual : (P,) or (P, o), at time 0.
    times : (T,), non-decreasing.

    Returns
    -------
    (T, P) or (T, P, o), float64.

    Raises
    ------
    ValueError
        If the kernel is not symmetric positive semi-definite on the training points, or an argument does not
        fit.

    Notes
    -----
    Paper S, equations (10) and (11) without noise: z_train(t) = exp(-t K / N) z_train(0).
    """
    times = _checks.times(times)[:, None]
    n = np.shape(kernel)[1] if np.ndim(kernel) == 2 else 1

    def integral(lam):
        return times / n * exprel(-times * lam / n)

    return _spectral(kernel, residual, lambda lam: np.exp(-times * lam / n), integral)


@numbers
def gradient_descent(kernel, residual, *, learning_rate, steps) -> np.ndarray:
    """Residual along full-batch gradient descent: z <- z - (eta / N) K z_train.

    Parameters
    ----------
    kernel, residual : as in `gradient_flow`.
    learning_rate : positive number.
    steps : a number, for the residual after 0, 1, ..., steps, or an increasing sequence of T step counts.

    Returns
    -------
    (T, P) or (T, P, o), float64.

    Raises
    ------
    ValueError
        As in `gradient_flow`.

    Warns
    -----
    UserWarning
        Above 2 N / lambda_max; the residuals are right there too, and grow.
    """
    _checks.positive(learning_rate=learning_rate)
    rate = learning_rate / (np.shape(kernel)[1] if np.ndim(kernel) == 2 else 1)
    k = _checks.step_counts(steps)[:, None]

    def integral(lam):
        x = rate * lam  # 1 - (1 - x)^k cancels where x is small
        gone = np.where(x < 0.5, -np.expm1(k * np.log1p(-np.minimum(x, 0.5))), 1 - (1 - x) ** k)
        return np.where(lam > 0, gone / np.where(lam > 0, lam, 1.0), k * rate)

    path = _spectral(kernel, residual, lambda lam: (1 - rate * lam) ** k, integral)
    n = np.shape(kernel)[1]
    threshold = stability_threshold(np.asarray(kernel)[:n], batch_size=n, replacement=False)
    warn_above(threshold, learning_rate, "the stability threshold 2 N / lambda_max", "the residual", 4)
    return path


def sgd_moments_step(kernel, mean, second, *, learning_rate, noise):
    """Mean and second moment of the residual after one more step of SGD: the equation of `sgd_moments`.

    Parameters
    ----------
    kernel : (P, N).
    mean, second : (P,) and (P, P), E z and M.
    learning_rate : eta.
    noise : nu, the variance factor.

    Returns
    -------
    The two moments, of the same shapes.
    """
    points, n = kernel.shape
    a = jnp.eye(points).at[:, :n].add(-learning_rate / n * kernel)
    train = second[:n, :n]
    spread = jnp.diag(jnp.diag(train)) / n - train / n**2
    return a @ mean, a @ second @ a.T + noise * learning_rate**2 * kernel @ spread @ kernel.T


# The same in the eigenbasis of the training block, where K is diagonal: two products of matrices a step.


def _spread(q, train):
    """diag(M)/N - M/N^2, the covariance over the data of e_i z_i; M and the result in the eigenbasis Q."""
    n = len(q)
    diagonal = jnp.sum((q @ train) * q, axis=1)
    return (q.T * diagonal) @ q / n - train / n**2


def _times(rows, x):
    """rows @ x, where the first N rows are diagonal."""
    n = rows.shape[1]
    train = jnp.diag(rows[:n])[:, None] * x
    return train if len(rows) == n else jnp.concatenate([train, rows[n:] @ x])


def _sandwich(rows, inner):
    return _times(rows, _times(rows, inner).T)


def _rotated(kernel, residual):
    """The problem in the eigenbasis of the training block: rows (P, N), states (P, o), Q, the way back."""
    kernel, state, eigenvalues, q = _checks.kernel_and_residual(kernel, residual)
    n, points = len(eigenvalues), len(state)
    rows = np.concatenate([np.diag(eigenvalues), kernel[n:] @ q])
    basis = np.eye(points)
    basis[:n, :n] = q
    return rows, basis.T @ state, q, basis


@jax.jit
def _sgd_path(rows, states, q, basis, rate, noise, gaps):
    """Moments after each of the gaps, given in numbers of steps: (o, T, P) and (o, T, P, P)."""
    n = len(q)

    def step(_, moments):
        mean, second = moments
        train = second[:n, :n]
        drift = rate / n * _times(rows, second[:n])
        kick = rate**2 * _sandwich(rows, train / n**2 + noise * _spread(q, train))
        return mean - rate / n * _times(rows, mean[:n, None])[:, 0], second - drift - drift.T + kick

    def until_kept(moments, gap):
        mean, second = moments = jax.lax.fori_loop(0, gap, step, moments)
        return moments, (basis @ mean, basis @ second @ basis.T)

    def path(state):
        return jax.lax.scan(until_kept, (state, jnp.outer(state, state)), gaps)[1]

    return jax.lax.map(path, states.T)


@float64
def sgd_moments(kernel, residual, *, learning_rate, batch_size, steps, replacement=True) -> Moments:
    """Exact mean and second moment of the residual along mini-batch SGD.

    With M = E[z z^T], A = I - (eta/N) K on the training columns, and the variance factor nu = 1/S with
    replacement, (N - S) / (S (N - 1)) without,

        E z <- A E z,      M <- A M A^T + nu eta^2 K [ diag(M)/N - M/N^2 ] K^T,

    because E[D_B M D_B] / S^2 = M/N^2 + nu (diag(M)/N - M/N^2) for both ways of drawing a batch. Batches are
    drawn independently at each step: epochs without replacement are not this.

    Parameters
    ----------
    kernel, residual, learning_rate, steps : as in `gradient_descent`.
    batch_size : positive integer S.
    replacement : whether an example may be in a batch twice.

    Returns
    -------
    Moments
        After 0, 1, ..., steps, or the chosen steps. A second moment takes 8 P^2 bytes, a step two products
        of N x N matrices.

    Raises
    ------
    ValueError
        As in `gradient_flow`, or for a batch larger than N without replacement.

    Warns
    -----
    UserWarning
        Above the mean-square stability threshold, see `stability_threshold`; the moments are right there too,
        and grow.

    Notes
    -----
    The closed form of paper S's section 2 for squared loss; derived in chapter 7. `sgd_moments_step` is the
    equation as it stands; this function computes it in the eigenbasis of K.
    """
    _checks.positive(learning_rate=learning_rate)
    counts = _checks.step_counts(steps)
    rows, state, q, basis = _rotated(kernel, residual)
    noise = noise_factor(len(q), batch_size, replacement)
    batches = {"batch_size": batch_size, "replacement": replacement}
    threshold = stability_threshold(np.asarray(kernel)[: len(q)], **batches)
    warn_above(threshold, learning_rate, "the mean-square stability threshold", "the second moment", 4)
    gaps = np.diff(counts, prepend=0)
    mean, second = _sgd_path(rows, state, q, basis, learning_rate, noise, gaps)
    return _moments(mean, second, residual)


def _moments(mean, second, residual) -> Moments:
    """Moments from arrays whose first axis is the outputs': moved last, or dropped as in `residual`."""
    if np.ndim(residual) == 1:
        return Moments(mean[0], second[0])
    return Moments(np.moveaxis(mean, 0, -1), np.moveaxis(second, 0, -1))


@float64
def sde_moments(kernel, residual, *, learning_rate, batch_size, times, tolerance=1e-10) -> Moments:
    """Mean and second moment of the residual under the SDE of SGD with squared loss and a frozen kernel.

    dz = -(1/N) K z dt + sqrt(eta/S) K C(z)^{1/2} dW with C(z) = diag(z^2)/N - z z^T / N^2 (z on the
    training points), so

        d E z / dt = -(1/N) K E z,
        dM / dt    = -(1/N) (K M + M K^T) + (eta/S) K [ diag(M)/N - M/N^2 ] K^T.

    Parameters
    ----------
    kernel, residual, learning_rate, batch_size : as in `sgd_moments`.
    times : (T,), non-decreasing, in units in which one step of SGD takes the time eta.
    tolerance : relative, of scipy's DOP853, which integrates the linear equation for M.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        As in `sgd_moments`.

    Notes
    -----
    Paper S, Proposition 1 and the equation above (10).
    """
    _checks.positive(learning_rate=learning_rate, tolerance=tolerance)
    times, which = np.unique(_checks.times(times), return_inverse=True)
    if not len(times):
        raise ValueError("times must hold at least one time, got none")
    rows, state, q, basis = _rotated(kernel, residual)
    n = len(q)
    noise = learning_rate * noise_factor(n, batch_size, replacement=True)
    mean = gradient_flow(kernel, residual, times=times).reshape(len(times), len(state), -1)
    paths = []
    for column in state.T:
        start = np.outer(column, column)
        solution = solve_ivp(
            lambda _, m: np.asarray(_sde_rate(rows, q, m, noise)),
            (0.0, max(times[-1], 1e-300)),
            start.ravel(),
            method="DOP853",
            t_eval=times,
            rtol=tolerance,
            atol=tolerance * np.abs(start).max(),
        )
        if not solution.success:
            raise RuntimeError(
                f"the second moment could not be integrated to t = {times[-1]}: {solution.message}"
            )
        second = solution.y.T.reshape(-1, *start.shape)
        paths.append(np.einsum("ij,tjk,lk->til", basis, second, basis, optimize=True))
    return _moments(np.moveaxis(mean[which], -1, 0), np.array(paths)[:, which], residual)


@jax.jit
def _sde_rate(rows, q, flat, noise):
    n, points = len(q), len(rows)
    second = flat.reshape(points, points)
    drift = _times(rows, second[:n]) / n
    return (noise * _sandwich(rows, _spread(q, second[:n, :n])) - drift - drift.T).ravel()
