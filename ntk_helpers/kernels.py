"""The kernels of infinitely wide networks: NNGP and NTK, fully connected and residual.

Networks are in the NTK parameterisation; `depth` L counts weight layers, so a plain network has L - 1
nonlinearities. Two numbers describe a pair of inputs at layer l besides the tangent kernel Theta^l(x, x'):
the variances q_1, q_2 of its pre-activations and their correlation c. In deep networks c tends to 1, so the
recursions carry gamma = 1 - c: computed from c, it would lose every digit to cancellation.

Both architectures are one recursion, with `skip` s = 0 (fully connected) or 1 (residual):

    q_i'    = s q_i + sigma_b^2 + sigma_w^2 E[phi(u_i)^2]
    Sigma'  = s Sigma + sigma_b^2 + sigma_w^2 E[phi(u_1) phi(u_2)]
    Theta'  = (s + sigma_w^2 E[phi'(u_1) phi'(u_2)]) Theta + sigma_b^2 + sigma_w^2 E[phi(u_1) phi(u_2)]
    gamma'  = 1 - Sigma' / sqrt(q_1' q_2')
"""

import math
import operator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import activations
from ntk_helpers._compilation import jit_with, usable_cores
from ntk_helpers._precision import float64

TILE = {"cpu": 256}  # side of a tile that stays in a core's cache through all layers
ACCELERATOR_TILE = 2048
NEAR = 1e-2  # below this gamma or 2 - gamma, the Gram matrix is not accurate enough for the first layer
FEW_LAYERS = 16  # cost no more than what they may be computed in vain for
PIECE_TERMS, MAX_PIECES = 16, 512  # of the interpolant
EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
# Relative change of a variance in a layer, and difference of the two. At a slope s of the variance map
# rounding leaves them some 1/(1 - s) units apart.
CONVERGED = 1e-14


class Kernels(NamedTuple):
    """The two kernels between inputs x1 (n1, d) and x2 (n2, d), each (n1, n2) float64."""

    nngp: np.ndarray
    ntk: np.ndarray


class DepthProfile(NamedTuple):
    """The kernels of one pair of inputs at k depths; all fields float64.

    The values of q, nngp, ntk and ntk_diagonal are to be multiplied by exp(log_scale), which is zero unless
    `depth_profile` was asked to rescale.
    """

    q: np.ndarray  # (k, 2)
    one_minus_c: np.ndarray  # (k,)
    nngp: np.ndarray  # (k,)
    ntk: np.ndarray  # (k,)
    ntk_diagonal: np.ndarray  # (k, 2)
    log_scale: np.ndarray  # (k,)


@float64
def fcn_kernels(x1, x2=None, *, depth, activation, sigma_w, sigma_b, memory_limit=2**28):
    """NNGP and NTK of the infinitely wide fully connected network.

    The network is y^1 = sigma_w/sqrt(d) W^1 x + sigma_b b^1, y^l = sigma_w/sqrt(n) W^l phi(y^{l-1}) + sigma_b
    b^l with standard Gaussian W and b. Its kernels (Lee et al., 2018; Jacot et al., 2018) are

        Sigma^1 = Theta^1 = sigma_b^2 + sigma_w^2 x.x'/d,
        Sigma^l = sigma_b^2 + sigma_w^2 E[phi(u) phi(v)],
        Theta^l = Sigma^l + sigma_w^2 E[phi'(u) phi'(v)] Theta^{l-1},    (u, v) ~ N(0, Sigma^{l-1}).

    Parameters
    ----------
    x1 : (n1, d) array.
    x2 : (n2, d) array, or None for x1; with None each pair is computed once and the results are symmetric to
    the
        last bit.
    depth : number L >= 1 of weight layers.
    activation : a name or an `Activation`.
    sigma_w, sigma_b : standard deviations, finite and not negative.
    memory_limit : bytes of working memory beyond the inputs and the two results. The pairs are processed in
    tiles
        that fit, some at a time, on every device that jax sees.

    Returns
    -------
    Kernels : .nngp and .ntk, (n1, n2) numpy float64.

    Raises
    ------
    ValueError
        If an argument has a wrong shape or value, no tile fits the memory limit, a variance leaves the range
        in which the activation's expectations are accurate, or a kernel leaves the range of float64.
    """
    network = _network(depth, activation, sigma_w, sigma_b, skip=0.0)
    return _kernels(x1, x2, network, memory_limit)


@float64
def residual_kernels(x1, x2=None, *, depth, activation, sigma_w, sigma_b, memory_limit=2**28):
    """NNGP and NTK of the infinitely wide residual network.

    The network is y^1 = sigma_w/sqrt(d) W^1 x + sigma_b b^1, y^l = y^{l-1} + sigma_w/sqrt(n) W^l phi(y^{l-1})
    + sigma_b b^l (Hayou, Doucet and Rousseau, 2019, v2, Proposition 4, in the NTK parameterisation).

    Given y^{l-1}, the branch has mean zero and is independent of y^{l-1}, so covariances add:

        Sigma^l = Sigma^{l-1} + sigma_b^2 + sigma_w^2 E[phi(u) phi(v)],    (u, v) ~ N(0, Sigma^{l-1}).

    The gradient in W^l and b^l gives sigma_b^2 + sigma_w^2 E[phi(u) phi(v)], the increment of Sigma. Those in
    the earlier layers pass through y^{l-1}, by the identity and by the branch. The cross terms have the
    factor W^l once and vanish in the limit; the identity keeps Theta^{l-1}, the branch multiplies it by
    sigma_w^2 E[phi' phi']:

        Theta^l = (1 + sigma_w^2 E[phi'(u) phi'(v)]) Theta^{l-1} + sigma_b^2 + sigma_w^2 E[phi(u) phi(v)],

    from Sigma^1 = Theta^1 = sigma_b^2 + sigma_w^2 x.x'/d. Parameters, results and errors are those of
    `fcn_kernels`.
    """
    network = _network(depth, activation, sigma_w, sigma_b, skip=1.0)
    return _kernels(x1, x2, network, memory_limit)


