"""One pair of inputs, layer by layer: what `depth_profile` runs between the depths that it is asked for."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks
from ntk_helpers.kernels import relu
from ntk_helpers.kernels.interpolant import advance_converged, converged_map
from ntk_helpers.kernels.layer import Recursion, grow_exactly, next_layer

# Relative change of a variance in a layer, and difference of the two. At a slope s of the variance map
# rounding leaves them some 1/(1 - s) units apart.
CONVERGED = 1e-14


def relu_stretches(network, stops, q, gamma, rescale):
    """q (k, 2), gamma, Theta, Theta(x, x) (k, 2) and log_scale at the k `stops`, of ReLU-like activations."""
    layer = relu.relu_map(network)
    # Growth or decay is taken out; with a bias the variance does not decay to zero.
    taken_out = rescale and layer.growth > 0 and (layer.growth > 1 or layer.sb2 == 0)
    scale = layer.growth if taken_out else 1.0
    layers = np.diff(stops, prepend=1)
    q, gamma, ratio, diagonal = jax.device_get(_relu_depths(layer, scale, layers, q, gamma))
    theta = np.sqrt(q[:, 0]) * np.sqrt(q[:, 1]) * ratio
    return q, gamma, theta, q * diagonal, (stops - 1) * math.log(scale)


@jax.jit
def _relu_depths(layer, scale, layers, q, gamma):
    """q (k, 2), gamma (k,), Theta/sqrt(q_1 q_2) (k,) and Theta(x, x)/q (k, 2) after stretches of layers."""

    def one_layer(_, carry):
        (q, gamma, ratio, diagonal), sb2 = carry
        q, cos, sin = relu.next_variance(layer._replace(sb2=sb2), q)
        gamma, *growth = relu.next_gamma(layer, cos[0], sin[0], cos[1], sin[1], gamma)
        diagonal = grow_exactly(diagonal, -sin * sin, 1.0 - cos * cos * layer.skip)
        return (q / scale, gamma, grow_exactly(ratio, *growth), diagonal), sb2 / scale

    def stretch(carry, count):
        carry = jax.lax.fori_loop(0, count, one_layer, carry)
        q, gamma, (ratio, _), (diagonal, _) = carry[0]
        return carry, (q, gamma, ratio, diagonal)

    start = q, gamma, (1.0 - gamma, 0.0), (jnp.ones(2), jnp.zeros(2))
    return jax.lax.scan(stretch, (start, layer.sb2), layers)[1]


def general_stretches(network, stops, q, gamma, rescale):
    """What `relu_stretches` returns, of any activation; there is nothing to rescale."""
    activation, *numbers = network
    _checks.in_range(activation, q.min(), q.max())
    # q_1, q_2, gamma, and Theta(x_1, x_2), Theta(x_1, x_1) and Theta(x_2, x_2) with what rounding lost
    thetas = np.sqrt(q[0]) * np.sqrt(q[1]) * (1.0 - gamma), q[0], q[1]
    state = q[0], q[1], gamma, *((theta, 0.0) for theta in thetas)
    settled, records, depth = None, [], 1
    for stop in stops:
        while depth < stop and settled is None:
            found = jax.device_get(_advance(activation, *numbers, stop - depth, state))
            state, done, converged, *extremes = found
            _checks.in_range(activation, *extremes)
            depth += int(done)
            if converged:
                settled = converged_map(activation, float(state[0]))
        if depth < stop:
            state = jax.device_get(advance_converged(settled, network.sigma_w**2, stop - depth, state))
        depth = stop
        q1, q2, gamma, *thetas = state
        records.append([q1, q2, gamma, *(theta for theta, _ in thetas)])
    q1, q2, gamma, theta, theta1, theta2 = np.array(records).T
    return np.stack([q1, q2], axis=1), gamma, theta, np.stack([theta1, theta2], axis=1), np.zeros(len(stops))


@partial(jax.jit, static_argnums=0)
def _advance(activation, skip, sigma_w, sigma_b, layers, state):
    """At most `layers` layers; stops where the two variances have converged to one value."""
    network = Recursion(activation, skip, sigma_w, sigma_b)

    def proceed(carry):
        return (carry[1] < layers) & ~carry[2]  # done and converged

    def layer(carry):
        (p1, p2, gamma, *thetas), done, _, smallest, largest = carry
        q1, q2, gamma, *growths = next_layer(network, p1, p2, gamma)
        after = q1, q2, gamma, *(grow_exactly(t, *g) for t, g in zip(thetas, growths, strict=True))
        change = jnp.maximum(jnp.abs(q1 - p1), jnp.maximum(jnp.abs(q2 - p2), jnp.abs(q1 - q2)))
        smallest, largest = (
            jnp.minimum(smallest, jnp.minimum(p1, p2)),
            jnp.maximum(largest, jnp.maximum(p1, p2)),
        )
        return after, done + 1, change <= CONVERGED * q1, smallest, largest

    return jax.lax.while_loop(proceed, layer, (state, 0, False, jnp.inf, 0.0))
