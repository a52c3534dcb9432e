"""ReLU on the edge: gamma'^(-1/2) = gamma^(-1/2) + s/2 + (3/8) s^2 gamma^(1/2) + O(gamma)."""

import mpmath as mp

WRONG = 0.0  # what the printed remainder O(gamma) would need


def relu_map(gamma):
    """gamma' = 1 - f(1 - gamma) of ReLU on the edge of chaos."""
    theta = 2 * mp.asin(mp.sqrt(gamma / 2))
    return gamma - (mp.sin(theta) - theta * mp.cos(theta)) / mp.pi


def check(coefficient=3 / 8):
    with mp.workdps(60):
        s, gamma = 2 * mp.sqrt(2) / (3 * mp.pi), mp.mpf(10) ** -16
        rest = 1 / mp.sqrt(relu_map(gamma)) - 1 / mp.sqrt(gamma) - s / 2
        measured = float(rest / (s**2 * mp.sqrt(gamma)))
    print(f"coefficient of s^2 gamma^(1/2): {measured:.6f}, expected {coefficient:.6f}")
    assert abs(measured - coefficient) < 1e-6
