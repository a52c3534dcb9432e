"""The tangent kernel at finite width: its mean and its variance over draws of the weights (chapter 17).

Gaussian and orthogonal (Haar) weights differ in one number a layer. Both are covered by
g = sqrt(N) (coordinates of a uniform unit vector of R^N) for the image of a unit vector under a layer of
shape (n_out, n_in): N = max(n_out, n_in) for Haar weights, N = infinity for Gaussian ones.
"""

import functools
import itertools
from typing import NamedTuple

import jax
import numpy as np

from ntk_helpers import _checks, activations, mean_field
from ntk_helpers._precision import float64
from ntk_helpers.activations.quadrature import legendre
from ntk_helpers.networks import WEIGHTS

#: Nodes along a radius for one and for two inputs, from 0 to RADIUS, and over the angle between two kinks.
RADIAL, ANGULAR, RADIUS = {1: 160, 2: 64}, 20, 11.0


def relative_variance(widths, *, activation, weights="gaussian"):
    """Var Theta(x, x) / (E Theta(x, x))^2 of a network with a two-slope activation and no biases. Exact.

    phi(y) = a y for y > 0 and b y for y < 0; kappa = 2 (a^4 + b^4) / (a^2 + b^2)^2 is 2 for ReLU and 1 for
    linear and |y|. Given its gates the network is linear, and the gates are fair coins (Theorem 17.1). The
    mean is the limit of infinite width, L q (sigma_w^2 (a^2 + b^2) / 2)^(L-1). The second moment is a sum
    over pairs of layers l < k of products of E R^2 of the layers outside and E (Tr A A^T)^2, with A the
    product of gates and weights between, from a recursion of (E (Tr A A^T)^2, E Tr (A A^T)^2). Theorem 17.2
    has the terms for equal widths.

    Parameters
    ----------
    widths : (d, n_1, ..., n_L) positive integers; Theta belongs to one of the n_L outputs.
    activation : a name or an `Activation` with two slopes.
    weights : "gaussian" or "orthogonal".

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is not as described.
    """
    _checks.one_of("weights", weights, WEIGHTS)
    kappa = _kappa(activations.get(activation))
    n = np.array(_checks.widths(widths), dtype=float)
    inverse = (weights == "orthogonal") / np.maximum(n[1:], n[:-1])  # 1/N of each of the L weight matrices
    hidden = n[1:-1]
    square = (3 * kappa + hidden - 1) / hidden
    ahead = np.append(1.0, np.cumprod(square / (1 + 2 * inverse[:-1])))  # layers below share l
    back = np.append(np.cumprod((square / (1 + 2 * inverse[1:]))[::-1])[::-1], 1.0)  # and from it on
    depth = len(n) - 1
    total = np.sum(ahead * back)
    p, r = np.zeros(depth), np.zeros(depth)  # of the products that start at layer l
    for k in range(1, depth):
        m, e = hidden[k - 1], inverse[k - 1]
        diagonal = (p + 2 * r) / (1 + 2 * e)
        pairs = (m - 1) / ((1 - e) * (1 + 2 * e)) if m > 1 else 0.0
        p, r = (
            (kappa * diagonal + pairs * ((1 + e) * p - 2 * e * r)) / m,
            (kappa * diagonal + pairs * (r - e * p)) / m,
        )
        p[k - 1], r[k - 1] = 1 + (kappa - 1) / m, kappa / m
        total += 2 * np.sum(ahead[:k] * p[:k]) * back[k]
    return float(total / depth**2 - 1)


class LeadingOrder(NamedTuple):
    """Coefficients of 1/n at the depths 1, ..., L.

    Theta(x, x') at depth l has the mean ntk (1 + ntk_mean / n) and the variance ntk^2 ntk_variance / n, to
    first order in 1/n. The elements over outputs have the relative covariances
    Cov(Theta_ij, Theta_kl) / ntk^2 = (common d_ij d_kl + spread[0] d_ik d_jl + spread[1] d_il d_jk) / n,
    so `ntk_variance` is common + spread[0] + spread[1].

    Attributes
    ----------
    nngp, nngp_mean, nngp_variance : (L,), the variance of a unit given the layers below, in the limit, and
        its relative corrections in the same way.
    ntk, ntk_mean, ntk_variance : (L,).
    common, spread : (L,) and (L, 2).
    """

    nngp: np.ndarray
    nngp_mean: np.ndarray
    nngp_variance: np.ndarray
    ntk: np.ndarray
    ntk_mean: np.ndarray
    ntk_variance: np.ndarray
    common: np.ndarray
    spread: np.ndarray


