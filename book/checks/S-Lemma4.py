"""With kappa log(l)/l^2 in the factor the coefficient of log(l)/l is q kappa / (alpha (1 + alpha))."""

from math import log

WRONG = 0.0


def check(coefficient=1 / 6):
    a, kept = 0.0, {}  # alpha = 2, q = kappa = 1
    for l in range(1, 2**17 + 1):
        a = (1 - 2 / l + log(l) / l**2) * a + 1
        if l in (2**16, 2**17):
            kept[l] = a - l / 3
    measured = (kept[2**17] - kept[2**16]) / log(2)
    print(f"coefficient of log(l)/l: {measured:.5f}, expected {coefficient:.5f}")
    assert abs(measured - coefficient) < 1e-3
