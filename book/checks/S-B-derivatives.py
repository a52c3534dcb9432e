"""f'(1) = sigma_w^2 E[phi'(sqrt(q) Z)^2]: the arguments need the factor sqrt(q). Here: erf."""

import mpmath as mp

WRONG = 0.0  # as printed: no power of q in the arguments


def check(power=1 / 2):
    q, sigma_w = mp.mpf("0.4657629357828963"), mp.mpf("1.1527954134920966")  # on the edge, sigma_b = 0.2

    def f(x):  # without its constant
        return sigma_w**2 / q * 2 / mp.pi * mp.asin(2 * q * x / (1 + 2 * q))

    def squared_slope(z):  # of erf at q^power z
        return (2 / mp.sqrt(mp.pi) * mp.exp(-((q**power * z) ** 2))) ** 2

    slope = mp.diff(f, 1)
    formula = sigma_w**2 * mp.quad(lambda z: squared_slope(z) * mp.npdf(z), [-12, 0, 12])
    print(f"derivative of the map: {float(slope):.8f}; the formula: {float(formula):.8f}")
    assert abs(slope - formula) < 1e-8
