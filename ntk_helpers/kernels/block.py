"""The kernels between two blocks of inputs, as one jax program."""

import jax
import jax.numpy as jnp

from ntk_helpers.activations.closed_forms import safe_root
from ntk_helpers.kernels import relu
from ntk_helpers.kernels.inputs import at_zero, directions, first_gamma
from ntk_helpers.kernels.layer import Recursion, grow, next_layer


def _block(activation, skip, layers, sigma_w, sigma_b, x1, x2, shift):
    """Sigma and Theta (m1, m2) after so many layers, and the extremes of q on the way.

    Row i and column j are the same input where j = i + shift.
    """
    network = Recursion(activation, skip, sigma_w, sigma_b)
    same = jnp.arange(len(x1))[:, None] + shift == jnp.arange(len(x2))
    (q1, u1, zero1), (q2, u2, zero2) = (directions(x, sigma_w, sigma_b) for x in (x1, x2))
    gamma = first_gamma(u1, u2, same)
    run = _relu_layers if activation.homogeneous else _general_layers
    sigma, theta, *extremes = run(network, layers, q1, q2, gamma)
    if at_zero(activation) == 0:
        zero = zero1[:, None] | zero2
        sigma, theta = (jnp.where(zero, k - jax.lax.stop_gradient(k), k) for k in (sigma, theta))
    return sigma, theta, *extremes


# The number of layers is an argument of the first program, so that one compilation serves all depths.
any_depth = jax.jit(_block, static_argnums=0)
one_depth = jax.jit(_block, static_argnums=(0, 2))


def _relu_layers(network, layers, q1, q2, gamma):
    numbers = relu.relu_map(network)

    def layer(_, state):
        q1, q2, gamma, ratio = state
        q1, cos1, sin1 = relu.next_variance(numbers, q1)
        q2, cos2, sin2 = relu.next_variance(numbers, q2)
        gamma, *growth = relu.next_gamma(numbers, cos1[:, None], sin1[:, None], cos2, sin2, gamma)
        return q1, q2, gamma, grow(ratio, *growth)

    q1, q2, gamma, ratio = jax.lax.fori_loop(0, layers, layer, (q1, q2, gamma, 1.0 - gamma))
    scale = safe_root(q1)[:, None] * safe_root(q2)
    return scale * (1.0 - gamma), scale * ratio, jnp.inf, 0.0


def _general_layers(network, layers, q1, q2, gamma):
    def covariance(q1, q2, gamma):
        return safe_root(q1)[:, None] * safe_root(q2) * (1.0 - gamma)

    def layer(_, state):
        q1, q2, gamma, theta, smallest, largest = state
        smallest = jnp.minimum(smallest, jnp.minimum(q1.min(), q2.min()))
        largest = jnp.maximum(largest, jnp.maximum(q1.max(), q2.max()))
        q1, q2, gamma, growth, *_ = next_layer(network, q1, q2, gamma)
        return q1, q2, gamma, grow(theta, *growth), smallest, largest

    start = q1, q2, gamma, covariance(q1, q2, gamma), jnp.inf, 0.0
    q1, q2, gamma, theta, *extremes = jax.lax.fori_loop(0, layers, layer, start)
    return covariance(q1, q2, gamma), theta, *extremes
