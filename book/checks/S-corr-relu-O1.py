"""ReLU on the edge: gamma_l^(-1/2) = (s/2) l + (3/4) s log(l) + O(1), with gamma = 1 - c."""

from math import asin, cos, log, pi, sin, sqrt

WRONG = 0.0  # what the printed remainder O(1) would need


def layer(theta):
    """The angle between two inputs behind one more ReLU layer on the edge of chaos."""
    if theta > 0.01:
        drop = sin(theta) - theta * cos(theta)
    else:  # the same without cancellation
        drop = theta**3 / 3 - theta**5 / 30 + theta**7 / 840
    return 2 * asin(sqrt(sin(theta / 2) ** 2 - drop / (2 * pi)))


def check(coefficient=3 / 4):
    s, theta, kept = 2 * sqrt(2) / (3 * pi), pi / 3, {}
    for l in range(1, 2**17 + 1):
        if l in (2**16, 2**17):
            kept[l] = 1 / (sqrt(2) * sin(theta / 2)) - s / 2 * l
        theta = layer(theta)
    measured = (kept[2**17] - kept[2**16]) / log(2) / s
    print(f"coefficient of s log(l): {measured:.4f}, expected {coefficient:.4f}")
    assert abs(measured - coefficient) < 2e-3
