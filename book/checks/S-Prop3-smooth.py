"""A smooth activation on the edge: the next order is (1 - B/A^2)/3 log(L)/L. Here: erf."""

from math import asin, log, pi, sqrt

WRONG = 0.0

Q, SIGMA_W = 0.4657629357828963, 1.1527954134920966  # on the edge of chaos of erf, sigma_b = 0.2


def layer(gamma):
    """1 - c behind one more layer, and 1 - f'(c)."""
    a = 2 * Q / (1 + 2 * Q)
    b = a * (1 - gamma)
    # asin(a) - asin(b) without cancellation
    gap = asin(a * gamma * (a + b) / (a * sqrt(1 - b * b) + b * sqrt(1 - a * a)))
    top, here = 1 / sqrt(1 - a * a), 1 / sqrt(1 - b * b)
    slope_gap = (a * gamma) * (a + b) * here * top / (1 / here + 1 / top)
    scale = SIGMA_W**2 * 2 / pi / Q
    return scale * gap, scale * a * slope_gap


def check(factor=1 / 3):
    gamma, kernel, kept = 0.5, 0.5, {}
    for depth in range(2, 2**17 + 1):
        gamma, drop = layer(gamma)
        kernel = kernel * (1 - drop) + 1 - gamma
        if depth in (2**16, 2**17):
            kept[depth] = kernel - depth / 3
    measured = (kept[2**17] - kept[2**16]) / log(2)
    # A and B from the map in closed form: f = const + scale asin(a c)
    a = 2 * Q / (1 + 2 * Q)
    scale, w = SIGMA_W**2 * 2 / pi / Q, 1 - a * a
    A = scale * a**3 / w**1.5 / 2
    B = scale * a**3 * (1 + 2 * a * a) / w**2.5 / 6
    derived = factor * (1 - B / A**2)
    print(f"coefficient of log(L)/L: {measured:.4f}, expected {derived:.4f}")
    assert abs(measured - derived) < 1e-2
