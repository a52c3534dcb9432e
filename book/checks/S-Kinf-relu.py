"""ReLU on the edge: the kernel of x and 2 x tends to all of L q, though x and 2 x differ."""

from math import asin, cos, pi, sin, sqrt

WRONG = 1 / 4  # what the print has for every pair of different inputs


def layer(theta):
    """The angle between two inputs behind one more ReLU layer on the edge of chaos."""
    if theta > 0.01:
        drop = sin(theta) - theta * cos(theta)
    else:  # the same without cancellation
        drop = theta**3 / 3 - theta**5 / 30 + theta**7 / 840
    return 2 * asin(sqrt(sin(theta / 2) ** 2 - drop / (2 * pi)))


def share(theta, depth):
    """Theta^L / (L q) for two inputs at an angle."""
    kernel = cos(theta)
    for _ in range(depth - 1):
        kernel *= 1 - theta / pi
        theta = layer(theta)
        kernel += cos(theta)
    return kernel / depth


def check(parallel=1.0):
    apart, same = share(pi / 3, 50_000), share(0.0, 50_000)
    print(f"at 60 degrees {apart:.4f} (1/4 in the limit); parallel {same:.4f}, expected {parallel}")
    assert abs(apart - 1 / 4) < 1e-3
    assert abs(same - parallel) < 1e-9
