"""ReLU on the edge: 1 - c^l = 9 pi^2/(2 l^2) - (27 pi^2/2) log(l)/l^3 + O(l^-3)."""

from math import asin, cos, log, pi, sin, sqrt

WRONG = 0.0  # what the printed remainder O(l^-3) would need


def layer(theta):
    """The angle between two inputs behind one more ReLU layer on the edge of chaos."""
    if theta > 0.01:
        drop = sin(theta) - theta * cos(theta)
    else:  # the same without cancellation
        drop = theta**3 / 3 - theta**5 / 30 + theta**7 / 840
    return 2 * asin(sqrt(sin(theta / 2) ** 2 - drop / (2 * pi)))


def check(coefficient=27 * pi**2 / 2):
    theta, rest = pi / 3, {}
    for l in range(1, 2**17 + 1):
        if l in (2**15, 2**16, 2**17):
            rest[l] = l**3 * (9 * pi**2 / (2 * l**2) - 2 * sin(theta / 2) ** 2)
        theta = layer(theta)
    far, near = (rest[2 * l] - rest[l] for l in (2**16, 2**15))
    measured = (2 * far - near) / log(2)  # what is left of order 1/l cancels
    print(f"coefficient of -log(l)/l^3: {measured:.2f}, expected {coefficient:.2f}")
    assert abs(measured - coefficient) < 0.5
