"""The edge of chaos of tanh at sigma_b = 0.2 is at sigma_w = 1.304."""

from math import cosh, exp, pi, sqrt, tanh

WRONG = 1.302  # as printed


def mean(f, q):
    """E f(sqrt(q) Z) for a standard Gaussian Z: the trapezoidal rule, exact to rounding for tanh."""
    h = 0.05
    return h / sqrt(2 * pi) * sum(f(sqrt(q) * h * k) * exp(-((h * k) ** 2) / 2) for k in range(-180, 181))


def check(sigma_w=1.3041458):
    q = 1.0
    for _ in range(200):
        q = 0.2**2 + sigma_w**2 * mean(lambda x: tanh(x) ** 2, q)
    chi = sigma_w**2 * mean(lambda x: cosh(x) ** -4, q)
    print(f"sigma_w = {sigma_w}: variance {q:.6f}, chi_1 = {chi:.7f}, expected 1")
    assert abs(chi - 1) < 1e-6
