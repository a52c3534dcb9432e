"""ReLU on the edge: f(x) = x + (2 sqrt(2)/(3 pi)) (1 - x)^(3/2) + O((1 - x)^(5/2))."""

import mpmath as mp

WRONG = 0.15  # half of it


def relu_map(gamma):
    """gamma' = 1 - f(1 - gamma) of ReLU on the edge of chaos."""
    theta = 2 * mp.asin(mp.sqrt(gamma / 2))
    return gamma - (mp.sin(theta) - theta * mp.cos(theta)) / mp.pi


def check(coefficient=0.3001054):
    with mp.workdps(60):
        gamma = mp.mpf(10) ** -14
        measured = float((gamma - relu_map(gamma)) / gamma**1.5)
    print(f"coefficient of (1 - x)^(3/2): {measured:.7f}, expected {coefficient:.7f}")
    assert abs(measured - coefficient) < 1e-6