class _Network(NamedTuple):
    depth: int
    activation: activations.Activation
    sw2: float
    sb2: float
    skip: float


def _network(depth, activation, sigma_w, sigma_b, skip):
    activation = activations.get(activation)
    sigma_w, sigma_b = standard_deviation("sigma_w", sigma_w), standard_deviation("sigma_b", sigma_b)
    return _Network(_positive_integer("depth", depth), activation, sigma_w**2, sigma_b**2, skip)


# Bad input


def standard_deviation(name, value):
    """`value` as a float; ValueError unless it is a finite real number that is not negative."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be a finite standard deviation, 0 or more, got {value!r}")
    return number


def _positive_integer(name, value):
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return number


def _inputs(name, x):
    try:
        x = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of shape (examples, features): {error}") from None
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {x.dtype}")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name} must have shape (examples, features), none of them 0, got shape {x.shape}")
    x = x.astype(np.float64, copy=False)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    return x


def _check_range(activation, smallest, largest):
    low, high = activation.q_range
    if not (smallest >= low and largest <= high):
        raise ValueError(
            f"the variance q must stay in [{low:g}, {high:g}] for {activation.name}, whose expectations are "
            f"not accurate beyond, got q from {smallest:g} to {largest:g}: change sigma_w, sigma_b, depth or "
            "the inputs"
        )


# Layers


def _next_variance(variance, skip, sw2, sb2, q):
    """q after one layer, and the gain and source of Theta(x, x): the pair recursion for x = x'."""
    second, slope = variance(q)
    source = sb2 + sw2 * second
    return skip * q + source, (skip - 1.0) + sw2 * slope, source


def _grow(theta, gain, source):
    """Theta after one layer that multiplies it by 1 + gain and adds source."""
    return theta + (gain * theta + source)


def _grow_exactly(total, gain, source):
    """`_grow` for a `total` that is the unevaluated sum (theta, lost) of two numbers.

    In a deep network on the edge of chaos Theta is large, and a layer adds to it the small term gain Theta
    and the source 1 - gamma. Rounded to a multiple of Theta's last digit, neither is rounded at random: from
    a million layers on, gamma is below that digit and is lost in every layer alike. So what the sum rounds
    away is carried to the next layer (Kahan, 1965).
    """
    theta, lost = total
    change = gain * theta + source + lost
    grown = theta + change
    return grown, jnp.where(jnp.isfinite(grown), change - (grown - theta), 0.0)


def _half_square(a, b):
    return 0.5 * (a - b) ** 2


def _divide(numerator, denominator):
    """numerator / denominator, and 0 where the denominator is 0 (a zero input without bias)."""
    positive = denominator > 0
    return jnp.where(positive, numerator / jnp.where(positive, denominator, 1.0), 0.0)


def _general_layer(activation, skip, sw2, sb2, q1, q2, gamma):
    """gamma after one layer of any activation, and the gain and source of Theta.

    With G = E[(phi(u) - phi(v))^2]/2 from `Activation.gaps`, r_i = sqrt(q_i) and primes for the next layer,

        sqrt(q_1' q_2') gamma' = s (r_1 r_2 gamma + (r_1 - r_2)^2/2) + sigma_w^2 G - (r_1' - r_2')^2/2,

    where each term is small when the inputs nearly agree.
    """
    (s1, d1), (s2, d2) = activation.variance(q1), activation.variance(q2)
    gap, slope_gap = activation.gaps(q1, q2, gamma)
    r1, r2 = jnp.sqrt(q1), jnp.sqrt(q2)
    R1, R2 = jnp.sqrt(skip * q1 + sb2 + sw2 * s1), jnp.sqrt(skip * q2 + sb2 + sw2 * s2)
    excess = skip * (r1 * r2 * gamma + _half_square(r1, r2)) + sw2 * gap - _half_square(R1, R2)
    source = sb2 + sw2 * (0.5 * (s1 + s2) - gap)
    gain = (skip - 1.0) + sw2 * (0.5 * (d1 + d2) - slope_gap)
    # The maximum absorbs the rounding of a difference that is 0 in exact arithmetic.
    return _divide(jnp.maximum(excess, 0.0), R1 * R2), gain, source


