"""The edge of chaos of ELU at sigma_b = 0.2 is at sigma_w = 1.229."""

from math import exp, expm1, pi, sqrt

WRONG = 1.227  # as printed


def mean(f, q):
    """E f(sqrt(q) Z) for a standard Gaussian Z, by Simpson's rule on both sides of the kink at 0."""
    h, total = 0.02, 0.0
    for k in range(-450, 451):
        weight = (2 if k == 0 else 1) if k in (-450, 0, 450) else 4 if k % 2 else 2
        total += weight * f(sqrt(q) * h * k) * exp(-((h * k) ** 2) / 2)
    return total * h / 3 / sqrt(2 * pi)


def elu(x):
    return x if x > 0 else expm1(x)


def check(sigma_w=1.2292511):
    q = 1.0
    for _ in range(100):
        q = 0.2**2 + sigma_w**2 * mean(lambda x: elu(x) ** 2, q)
    chi = sigma_w**2 * mean(lambda x: exp(2 * min(x, 0)), q)
    print(f"sigma_w = {sigma_w}: variance {q:.6f}, chi_1 = {chi:.7f}, expected 1")
    assert abs(chi - 1) < 1e-6
