"""ReLU on the edge: the slope f'(c^l) = 1 - 3/l + (9/2) log(l)/l^2 + O(l^-2)."""

from math import asin, cos, log, pi, sin, sqrt

WRONG = 0.0  # what the printed remainder O(l^-2) would need


def layer(theta):
    """The angle between two inputs behind one more ReLU layer on the edge of chaos."""
    if theta > 0.01:
        drop = sin(theta) - theta * cos(theta)
    else:  # the same without cancellation
        drop = theta**3 / 3 - theta**5 / 30 + theta**7 / 840
    return 2 * asin(sqrt(sin(theta / 2) ** 2 - drop / (2 * pi)))


def check(coefficient=9 / 2):
    theta, kept = pi / 3, {}
    for l in range(1, 2**17 + 1):
        if l in (2**16, 2**17):
            kept[l] = l**2 * (3 / l - theta / pi)
        theta = layer(theta)
    measured = (kept[2**17] - kept[2**16]) / log(2)
    print(f"coefficient of log(l)/l^2: {measured:.4f}, expected {coefficient:.4f}")
    assert abs(measured - coefficient) < 0.02