# theta/sqrt(t) and (sin(theta) - theta cos(theta))/t^(3/2) as polynomials in t = sin^2(theta/2) on [0, 1/2],
# highest power first: mpmath.chebyfit with 20 and 19 terms, relative errors 4e-18 and 2e-18. Library arcsines
# cost four times as much, and the second combination cancels when it is computed from sines and cosines.
_ANGLE = (
    2.2528385757615017, -8.877633384133878, 16.64996705889382, -19.339318797101246, 15.536330749110016,
    -9.07158360564591, 4.003208221858309, -1.3282472605098823, 0.361914924182213, -0.05263264910467765,
    0.03018359005716673, 0.02185869812982474, 0.02803834408013932, 0.03469862065431639, 0.04474462634497161,
    0.06076387976334679, 0.08928571445039567, 0.14999999999843205, 0.33333333333333925, 2.0,
)  # fmt: skip
_LUNE = (
    0.13562081833841125, -0.49408507840869326, 0.8630607609425247, -0.9288105281041379, 0.6907166883722825,
    -0.36861586305266997, 0.15013277875291267, -0.04258875759914789, 0.013290595138962497,
    0.0018974993755190102, 0.005105142618584343, 0.006547959577044505, 0.009256499967550243,
    0.013767398176619932, 0.022095962378004076, 0.03968253962674129, 0.08571428571487523, 0.2666666666666642,
    2.6666666666666665,
)  # fmt: skip


def _polynomial(coefficients, t):
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * t + coefficient
    return value


class _Slopes(NamedTuple):
    """What the recursion needs of phi(x) = a x (x > 0), b x (x < 0)."""

    second: float  # E phi^2 / q = E phi'^2 = (a^2 + b^2)/2
    kink: float  # (a - b)^2/(2 pi)
    opposite: float  # (a + b)^2/2, the gap at c = -1
    product: float  # a b


@lru_cache(maxsize=64)
def _slopes(activation):
    a, b = _KNOWN_SLOPES.get(activation) or _measured_slopes(activation.phi)
    return _Slopes(0.5 * (a * a + b * b), (a - b) ** 2 / (2 * math.pi), 0.5 * (a + b) ** 2, a * b)


@float64
def _measured_slopes(phi):
    a, minus_b = np.asarray(jax.jit(phi)(np.array([1.0, -1.0]))).tolist()
    return a, -minus_b


# Measuring compiles a program, a tenth of the time of a first call.
_KNOWN_SLOPES = {
    activations.get(name): (1.0, slope)
    for name, slope in (("linear", 1.0), ("relu", 0.0), ("leaky_relu", 0.01))
}


class _HomogeneousMap(NamedTuple):
    """The numbers in one layer of a ReLU-like activation, computed once.

    Each operation on scalars that is left to the compiled program adds 10 ms to its compilation.

    With k = (a - b)^2/(2 pi), without bias and for inputs of equal norms, with g = s + sigma_w^2 E[phi^2]/q,

        gamma_0 = gamma - sigma_w^2 k/g (sin(theta) - theta cos(theta)),
        s + sigma_w^2 E[phi' phi'] = g - sigma_w^2 k theta

    (Cho and Saul, 2009). For c < 0 both are written in 2 - gamma and pi - theta, where they do not cancel
    either. The coefficient of gamma is 1 exactly: a rounding of it would add up over the layers.
    """

    growth: float  # g
    sb2: float
    skip: float  # s/g
    kink: float  # sigma_w^2 k/g
    opposite: float  # gamma_0 at c = -1
    slope: float  # of gamma_0 in 2 - gamma there: -(s + sigma_w^2 a b)/g
    fall: float  # 1 + slope, from c = 1 to c = -1, of (s + sigma_w^2 E[phi' phi'])/g


def _homogeneous_map(network):
    slopes, skip, sw2 = _slopes(network.activation), network.skip, network.sw2
    growth = skip + sw2 * slopes.second
    share = 1.0 / growth if growth > 0 else 0.0
    slope = -share * (skip + sw2 * slopes.product)
    return _HomogeneousMap(
        growth,
        network.sb2,
        share * skip,
        share * sw2 * slopes.kink,
        share * (2.0 * skip + sw2 * slopes.opposite),
        slope,
        1.0 + slope,
    )


def _homogeneous_variance(layer, q):
    """(q', cos(a), sin(a)) with cos(a) = sqrt(growth q/q') and sin(a) = sigma_b/sqrt(q')."""
    grown = layer.growth * q
    after = grown + layer.sb2
    positive = jnp.maximum(after, TINY)  # a zero input without bias stays one
    return after, jnp.sqrt(grown / positive), jnp.sqrt(layer.sb2 / positive)


def _homogeneous_layer(layer, cos1, sin1, cos2, sin2, gamma):
    """gamma after one layer of a ReLU-like activation, and the gain and source of Theta/sqrt(q_1 q_2).

    A bias adds one coordinate: with the angles a_i of `_homogeneous_variance`,

        gamma' = cos(a_1) cos(a_2) gamma_0 + (1 - cos(a_1 - a_2)),

    gamma_0 being the new gamma without bias. As sqrt(q_1' q_2') cos(a_1) cos(a_2) = growth sqrt(q_1 q_2), the
    tangent kernel, divided by sqrt(q_1 q_2), needs no variances: its source is Sigma' - s Sigma.
    """
    far = gamma > 1.0
    near = jnp.where(far, 2.0 - gamma, gamma)
    t = 0.5 * near
    s = jnp.sqrt(t)
    straight = jnp.where(far, layer.opposite, 0.0) + jnp.where(far, layer.slope, 1.0) * near
    cosines = cos1 * cos2
    apart = _half_square(cos1, cos2) + _half_square(sin1, sin2)
    after = cosines * (straight - layer.kink * (s * t * _polynomial(_LUNE, t))) + apart
    angle = layer.kink * (s * _polynomial(_ANGLE, t))
    # cosines - 1 = -(apart + sin1 sin2)
    gain = -(apart + sin1 * sin2) - cosines * jnp.where(far, layer.fall - angle, angle)
    return after, gain, (1.0 - after) - cosines * (layer.skip * (1.0 - gamma))


