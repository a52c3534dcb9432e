"""Ten results of the book, each by two routes that share no code: both numbers, computed.

    python tests/certified/routes.py      writes the second table of book/certified.md

The first route is arb's (constants.py) or a derivation; the second is the recursion of the package, sampled
or recorded networks, or another law in higher precision. The numbers of the page are written here alone.
"""

import contextlib
import math
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mpmath import mp

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "book" / "tools")]

import constants as certified  # noqa: E402
import mutants  # noqa: E402

from ntk_helpers import mean_field, results  # noqa: E402
from ntk_helpers.kernels import depth_profile  # noqa: E402

DEPTHS = [12_500 * 2**k for k in range(8)]


class Route(NamedTuple):
    """One row: a result, and by each route how it was found, its value, and the digits shown.

    `error` is the standard error of the second value, or None: then it is right to its last digit.
    """

    result: str
    first: str
    value: float
    digits: int
    second: str
    other: float
    other_digits: int
    error: float | None = None


def agree(route: Route) -> bool:
    """Whether the two values are equal to the digits shown, or within three standard errors."""
    allowed = 0.5 * 10.0**-route.other_digits if route.error is None else 3 * route.error
    return abs(route.value - route.other) <= allowed


@cache
def notebook_of(name: str) -> Path:
    """The notebook that has an assertion."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if any(mutants.assertion_name(cell.source) == name for cell in mutants.code_cells(path)):
            return path
    raise ValueError(f"name must be an assertion of a notebook, got {name!r}; see book/claims.yml")


def link(name: str) -> str:
    return f"[{name}](../notebooks/{notebook_of(name).name}#assertion-{name})"


# ---- the second routes


def chaotic_limit() -> float:
    """Theta^600(x, x') for erf at (0.5, 2), by the recursion in 200 digits."""
    with mp.workdps(200):
        q, c = mp.mpf("2.84"), mp.mpf(4) / 5
        pair = lambda a, b: mp.mpf(1) / 4 + 8 / mp.pi * mp.asin(2 * a / (1 + 2 * b))  # noqa: E731
        for _ in range(1000):
            q = pair(q, q)
        covariance = theta = q * c
        for _ in range(599):
            slope = 16 / (mp.pi * mp.sqrt((1 + 2 * q) ** 2 - 4 * covariance**2))
            covariance = pair(covariance, q)
            theta = covariance + slope * theta
        return float(theta)


def next_order(activation: str, point: tuple[float, float, float], limit: float, basis: list) -> float:
    """The coefficient of basis[0] in Theta^L / (q L) - limit, through depths up to 1.6 10^6."""
    sigma_b, sigma_w, q = point
    profile = depth_profile(
        DEPTHS, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b, q1=(q, q), c1=0.5
    )
    L = np.array(DEPTHS, float)
    scale = np.sqrt(np.prod(profile.q, axis=1)) if activation == "relu" else q
    design = np.array([term(L) for term in basis]).T[-len(basis) :]
    error = (profile.ntk / scale / L - limit)[-len(basis) :]
    return float(np.linalg.solve(design / design[0], error)[0] / design[0, 0])


def kolmogorov() -> float:
    """N times the Kolmogorov distance of a coordinate of a rotation from Gaussian, N to infinity."""

    def scaled_distance(N: int) -> mp.mpf:
        half = (N - 1) / mp.mpf(2)
        scale = mp.gamma(mp.mpf(N) / 2) / mp.sqrt(mp.pi * N) / mp.gamma(half)
        t = mp.findroot(lambda t: scale * (1 - t**2 / N) ** (half - 1) - mp.npdf(t), 0.74)
        inside = mp.betainc(0.5, half, 0, t**2 / N, regularized=True)
        return N * abs((1 + inside) / 2 - mp.ncdf(t))

    with mp.workdps(30):
        at_100, at_200, at_400 = map(scaled_distance, (100, 200, 400))
        return float((at_100 - 6 * at_200 + 8 * at_400) / 3)  # without the orders 1/N and 1/N^2


def linear_variance(depth: int, n: int) -> float:
    """Relative variance of the kernel of `depth` linear Gaussian layers of width n: Proposition 16.2."""
    j = np.abs(np.subtract.outer(np.arange(depth), np.arange(depth)))
    a, b = 1 + 2 / n, 1 - 1 / n
    return float(np.mean(a ** (depth - 1 - j) * (a**j + 2 * b**j) / 3) - 1)


def sampled_variance(depth: int, n: int, draws: int) -> tuple[float, float]:
    """The same and its standard error, from chi-square variables: Lemma 16.2."""
    rng = np.random.default_rng(0)
    forward = [np.ones(draws)]
    for _ in range(depth - 1):
        forward.append(forward[-1] * rng.chisquare(n, draws) / n)
    output = forward[-1] * rng.standard_normal(draws) ** 2 / n
    backward, theta = np.ones(draws), forward[-1].copy()
    for k in range(depth - 2, -1, -1):
        backward = output / forward[k + 1] + backward * rng.chisquare(n - 1, draws) / n
        theta += forward[k] * backward
    squares = (theta / depth - 1) ** 2
    return float(squares.mean()), float(squares.std() / math.sqrt(draws))


def recorded_variance(depth: int) -> tuple[float, float]:
    """Relative variance of squared singular values of recorded near-linear orthogonal networks, width 512."""
    chosen = {"width": 512, "weights": "orthogonal", "depth": depth, "case": "near-linear tanh"}
    rows = results.load("jacobian_spectrum", folder=ROOT / "notebooks" / "results").rows
    rows = [row for row in rows if all(row[key] == value for key, value in chosen.items())]
    values = np.concatenate([row["relative_variance"] for row in rows])
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def after(name: str) -> dict:
    """The variables of a notebook after an assertion, of which the statements run that it needs."""
    path = notebook_of(name)
    cells = mutants.code_cells(path)
    code = mutants.statements(cells)
    (cell,) = (k for k, c in enumerate(cells) if mutants.assertion_name(c.source) == name)
    run = mutants._Run(code)
    with contextlib.chdir(path.parent):
        for i in mutants.slice_of(code, cell):
            run.execute(i)
    return run.names


# ---- the table


@cache
def routes() -> tuple[Route, ...]:
    """The ten rows."""
    edge = {name: mean_field.edge_of_chaos(name, sigma_b=0.2) for name in ("elu", "tanh")}
    q, _, star, slope = certified.chaotic_erf()
    ball = {constant.symbol: float(constant.ball) for constant in certified.constants()}
    log, power = (lambda L: np.log(L) / L), (lambda p: lambda L: L**p)
    logs = [log, power(-1), lambda L: log(L) ** 2, lambda L: log(L) / L, power(-2), power(1)]
    roots = [power(-0.5), log, power(-1), lambda L: np.log(L) * L**-1.5, power(-1.5), power(1)]
    pair = after("S-Fig1-pairs")
    far = r"the package's recursion to $1.6 \times 10^6$ layers, as in "
    quadrature = "the package's quadrature"
    return (
        Route(
            r"Edge of chaos of ELU, $\sigma_b = 0.2$: $\sigma_w$",
            *(
                "closed forms with the error function, in arb",
                float(certified.edge("elu", "0.2", 1.107)[0]),
                9,
            ),
            *(quadrature, edge["elu"].sigma_w, 9),
        ),
        Route(
            r"Edge of chaos of tanh, $\sigma_b = 0.2$: $\sigma_w$",
            *("arb's quadrature", float(certified.edge("tanh", "0.2", 0.512)[0]), 9),
            *(quadrature, edge["tanh"].sigma_w, 9),
        ),
        Route(
            r"Limit of the kernel in the chaotic phase, erf (0.5, 2): $\lambda^*$",
            *(r"$q c^*/(1 - \chi^*)$ in arb", float(q * star / (1 - slope)), 7),
            f"the recursion, 600 layers in 200 digits, as in {link('S-Prop2-chaotic-offdiagonal')}",
            *(chaotic_limit(), 7),
        ),
        Route(
            r"ReLU on the edge, coefficient of $\log(L)/L$",
            *(r"derivation: $\frac38$", 3 / 8, 6),
            far + link("S-Prop3-relu-logarithm"),
            *(next_order("relu", (0.0, math.sqrt(2), 1.0), 1 / 4, logs), 6),
        ),
        Route(
            r"tanh on the edge, coefficient of $q \log(L)/L$",
            *("$(1 - B/A^2)/3$ in arb", ball["$(1 - B/A^2)/3$"], 6),
            far + link("S-Prop3-smooth-tanh"),
            *(next_order("tanh", (0.2, *edge["tanh"]), 1 / 3, logs), 6),
        ),
        Route(
            "ELU on the edge, coefficient of $q L^{-1/2}$",
            *("$-h/(5 A^{3/2})$ in arb", ball["$-h/(5 A^{3/2})$"], 6),
            far + link("S-Prop3-smooth-elu"),
            *(next_order("elu", (0.2, *edge["elu"]), 1 / 3, roots), 6),
        ),
        Route(
            "Kolmogorov distance of a coordinate, times $N$",
            *("Hermite expansion, in arb", ball["$c_K$"], 7),
            f"the exact law at $N$ = 100, 200 and 400, extrapolated, as in {link('O1-rate-coordinate')}",
            *(kolmogorov(), 7),
        ),
        Route(
            "Kernel of a pair, depth 6, cosine 0.4: $v_L/L$",
            *("derivation, (8.5)", pair["derived"], 2),
            f"sampled networks of width 40 and 160, {link('S-Fig1-pairs')}",
            *(pair["measured"], 2, pair["error"]),
        ),
        Route(
            "Relative variance of the kernel of 12 linear layers of width 24",
            *("derivation, Proposition 16.2", linear_variance(12, 24), 3),
            f"$10^6$ draws of chi-square variables, as in {link('O5-scatter')}",
            *sampled(3, sampled_variance(12, 24, 10**6)),
        ),
        Route(
            "Relative variance of squared singular values, 200 layers",
            *(r"$199\, v_\phi$ in arb", ball[r"$199\, v_\phi$"], 3),
            f"recorded networks of width 512, as in {link('O4-deep')}",
            *sampled(3, recorded_variance(200)),
        ),
    )


def sampled(digits: int, found: tuple[float, float]) -> tuple[float, int, float]:
    value, error = found
    return value, digits, error


def rows(table: Iterable[Route]) -> str:
    """The table as Markdown."""
    lines = ["| Result | First route | | Second route | |", "|---|---|---|---|---|"]
    for row in table:
        error = "" if row.error is None else rf" \pm {row.error:.{row.other_digits}f}"
        first, second = f"${row.value:.{row.digits}f}$", f"${row.other:.{row.other_digits}f}{error}$"
        lines.append(f"| {row.result} | {row.first} | {first} | {row.second} | {second} |")
    return "\n".join(lines)


def page(table: Iterable[Route]) -> str:
    """The page with the table between its two marks."""
    text = certified.PAGE.read_text(encoding="utf-8")
    return re.sub(
        "(?s)(?<=<!-- routes -->\n).*(?=<!-- end of routes -->)", lambda _: rows(table) + "\n", text
    )


if __name__ == "__main__":
    certified.PAGE.write_text(page(routes()), encoding="utf-8")
