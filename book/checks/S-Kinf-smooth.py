"""A smooth activation on the edge: the kernel of two inputs tends to L q / 3. Here: erf."""

from math import asin, pi, sqrt

WRONG = 1 / 4  # the limit of ReLU

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


def check(limit=1 / 3):
    gamma, kernel, depth = 0.5, 0.5, 100_000
    for _ in range(depth - 1):
        gamma, drop = layer(gamma)[0], layer(gamma)[1]
        kernel = kernel * (1 - drop) + 1 - gamma
    print(f"share of L q at {depth} layers: {kernel / depth:.5f}, expected {limit:.5f} in the limit")
    assert abs(kernel / depth - limit) < 1e-3
