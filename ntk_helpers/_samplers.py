"""Sampled paths of SGD and of its SDE in function space."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks
from ntk_helpers._precision import float64
from ntk_helpers._stability import noise_factor


@float64
def sample_sde(key, kernel, residual, *, learning_rate, batch_size, times, samples, substeps=1) -> np.ndarray:
    """Paths of the SDE of `dynamics.sde_moments`, by Euler-Maruyama.

    The noise of the N training points is K (z w / sqrt N - z sum(w) / N^{3/2}), w standard normal, whose
    covariance given z is K C(z) K^T; the outputs share w, as they share the batches.

    Parameters
    ----------
    key : jax random key.
    kernel, residual, learning_rate, batch_size : as in `dynamics.sgd_moments`.
    times : (T,), non-decreasing, the first one being the time of `residual`.
    samples : number of paths.
    substeps : steps of the scheme between consecutive times.

    Returns
    -------
    (samples, T, P) or (samples, T, P, o), float64.

    Raises
    ------
    ValueError
        As in `dynamics.sgd_moments`.
    """
    _checks.positive(learning_rate=learning_rate)
    key = _checks.random_key("key", key)
    _checks.positive_integer("samples", samples)
    _checks.positive_integer("substeps", substeps)
    times = _checks.times(times)
    kernel, state, eigenvalues, _ = _checks.kernel_and_residual(kernel, residual)
    noise = learning_rate * noise_factor(len(eigenvalues), batch_size, replacement=True)
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
        keys = jax.random.split(key, substeps)
        z, _ = jax.lax.scan(lambda z, key: (substep(z, key, dt / substeps), None), z, keys)
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

    Parameters
    ----------
    key, samples : as in `sample_sde`.
    kernel, residual, learning_rate, batch_size, steps, replacement : as in `dynamics.sgd_moments`.

    Returns
    -------
    (samples, T, P) or (samples, T, P, o), float64.

    Raises
    ------
    ValueError
        As in `dynamics.sgd_moments`.
    """
    _checks.positive(learning_rate=learning_rate)
    key = _checks.random_key("key", key)
    _checks.positive_integer("samples", samples)
    counts = _checks.step_counts(steps)
    kernel, state, eigenvalues, _ = _checks.kernel_and_residual(kernel, residual)
    noise_factor(len(eigenvalues), batch_size, replacement)
    gaps = np.diff(counts, prepend=0)
    paths = _sgd_paths(key, kernel, state, learning_rate, batch_size, gaps, samples, replacement)
    return np.asarray(paths).reshape(samples, len(counts), *np.shape(residual))


@partial(jax.jit, static_argnames=("batch_size", "samples", "replacement"))
def _sgd_paths(key, kernel, state, learning_rate, batch_size, gaps, samples, replacement):
    ends = jnp.cumsum(gaps)

    def step(k, z, key):
        # a key of its own for each step: a path is the same whichever of its steps are kept
        key = jax.random.fold_in(key, k)
        batch = jax.random.choice(key, kernel.shape[1], (batch_size,), replace=replacement)
        return z - learning_rate / batch_size * kernel[:, batch] @ z[batch]

    def path(key):
        def until_kept(z, gap_and_end):
            gap, end = gap_and_end
            z = jax.lax.fori_loop(end - gap, end, partial(step, key=key), z)
            return z, z

        return jax.lax.scan(until_kept, state, (gaps, ends))[1]

    return jax.vmap(path)(jax.random.split(key, samples))
