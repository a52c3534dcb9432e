"""Training in function space with squared loss and a frozen kernel: gradient flow, GD, SGD and its SDE.

Setting (paper S, section 2): N examples, loss (1/N) sum_i |f(x_i) - y_i|^2 / 2, kernel K frozen. The state
is the residual z = f - y on P points of which the first N are the training points; on a test point, whose
label plays no part, put y = 0 or the label, as you like. With K of shape (P, N), its columns the training
points, one step of size eta on a batch B of S examples moves every point by

    z <- z - (eta / S) K D_B z_train,          D_B = diag(how often each training point is in B).

D_B is drawn afresh at each step, so mean and second moment of z obey closed linear equations, which are
solved here without sampling. Every function takes several outputs at once: z of shape (P, o), which share K
and the batches. Where a function takes `steps`, it is a number of steps, and every one from 0 on is returned,
or an increasing sequence of those to return.
"""

import warnings
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, eigsh

from ntk_helpers import _checks
from ntk_helpers._precision import float64


class Moments(NamedTuple):
    """Mean and second moment of the residual along training.

    mean: (T, P) or (T, P, o). second: (T, P, P) or (T, P, P, o), the raw moment E[z z^T] of each output.
    """

    mean: np.ndarray
    second: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """second - mean mean^T, of the shape of `second`."""
        return self.second - self.mean[:, :, None] * self.mean[:, None, :]


