"""a_l = alpha a_(l-1) + k e^(-beta (l-1)) is a sum with the exponent l - 1 - j, not l - j."""

from math import exp

WRONG = 0  # as printed


def check(shift=1):
    alpha, beta, k, a = 0.5, 1.0, 1.0, 1.0
    for l in range(1, 11):
        a = alpha * a + k * exp(-beta * (l - 1))
        total = alpha**l + k * sum(alpha**j * exp(-beta * (l - shift - j)) for j in range(l))
    print(f"a_10 = {a:.8f}, the sum with l - {shift} - j: {total:.8f}")
    assert abs(a - total) < 1e-12
