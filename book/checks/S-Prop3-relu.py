"""ReLU on the edge of chaos: the kernel's share nears its limit 1/4 by 3/8 log(L)/L, not by 1/L."""

from math import asin, cos, log, pi, sin, sqrt

WRONG = 0.0  # what an error of order 1/L would need


def layer(theta):
    """The angle between two inputs behind one more ReLU layer on the edge of chaos."""
    if theta > 0.01:
        drop = sin(theta) - theta * cos(theta)
    else:  # the same without cancellation
        drop = theta**3 / 3 - theta**5 / 30 + theta**7 / 840
    return 2 * asin(sqrt(sin(theta / 2) ** 2 - drop / (2 * pi)))


def check(coefficient=3 / 8):
    theta, kernel, kept = pi / 3, cos(pi / 3), {}
    for depth in range(2, 2**17 + 1):
        kernel *= 1 - theta / pi  # Theta <- slope * Theta + correlation, with q = 1
        theta = layer(theta)
        kernel += cos(theta)
        if depth in (2**16, 2**17):
            kept[depth] = kernel - depth / 4
    measured = (kept[2**17] - kept[2**16]) / log(2)
    print(f"limit: {kernel / 2**17:.5f}; coefficient of log(L)/L: {measured:.4f}, expected {coefficient:.4f}")
    assert abs(measured - coefficient) < 1e-3