def _checked(kernel, residual) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Kernel (P, N), residual (P, o), and eigenvalues (N,) and eigenvectors (N, N) of the training block."""
    given = _checks.unmasked("kernel", kernel)
    kernel, residual = (
        np.asarray(kernel, np.float64),
        np.asarray(_checks.unmasked("residual", residual), np.float64),
    )
    if kernel.ndim != 2 or kernel.shape[0] < kernel.shape[1] or kernel.shape[1] == 0:
        raise ValueError(
            "kernel must have shape (P, N) with P >= N >= 1, all points by training points,"
            f" got {kernel.shape}"
        )
    if residual.ndim not in (1, 2) or residual.shape[0] != kernel.shape[0]:
        raise ValueError(
            f"residual must have shape (P,) or (P, o) with P = {kernel.shape[0]} as in kernel,"
            f" got {residual.shape}"
        )
    for name, value in (("kernel", kernel), ("residual", residual)):
        if not np.isfinite(value).all():
            raise ValueError(f"{name} must be finite, got {value[~np.isfinite(value)][0]}")
    n = kernel.shape[1]
    scale = np.abs(kernel[:n]).max()
    asymmetry = np.abs(kernel[:n] - kernel[:n].T).max()
    if asymmetry > 1e-8 * scale:
        raise ValueError(
            f"kernel must be symmetric on the training points, got |K - K^T| up to {asymmetry:.3g};"
            f" pass (K + K.T) / 2{_single_precision(given, kernel, asymmetry)}"
        )
    eigenvalues, eigenvectors = np.linalg.eigh((kernel[:n] + kernel[:n].T) / 2)
    if eigenvalues[0] < -1e-8 * max(scale, eigenvalues[-1]):
        raise ValueError(
            "kernel must be positive semi-definite on the training points,"
            f" got the eigenvalue {eigenvalues[0]:.3g}{_single_precision(given, kernel, -eigenvalues[0])}"
        )
    return kernel, residual.reshape(len(residual), -1), np.maximum(eigenvalues, 0.0), eigenvectors


def _positive(**values) -> None:
    for name, value in values.items():
        if not (np.ndim(value) == 0 and np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, got {value!r}")


def _single_precision(given, kernel, error) -> str:
    """What to say of an error that the rounding of float32 explains."""
    n = kernel.shape[1]
    rounding = n * np.finfo(np.float32).eps * np.abs(kernel[:n]).max()
    if getattr(given, "dtype", None) != np.float32 or error > rounding:
        return ""
    return (
        f". It is float32, whose rounding moves eigenvalues by up to {rounding:.1g}: compute it in float64, "
        "from net.init(key, dtype='float64')"
    )


def _counts(steps) -> np.ndarray:
    """The step counts to return: 0, 1, ..., steps, or the sequence that was given."""
    if np.ndim(steps) == 0:
        _checks.positive_integer("steps", steps)
        return np.arange(steps + 1)
    counts = np.asarray(steps)
    whole = counts.ndim == 1 and counts.size > 0 and np.issubdtype(counts.dtype, np.integer)
    if not whole or counts[0] < 0 or (np.diff(counts) <= 0).any():
        raise ValueError(
            f"steps must be a positive integer or an increasing sequence of integers >= 0, got {steps!r}"
        )
    return counts


def _checked_times(times) -> np.ndarray:
    times = np.asarray(_checks.unmasked("times", times), np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (times < 0).any() or (np.diff(times) < 0).any():
        raise ValueError(
            f"times must be a one-dimensional, non-decreasing array of numbers >= 0, got {times!r}"
        )
    return times


def _spectral(kernel, residual, factor, integral) -> np.ndarray:
    """z_k on all points, from factor_k(lambda) and integral_k(lambda) = (1 - factor_k) / lambda.

    z_train = Q factor Q^T z_0 and z_test = z_test,0 - K_test Q integral Q^T z_0. Returns (T, P, o).
    """
    kernel, state, eigenvalues, q = _checked(kernel, residual)
    n = len(eigenvalues)
    modes = q.T @ state[:n]
    train = np.einsum("ij,tj,jo->tio", q, factor(eigenvalues), modes)
    moved = np.einsum("pj,tj,jo->tpo", kernel[n:] @ q, integral(eigenvalues), modes)
    return np.concatenate([train, state[n:] - moved], axis=1).reshape(-1, *np.shape(residual))


def gradient_flow(kernel, residual, *, times) -> np.ndarray:
    """Residual under gradient flow at the given times: z' = -(1/N) K z_train.

    kernel: (P, N); residual: (P,) or (P, o) at time 0; times: (T,), non-decreasing. Returns (T, P) or (T,
    P, o), float64. Raises ValueError for a kernel that is not symmetric positive semi-definite on the
    training points. Paper S, equations (10) and (11) without noise: z_train(t) = exp(-t K / N) z_train(0).
    """
    times = _checked_times(times)[:, None]
    n = np.shape(kernel)[1] if np.ndim(kernel) == 2 else 1

    def integral(lam):
        safe = np.where(lam > 0, lam, 1.0)
        return np.where(lam > 0, -np.expm1(-times * lam / n) / safe, times / n)

    return _spectral(kernel, residual, lambda lam: np.exp(-times * lam / n), integral)


def gradient_descent(kernel, residual, *, learning_rate, steps) -> np.ndarray:
    """Residual along full-batch gradient descent: z <- z - (eta / N) K z_train.

    kernel: (P, N); residual: (P,) or (P, o). steps: a number, for 0, 1, ..., steps, or an increasing sequence
    of T step counts. Returns (T, P) or (T, P, o), float64. Raises ValueError as gradient_flow does, or for a
    learning rate or a number of steps that is not positive. Warns (UserWarning) above 2 N / lambda_max; the
    residuals are right there too, and grow.
    """
    _positive(learning_rate=learning_rate)
    rate = learning_rate / (np.shape(kernel)[1] if np.ndim(kernel) == 2 else 1)
    k = _counts(steps)[:, None]

    def integral(lam):
        # (1 - (1 - x)^k) / lam with x = rate lam: through expm1 and log1p where x is small, plainly
        # elsewhere.
        x = rate * lam
        small = np.where(x < 0.5, x, 0.0)
        safe = np.where(lam > 0, lam, 1.0)
        gone = np.where(x < 0.5, -np.expm1(k * np.log1p(-small)), 1 - (1 - x) ** k)
        return np.where(lam > 0, gone / safe, k * rate)

    path = _spectral(kernel, residual, lambda lam: (1 - rate * lam) ** k, integral)
    n = np.shape(kernel)[1]
    threshold = stability_threshold(np.asarray(kernel)[:n], batch_size=n, replacement=False)
    _warn_above(threshold, learning_rate, "the stability threshold 2 N / lambda_max", "the residual", 3)
    return path


def _warn_above(threshold, learning_rate, name, what, stacklevel) -> None:
    if learning_rate > threshold:
        warnings.warn(
            f"learning_rate = {learning_rate:.4g} is above {name} = {threshold:.4g}:"
            f" {what} grows without bound",
            stacklevel=stacklevel,
        )


def _noise_factor(n: int, batch_size: int, replacement: bool) -> float:
    """nu, the variance of a batch mean over that of the data: 1/S, or (N - S) / (S (N - 1))."""
    _checks.positive_integer("batch_size", batch_size)
    if replacement:
        return 1 / batch_size
    if batch_size > n:
        raise ValueError(
            f"batch_size must be at most N = {n} without replacement, got {batch_size}; pass replacement=True"
        )
    return (n - batch_size) / (batch_size * (n - 1)) if n > 1 else 0.0


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
    kernel, state, eigenvalues, q = _checked(kernel, residual)
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

    because E[D_B M D_B] / S^2 = M/N^2 + nu (diag(M)/N - M/N^2) for both ways of drawing a batch.

    kernel: (P, N), the first N rows the training points; residual: (P,) or (P, o). steps: a number, for the
    moments after 0, 1, ..., steps, or an increasing sequence of T step counts; a second moment takes 8 P^2
    bytes, a step two products of N x N matrices. Batches are drawn independently at each step: epochs
    without replacement are not this. Raises ValueError for a bad kernel or a batch larger than N without
    replacement. Warns (UserWarning) above the mean-square stability threshold, see `stability_threshold`;
    the moments are right there too, and grow.
    Source: the closed form of paper S's section 2 for squared loss; derived in chapter 7.
    """
    _positive(learning_rate=learning_rate)
    counts = _counts(steps)
    rows, state, q, basis = _rotated(kernel, residual)
    noise = _noise_factor(len(q), batch_size, replacement)
    threshold = stability_threshold(
        np.asarray(kernel)[: len(q)], batch_size=batch_size, replacement=replacement
    )
    _warn_above(threshold, learning_rate, "the mean-square stability threshold", "the second moment", 4)
    return _moments(
        *_sgd_path(rows, state, q, basis, learning_rate, noise, np.diff(counts, prepend=0)), residual
    )


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

    Arguments as in sgd_moments; times: (T,), non-decreasing, in units in which one step of SGD takes the
    time eta. The linear equation for M is integrated by scipy's DOP853 to the relative `tolerance`. Raises
    ValueError as sgd_moments does. Source: paper S, Proposition 1 and the equation above (10).
    """
    _positive(learning_rate=learning_rate, tolerance=tolerance)
    times, which = np.unique(_checked_times(times), return_inverse=True)
    if not len(times):
        raise ValueError("times must hold at least one time, got none")
    rows, state, q, basis = _rotated(kernel, residual)
    n = len(q)
    noise = learning_rate * _noise_factor(n, batch_size, replacement=True)
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
        second = np.einsum(
            "ij,tjk,lk->til", basis, solution.y.T.reshape(-1, *start.shape), basis, optimize=True
        )
        paths.append(second)
    return _moments(np.moveaxis(mean[which], -1, 0), np.array(paths)[:, which], residual)


@jax.jit
def _sde_rate(rows, q, flat, noise):
    n, points = len(q), len(rows)
    second = flat.reshape(points, points)
    drift = _times(rows, second[:n]) / n
    return (noise * _sandwich(rows, _spread(q, second[:n, :n])) - drift - drift.T).ravel()


@float64
def sample_sde(key, kernel, residual, *, learning_rate, batch_size, times, samples, substeps=1) -> np.ndarray:
    """Paths of the SDE of `sde_moments`, by Euler-Maruyama with `substeps` steps between consecutive times.

    key: a jax random key. times: (T,), non-decreasing, the first one being the time of `residual`. Returns
    (samples, T, P) or (samples, T, P, o), float64. The noise of the N training points is K (z w / sqrt N -
    z sum(w) / N^{3/2}), w standard normal, whose covariance given z is K C(z) K^T; the outputs share w, as
    they share the batches.
    """
    _positive(learning_rate=learning_rate)
    key = _checks.random_key("key", key)
    for name, value in (("samples", samples), ("substeps", substeps)):
        _checks.positive_integer(name, value)
    times = _checked_times(times)
    kernel, state, eigenvalues, _ = _checked(kernel, residual)
    noise = learning_rate * _noise_factor(len(eigenvalues), batch_size, replacement=True)
    paths = _sde_paths(key, kernel, state, noise, np.diff(times), samples, substeps)
    return np.asarray(paths).reshape(samples, len(times), *np.shape(residual))


@partial(jax.jit, static_argnames=("samples", "substeps"))
def _sde_paths(key, kernel, state, noise, spacings, samples, substeps):
    n = kernel.shape[1]

    def substep(z, key, dt):
        w = jax.random.normal(key, (n, 1), kernel.dtype)
        train = z[:n]
        kick = (train * w - train * jnp.sum(w) / n) / jnp.sqrt(n)
        return z + kernel @ (-dt / n * train + jnp.sqrt(noise * dt) * kick)

    def interval(z, inputs):
        dt, key = inputs
        z, _ = jax.lax.scan(
            lambda z, key: (substep(z, key, dt / substeps), None), z, jax.random.split(key, substeps)
        )
        return z, z

    def path(key):
        _, rest = jax.lax.scan(interval, state, (spacings, jax.random.split(key, len(spacings))))
        return jnp.concatenate([state[None], rest])

    return jax.vmap(path)(jax.random.split(key, samples))


@float64
def sample_sgd(
    key, kernel, residual, *, learning_rate, batch_size, steps, samples, replacement=True
) -> np.ndarray:
    """Paths of mini-batch SGD in function space: z <- z - (eta / S) K D_B z.

    Batches are drawn independently at each step. Arguments as in sgd_moments. Returns (samples, T, P) or
    (samples, T, P, o), float64. The outputs share the batches.
    """
    _positive(learning_rate=learning_rate)
    key = _checks.random_key("key", key)
    _checks.positive_integer("samples", samples)
    counts = _counts(steps)
    kernel, state, eigenvalues, _ = _checked(kernel, residual)
    _noise_factor(len(eigenvalues), batch_size, replacement)
    paths = _sgd_paths(
        key, kernel, state, learning_rate, batch_size, np.diff(counts, prepend=0), samples, replacement
    )
    return np.asarray(paths).reshape(samples, len(counts), *np.shape(residual))


@partial(jax.jit, static_argnames=("batch_size", "samples", "replacement"))
def _sgd_paths(key, kernel, state, learning_rate, batch_size, gaps, samples, replacement):
    ends = jnp.cumsum(gaps)

    def step(k, z, key):
        # a key of its own for each step: a path is the same whichever of its steps are kept
        batch = jax.random.choice(
            jax.random.fold_in(key, k), kernel.shape[1], (batch_size,), replace=replacement
        )
        return z - learning_rate / batch_size * kernel[:, batch] @ z[batch]

    def path(key):
        def until_kept(z, gap_and_end):
            gap, end = gap_and_end
            z = jax.lax.fori_loop(end - gap, end, partial(step, key=key), z)
            return z, z

        return jax.lax.scan(until_kept, state, (gaps, ends))[1]

    return jax.vmap(path)(jax.random.split(key, samples))


@float64
def stability_threshold(kernel, *, batch_size, replacement=True) -> float:
    """The learning rate up to which the second moment of mini-batch SGD on the training points stays bounded.

    kernel: (N, N). A second moment that one step leaves as it is satisfies, in the eigenbasis K = Q
    diag(lambda) Q^T,

        M = W * (Q^T diag(d) Q),
        W_ij = nu eta lambda_i lambda_j / (lambda_i + lambda_j - (1 - nu) eta lambda_i lambda_j / N),

    with d the diagonal of Q M Q^T and nu as in sgd_moments. So d = G(eta) d with a symmetric matrix G that
    grows with eta; the threshold is the eta at which its largest eigenvalue reaches one. For the full batch
    (nu = 0) it is 2 N / lambda_max. Raises ValueError as sgd_moments does.
    """
    _, _, eigenvalues, q = _checked(kernel, np.zeros(np.shape(kernel)[:1]))
    n, largest = len(eigenvalues), eigenvalues[-1]
    nu = _noise_factor(n, batch_size, replacement)
    if largest == 0:
        return float("inf")
    if nu == 0:
        return 2 * n / largest
    # In x = eta lambda_max / N the threshold lies in (0, 2 / (1 - nu)); for S = 1 that interval has no end,
    # but G is linear.
    lam = eigenvalues / largest

    def excess(x):
        return _largest_gain(lam, q, nu, x) - 1

    if nu == 1:
        return float(n / largest / (excess(1.0) + 1))
    end = 2 / (1 - nu)
    return float(n / largest * brentq(excess, end * 1e-9, end * (1 - 1e-12), rtol=1e-12))


def _largest_gain(lam, q, nu, x):
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
