"""Gaussian expectations of an arbitrary activation by quadrature in polar coordinates.

A centred Gaussian pair is a point of the plane in polar coordinates: u = s1 r sin(e) and v = s2 r sin(e +
theta), where cos(theta) is the correlation. The lines u = 0 and v = 0 cut the plane into four sectors, which
keep their shape when theta -> 0: nothing in the integrand becomes narrow. Rays are cut where u or v passes a
kink, sectors where the ray passes a point at which both do. Nodes are graded to resolve the scale 1/s on
which the activation varies.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers.activations.closed_forms import Expectations, angles, flat, safe_root

RADIUS = 9.6  # exp(-RADIUS^2 / 2) = 1e-20
WIDE_RADIUS = 15.0
ANGULAR_NODES = 32
RADIAL_NODES = 56
LINE_NODES = 96
SEGMENT_NODES = 5  # of the mean of a derivative along a segment shorter than SHORT
SHORT = 0.25
RESOLVED = 1e-9  # relative change of a variance under a finer rule, up to which the usual one is trusted


def derivative(function):
    """The elementwise derivative of an elementwise function."""

    def slope(x):
        return jax.jvp(function, (x,), (jnp.ones_like(x),))[1]

    return slope


@functools.cache
def legendre(n):
    """Gauss-Legendre nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return 0.5 * (nodes + 1.0), 0.5 * weights


def _panels(n, cuts, end, scale, xp=jnp):
    """Nodes and weights, on a new leading axis, for [0, end] cut at `cuts` (a list, in any order).

    The rule is Gauss-Legendre in asinh(x / scale): it resolves `scale` near 0 and coarsens with the distance.
    """
    edges = xp.stack(xp.broadcast_arrays(xp.zeros_like(end), *cuts, end))
    edges = xp.arcsinh(xp.sort(xp.clip(edges, 0.0, end), axis=0) / scale)
    t, w = (x.reshape((-1,) + (1,) * np.ndim(end)) for x in legendre(n))
    low, width = edges[:-1, None], xp.diff(edges, axis=0)[:, None]
    y = (low + t * width).reshape(-1, *end.shape)
    return scale * xp.sinh(y), scale * xp.cosh(y) * (w * width).reshape(-1, *end.shape)


def _pair_expectation(integrand, kinks, q1, q2, gamma):
    """E of `integrand(u, v, u - v)`, values stacked on axis 0, over the pair; q1, q2, gamma are flat."""
    s1, s2 = safe_root(q1), safe_root(q2)
    total = s1 + s2
    step = (q1 - q2) / jnp.where(total > 0.0, total, 1.0)  # s1 - s2
    scale = 1.0 / (0.1 + jnp.maximum(s1, s2))
    theta, other = angles(gamma)
    half_sine = safe_root(0.5 * gamma)  # sin(theta / 2)
    kinks = sorted({abs(k) for k in kinks} - {0.0})
    tiny = jnp.finfo(jnp.float64).tiny

    def half_sector(near_s, far_s, width, sign, swap):
        # e runs from the edge where the variable with standard deviation near_s vanishes
        def crossing(k1, k2):  # near_s sin(e) / k1 = far_s sin(theta +- e) / k2
            ratio = k1 * far_s / k2
            rise, run = ratio * jnp.sin(theta), near_s - sign * ratio * jnp.cos(theta)
            e = jnp.arctan2(rise, jnp.where((rise == 0.0) & (run == 0.0), 1.0, run))
            return jnp.where(e > 0.0, e, jnp.inf)

        def entry(k, radius):  # where the kink's line enters the disk of this radius
            sine = k / (radius * near_s + tiny)
            return jnp.where(sine < 1.0, jnp.arcsin(jnp.where(sine < 1.0, sine, 0.0)), 0.5 * np.pi)

        cuts = [crossing(k1, k2) for k1 in kinks for k2 in kinks]
        cuts += [entry(k, radius) for k in kinks for radius in (RADIUS, 4.0)]
        e, we = _panels(ANGULAR_NODES, cuts, 0.5 * width, scale)

        def ray(result, node):
            e, weight = node
            near, far = jnp.sin(e), jnp.sin(theta + sign * e)
            speeds = jnp.abs(near_s * near) + tiny, jnp.abs(far_s * far) + tiny
            cuts = [k / speed for k in kinks for speed in speeds]
            r, wr = _panels(RADIAL_NODES, cuts, jnp.full_like(e, RADIUS), scale)
            a, b = near_s * near * r, sign * far_s * far * r
            if sign > 0:
                # sin(theta + e) - sin(e) = 2 sin(theta/2) cos(e + theta/2)
                lift = half_sine * jnp.cos(e + 0.5 * theta)
                difference = r * (step * 0.5 * (near + far) - swap * total * lift)
            else:
                difference = swap * (a - b)
            u, v = (a, b) if swap > 0 else (b, a)
            both = integrand(u, v, difference) + integrand(-u, -v, -difference)
            return result + weight * jnp.sum(wr * r * jnp.exp(-0.5 * r * r) * both, axis=1), None

        values = jax.eval_shape(integrand, *[jax.ShapeDtypeStruct((1,), e.dtype)] * 3).shape[0]
        start = jnp.zeros((values, *q1.shape), e.dtype)
        return jax.lax.scan(ray, start, (e, we))[0]

    return sum(
        half_sector(near_s, far_s, width, sign, swap)
        for width, sign in ((other, 1.0), (theta, -1.0))
        for near_s, far_s, swap in ((s1, s2, 1.0), (s2, s1, -1.0))
    ) / (2.0 * np.pi)