@float64
def leading_order(
    depth, *, activation, sigma_w, sigma_b, q1=1.0, c1=None, weights="gaussian", first_ratio=1.0
) -> LeadingOrder:
    """Mean and variance of NNGP and NTK to first order in 1/n, for hidden layers of equal width n.

    The recursion of V, D, A, B (four-point vertex and NTK tensors) of Roberts, Yaida and Hanin (2022,
    chapter 8), in the form of chapter 17: with k the fluctuation of the covariance, t that of the NTK,

        k' = F'(K) k + e,   t' = k' + chi t + Theta (chi'(K) k + z),   B' = chi^2 B + Theta^2 b,

    where (e, z) is the mean over units of sigma_w^2 (phi phi, phi' phi') less its expectation. With Gaussian
    weights its covariance is that of one unit over n, and b = E (sigma_w^2 phi' phi')^2. With orthogonal ones
    the part of (e, z) that is quadratic in the unit's Gaussian is projected out, since W preserves inner
    products, and b = Var (sigma_w^2 phi' phi').

    Parameters
    ----------
    depth : L, the number of weight layers.
    activation : a name or an `Activation`; kinks at 0 only.
    sigma_w, sigma_b : standard deviations; sigma_w > 0.
    q1 : variance of the first layer, sigma_w^2 |x|^2 / d + sigma_b^2, equal for both inputs.
    c1 : their correlation, for an element of two inputs; None for the diagonal.
    weights : "gaussian" or "orthogonal".
    first_ratio : n / max(n, d), which matters for orthogonal weights alone: 1 where d <= n.

    Returns
    -------
    LeadingOrder

    Raises
    ------
    ValueError
        If an argument is not as described, the inputs become parallel to rounding error, or the quadrature
        does not resolve the activation.
    """
    depth = _checks.positive_integer("depth", depth)
    activation = activations.get(activation)
    sigma_w = _checks.standard_deviation("sigma_w", sigma_w)
    sigma_b = _checks.standard_deviation("sigma_b", sigma_b)
    _checks.one_of("weights", weights, WEIGHTS)
    if sigma_w == 0:
        raise ValueError("sigma_w must be positive, got 0.0: no signal passes")
    if any(kink != 0 for kink in activation.kinks):
        raise ValueError(f"activation must have kinks at 0 only, got {activation.name}: {activation.kinks}")
    if not (np.isfinite(q1) and q1 > sigma_b**2):
        raise ValueError(f"q1 must be finite and larger than sigma_b^2 = {sigma_b**2:g}, got {q1!r}")
    if not 0 < first_ratio <= 1:
        raise ValueError(f"first_ratio must be n / max(n, d), in (0, 1], got {first_ratio!r}")
    if c1 is not None and (not -1 < c1 < 1 or q1 * (1 - abs(c1)) <= 0):
        raise ValueError(f"c1 must be a correlation between -1 and 1, got {c1!r}; None for x' = x")
    correlations = np.ones((1, 1)) if c1 is None else np.array([[1.0, c1], [c1, 1.0]])
    state = _first(q1 * correlations)
    rows, functions = [_row(state)], _functions(activation)
    gamma = float(weights == "orthogonal")
    for layer in range(1, depth):
        forward = gamma * first_ratio if layer == 1 else gamma
        state = _next(state, functions, sigma_w, sigma_b, forward, gamma)
        rows.append(_row(state))
    found = LeadingOrder(*(np.array(column) for column in zip(*rows, strict=True)))
    if c1 is None and depth > 1:
        q = found.nngp[:-1]
        exact = sigma_w**2 * activation.variance(q)[0] + sigma_b**2
        if not np.allclose(found.nngp[1:], exact, rtol=1e-8):
            raise ValueError(
                f"q1 and sigma_w lead to variances up to {q.max():g}, too large for a quadrature"
            )
    return found