# Matrices of inputs


@partial(jax.jit, static_argnums=0)
def _tile(activation, skip, sw2, sb2, layers, q1, q2, gamma):
    """Kernels of a tile: q1 (m1,), q2 (m2,), gamma (m1, m2) of the first layer.

    Returns Sigma, Theta (m1, m2) and the extremes of q on the way, for activations whose expectations have a
    range. The number of layers is an argument of the compiled program: one compilation serves all depths.
    """

    def layer(_, state):
        q1, q2, gamma, theta, (smallest, largest) = state
        smallest = jnp.minimum(smallest, jnp.minimum(q1.min(), q2.min()))
        largest = jnp.maximum(largest, jnp.maximum(q1.max(), q2.max()))
        gamma, *growth = _general_layer(activation, skip, sw2, sb2, q1[:, None], q2[None, :], gamma)
        q1, q2 = (_next_variance(activation.variance, skip, sw2, sb2, q)[0] for q in (q1, q2))
        return q1, q2, gamma, _grow(theta, *growth), (smallest, largest)

    def covariance(q1, q2, gamma):
        return jnp.sqrt(q1)[:, None] * jnp.sqrt(q2)[None, :] * (1.0 - gamma)

    start = q1, q2, gamma, covariance(q1, q2, gamma), (jnp.inf, 0.0)
    q1, q2, gamma, theta, extremes = jax.lax.fori_loop(0, layers, layer, start)
    return covariance(q1, q2, gamma), theta, *extremes


# XLA's older compiler of loops takes a third less for the layers, and what it makes of them is as fast.
QUICK_COMPILATION = {"xla_cpu_use_fusion_emitters": False}


@lru_cache(maxsize=1)
def _homogeneous_tile():
    """`_homogeneous_kernels` compiled with QUICK_COMPILATION."""
    return jit_with(QUICK_COMPILATION, _homogeneous_kernels)


def _homogeneous_kernels(layer, layers, q, u1, u2, known):
    """Sigma and Theta, (2, m1, m2), of a tile for ReLU-like activations.

    Of the first layer, q (m1 + m2,) holds the variances, u1 (m1, d + 1) and u2 (m2, d + 1) the `_directions`
    and known (m1, m2) gamma, or -1 where it is to come from the directions. Where they nearly agree or are
    nearly opposite the product of the directions is not accurate enough, and the kernels are NaN.

    The loop carries variance (3, m1 + m2), whose rows are for `_homogeneous_variance`, and pair (2, m1, m2),
    gamma and Theta/sqrt(q1 q2): each array that a program writes adds to its compilation, so there are two.
    """
    rows = len(u1)
    gamma = 1.0 - _products(u1, u2)
    gamma = jnp.where(known < 0.0, jnp.where(_is_close(gamma), jnp.nan, gamma), known)

    def one_layer(_, state):
        variance, (gamma, ratio) = state
        variance = jnp.stack(_homogeneous_variance(layer, variance[0]))
        (_, cos1, sin1), (_, cos2, sin2) = variance[:, :rows, None], variance[:, None, rows:]
        gamma, *growth = _homogeneous_layer(layer, cos1, sin1, cos2, sin2, gamma)
        return variance, jnp.stack([gamma, _grow(ratio, *growth)])

    start = jnp.stack([q, q, q]), jnp.stack([gamma, 1.0 - gamma])
    (q, *_), (gamma, ratio) = jax.lax.fori_loop(0, layers, one_layer, start)
    root = jnp.sqrt(q)
    return root[:rows, None] * root[rows:] * jnp.stack([1.0 - gamma, ratio])


def _directions(x, sw2, sb2):
    """q (m,) of the first layer and unit vectors (m, d + 1) whose products are its correlations."""
    terms = np.empty((len(x), x.shape[1] + 1))
    np.multiply(math.sqrt(sw2 / x.shape[1]), x, out=terms[:, :-1])
    terms[:, -1] = math.sqrt(sb2)
    q = np.sum(terms * terms, axis=1)
    terms /= np.sqrt(np.where(q > 0, q, 1.0))[:, None]
    return q, terms


@jax.jit
def _products(u, v):
    return jnp.matmul(u, v.T, precision="highest")


@jax.jit
def _refine(x1, x2, sw2, sb2, q1, q2, gamma):
    """The gamma of the first layer to full accuracy where inputs nearly agree or are nearly opposite.

    Where the Gram matrix loses digits, gamma comes from the sine of the angle. The parallelogram on
    a - b and a + b has twice the area of that on a and b: |small| |large| sin(small, large) = 2 |a| |b|
    sin(a, b), where the smaller of the two is exact for neighbours. The bias is one more coordinate of a and
    b, equal in both.
    """
    weight = sw2 / x1.shape[1]

    def from_sine(row):
        x, q, gamma = row
        far = (gamma > 1.0)[:, None]
        delta, total = x - x2, x + x2
        small, large = jnp.where(far, total, delta), jnp.where(far, delta, total)
        small_bias, large_bias = 4 * sb2 * far[:, 0], 4 * sb2 * ~far[:, 0]
        large2 = weight * jnp.sum(large * large, axis=1) + large_bias
        along = _divide(weight * jnp.sum(small * large, axis=1), large2)
        across2 = weight * jnp.sum((small - along[:, None] * large) ** 2, axis=1)
        across2 = across2 + small_bias + large_bias * along**2
        sine2 = _divide(across2 * large2, 4 * q * q2)
        refined = jnp.where(gamma > 1.0, 2.0 - sine2 / gamma, sine2 / (2.0 - gamma))
        return jnp.where(_is_close(gamma), refined, gamma)

    def row_by_row(row):
        return jax.lax.cond(jnp.any(_is_close(row[2])), from_sine, lambda row: row[2], row)

    return jax.lax.map(row_by_row, (x1, q1, gamma))


