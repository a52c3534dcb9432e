"""The book's decimal constants, each enclosed in a ball by interval arithmetic (arb, by python-flint).

    python tests/certified/constants.py      writes the table of book/certified.md, and book/certified.csv

A ball is a midpoint and a radius; the constant lies inside, rounding and the tails of the integrals included.
Nothing here is taken from the package or from the notebooks. Integrals are those of Gaussian means, computed
by arb's quadrature on [-14, 14] with a bound of what lies outside, or closed forms with the error function.
A fixed point is enclosed between two points at which its equation has different signs.
"""

import csv
import io
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flint import acb, arb, ctx
from scatter import Scatter, first_order

ctx.dps = 25
END = 14  # standard deviations
PAGE = Path(__file__).resolve().parents[2] / "book" / "certified.md"
TABLE = PAGE.with_suffix(".csv")


class Constant(NamedTuple):
    """A constant, its ball, and the text of the book in which its decimals stand.

    `decimals` are pairs of a number and where it stands: a claim of the ledger (its corrected statement),
    an assertion (the line that it prints, or its other output), or findings.md.
    """

    name: str
    symbol: str
    ball: arb
    decimals: tuple[tuple[str, str], ...]


# ---- Gaussian means


def normal_tail(z: arb) -> arb:
    """P(Z > z)."""
    return (z / arb(2).sqrt()).erfc() / 2


def mean(g: Callable, q: arb, bound: int = 1) -> arb:
    """E g(sqrt(q) Z) for standard Gaussian Z and |g(x)| <= bound (1 + x^2) on the real line."""
    root = acb(q.sqrt())
    inside = acb.integral(lambda z, _: g(root * z) * (-z * z / 2).exp(), -END, END)
    density = (2 * arb.pi()).sqrt()
    # the mean of 1 + q Z^2 over |Z| > END
    end = arb(END)
    tail = 2 * ((1 + q) * normal_tail(end) + q * end * (-end * end / 2).exp() / density)
    return inside.real / density + arb(0, (bound * tail).upper())


def root(equation: Callable[[arb], arb], near: float) -> arb:
    """A ball around `near`, at the ends of which the equation has different signs: it holds a zero."""
    low, high = arb(near) * arb("0.9"), arb(near) * arb("1.1")
    for _ in range(60):
        middle = ((low + high) / 2).mid()
        if not (equation(middle) > 0 or equation(middle) < 0):
            break
        if (equation(low) > 0) == (equation(middle) > 0):
            low = middle
        else:
            high = middle
    if not ((equation(low) > 0 and equation(high) < 0) or (equation(low) < 0 and equation(high) > 0)):
        raise ValueError(f"no change of sign was found around {near}; start from a better value")
    return low.union(high)


# ---- activations: E phi^2, E phi'^2, and for some E phi''^2, E phi'''^2 at variance q


def tanh_square(q: arb) -> arb:
    return mean(lambda x: x.tanh() ** 2, q)


def tanh_slope(q: arb, power: int = 2) -> arb:
    return mean(lambda x: (1 - x.tanh() ** 2) ** power, q)


def tanh_second(q: arb) -> arb:
    return mean(lambda x: (2 * x.tanh() * (1 - x.tanh() ** 2)) ** 2, q)


def tanh_third(q: arb) -> arb:
    return mean(lambda x: (2 * (1 - x.tanh() ** 2) * (1 - 3 * x.tanh() ** 2)) ** 2, q, bound=16)


def half_exponential(k: int, q: arb) -> arb:
    """E[e^(k X); X < 0] for X of variance q."""
    return (k * k * q / 2).exp() * normal_tail(k * q.sqrt())


def elu_square(q: arb) -> arb:
    return q / 2 + half_exponential(2, q) - 2 * half_exponential(1, q) + arb(1) / 2


def elu_slope(q: arb) -> arb:
    return arb(1) / 2 + half_exponential(2, q)


def elu_second(q: arb) -> arb:
    return half_exponential(2, q)


def sigmoid(x: acb) -> acb:
    return 1 / (1 + (-x).exp())


def sigmoid_square(q: arb) -> arb:
    return mean(lambda x: sigmoid(x) ** 2, q)