def edge_slope(activation, *, sigma_b, weights="gaussian"):
    """Limit of n Var Theta(x, x) / (L Theta(x, x)^2) on the edge of chaos, where its fixed point q* > 0.

    It is w/3 with w = Var(z + c e) + 2 b: (e, z) and b at q* as in `leading_order`, and
    c = chi'(q*) / (1 - F'(q*)), the sum of what a perturbation of the covariance does to later layers
    (Theorem 17.3).

    Parameters
    ----------
    activation : a name or an `Activation`.
    sigma_b : standard deviation, finite and not negative.
    weights : "gaussian" or "orthogonal".

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the weights are another ensemble, there is no edge, or q* is 0 there.
    """
    _checks.one_of("weights", weights, WEIGHTS)
    activation = activations.get(activation)
    sigma_w, q = mean_field.edge_of_chaos(activation, sigma_b=sigma_b)
    if not q > 0:
        raise ValueError(
            f"sigma_b must give a fixed point q* > 0 on the edge of {activation.name}, got q* = 0"
        )
    with float64():
        gamma = float(weights == "orthogonal")
        state = _first(np.full((1, 1), q))
        _, jacobian, noise, _, b, _ = _unit(state, _functions(activation), sigma_w, sigma_b, gamma, gamma)
    c = jacobian[1, 0] / (1 - jacobian[0, 0])
    return float((noise[1, 1] + 2 * c * noise[0, 1] + c**2 * noise[0, 0] + 2 * b) / 3)


@functools.cache
def _functions(activation):
    """phi and phi' in one compiled call."""
    return jax.jit(lambda u: (activation.phi(u), activation.dphi(u)))


class _State(NamedTuple):
    """At one depth, for p inputs and the m = p (p + 1) / 2 elements of their covariance."""

    covariance: np.ndarray  # K (p, p) in the limit
    theta: float  # Theta between the first and the last input
    joint: np.ndarray  # n Cov of (k, t), (m + 1, m + 1)
    spread: np.ndarray  # B, for (a c)(b d) and (a d)(b c)
    mean: np.ndarray  # n (E K - K) and n (E Theta - Theta), (m + 1,)
    tied: np.ndarray  # T (p, p): E[Theta_ii | y_i] = E Theta_ii + (y T y - E) / n


def _first(covariance):
    p = len(covariance)
    m = p * (p + 1) // 2
    joint, mean = np.zeros((m + 1, m + 1)), np.zeros(m + 1)
    return _State(covariance, covariance[0, -1], joint, np.zeros(2), mean, np.zeros((p, p)))


def _row(state):
    q, theta = state.covariance[0, -1], state.theta
    a, spread = state.joint[-1, -1] / theta**2, state.spread / theta**2
    at = len(state.covariance) - 1  # of K(x, x') in the upper triangle
    k_mean, k_variance = state.mean[at] / q, state.joint[at, at] / q**2
    return q, k_mean, k_variance, theta, state.mean[-1] / theta, a + spread.sum(), a, spread


def _nodes(root):
    """Nodes g (k, p) and weights of a standard Gaussian; no kink u_a = (root g)_a = 0 within a panel."""
    r, w = (RADIUS * rule for rule in legendre(RADIAL[len(root)]))
    bell = w * np.exp(-(r**2) / 2)
    if len(root) == 1:
        return np.concatenate([r, -r])[:, None], np.tile(bell, 2) / np.sqrt(2 * np.pi)
    half = np.arctan2(-root[:, 0], root[:, 1])
    edges = np.sort(np.concatenate([half, half + np.pi]) % (2 * np.pi))
    edges = np.append(edges, edges[0] + 2 * np.pi)
    x, v = legendre(ANGULAR)
    length = np.diff(edges)[:, None]
    angle, weight = (edges[:-1, None] + length * x).ravel(), (length * v).ravel()
    g = np.stack([np.outer(r, np.cos(angle)), np.outer(r, np.sin(angle))], axis=-1).reshape(-1, 2)
    return g, np.outer(bell * r, weight).ravel() / (2 * np.pi)


