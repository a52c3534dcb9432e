"""Tests of the figures' look, of reference lines, and of fitted slopes."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ntk_helpers import plotting


@pytest.fixture
def styled():
    """The book's look, taken back after the test."""
    with matplotlib.rc_context():
        plotting.style()
        yield


def axes(xscale="log", yscale="log"):
    ax = Figure().subplots()
    ax.set_xscale(xscale)
    ax.set_yscale(yscale)
    return ax


def linear_rgb(colour):
    c = np.asarray(matplotlib.colors.to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast_with_white(colour):
    """WCAG 2 contrast ratio."""
    return 1.05 / (linear_rgb(colour) @ [0.2126, 0.7152, 0.0722] + 0.05)


def lab(rgb):
    """CIE L*a*b* of linear sRGB, white point D65."""
    to_xyz = np.array([[0.41246, 0.35758, 0.18044], [0.21267, 0.71515, 0.07218], [0.01933, 0.11919, 0.95030]])
    v = to_xyz @ rgb / np.array([0.95047, 1.0, 1.08883])
    f = np.where(v > (6 / 29) ** 3, np.cbrt(v), v / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira, Fernandes (2009), severity 1.
VISION = {
    "usual": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


@pytest.mark.parametrize("colour", [plotting.INK, *plotting.PALETTE])
def test_colours_are_visible_on_the_white_card(colour):
    # 3 is WCAG's bound for graphics, 4.5 for text; only the ink is used for text.
    assert contrast_with_white(colour) >= (4.5 if colour == plotting.INK else 3.0)


@pytest.mark.parametrize("vision", VISION)
def test_colours_stay_apart_for_the_colour_blind(vision):
    seen = [lab(np.clip(VISION[vision] @ linear_rgb(c), 0, 1)) for c in (plotting.INK, *plotting.PALETTE)]
    # 2.3 is just noticeable side by side (Mahy et al. 1994); thin lines far apart need several times as much.
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


@pytest.mark.usefixtures("styled")
def test_style_draws_an_opaque_white_card():
    fig = Figure(figsize=(2, 1.5))
    fig.subplots().plot([1, 2], [3, 4])
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    assert (pixels[..., 3] == 255).all()
    assert (pixels[0, 0] == 255).all()
    assert fig.dpi == 110


@pytest.mark.usefixtures("styled")
def test_style_cycles_colours_then_dashes():
    ax = axes("linear", "linear")
    lines = [ax.plot([0, 1])[0] for _ in range(8)]
    assert [line.get_color() for line in lines] == [*plotting.PALETTE] * 2
    assert [line.get_linestyle() for line in lines] == ["-"] * 4 + ["--"] * 4


@pytest.mark.parametrize(
    ("slope", "text"), [(-0.5, "slope −1/2"), (-1, "slope −1"), (2, "slope 2"), (-1.0721, "slope −1.07")]
)
def test_rate_line_has_the_slope_and_says_it(slope, text):
    line = plotting.rate_line(axes(), (8, 512), 0.3, slope)
    x, y = line.get_data()
    assert y[0] == 0.3
    np.testing.assert_allclose(np.diff(np.log(y)) / np.diff(np.log(x)), slope, rtol=1e-13)
    assert line.get_label() == text


def test_rate_line_is_exponential_on_a_linear_x_axis():
    _, y = plotting.rate_line(axes("linear"), (10, 40), 2.0, -0.25, label="theory").get_data()
    np.testing.assert_allclose(y, [2.0, 2.0 * np.exp(-7.5)], rtol=1e-14)


def test_rate_line_takes_a_look_and_no_label():
    ax = axes()
    line = plotting.rate_line(ax, (1, 2), 1, -1, label="", color="red")
    assert line.get_color() == "red"
    assert ax.get_legend_handles_labels() == ([], [])


@pytest.mark.parametrize(
    ("ax", "arguments", "message"),
    [
        (axes(yscale="linear"), ((1, 2), 1, -1), "ax must have a logarithmic y axis"),
        (axes(xscale="symlog"), ((1, 2), 1, -1), "ax's x scale must be"),
        (axes(), ((0, 2), 1, -1), "x must be positive"),
        (axes(), ((1, np.nan), 1, -1), "x must be finite"),
        (axes(), ((1, 2, 3), 1, -1), "x must hold the two different ends"),
        (axes(), ((2, 2), 1, -1), "x must hold the two different ends"),
        (axes(), ((1, 2), 0, -1), "y must be positive"),
        (axes(), ((1, 2), [1, 2], -1), "y must be one number"),
        (axes(), ((1, 2), 1, "steep"), "slope must be numbers"),
        (axes(), ((1, 2), 1, [-1, -2]), "slope must be one number"),
    ],
)
def test_rate_line_refuses(ax, arguments, message):
    with pytest.raises(ValueError, match=message):
        plotting.rate_line(ax, *arguments)


def test_fit_slope_is_exact_on_a_power_and_on_an_exponential():
    x = np.array([8.0, 16, 32, 64])
    power = plotting.fit_slope(x, 3 * x**-0.5)
    np.testing.assert_allclose((power.slope, power.intercept), (-0.5, np.log(3)), rtol=1e-13)
    # Rounding of log y, a few units of 1e-16, is all the residual there is.
    assert power.standard_error < 1e-14
    rate = plotting.fit_slope(x, 3 * np.exp(-x / 7), xscale="linear")
    np.testing.assert_allclose((rate.slope, rate.intercept), (-1 / 7, np.log(3)), rtol=1e-13)


def test_fit_slope_agrees_with_scipy():
    from scipy.stats import linregress

    rng = np.random.default_rng(0)
    x = np.geomspace(1, 1e3, 12)
    y = np.exp(rng.normal(0, 0.3, 12)) / x
    ours, theirs = plotting.fit_slope(x, y), linregress(np.log(x), np.log(y))
    np.testing.assert_allclose(ours, (theirs.slope, theirs.stderr, theirs.intercept), rtol=1e-12)


def test_standard_error_covers_as_student_says():
    """(slope - truth) / error has Student's t law with n - 2 degrees: 95% inside its 97.5% quantile."""
    from scipy.stats import t

    rng = np.random.default_rng(1)
    x, repeats = np.geomspace(1, 100, 6), 4000
    fits = [plotting.fit_slope(x, x**-1 * np.exp(rng.normal(0, 0.2, 6))) for _ in range(repeats)]
    inside = np.mean([abs(f.slope + 1) < t.ppf(0.975, 4) * f.standard_error for f in fits])
    # Four standard errors of a binomial proportion.
    assert abs(inside - 0.95) < 4 * np.sqrt(0.95 * 0.05 / repeats)


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        ([1, 2], [1, 2], {}, "at least 3 points"),
        ([1, 2, 3], [1, 2], {}, "equal length"),
        ([[1, 2, 3]], [[1, 2, 3]], {}, "one-dimensional"),
        ([1, -2, 3], [1, 2, 3], {}, "x must be positive"),
        ([1, 2, 3], [1, 0, 3], {}, "y must be positive"),
        ([1, 2, 3], [1, np.inf, 3], {}, "y must be finite"),
        ([2, 2, 2], [1, 2, 3], {}, "two different values"),
        ([0.1 + 0.2, 0.3, 0.3], [1, 2, 3], {}, "two different values"),
        ("abc", [1, 2, 3], {}, "x must be numbers"),
        ([1, 2, 3], [1, 2, 3], {"xscale": "sqrt"}, "xscale must be"),
    ],
)
def test_fit_slope_refuses(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        plotting.fit_slope(x, y, **options)