def sigmoid_slope(q: arb) -> arb:
    return mean(lambda x: (sigmoid(x) * sigmoid(-x)) ** 2, q)


def erf_square(q: arb) -> arb:
    return 2 / arb.pi() * (2 * q / (1 + 2 * q)).asin()


def erf_slope(q: arb) -> arb:
    return 4 / (arb.pi() * (1 + 4 * q).sqrt())


MOMENTS = {
    "tanh": (tanh_square, tanh_slope),
    "elu": (elu_square, elu_slope),
    "sigmoid": (sigmoid_square, sigmoid_slope),
    "erf": (erf_square, erf_slope),
}


@cache
def edge(name: str, sigma_b: str, near: float) -> tuple[arb, arb]:
    """sigma_w and q on the edge of chaos."""
    square, slope = MOMENTS[name]
    q = root(lambda q: q - arb(sigma_b) ** 2 - square(q) / slope(q), near)
    return 1 / slope(q).sqrt(), q


def edge_bias(name: str, sigma_w: str, near: float) -> arb:
    """sigma_b on the edge of chaos at a given sigma_w."""
    square, slope = MOMENTS[name]
    q = root(lambda q: slope(q) * arb(sigma_w) ** 2 - 1, near)
    return (q - arb(sigma_w) ** 2 * square(q)).sqrt()


@cache
def fixed(name: str, sigma_w2: str, sigma_b2: str, near: float) -> tuple[arb, arb]:
    """q and chi of a pair of variances."""
    square, slope = MOMENTS[name]
    q = root(lambda q: q - arb(sigma_b2) - arb(sigma_w2) * square(q), near)
    return q, arb(sigma_w2) * slope(q)


# ---- the constants


@cache
def correlation_map(name: str, near: float) -> tuple[arb, arb, arb]:
    """A, B and q of the correlation map on the edge of chaos at sigma_b = 0.2 (Proposition 11.1)."""
    sigma_w, q = edge(name, "0.2", near)
    if name == "elu":
        return sigma_w**2 * q * elu_second(q) / 2, arb(0), q
    return sigma_w**2 * q * tanh_second(q) / 2, sigma_w**2 * q**2 * tanh_third(q) / 6, q


@cache
def chaotic_erf() -> tuple[arb, arb, arb, arb]:
    """q, chi, c* and chi* of erf at (0.5, 2)."""
    q, chi = fixed("erf", "4", "0.25", 2.84)
    second = lambda c: arb("0.25") + 8 / arb.pi() * (2 * q * c / (1 + 2 * q)).asin()  # noqa: E731
    star = root(lambda c: second(c) - q * c, 0.397)
    slope = 16 / (arb.pi() * ((1 + 2 * q) ** 2 - (2 * q * star) ** 2).sqrt())
    return q, chi, star, slope


def softplus(x: acb) -> acb:
    """log(1 + e^x) = x/2 + log(2 cosh(x/2)): one branch near the real line."""
    return x / 2 + (2 * (x / 2).cosh()).log()


def softplus_square(q: arb) -> arb:
    return mean(lambda x: softplus(x) ** 2, q, bound=4)


def softplus_slope(q: arb) -> arb:
    return mean(lambda x: sigmoid(x) ** 2, q)


MOMENTS["softplus"] = softplus_square, softplus_slope


def silu_bend(x: acb) -> acb:
    """phi phi'' of SiLU: the mean is R' - 1 times the mean of phi'^2 at a matched point."""
    s = sigmoid(x)
    return x * s * s * (1 - s) * (2 + x * (1 - 2 * s))


def tanh_scatter() -> tuple[arb, arb, arb]:
    """n times the variance at 128 layers, with and without biases, and the gain of Figure 4 (50 x 400)."""
    sigma_w, q = edge("tanh", "0.2", 0.512)
    biased = first_order(mean, 128, sigma_w**2, arb("0.04"), q, orthogonal=True, stays=True)
    plain = first_order(mean, 128, arb(1), arb(0), arb("0.5"), orthogonal=True, stays=False)
    times = [
        inverse(
            first_order(
                mean, 50, arb("1.05"), arb("0.0000201"), arb("0.28"), orthogonal=orthogonal, stays=False
            )
        )
        for orthogonal in (False, True)
    ]
    return biased.variance, plain.variance, times[0] / times[1]