def _unit(state, functions, sigma_w, sigma_b, forward, backward):
    """One layer: (limits, Jacobian (m+1, m), noise (m+1, m+1), mean (m+1,), b, unit) of e and z."""
    covariance = state.covariance
    p = len(covariance)
    try:
        root = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ValueError("c1 must stay apart from 1: the inputs have become parallel; lower depth") from None
    g, w = _nodes(root)
    phi, slope = map(np.asarray, functions(g @ root.T))
    pairs = list(itertools.combinations_with_replacement(range(p), 2))
    values = np.stack([phi[:, a] * phi[:, b] for a, b in pairs] + [slope[:, 0] * slope[:, -1]])
    values *= sigma_w**2
    limits = values @ w
    # Expectations against Hermite polynomials of degree 2 and 4, as matrices over pairs (i, j) and (k, l).
    eye, gg = np.eye(p), (g[:, :, None] * g[:, None, :]).reshape(-1, p * p)
    second = (values * w) @ gg - limits[:, None] * eye.ravel()
    fourth = np.einsum("fa,ab->fab", values * w, gg)
    parts = [np.einsum(term, eye, eye) for term in ("ij,kl->ijkl", "ik,jl->ijkl", "il,jk->ijkl")]
    fourth = np.swapaxes(fourth, 1, 2) @ gg - limits[:, None, None] * sum(parts).reshape(p * p, p * p)
    h = second.reshape(-1, p, p)
    for pair in ("ij,kl", "kl,ij", "ik,jl", "il,jk", "jk,il", "jl,ik"):
        fourth -= np.einsum(f"f{pair}->fijkl", h, eye).reshape(fourth.shape)
    # A change k of the covariance is root X root^T; `white` maps its upper triangle to X.
    inverse = np.linalg.inv(root)
    white = np.zeros((p * p, len(pairs)))
    for at, (a, b) in enumerate(pairs):
        unit = np.zeros((p, p))
        unit[a, b] = unit[b, a] = 1.0
        white[:, at] = (inverse @ unit @ inverse.T).ravel()
    jacobian = second @ white / 2
    # What comes from the weights, and not from the biases, as a share of the covariance.
    share = inverse @ (covariance - sigma_b**2) @ inverse.T
    noise = (values * w) @ values.T - np.outer(limits, limits)
    noise -= forward / 2 * np.einsum("aij,jk,bkl,li->ab", h, share, h, share)
    curvature = white @ state.joint[:-1, :-1] @ white.T / 8 - forward / 4 * np.outer(share, share)
    mean = jacobian @ state.mean[:-1] + np.einsum("fab,ab->f", fourth, curvature)
    b = (values[-1] ** 2) @ w - backward * limits[-1] ** 2
    return limits, jacobian, noise, mean, b, (phi, slope, g, w, root, share, h[-1])


def _next(state, functions, sigma_w, sigma_b, forward, backward):
    limits, jacobian, noise, mean, b, unit = _unit(state, functions, sigma_w, sigma_b, forward, backward)
    phi, slope, g, w, root, share, h = unit
    p, theta, chi = len(root), state.theta, limits[-1]
    upper = np.triu_indices(p)
    weights_part = np.zeros((p, p))
    weights_part[upper] = weights_part.T[upper] = limits[:-1]
    # (k', t') = transfer (k, t) + source (e, z)
    source = np.eye(len(limits))
    source[-1, p - 1], source[-1, -1] = 1.0, theta  # from the element (x, x') of the upper triangle
    transfer = source @ np.column_stack([jacobian, np.zeros(len(limits))])
    transfer[-1, -1] = chi
    joint = transfer @ state.joint @ transfer.T + source @ noise @ source.T
    # The mean: of products of fluctuations, and of what ties Theta_ii to the pre-activation y_i.
    seen = root @ share @ h @ share @ root.T
    mean = source @ mean
    mean[-1] += chi * state.mean[-1] + jacobian[-1] @ state.joint[:-1, -1] + np.sum(state.tied * seen)
    across = [np.einsum("nc,n,ni->ci", phi, slope[:, end] * w, g) @ (root @ share).T for end in (0, -1)]
    four = np.einsum("nc,ne,n->ce", phi, phi, slope[:, 0] * slope[:, -1] * w)
    four = theta * four + across[0] @ state.tied @ across[1].T
    gram = np.linalg.inv(weights_part / sigma_w**2)
    tied = gram @ four @ gram - backward * chi * theta * gram / sigma_w**2
    ends = [sigma_w**2 * np.sum(slope[:, a] ** 2 * w) for a in (0, -1)]
    spread = np.array([ends[0] * ends[1], chi**2]) * state.spread + theta**2 * b
    covariance = weights_part + sigma_b**2
    return _State(covariance, covariance[0, -1] + chi * theta, joint, spread, mean, tied)


def _kappa(activation):
    if activation.slopes is None:
        raise ValueError(f"activation must have two slopes, as relu or linear, got {activation.name}")
    a, b = (float(slope) ** 2 for slope in activation.slopes)
    return 2 * (a**2 + b**2) / (a + b) ** 2