def _line_rule(nodes, radius, kinks, q, xp=jnp):
    """Nodes x > 0 and weights, on a new leading axis, for a standard normal variable times sqrt(q)."""
    s = xp.sqrt(q) if xp is np else safe_root(q)
    cuts = [abs(k) / (s + np.finfo(np.float64).tiny) for k in kinks if k != 0.0]
    x, w = _panels(nodes, cuts, xp.full_like(s, radius), 1.0 / (0.1 + s), xp)
    return x, w * xp.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)


def line_expectation(integrand, kinks, q):
    """E of `integrand(u)` (values stacked on axis 0), u centred Gaussian with variance q (a flat array)."""
    s = safe_root(q)
    x, w = _line_rule(LINE_NODES, RADIUS, kinks, q)
    return jnp.sum(w * (integrand(s * x) + integrand(-s * x)), axis=1)


def resolved_range(phi, dphi, kinks):
    """The variances (0, q) up to which a finer and wider rule along a ray gives what the usual one gives."""
    q, functions = np.logspace(-8, 4, 97), [jax.jit(phi), jax.jit(dphi)]

    def variances(nodes, radius):
        x, w = _line_rule(nodes, radius, kinks, q, np)
        u = np.sqrt(q) * x
        return np.array([(w * (np.asarray(f(u)) ** 2 + np.asarray(f(-u)) ** 2)).sum(0) for f in functions])

    with np.errstate(all="ignore"):  # what overflows is not resolved
        usual, fine = variances(RADIAL_NODES, RADIUS), variances(4 * RADIAL_NODES, WIDE_RADIUS)
        resolved = (np.abs(usual - fine) <= RESOLVED * np.abs(fine)).all(axis=0)
    if not resolved[0]:
        return 0.0, 0.0
    return 0.0, float(q[-1] if resolved.all() else q[np.argmin(resolved) - 1])


def _increment(f, df, kinks, u, v, difference):
    """f(u) - f(v), on short segments without a kink as the mean of f' along the segment times u - v."""
    t, w = legendre(SEGMENT_NODES)
    mean = sum(wi * df(v + ti * difference) for ti, wi in zip(t, w, strict=True))
    short = jnp.abs(difference) < SHORT
    for k in kinks:
        short = short & ((u - k) * (v - k) > 0)
    return jnp.where(short, difference * mean, f(u) - f(v))


def expectations(phi, dphi, kinks):
    """The expectations of phi, smooth except at the kinks."""
    ddphi = derivative(dphi)

    @flat
    def moments(q1, q2, gamma):
        def integrand(u, v, _):
            return jnp.stack([phi(u) * phi(v), dphi(u) * dphi(v)])

        return _pair_expectation(integrand, kinks, q1, q2, gamma)

    @flat
    def variance(q):
        return line_expectation(lambda u: jnp.stack([phi(u) ** 2, dphi(u) ** 2]), kinks, q)

    @flat
    def gaps(q1, q2, gamma):
        def integrand(u, v, difference):
            first = _increment(phi, dphi, kinks, u, v, difference)
            second = _increment(dphi, ddphi, kinks, u, v, difference)
            return 0.5 * jnp.stack([first**2, second**2])

        return _pair_expectation(integrand, kinks, q1, q2, gamma)

    return Expectations(moments, variance, gaps)
