"""A block of pairs through all layers, from the first layer's variances and correlations."""

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks
from ntk_helpers.activations.closed_forms import safe_root
from ntk_helpers.kernels import relu
from ntk_helpers.kernels.inputs import at_zero, directions, first_gamma
from ntk_helpers.kernels.layer import Recursion, grow, next_layer

# The sides of a block of pairs, and into how many blocks the inputs may be cut before the next side is
# taken. Each side is compiled once. The largest is what stays in the cache, with the terms of an expectation,
# if any; the smaller ones are for few inputs, as a block is filled up.
SIDES, PARTS = (16, 128, 256), 2
SIDES_OF_EXPECTATIONS, PARTS_OF_EXPECTATIONS = (4, 16, 64), 8


def _relu_layers(numbers, layers, q, gamma):
    """Sigma and Theta (m1, m2) after so many layers, from q (m1 + m2,) and gamma (m1, m2).

    `numbers` are those of a `relu.ReluMap`.
    """
    layer_map, cut = relu.ReluMap(*numbers), len(gamma)

    def layer(_, state):
        q, gamma, ratio = state
        q, cos, sin = relu.next_variance(layer_map, q)
        turns = cos[:cut, None], sin[:cut, None], cos[cut:], sin[cut:]
        gamma, *growth = relu.next_gamma(layer_map, *turns, gamma)
        return q, gamma, grow(ratio, *growth)

    q, gamma, ratio = jax.lax.fori_loop(0, layers, layer, (q, gamma, 1.0 - gamma))
    return _scale(q, gamma) * (1.0 - gamma), _scale(q, gamma) * ratio


def _general_layers(activation, skip, layers, sigma_w, sigma_b, q, gamma):
    """Sigma and Theta (m1, m2) after so many layers, and the extremes of q on the way."""
    network = Recursion(activation, skip, sigma_w, sigma_b)
    cut = len(gamma)

    def layer(_, state):
        q, gamma, theta, smallest, largest = state
        smallest, largest = jnp.minimum(smallest, q.min()), jnp.maximum(largest, q.max())
        q1, q2, gamma, growth, *_ = next_layer(network, q[:cut], q[cut:], gamma)
        return jnp.concatenate([q1, q2]), gamma, grow(theta, *growth), smallest, largest

    start = q, gamma, _scale(q, gamma) * (1.0 - gamma), jnp.inf, 0.0
    q, gamma, theta, *extremes = jax.lax.fori_loop(0, layers, layer, start)
    return _scale(q, gamma) * (1.0 - gamma), theta, *extremes


def _scale(q, gamma):
    """sqrt(q_1 q_2) (m1, m2) of variances q (m1 + m2,)."""
    root = safe_root(q)
    return root[: len(gamma), None] * root[len(gamma) :]


# The number of layers is an argument of these programs, so that one compilation serves all depths.
relu_layers = jax.jit(_relu_layers)
general_layers = jax.jit(_general_layers, static_argnums=(0, 1))


def side_for(activation, n):
    """The side of the blocks into which n inputs are cut."""
    if activation.homogeneous:
        sides, parts = SIDES, PARTS
    else:
        sides, parts = SIDES_OF_EXPECTATIONS, PARTS_OF_EXPECTATIONS
    return next((side for side in sides if n <= parts * side), sides[-1])


def kernels_of_block(network, layers, q, gamma):
    """Sigma and Theta after so many layers, as numbers; ValueError where q leaves the activation's range."""
    if network.activation.homogeneous:
        return jax.device_get(relu_layers(np.array(relu.relu_map(network)), layers, q, gamma))
    *kernels, smallest, largest = jax.device_get(general_layers(*network[:2], layers, *network[2:], q, gamma))
    _checks.in_range(network.activation, smallest, largest)
    return kernels


def _whole(activation, skip, layers, sigma_w, sigma_b, x1, x2, same):
    """Sigma and Theta (m1, m2), and the extremes of q on the way, as one program from the inputs on."""
    network = Recursion(activation, skip, sigma_w, sigma_b)
    (q1, u1, zero1), (q2, u2, zero2) = (directions(x, sigma_w, sigma_b) for x in (x1, x2))
    q, gamma = jnp.concatenate([q1, q2]), first_gamma(u1, u2, same)
    if activation.homogeneous:
        every = *_relu_layers(relu.relu_map(network), layers, q, gamma), jnp.inf, 0.0
    else:
        every = _general_layers(activation, skip, layers, sigma_w, sigma_b, q, gamma)
    *kernels, smallest, largest = every
    if at_zero(activation) == 0:
        zero = zero1[:, None] | zero2
        kernels = [jnp.where(zero, k - jax.lax.stop_gradient(k), k) for k in kernels]
    return *kernels, smallest, largest


# The number of layers is the compiler's to know, so that it may differentiate the loop.
whole = jax.jit(_whole, static_argnums=(0, 1, 2))
