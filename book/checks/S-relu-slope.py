"""ReLU on the edge: f'(x) = 1 - (sqrt(2)/pi) g^(1/2) - (sqrt(2)/(12 pi)) g^(3/2) + ..., g = 1 - x."""

import mpmath as mp

WRONG = 0.0  # what the printed remainder O(g^(5/2)) would need


def check(coefficient=0.0375132):
    with mp.workdps(60):
        g = mp.mpf(10) ** -12
        slope = mp.asin(1 - g) / mp.pi + mp.mpf(1) / 2
        measured = float((1 - slope - mp.sqrt(2) / mp.pi * mp.sqrt(g)) / g**1.5)
    print(f"coefficient of -g^(3/2): {measured:.7f}, expected {coefficient:.7f}")
    assert abs(measured - coefficient) < 1e-6
