"""Mean and variance of a tanh network's kernel at one input to first order in 1/n, in balls.

The recursion of chapter 17 (Theorem 17.2), written for one input: every Gaussian mean that it needs is one of
t^2, t^4, t^6 and t^8 with t = tanh, as t' = 1 - t^2. Nothing is taken from the package.
"""

from collections.abc import Callable
from typing import NamedTuple

from flint import arb

Polynomial = dict[int, int]  # power of t -> coefficient
PHI: Polynomial = {2: 1}  # phi^2
SLOPE: Polynomial = {0: 1, 2: -2, 4: 1}  # phi'^2


class Scatter(NamedTuple):
    """n times, relative to the limit: the bias, and the two parts of the variance (Theorem 17.3)."""

    bias: arb
    common: arb
    spread: arb

    @property
    def variance(self) -> arb:
        return self.common + 2 * self.spread


def product(p: Polynomial, q: Polynomial) -> Polynomial:
    found: Polynomial = {}
    for i, a in p.items():
        for j, b in q.items():
            found[i + j] = found.get(i + j, 0) + a * b
    return found


def second(p: Polynomial) -> Polynomial:
    """d^2/dx^2 of a polynomial in tanh x."""
    found: Polynomial = {}
    for k, a in p.items():
        for power, factor in ((k - 2, k * (k - 1)), (k, -2 * k * k), (k + 2, k * (k + 1))):
            if factor:
                found[power] = found.get(power, 0) + a * factor
    return found


def moments(mean: Callable, q: arb) -> tuple[arb, ...]:
    """E tanh(sqrt(q) Z)^(2k) for k = 0, ..., 4."""
    return arb(1), *(mean(lambda x, k=k: x.tanh() ** (2 * k), q) for k in (1, 2, 3, 4))


def first_order(
    mean: Callable, depth: int, sigma_w2: arb, sigma_b2: arb, q: arb, *, orthogonal: bool, stays: bool
) -> Scatter:
    """The scatter at a depth; `q` is the variance of the first layer, and of all if it `stays`.

    `mean(g, q)` encloses E g(sqrt(q) Z).
    """
    gamma = int(orthogonal)
    theta, tied = q, arb(0)
    joint = [[arb(0)] * 2, [arb(0)] * 2]  # of k and t
    bias, spread = [arb(0)] * 2, arb(0)
    known = moments(mean, q)
    for _ in range(depth - 1):
        E = lambda p, known=known: sum((a * known[k // 2] for k, a in p.items()), arb(0))  # noqa: E731
        units = (PHI, SLOPE)
        chi = sigma_w2 * E(SLOPE)
        h = [sigma_w2 * q * E(second(p)) for p in units]  # against He_2
        fourth = [sigma_w2 * q**2 * E(second(second(p))) for p in units]  # against He_4
        share = (q - sigma_b2) / q
        jacobian = [value / (2 * q) for value in h]
        noise = [
            [
                sigma_w2**2 * (E(product(a, b)) - E(a) * E(b)) - gamma * h[i] * h[j] * share**2 / 2
                for j, b in enumerate(units)
            ]
            for i, a in enumerate(units)
        ]
        b = sigma_w2**2 * E(product(SLOPE, SLOPE)) - gamma * chi**2
        curvature = joint[0][0] / (8 * q**2) - gamma * share**2 / 4
        drift = [jacobian[i] * bias[0] + fourth[i] * curvature for i in (0, 1)]
        later = chi * bias[1] + jacobian[1] * joint[0][1] + tied * q * share**2 * h[1]
        bias = [drift[0], drift[0] + theta * drift[1] + later]
        across = share * q * E({0: 1, 2: -4, 4: 3})  # E phi phi' u, by parts
        tied = (theta * E(product(PHI, SLOPE)) + across**2 * tied) / E(PHI) ** 2
        tied -= gamma * chi * theta / (E(PHI) * sigma_w2)
        # k' = F' k + e, t' = k' + theta (chi' k + z) + chi t
        transfer = [[jacobian[0], arb(0)], [jacobian[0] + theta * jacobian[1], chi]]
        source = [[arb(1), arb(0)], [arb(1), theta]]
        carried, added = congruent(transfer, joint), congruent(source, noise)
        joint = [[carried[i][j] + added[i][j] for j in (0, 1)] for i in (0, 1)]
        spread = chi**2 * spread + theta**2 * b
        if not stays:  # |d E tanh^2 / dq| <= 1: the radius does not grow
            middle = q.mid()
            q = sigma_b2 + sigma_w2 * (moments(mean, middle)[1] + arb(0, (q - middle).abs_upper()))
            known = moments(mean, q)
        theta = q + chi * theta
    return Scatter(bias[1] / theta, joint[1][1] / theta**2, spread / theta**2)


def congruent(a: list, m: list) -> list:
    """A M A^T for 2 x 2 matrices."""
    left = [[sum((a[i][k] * m[k][j] for k in (0, 1)), arb(0)) for j in (0, 1)] for i in (0, 1)]
    return [[sum((left[i][k] * a[j][k] for k in (0, 1)), arb(0)) for j in (0, 1)] for i in (0, 1)]