def _is_close(gamma):
    return abs(gamma - 1.0) > 1.0 - NEAR


def _first_gamma(x1, x2, sw2, sb2, q1, q2, u1, u2):
    """1 - correlation (m1, m2) of the first layer, of inputs with variances q and directions u."""
    # Clipped is only the rounding of the products.
    gamma = 1.0 - np.asarray(_products(u1, u2))
    np.minimum(np.maximum(gamma, 0.0, out=gamma), 2.0, out=gamma)
    if x1 is x2:
        np.fill_diagonal(gamma, 1.0)
    if gamma.min() < NEAR or gamma.max() > 2.0 - NEAR:
        gamma = np.array(_refine(x1, x2, sw2, sb2, q1, q2, gamma))
    if x1 is x2:
        np.fill_diagonal(gamma, 0.0)
    return gamma


# What tiles and calls share stays on the device. To move one of them takes a tenth of the time of a call with
# 100 inputs.


@lru_cache(maxsize=64)
def _map_on_device(layer, device):
    return jax.device_put(layer, device)


@lru_cache(maxsize=4)
def _known_gamma(rows, columns, first, device):
    """0 where the input of a row is that of the column, row r being column first + r, and -1 elsewhere."""
    return jax.device_put(np.eye(rows, columns, first) - 1.0, device)


def _homogeneous_pairs(run, layers, q, u1, u2, known, first_gamma):
    """Sigma and Theta, (2, m1, m2), of a tile for ReLU-like activations, by the compiled program `run`.

    Usually no inputs nearly agree or are nearly opposite, and the program finds out on the way. Where many
    layers would be lost it is asked beforehand. `first_gamma` returns the accurate gamma.
    """
    tile = np.asarray(run(layers if layers <= FEW_LAYERS else 0, q, u1, u2, known))
    close = np.isnan(tile[0].max())
    if close:  # an array that is not on the device would have the program compiled once more
        known = jax.device_put(first_gamma(), known.device)
    return np.asarray(run(layers, q, u1, u2, known)) if close or layers > FEW_LAYERS else tile


@lru_cache(maxsize=64)
def _bytes_per_pair(activation):
    """Working memory for one pair of a tile: the program's arrays and numpy's."""
    if activation.homogeneous:
        return 128
    scalar = jax.ShapeDtypeStruct((1, 1), np.float64)
    return 256 + 64 * _widest(jax.make_jaxpr(activation.gaps)(scalar, scalar, scalar).jaxpr)


def _widest(jaxpr):
    """The largest number of elements of an intermediate result: what a quadrature makes of one pair."""
    sizes = [math.prod(v.aval.shape) for equation in jaxpr.eqns for v in equation.outvars]
    inner = [p for equation in jaxpr.eqns for p in jax.tree.leaves(list(equation.params.values()))]
    inner = [getattr(p, "jaxpr", p) for p in inner]
    return max([1, *sizes, *(_widest(p) for p in inner if hasattr(p, "eqns"))])


def _tile_side(network, features, workers, platform, memory_limit):
    per_pair = workers * _bytes_per_pair(network.activation)
    per_row = workers * 48 * features  # `_first_gamma` gathers rows where inputs nearly agree
    if per_pair + per_row > memory_limit:
        raise ValueError(
            f"memory_limit must be at least {per_pair + per_row} bytes for {features} features and "
            f"{network.activation.name}, got {memory_limit}: one pair of inputs does not fit"
        )
    # the largest side with per_pair side^2 + per_row side <= memory_limit
    side = int((-per_row + math.sqrt(per_row**2 + 4 * per_pair * memory_limit)) / (2 * per_pair))
    return max(1, min(side, TILE.get(platform, ACCELERATOR_TILE)))