def inverse(found: Scatter, outputs: int = 10, n: int = 400) -> arb:
    """The mean inverse kernel over that of the limit, to first order."""
    return 1 + (found.common + (outputs + 1) * found.spread - found.bias) / n


def hermite_three(t: arb) -> arb:
    """-He_3(t) times the normal density: N times a distance of a corner from Gaussian, times 4."""
    return -(t**3 - 3 * t) * (-t * t / 2).exp() / (2 * arb.pi()).sqrt()


def corner_distances() -> tuple[arb, arb, arb]:
    """N times the Kolmogorov, total variation and Wasserstein distance of one coordinate, in the limit."""
    near, far = (3 - arb(6).sqrt()).sqrt(), (3 + arb(6).sqrt()).sqrt()
    kolmogorov = hermite_three(near) / 4
    variation = (hermite_three(near) - hermite_three(far)) / 2
    below = lambda t: -(t**2 - 1) * (-t * t / 2).exp() / (2 * arb.pi()).sqrt() / 4  # noqa: E731
    return kolmogorov, variation, 2 * (below(arb(0)) - 2 * below(arb(3).sqrt()))


@cache
def constants() -> list[Constant]:
    """All of them, in the order of the book."""
    kolmogorov, variation, wasserstein = corner_distances()
    near_q, _ = fixed("tanh", "1.05", "0.0000201", 0.0259)
    slope_variance = tanh_slope(near_q, 4) / tanh_slope(near_q) ** 2 - 1
    elu_w, elu_q = edge("elu", "0.2", 1.107)
    tanh_w, tanh_q = edge("tanh", "0.2", 0.512)
    A, B, _ = correlation_map("tanh", 0.512)
    A_elu, _, _ = correlation_map("elu", 1.107)
    h = 4 * elu_w**2 * elu_q / (15 * arb(2).sqrt() * arb.pi())
    sigmoid_w, sigmoid_q = edge("sigmoid", "0", 45.62)
    q_chaotic, chi_chaotic, star, slope = chaotic_erf()
    biased, plain, gain = tanh_scatter()
    limit = q_chaotic * star / (1 - slope)
    table = [
        Constant(
            "N × Kolmogorov distance, one coordinate",
            r"$c_K$",
            kolmogorov,
            (("0.1376", "O1-rate-coordinate"),),
        ),
        Constant(
            "N × total variation, one coordinate", r"$c_{TV}$", variation, (("0.3501", "O1-rate-coordinate"),)
        ),
        Constant(
            "N × Wasserstein distance, one coordinate",
            r"$c_W$",
            wasserstein,
            (("0.3775", "O1-rate-coordinate"),),
        ),
        Constant("authors' near-linear tanh: variance", "$q$", near_q, (("0.0259", "O4-edge"),)),
        Constant(
            "authors' near-linear tanh: depth at which the bulk spreads",
            r"$1/v_\phi$",
            1 / slope_variance,
            (("234", "O4"),),
        ),
        Constant(
            "relative variance at 200 layers",
            r"$199\, v_\phi$",
            199 * slope_variance,
            (("0.850", "O4-deep"),),
        ),
        Constant(
            "relative variance at 20 layers",
            r"$19\, v_\phi$",
            19 * slope_variance,
            (("0.0811", "O4-moments"),),
        ),
        Constant(
            "edge of chaos, ELU, $\\sigma_b = 0.2$",
            r"$\sigma_w$",
            elu_w,
            (("1.2292511", "S-EOC-elu"), ("1.22925", "S-EOC-elu-printed")),
        ),
        Constant("", "$q$", elu_q, (("1.106931", "S-EOC-elu"),)),
        Constant(
            "printed pair (0.2, 1.227), ELU",
            r"$\chi$",
            fixed("elu", "1.505529", "0.04", 1.08)[1],
            (("0.99867", "S-EOC-elu"), ("0.99867", "S-EOC-elu-printed")),
        ),
        Constant(
            "edge of chaos, ELU, $\\sigma_w = 1.227$",
            r"$\sigma_b$",
            edge_bias("elu", "1.227", 1.05),
            (("0.1946", "S-EOC-elu"),),
        ),
        Constant(
            "edge of chaos, tanh, $\\sigma_b = 0.2$",
            r"$\sigma_w$",
            tanh_w,
            (("1.3041458", "S-EOC-tanh"), ("1.30415", "S-EOC-tanh-printed")),
        ),
        Constant("", "$q$", tanh_q, (("0.512079", "S-EOC-tanh"),)),
        Constant(
            "printed pair (0.2, 1.302), tanh",
            r"$\chi$",
            fixed("tanh", "1.695204", "0.04", 0.51)[1],
            (("0.99882", "S-EOC-tanh"), ("0.99882", "S-EOC-tanh-printed")),
        ),
        Constant(
            "edge of chaos, tanh, $\\sigma_w = 1.302$",
            r"$\sigma_b$",
            edge_bias("tanh", "1.302", 0.51),
            (("0.1978", "S-EOC-tanh"),),
        ),
        Constant(
            "edge of chaos, sigmoid, $\\sigma_b = 0$",
            r"$\sigma_w$",
            sigmoid_w,
            (("10.1493", "S-EOC-none"), ("10.15", "S-EOC-none-sigmoid"), ("10.149", "findings.md")),
        ),
        Constant(
            "",
            "$q$",
            sigmoid_q,
            (
                ("45.62", "S-EOC-none"),
                ("45.62", "S-EOC-none-sigmoid"),
                ("45.62", "S-Lemma6-matching"),
                ("45.62", "S-Lemma6-matching-exists"),
                ("45.62", "findings.md"),
            ),
        ),
        Constant(
            "ordered, erf (1, 1)",
            r"$\chi$",
            fixed("erf", "1", "1", 1.545)[1],
            (("0.475", "S-B-ordered-sphere"),),
        ),
        Constant(
            "ordered, softplus (1, 1)",
            r"$\chi$",
            fixed("softplus", "1", "1", 2.72)[1],
            (("0.3314", "S-Prop2-ordered-diagonal"),),
        ),
        Constant(
            "ordered, ELU (1, 1)",
            r"$\chi$",
            fixed("elu", "1", "1", 2.43)[1],
            (("0.6175", "S-Fig2-b"), ("0.6175", "S-Fig2-b-rates")),
        ),
        Constant(
            "ordered, ReLU (1, 1), off the diagonal",
            r"$\chi^{1/2}$",
            (arb(1) / 2).sqrt(),
            (("0.707", "S-Fig2-b"),),
        ),
        Constant("chaotic, erf (0.5, 2)", "$q$", q_chaotic, (("2.838", "S-Prop2-step1-limits"),)),
        Constant("", r"$\chi$", chi_chaotic, (("1.449", "S-Prop2-chaotic-diagonal"),)),
        Constant("", "$c^*$", star, (("0.397", "S-B-chaotic-sup"),)),
        Constant("", r"$\chi^*$", slope, (("0.8104", "S-Prop2-chaotic-offdiagonal"),)),
        Constant(
            "", r"$\lambda^* = q c^* / (1 - \chi^*)$", limit, (("5.941", "S-Prop2-chaotic-offdiagonal"),)
        ),
        Constant("correlation map on the edge, tanh, $\\sigma_b = 0.2$", "$A$", A, ()),
        Constant("", "$B$", B, (("0.0994", "S-Prop3-taylor-signs"),)),
        Constant(
            "coefficient of $\\log l$ in $1/(1 - c^l)$",
            "$A - B/A$",
            A - B / A,
            (("-0.563", "S-corr-smooth"), ("-0.563", "S-corr-smooth-tanh")),
        ),
        Constant(
            "as printed", "$-B/A$", -B / A, (("-0.704", "S-corr-smooth"), ("-0.704", "S-corr-smooth-tanh"))
        ),
        Constant(
            "coefficient of $q \\log(L)/L$ in $K^L/L$",
            "$(1 - B/A^2)/3$",
            (1 - B / A**2) / 3,
            (("-1.330", "S-Prop3-smooth-tanh"),),
        ),
        Constant(
            "coefficient in the slope",
            "$2 (1 - B/A^2)$",
            2 * (1 - B / A**2),
            (("-7.98", "S-smooth-slope-both"),),
        ),
        Constant("correlation map on the edge, ELU, $\\sigma_b = 0.2$", "$A$", A_elu, ()),
        Constant("", "$h$", h, (("0.100", "S-Prop3-taylor-signs"),)),
        Constant(
            "coefficient of $\\sqrt l$ in $1/(1 - c^l)$",
            r"$-2 h/\sqrt A$",
            -2 * h / A_elu.sqrt(),
            (("-0.5459", "S-corr-smooth-elu"),),
        ),
        Constant(
            "coefficient of $q L^{-1/2}$ in $K^L/L$",
            r"$-h/(5 A^{3/2})$",
            -h / (5 * A_elu * A_elu.sqrt()),
            (("-0.4034", "S-Prop3-smooth-elu"),),
        ),
        Constant(
            "coefficient of $l^{-3/2}$ in the slope",
            r"$-3 h/(2 A^{3/2})$",
            -3 * h / (2 * A_elu * A_elu.sqrt()),
            (("-3.03", "S-smooth-slope-both"),),
        ),
        Constant(
            "ReLU, residual map and edge: $(3/4) s$",
            r"$\sqrt2/(2\pi)$",
            arb(2).sqrt() / (2 * arb.pi()),
            (("0.2251", "S-corr-relu-O1-logarithm"),),
        ),
        Constant(
            "matching point of SiLU: it is stable above",
            "$q$",
            root(lambda q: mean(silu_bend, q), 14.32),
            (("14.32", "S-Lemma6-matching"), ("14.32", "S-Lemma6-matching-exists")),
        ),
        Constant(
            "expected maximum of 2, 3 normal variables",
            r"$1/\sqrt\pi$",
            1 / arb.pi().sqrt(),
            (("0.564", "S-Lemma6-application-points"),),
        ),
        Constant(
            "", r"$3/(2\sqrt\pi)$", 3 / (2 * arb.pi().sqrt()), (("0.846", "S-Lemma6-application-points"),)
        ),
        Constant(
            "first order in $1/n$, orthogonal tanh on the edge, $L = 128$, $\\sigma_b = 0.2$",
            r"$n \operatorname{Var}\Theta/\Theta^2$",
            biased,
            (("45.2", "findings.md"),),
        ),
        Constant(
            "without biases, $q^1 = 1/2$",
            r"$n \operatorname{Var}\Theta/\Theta^2$",
            plain,
            (("0.0297", "findings.md"),),
        ),
        Constant(
            "gain at small rates by the first order, ten outputs, 50 layers of width 400",
            "$g$",
            gain,
            (("1.47", "O5-kernel-gain"), ("1.47", "findings.md")),
        ),
    ]
    return table


