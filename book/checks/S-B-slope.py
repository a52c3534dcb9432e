"""On the edge of chaos the correlation map has the slope 1 at c = 1. Here: ReLU."""

import mpmath as mp

WRONG = 0.98


def relu_map(gamma):
    """gamma' = 1 - f(1 - gamma) of ReLU on the edge of chaos."""
    theta = 2 * mp.asin(mp.sqrt(gamma / 2))
    return gamma - (mp.sin(theta) - theta * mp.cos(theta)) / mp.pi


def check(slope=1.0):
    with mp.workdps(60):
        gamma = mp.mpf(10) ** -20
        measured = float(relu_map(gamma) / gamma)
    print(f"(1 - f(1 - gamma)) / gamma = {measured:.12f}, expected {slope}")
    assert abs(measured - slope) < 1e-8