def _kernels(x1, x2, network, memory_limit):
    symmetric = x2 is None
    x1 = _inputs("x1", x1)
    x2 = x1 if symmetric else _inputs("x2", x2)
    if x1.shape[1] != x2.shape[1]:
        raise ValueError(
            f"x1 and x2 must have the same number of features, got shapes {x1.shape} and {x2.shape}"
        )
    _, activation, sw2, sb2, skip = network
    layers = network.depth - 1
    if activation.homogeneous:
        program, layer = _homogeneous_tile(), _homogeneous_map(network)  # once for all threads
    devices = jax.devices()
    if len(x1) * len(x2) <= TILE["cpu"] ** 2:
        workers = 1  # threads would take longer to start than one tile takes
    elif len(devices) == 1 and devices[0].platform == "cpu":
        workers = usable_cores()
    else:
        workers = len(devices)
    side = _tile_side(network, x1.shape[1], workers, devices[0].platform, memory_limit)
    rows, columns = _starts(len(x1), side), _starts(len(x2), side)
    height, width = math.ceil(len(x1) / len(rows)), math.ceil(len(x2) / len(columns))
    tiles = [(i, j) for i in rows for j in columns if not symmetric or j >= i]
    nngp, ntk = np.empty((len(x1), len(x2))), np.empty((len(x1), len(x2)))

    def fill(number, i, j):
        # All tiles have one shape, so that one program serves them; the last ones reach back over their
        # neighbours.
        top, left = min(i, len(x1) - height), min(j, len(x2) - width)
        device = devices[number % len(devices)]
        with jax.default_device(device) if len(devices) > 1 else nullcontext():
            part1, part2 = x1[top : top + height], x2[left : left + width]
            q1, u1 = _directions(part1, sw2, sb2)
            if symmetric and i == j:
                part2, q2, u2 = part1, q1, u1
            else:
                q2, u2 = _directions(part2, sw2, sb2)
            first_gamma = partial(_first_gamma, part1, part2, sw2, sb2, q1, q2, u1, u2)
            if activation.homogeneous:
                known = _known_gamma(height, width, top - left if symmetric else width, device)
                run = partial(program, _map_on_device(layer, device))
                tile = _homogeneous_pairs(run, layers, np.concatenate([q1, q2]), u1, u2, known, first_gamma)
            else:
                *tile, smallest, largest = jax.device_get(
                    _tile(activation, skip, sw2, sb2, layers, q1, q2, first_gamma())
                )
        if not activation.homogeneous and layers:
            _check_range(activation, smallest, largest)
        # Only what is not a neighbour's is written: tiles run side by side.
        r, c = slice(i, top + height), slice(j, left + width)
        for kernel, part in zip((nngp, ntk), tile, strict=True):
            part = part[i - top :, j - left :]
            kernel[r, c] = part
            if symmetric:
                np.copyto(kernel[c, r], part.T, where=_lower_triangle(len(part)) if i == j else True)

    if len(tiles) == 1:
        fill(0, 0, 0)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(float64(fill), number, *tile) for number, tile in enumerate(tiles)]:
                done.result()
    for name, kernel in (("nngp", nngp), ("ntk", ntk)):
        if not np.isfinite(kernel.max()):
            raise ValueError(
                f"the {name} of depth {network.depth} is beyond the range of float64: use a smaller depth or "
                "sigma_w, or depth_profile with rescale=True"
            )
    return Kernels(nngp, ntk)


@lru_cache(maxsize=2)
def _lower_triangle(n):
    return np.tri(n, dtype=bool)


def _starts(n, side):
    """Where the tiles along n inputs begin: as few as fit, of one size."""
    count = math.ceil(n / side)
    return [k * math.ceil(n / count) for k in range(count)]


# One pair of inputs, to any depth


@float64
def depth_profile(
    depths, *, activation, sigma_w, sigma_b, q1=(1.0, 1.0), c1=0.5, architecture="fcn", rescale=False
):
    """The kernels of one pair of inputs at each of `depths`, accurate in 1 - c out to 10^7 layers.

    The recursions are those of `fcn_kernels` and `residual_kernels`, carried in gamma = 1 - c and in 1 - c
    alone, so that one_minus_c keeps its relative accuracy when it is small. Once the variances of the two
    inputs have converged to one fixed point, gamma' is a function of gamma only, and an interpolant replaces
    the activation's expectations (see `_converged_map`); ReLU-like activations never need either. Ten million
    layers take seconds. Where the variances do not converge (sigma_b = 0 on the edge of chaos of tanh, say,
    or residual networks), each layer costs what the activation's `gaps` cost: some 50 microseconds for tanh,
    a millisecond by quadrature.

    Parameters
    ----------
    depths : (k,) positive integers, in any order.
    activation : a name or an `Activation`.
    sigma_w, sigma_b : standard deviations, finite and not negative.
    q1 : the two variances of the first layer, positive.
    c1 : correlation of the first layer, in [-1, 1].
    architecture : "fcn" or "residual".
    rescale : divide q, nngp and ntk by exp(log_scale), the growth (or, without bias, the decay) of the
        variance of a ReLU-like activation, which would leave the range of float64.

    Returns
    -------
    DepthProfile : arrays over depths. Diagonal entries of the NTK that exceed float64 (deep in the chaotic
        phase) are inf.

    Raises
    ------
    ValueError
        If an argument has a wrong value, a variance leaves the range in which the activation's expectations
        are accurate, or a kernel between the two inputs leaves the range of float64.
    """
    skips = {"fcn": 0.0, "residual": 1.0}
    if architecture not in skips:
        raise ValueError(f"architecture must be 'fcn' or 'residual', got {architecture!r}")
    depths = [_positive_integer("depths", depth) for depth in np.ravel(depths).tolist()]
    if not depths:
        raise ValueError("depths must hold at least one depth, got none")
    network = _network(max(depths), activation, sigma_w, sigma_b, skips[architecture])
    q = np.asarray(q1, dtype=np.float64)
    if q.shape != (2,) or not (np.isfinite(q).all() and (q > 0).all()):
        raise ValueError(f"q1 must be two positive variances, got {q1!r}")
    if not -1.0 <= float(c1) <= 1.0:
        raise ValueError(f"c1 must be a correlation between -1 and 1, got {c1!r}")
    if rescale and not network.activation.homogeneous:
        raise ValueError(f"rescale needs a ReLU-like activation, got {network.activation.name}")
    stops = np.unique(depths)
    run = _homogeneous_profile if network.activation.homogeneous else _general_profile
    q, gamma, theta, theta_diagonal, log_scale = run(network, stops, q, 1.0 - float(c1), rescale)
    nngp = np.sqrt(q[:, 0]) * np.sqrt(q[:, 1]) * (1.0 - gamma)
    if not (np.isfinite(nngp).all() and np.isfinite(theta).all()):
        first = stops[~(np.isfinite(nngp) & np.isfinite(theta))][0]
        raise ValueError(
            f"depths must stay below {first}, where a kernel leaves the range of float64: try rescale"
        )
    profile = DepthProfile(q, gamma, nngp, theta, theta_diagonal, log_scale)
    return DepthProfile(*(field[np.searchsorted(stops, depths)] for field in profile))