# ---- the page


def agrees(number: str, ball: arb) -> bool:
    """Whether a decimal number is the rounded value of every point of the ball."""
    digits = len(number.partition(".")[2])
    return bool(abs(ball - arb(number)) <= arb(f"0.5e-{digits}") * arb("1.000001"))


def shown(ball: arb) -> str:
    """The ball with at most 16 digits, rounded outwards."""
    return ball.str(16, radius=True).strip("[]").replace("+/-", "±")


def rows() -> str:
    """The table as Markdown."""
    lines = ["| What | | Ball | Where its decimals stand |", "|---|---|---|---|"]
    for constant in constants():
        places = ", ".join(f"{number} in {place}" for number, place in constant.decimals)
        lines.append(f"| {constant.name} | {constant.symbol} | {shown(constant.ball)} | {places} |")
    return "\n".join(lines)


def page() -> str:
    """The page with the table between its two marks."""
    text = PAGE.read_text(encoding="utf-8")
    return re.sub("(?s)(?<=<!-- begin -->\n).*(?=<!-- end -->)", lambda _: rows() + "\n", text)


def records() -> str:
    """The balls for programs, as CSV: symbol, middle, radius, and the places of the decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("symbol", "middle", "radius", "places"))
    for constant in constants():
        middle, radius = shown(constant.ball).split(" ± ")
        places = " ".join(dict.fromkeys(place for _, place in constant.decimals))
        writer.writerow((constant.symbol, middle, radius, places))
    return text.getvalue()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    TABLE.write_text(records(), encoding="utf-8")
