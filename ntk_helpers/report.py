"""What `mean_field`, `kernels`, `dynamics` and `finite_width` say of a network and its data: `report`."""

import bisect
import html
import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks, finite_width, mean_field
from ntk_helpers._any_function import JUDGED, kernel_of_function
from ntk_helpers._precision import float64
from ntk_helpers._sentences import sentences
from ntk_helpers.dynamics import stability_threshold
from ntk_helpers.kernels import fcn_kernels, residual_kernels
from ntk_helpers.networks import PARAMETERIZATIONS, WEIGHTS, Network

FITTED = 0.01  # of the initial training loss


class Rates(NamedTuple):
    """Largest stable learning rates for the loss sum (f - y)^2/(2 N).

    Attributes
    ----------
    gd : of full-batch gradient descent.
    sgd : of SGD, in mean square; None where there is no formula.
    """

    gd: float
    sgd: float | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `report` found; None where the question has no answer, and `text` says why.

    Attributes
    ----------
    parameterization, weights, depth : of the Network.
    phase : "ordered", "critical" or "chaotic".
    depth_scale : number of layers over which correlations approach their limit by a factor e; inf: slower.
    condition_number : of the kernel on the inputs, in the network's parameterisation.
    rates, other_rates : `Rates` in the network's parameterisation and in the other one.
    kernel_spread, other_spread : relative standard deviation of one output's Theta(x, x), by ensemble.
    learning_rate, batch_size : as given, or the default.
    steps : of GD at the learning rate until 1% of the training loss is left; inf: never.
    test_error : mean of (y - f)^2, leaving one input out, of the trained limit, over inputs and outputs.
    label_error : the same of the mean of the other labels.
    """

    parameterization: str | None = None
    weights: str | None = None
    depth: int | None = None
    phase: str | None = None
    depth_scale: float | None = None
    condition_number: float
    rates: Rates
    other_rates: Rates | None = None
    kernel_spread: float | None = None
    other_spread: float | None = None
    learning_rate: float
    batch_size: int
    steps: float
    test_error: float | None
    label_error: float | None

    def text(self) -> str:
        """One sentence a line.

        Returns
        -------
        str
        """
        return "\n".join(f"{name}: {sentence}" for name, sentence in sentences(self))

    def _repr_html_(self) -> str:
        rows = (f"<tr><th>{html.escape(a)}</th><td>{html.escape(b)}</td></tr>" for a, b in sentences(self))
        return f"<table>{''.join(rows)}</table>"


@float64
def report(net, *data, y=None, learning_rate=None, batch_size=None) -> Report:
    """What the theory says of a network: `report(net, x, y)`, or `report(apply_fn, params, x, y)`.

    The first form is about the ensemble: the kernel is that of infinite width, in the parameterisation and at
    the widths of `net`, and one draw scatters about it by `kernel_spread` or so. The second is about
    one network, whatever its architecture, and the kernel is its own: no phase, no depth scale, no spread.

    With o > 1 outputs the kernels of a draw scatter, and the largest decides on stability. The rates of a
    Network contain this term, of order n^(-1/2), with the scatter at one input for that of the leading
    direction; they are those of a typical draw.

    Parameters
    ----------
    net : Network; or a function (params, x) -> (N, o) or (N,) of float parameters in any pytree.
    data : x (N, d) for a Network; params and x for a function; y may follow.
    y : real targets (N, o), or (N,) for one output. Without it the steps are those of the worst targets.
    learning_rate : of GD, for the steps; half of the largest stable one if None.
    batch_size : of SGD, drawn with replacement; 1, the most demanding, if None.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If an argument is not as described, or the architecture cannot be judged. Of a function it is seen
        when an output is not finite, depends on chance (dropout) or on the other inputs (batch normalisation
        in training), and when `params` hold one array twice (tied weights, which would count twice). What
        it computes otherwise is not seen and need not be: with a layer used twice, too, its kernel is exact.

    Notes
    -----
    Standard parameterisation: weights of layer l have n_{l-1}/sigma_w^2, biases 1/sigma_b^2 times their share
    of the kernel of the NTK parameterisation (Proposition 15.1). Steps: the mean of z_t . z_t for z = f - y
    and f ~ N(0, NNGP) at the start. Test error: the residual on an input left out is [K^-1 z]_i / [K^-1]_ii.
    The spread is that of the NTK parameterisation: exact for two slopes without biases, else to first order
    in 1/n, at the mean square of x.
    """
    if learning_rate is not None:
        _checks.positive(learning_rate=learning_rate)
    batch_size = 1 if batch_size is None else _checks.positive_integer("batch_size", batch_size)
    if isinstance(net, Network):
        x, y = _arguments(data, y, "report(net, x, y)", 1)
        return _of_ensemble(net, _checks.examples("x", x), y, learning_rate, batch_size)
    if not callable(net):
        raise ValueError(f"net must be a Network or a function, got {type(net).__name__}: {JUDGED}")
    params, x, y = _arguments(data, y, "report(apply_fn, params, x, y)", 2)
    return _of_function(net, params, _checks.examples("x", x), y, learning_rate, batch_size)


def _arguments(data, y, form, count):
    if len(data) not in (count, count + 1) or (len(data) > count and y is not None):
        raise ValueError(f"data must be as in {form}, got {len(data)} arguments after the first: {JUDGED}")
    return (*data[:count], data[count] if len(data) > count else y)


def _of_ensemble(net, x, y, learning_rate, batch_size):
    if x.shape[1] != net.widths[0]:
        raise ValueError(f"x must have {net.widths[0]} features, the input width of net, got {x.shape}")
    if net.sigma_w == 0 or not x.any():
        raise ValueError("net must have sigma_w > 0 and x must not be all zeros: no signal passes")
    y = _checks.targets(y, len(x), net.widths[-1])
    limit = {"fcn": fcn_kernels, "residual": residual_kernels}[net.architecture]
    law = {"activation": net.activation, "sigma_w": net.sigma_w, "sigma_b": net.sigma_b}
    nngp, ntk = limit(x, depth=net.depth, **law)
    kernels = {"ntk": ntk, "standard": _standard_kernel(net, x)}
    spread, excess = _spread(net, law, x, net.weights)
    other_spread, _ = _spread(net, law, x, WEIGHTS[net.weights == "gaussian"])
    rates = {name: _rates(kernel, batch_size, excess) for name, kernel in kernels.items()}
    own, other = net.parameterization, PARAMETERIZATIONS[net.parameterization == "ntk"]
    phase, scale = _phase(net, law)
    found = {"parameterization": own, "weights": net.weights, "depth": net.depth, "phase": phase}
    found |= {"depth_scale": scale, "other_rates": rates[other], "rates": rates[own]}
    found |= {"kernel_spread": spread, "other_spread": other_spread, "batch_size": batch_size}
    start = None if y is None else (-y, y.shape[1] * nngp)
    return _report(kernels[own], start, y, learning_rate, found, len(x))


def _of_function(function, params, x, y, learning_rate, batch_size):
    kernel, outputs = kernel_of_function(function, params, x)
    n, o = outputs.shape
    y = _checks.targets(y, n, o)
    rates = _rates(kernel, batch_size, outputs=o)
    found = {"rates": rates, "batch_size": batch_size}
    start = None if y is None else (outputs - y, np.zeros_like(kernel))
    return _report(kernel, start, y, learning_rate, found, n)


# The numbers


def _report(kernel, start, y, learning_rate, found, examples):
    """The `Report`, from the kernel, mean and covariance of f - y at the start, and what else was found."""
    rate = found["rates"].gd / 2 if learning_rate is None else float(learning_rate)
    eigenvalues, q = np.linalg.eigh(kernel)
    resolved = eigenvalues[0] > len(kernel) * np.finfo(float).eps * eigenvalues[-1]
    condition = float(eigenvalues[-1] / eigenvalues[0]) if resolved else math.inf
    factors = 1 - rate / examples * np.maximum(eigenvalues, 0)
    power = test_error = label_error = None
    if y is not None:
        mean, covariance = start
        modes = q.T @ mean.reshape(len(kernel), -1)
        power = np.sum(modes**2, axis=1) + np.sum((q.T @ covariance) * q.T, axis=1)
        n = len(y)
        label_error = float(np.mean((y - y.mean(0)) ** 2) * (n / (n - 1)) ** 2) if n > 1 else math.nan
        test_error = _left_out(kernel, start, n) if n > 1 and resolved else None
    found |= {"condition_number": condition, "learning_rate": rate, "steps": _steps(factors, power)}
    return Report(**found, test_error=test_error, label_error=label_error)


def _rates(kernel, batch_size, excess=0.0, outputs=1):
    """For a largest kernel over the outputs of 1 + `excess` times `kernel`, or `kernel` of all `outputs`."""
    gd = 2 * (len(kernel) // outputs) / float(np.linalg.eigvalsh(kernel)[-1])
    sgd = None if outputs > 1 else stability_threshold(kernel, batch_size=batch_size) / (1 + excess)
    return Rates(gd / (1 + excess), sgd)


def _steps(factors, power):
    """The first t at which 1% of sum_k power_k factor_k^(2 t) is left; without powers, of the largest."""
    if np.abs(factors).max() > 1 + 1e-12:
        return math.inf

    def left(t):
        terms = np.abs(factors) ** (2 * t)
        return terms.max() if power is None else power @ terms / power.sum()

    t = bisect.bisect_left(range(2**60), True, lo=1, key=lambda t: not left(t) > FITTED)
    return t if t < 2**60 else math.inf


def _left_out(kernel, start, n):
    mean, covariance = start
    inverse = np.linalg.inv(kernel)
    o = len(kernel) // n  # 1 for the limit, whose outputs share a kernel
    moved, scatter = inverse @ mean.reshape(len(kernel), -1), inverse @ covariance @ inverse
    total = 0.0
    for i in range(n):
        rows = slice(i * o, (i + 1) * o)
        block = np.linalg.inv(inverse[rows, rows])
        total += np.sum((block @ moved[rows]) ** 2) + np.trace(block @ scatter[rows, rows] @ block)
    return float(total / mean.size)


@partial(jax.jit, static_argnums=0)
def _expectations(activation, covariance):
    """E[phi(u) phi(v)] and E[phi'(u) phi'(v)] for every pair of inputs, row by row."""
    q = jnp.diagonal(covariance)

    def row(i):
        scale = jnp.sqrt(q[i] * q)
        cosine = jnp.where(scale > 0, covariance[i] / jnp.where(scale > 0, scale, 1.0), 0.0)
        gamma = jnp.where(jnp.arange(len(q)) == i, 0.0, jnp.clip(1 - cosine, 0.0, 2.0))
        return activation.moments(jnp.broadcast_to(q[i], q.shape), q, gamma)

    return jax.lax.map(row, jnp.arange(len(q)))


def _standard_kernel(net, x):
    """The kernel of wide layers in the standard parameterisation: each layer adds n phi phi + 1."""
    skip = net.architecture == "residual"
    gram = x @ x.T
    covariance, kernel = net.sigma_b**2 + net.sigma_w**2 / x.shape[1] * gram, gram + 1
    for n in net.widths[1:-1]:
        second, slope = map(np.asarray, _expectations(net.activation, covariance))
        second, slope = (second + second.T) / 2, net.sigma_w**2 * (slope + slope.T) / 2
        kernel = (skip + slope) * kernel + n * second + 1
        covariance = skip * covariance + net.sigma_b**2 + net.sigma_w**2 * second
    return kernel


def _phase(net, law):
    """(phase, depth scale); None where there is none."""
    if net.architecture == "residual":
        return None, None
    phase = mean_field.phase(**law)
    try:
        return phase, mean_field.depth_scales(**law).xi_c
    except ValueError:  # the variance has no fixed point, or the edge is too near to resolve
        return phase, math.inf if net.activation.homogeneous else None


def _spread(net, law, x, weights):
    """Relative standard deviation of Theta(x, x) for one output, and the excess of the outputs' largest.

    To first order Theta over the outputs is 1 + sqrt(b/n) times a symmetric matrix of Gaussians, of variance
    2 on the diagonal and 1 off it. Its largest eigenvalue is 2 sqrt(o - 1/2) - 1.2065 (o - 1/2)^(-1/6) on
    average (to 0.07 for o from 2 on): Tracy and Widom's law for the edge. (None, 0) where nothing is derived.
    """
    hidden, d, o = set(net.widths[1:-1]), net.widths[0], net.widths[-1]
    if net.architecture == "residual" or any(kink != 0 for kink in net.activation.kinks):
        return None, 0.0
    exact = None
    if net.activation.homogeneous and net.sigma_b == 0:
        variance = finite_width.relative_variance(net.widths, activation=net.activation, weights=weights)
        exact = math.sqrt(max(variance, 0.0))
    if len(hidden) > 1:
        return exact, 0.0
    n = max(hidden, default=1)
    law = law | {"weights": weights, "first_ratio": n / max(n, d)}
    q1 = net.sigma_b**2 + net.sigma_w**2 * np.sum(x**2) / x.size
    found = finite_width.leading_order(net.depth, q1=q1, **law)
    edge = 2 * math.sqrt(o - 0.5) - 1.2065 * (o - 0.5) ** (-1 / 6) if o > 1 else 0.0
    first = math.sqrt(max(found.ntk_variance[-1], 0.0) / n)
    return exact or first, edge * math.sqrt(max(found.spread[-1][0], 0.0) / n)