def _first_state(q, gamma):
    """q_1, q_2, gamma, and Theta(x_1, x_2), Theta(x_1, x_1) and Theta(x_2, x_2) with what rounding lost."""
    thetas = np.sqrt(q[0]) * np.sqrt(q[1]) * (1.0 - gamma), q[0], q[1]
    return q[0], q[1], gamma, *((theta, 0.0) for theta in thetas)


def _homogeneous_profile(network, stops, q, gamma, rescale):
    layer = _homogeneous_map(network)
    # Growth or decay is taken out; with a bias the variance does not decay to zero.
    taken_out = rescale and layer.growth > 0 and (layer.growth > 1 or layer.sb2 == 0)
    scale = layer.growth if taken_out else 1.0
    layers = np.diff(stops, prepend=1)
    q, gamma, ratio, diagonal = jax.device_get(_homogeneous_depths(layer, scale, layers, q, gamma))
    theta = np.sqrt(q[:, 0]) * np.sqrt(q[:, 1]) * ratio
    return q, gamma, theta, q * diagonal, (stops - 1) * math.log(scale)


@jax.jit
def _homogeneous_depths(layer, scale, layers, q, gamma):
    """q (k, 2), gamma (k,), Theta/sqrt(q_1 q_2) (k,) and Theta(x, x)/q (k, 2) after stretches of layers."""

    def one_layer(_, carry):
        (q, gamma, ratio, diagonal), sb2 = carry
        q, cos, sin = _homogeneous_variance(layer._replace(sb2=sb2), q)
        gamma, *growth = _homogeneous_layer(layer, cos[0], sin[0], cos[1], sin[1], gamma)
        diagonal = _grow_exactly(diagonal, -sin * sin, 1.0 - cos * cos * layer.skip)
        return (q / scale, gamma, _grow_exactly(ratio, *growth), diagonal), sb2 / scale

    def stretch(carry, count):
        carry = jax.lax.fori_loop(0, count, one_layer, carry)
        q, gamma, (ratio, _), (diagonal, _) = carry[0]
        return carry, (q, gamma, ratio, diagonal)

    start = q, gamma, (1.0 - gamma, 0.0), (jnp.ones(2), jnp.zeros(2))
    return jax.lax.scan(stretch, (start, layer.sb2), layers)[1]


def _general_profile(network, stops, q, gamma, rescale):
    activation, skip, sw2, sb2 = network.activation, network.skip, network.sw2, network.sb2
    _check_range(activation, q.min(), q.max())
    state, settled, records, depth = _first_state(q, gamma), None, [], 1
    for stop in stops:
        while depth < stop and settled is None:
            state, done, converged, smallest, largest = jax.device_get(
                _advance(activation, skip, sw2, sb2, stop - depth, state)
            )
            _check_range(activation, smallest, largest)
            depth += int(done)
            if converged:
                settled = _converged_map(activation, float(state[0]))
        if depth < stop:
            state = jax.device_get(_advance_converged(settled, sw2, stop - depth, state))
        depth = stop
        q1, q2, gamma, *thetas = state
        records.append([q1, q2, gamma, *(theta for theta, _ in thetas)])
    q1, q2, gamma, theta, theta1, theta2 = np.array(records).T
    return np.stack([q1, q2], axis=1), gamma, theta, np.stack([theta1, theta2], axis=1), np.zeros(len(stops))


def _pair_layer(activation, skip, sw2, sb2, state):
    q1, q2, gamma, *thetas = state
    gamma, *growth = _general_layer(activation, skip, sw2, sb2, q1, q2, gamma)
    q1, *growth1 = _next_variance(activation.variance, skip, sw2, sb2, q1)
    q2, *growth2 = _next_variance(activation.variance, skip, sw2, sb2, q2)
    growths = growth, growth1, growth2
    return q1, q2, gamma, *(_grow_exactly(t, *g) for t, g in zip(thetas, growths, strict=True))


@partial(jax.jit, static_argnums=0)
def _advance(activation, skip, sw2, sb2, layers, state):
    """At most `layers` layers; stops where the two variances have converged to one value."""

    def proceed(carry):
        _, done, converged, _, _ = carry
        return (done < layers) & ~converged

    def layer(carry):
        before, done, _, smallest, largest = carry
        after = _pair_layer(activation, skip, sw2, sb2, before)
        q1, q2 = after[:2]
        change = jnp.maximum(jnp.abs(q1 - before[0]), jnp.maximum(jnp.abs(q2 - before[1]), jnp.abs(q1 - q2)))
        smallest, largest = (
            jnp.minimum(smallest, jnp.minimum(before[0], before[1])),
            jnp.maximum(largest, jnp.maximum(before[0], before[1])),
        )
        return after, done + 1, change <= CONVERGED * q1, smallest, largest

    return jax.lax.while_loop(proceed, layer, (state, 0, False, jnp.inf, 0.0))


