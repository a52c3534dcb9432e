"""One look for every figure, and reference lines whose slope is a claim.

The figures of the book are PNG files that must read on light and on dark pages alike. They are drawn on an
opaque white card with dark ink: a transparent background would put dark text on a dark page. The colours are
four of Okabe and Ito's palette (Color Universal Design, 2008), those with a contrast of at least 3 against
white; they stay apart under the three common kinds of colour blindness.
"""

import sys
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ntk_helpers import _checks

INK = "#262626"
#: Blue, vermilion, green, purple. In the book the first is for Gaussian, the second for orthogonal weights.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


class Slope(NamedTuple):
    """A straight line fitted by least squares.

    Attributes
    ----------
    slope, standard_error : the slope and its error.
    intercept : the height at 0.
    """

    slope: float
    standard_error: float
    intercept: float


def style():
    """Set the book's look for every figure drawn afterwards; returns nothing.

    Changes matplotlib's global settings (`rcParams`): white background, dark ink, the colour-blind safe
    `PALETTE` (four solid, then four dashed), constrained layout. A figure has 110 pixels of the page an inch,
    and in a notebook twice as many dots, for sharp lines on any screen.
    """
    import matplotlib
    from cycler import cycler

    matplotlib.rc("figure", figsize=(6.4, 3.8), dpi=110, facecolor="white")
    matplotlib.rc("figure.constrained_layout", use=True)
    matplotlib.rc("savefig", dpi=220, facecolor="white", transparent=False)
    # The font that comes with matplotlib: the same on every machine.
    matplotlib.rc("font", family="DejaVu Sans", size=9.5)
    matplotlib.rc("mathtext", fontset="dejavusans")
    matplotlib.rc("text", color=INK)
    matplotlib.rc("axes", titlesize=10, labelsize=9.5, edgecolor=INK, labelcolor=INK, titlecolor=INK)
    matplotlib.rc("axes", facecolor="white", axisbelow=True, grid=True)
    matplotlib.rc("axes", prop_cycle=cycler(linestyle=["-", "--"]) * cycler(color=PALETTE))
    matplotlib.rc("axes.spines", top=False, right=False)
    matplotlib.rc(("xtick", "ytick"), labelsize=8.5, color=INK)
    matplotlib.rc("grid", color="#DDDDDD", linewidth=0.6)
    matplotlib.rc("lines", linewidth=1.8, markersize=5.0)
    matplotlib.rc("errorbar", capsize=2.5)
    matplotlib.rc("legend", fontsize=8.5, frameon=False)
    matplotlib.rc("image", cmap="viridis")
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        from matplotlib_inline.config import InlineBackend

        InlineBackend.instance(parent=shell).figure_formats = {"retina"}


def rate_line(ax, x, y, slope, *, label=None, **line):
    """Draw the reference line through (x[0], y) with the given slope, and return it.

    On log-log axes the line is y (t / x[0])^slope; with a linear x axis it is y exp(slope (t - x[0])). So the
    slope is the one that `fit_slope` measures on the same axes. Set the axes' scales first.

    Parameters
    ----------
    ax : matplotlib Axes whose y axis is logarithmic.
    x : (2,) the two ends of the line; positive where the x axis is logarithmic.
    y : positive number, the line's height at x[0].
    slope : number, the exponent.
    label : text for the legend; the rate itself if not given, e.g. "slope -1/2". Pass "" for none.
    line : further options, passed to `ax.plot`, to change the thin dashed ink line.

    Returns
    -------
    matplotlib Line2D.

    Raises
    ------
    ValueError
        If the y axis is linear, or an argument has the wrong shape, sign or is not finite.
    """
    if ax.get_yscale() != "log":
        raise ValueError(f"ax must have a logarithmic y axis before a rate is drawn, got {ax.get_yscale()!r}")
    powers = _is_log("ax's x scale", ax.get_xscale())
    ends = _numbers("x", x, positive=powers)
    if ends.shape != (2,) or ends[0] == ends[1]:
        raise ValueError(f"x must hold the two different ends of the line, got {x!r}")
    start = _numbers("y", y, positive=True)
    exponent = _numbers("slope", slope)
    for name, value in (("y", start), ("slope", exponent)):
        if value.shape != ():
            raise ValueError(f"{name} must be one number, got an array of shape {value.shape}")
    # A straight line on these axes: its two ends are all of it.
    run = np.log(ends / ends[0]) if powers else ends - ends[0]
    heights = start * np.exp(exponent * run)
    look = {"color": INK, "linestyle": (0, (4, 3)), "linewidth": 1.1, "marker": "none", "zorder": 1.5} | line
    text = f"slope {_as_text(float(exponent))}" if label is None else label
    (drawn,) = ax.plot(ends, heights, label=text or "_nolegend_", **look)
    return drawn


def fit_slope(x, y, *, xscale="log"):
    """Fit log y = intercept + slope u by least squares, with u = log x, or u = x if `xscale` is "linear".

    The standard error is sqrt(RSS / (n - 2) / sum (u - mean u)^2): right when the residuals of log y are
    independent and of equal variance. It says nothing of curvature: a rate with a logarithm in it gives a
    small error and a slope that drifts with the range.

    Parameters
    ----------
    x : (n,) with n >= 3, not all equal; positive if `xscale` is "log".
    y : (n,) positive.
    xscale : "log" for a power law, "linear" for an exponential rate.

    Returns
    -------
    Slope

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than three points, or a value is not finite or has the wrong sign.
    """
    powers = _is_log("xscale", xscale)
    x = _numbers("x", x, positive=powers)
    y = _numbers("y", y, positive=True)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must be one-dimensional and of equal length, got {x.shape} and {y.shape}")
    if x.size < 3:
        raise ValueError(f"x must have at least 3 points to give the slope an error, got {x.size}")
    u, v = np.log(x) if powers else x, np.log(y)
    du = u - u.mean()
    spread = du @ du
    # Points that are equal but for rounding have no slope either.
    if spread <= (u.size * np.finfo(float).eps * np.abs(u).max()) ** 2:
        raise ValueError(f"x must hold at least two different values, got only {x[0]!r}")
    slope = du @ v / spread
    intercept = v.mean() - slope * u.mean()
    residual = v - intercept - slope * u
    error = np.sqrt(residual @ residual / (u.size - 2) / spread)
    return Slope(float(slope), float(error), float(intercept))


def _is_log(name, scale):
    _checks.one_of(name, scale, ("log", "linear"))
    return scale == "log"


def _numbers(name, values, *, positive=False):
    """`values` as a float64 array, or a ValueError that names the argument."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got {values!r}") from None
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite, got {values!r}")
    if positive and not np.all(array > 0):
        raise ValueError(f"{name} must be positive on a logarithmic axis, got {values!r}")
    return array


def _as_text(slope):
    """A simple fraction as people write it, with a true minus sign; otherwise three digits."""
    near = Fraction(slope).limit_denominator(6)
    text = str(near) if abs(float(near) - slope) < 1e-12 else f"{slope:.3g}"
    return text.replace("-", "−")