class _ConvergedMap(NamedTuple):
    """gamma' and E[phi' phi'] as functions of the angle theta, at one variance q of both inputs.

    E[(phi(u) - phi(v))^2]/2 = q gamma (slope - theta^p J(theta)) and E[phi' phi'] = slope - theta^p K(theta),
    with J and K polynomials on equal pieces of [0, pi].
    """

    slope: float  # E[phi'(u)^2]
    power: int  # p: 1 if phi' jumps, else 2
    pieces: np.ndarray  # (pieces, PIECE_TERMS, 2): powers of the local variable in [-1, 1], highest first


def _converged_map(activation, q):
    """The `_ConvergedMap` of an activation at variance q.

    In theta the expectations are analytic on [0, pi], ends included and kinks or not, where in c they have
    singularities at c = 1 and -1. [0, pi] is cut into pieces short enough for polynomials of PIECE_TERMS
    terms.

    Many layers on the edge of chaos need the departures from slope to full relative accuracy at theta -> 0,
    so what is tabled are they, over theta^p, the order at which they vanish: an error of the table would add
    a lower one. E[phi' phi'] departs by its gap. The other departure is the mean of this one, by Price's
    theorem, dE[phi phi]/dc = q E[phi' phi'], and a sum of positive terms:

        gamma theta^p J(theta) = integral of t^p K(t) sin(t) over t from 0 to theta.
    """
    slope = float(activation.variance(q)[1])
    power = 1 if activations.first_jump(activation) <= 1 else 2
    nodes, count = _chebyshev_points(PIECE_TERMS), 8
    while count <= MAX_PIECES:
        left, width = math.pi / count * np.arange(count), math.pi / count
        theta = left + width * 0.5 * (1.0 + nodes[:, None])  # (PIECE_TERMS, count)
        gap = activation.gaps(q, q, _one_minus_cos(theta))[1]
        K = gap / theta**power
        series = _chebyshev_coefficients(K)
        scale = np.abs(K).max(axis=0) + slope / math.pi**power
        if (np.abs(series[-2:]) <= 128 * EPS * scale).all():
            break
        count *= 2
    else:
        raise ValueError(
            f"no interpolant of {activation.name} is accurate at q = {q:g}: choose a smaller sigma_w"
        )

    r, weights = np.polynomial.legendre.leggauss(PIECE_TERMS)

    def integral(end):
        """Of t^p K(t) sin(t), in each piece, from its left end to the local variable `end` (..., 1)."""
        x = 0.5 * (1.0 + r) * (1.0 + end) - 1.0  # (..., PIECE_TERMS)
        t = left + width * 0.5 * (1.0 + x[..., None])  # (..., PIECE_TERMS, count)
        values = np.moveaxis(np.polynomial.chebyshev.chebval(x, series), 0, -1)
        mean = np.einsum("k,...kc->...c", weights, t**power * np.sin(t) * values)
        return 0.25 * width * (1.0 + end) * mean

    whole = integral(np.array([1.0]))
    J = (np.cumsum(whole) - whole + integral(nodes[:, None])) / (_one_minus_cos(theta) * theta**power)
    series = np.stack([_chebyshev_coefficients(J), series], axis=-1)  # (PIECE_TERMS, count, 2)
    powers = np.zeros((PIECE_TERMS, PIECE_TERMS))
    for k, row in enumerate(np.eye(PIECE_TERMS)):
        powers[k, : k + 1] = np.polynomial.chebyshev.cheb2poly(row)[: k + 1]
    pieces = np.einsum("kp,kcm->cpm", powers, series)[:, ::-1]
    return _ConvergedMap(slope, power, np.ascontiguousarray(pieces))


def _one_minus_cos(theta):
    return 2.0 * np.sin(0.5 * theta) ** 2


def _chebyshev_points(n):
    return np.cos(np.pi * (np.arange(n) + 0.5) / n)


def _chebyshev_coefficients(values):
    """Coefficients (n, ...) of the interpolant in x through values (n, ...) at x = _chebyshev_points(n)."""
    n = len(values)
    cosines = np.cos(np.pi / n * np.outer(np.arange(n), np.arange(n) + 0.5))
    coefficients = 2.0 / n * np.tensordot(cosines, values, axes=1)
    coefficients[0] *= 0.5
    return coefficients


def _converged_layer(table, sw2, state):
    """One layer at a fixed point q of the variance: gamma' q = sigma_w^2 E[(phi(u) - phi(v))^2]/2."""
    q1, q2, gamma, theta, theta1, theta2 = state
    t = 0.5 * gamma
    far = t > 0.5
    s = jnp.where(far, 1.0 - t, t)
    angle = jnp.sqrt(s) * _polynomial(_ANGLE, s)
    angle = jnp.where(far, math.pi - angle, angle)
    count = len(table.pieces)
    place = angle * (count / math.pi)
    piece = jnp.minimum(place.astype(int), count - 1)
    chord, slope_chord = angle**table.power * _polynomial(table.pieces[piece], 2.0 * (place - piece) - 1.0)
    after = sw2 * (table.slope - chord) * gamma
    gain = sw2 * table.slope - 1.0
    theta = _grow_exactly(theta, gain - sw2 * slope_chord, jnp.sqrt(q1) * jnp.sqrt(q2) * (1.0 - after))
    return q1, q2, after, theta, _grow_exactly(theta1, gain, q1), _grow_exactly(theta2, gain, q2)


@jax.jit
def _advance_converged(table, sw2, layers, state):
    return jax.lax.fori_loop(0, layers, lambda _, s: _converged_layer(table, sw2, s), state)
