"""Draw the diagrams of the primers and the picture of the front page: book/primers/*.svg, book/*.svg.

    python book/tools/diagrams.py

Dark ink on an opaque light card, as in the figures of the chapters: they read on light and on dark pages.
Letters are drawn as paths, so that no font has to be there. The same call writes the same files.
"""

import json
from itertools import pairwise
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

from ntk_helpers import plotting

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "notebooks" / "results"
BLUE, RED, GREEN, _ = plotting.PALETTE


def box(ax, x, y, text, *, width=0.9, height=0.6, edge=plotting.INK, face="white", size=11):
    """A rounded box with `text`, its centre at (x, y)."""
    corner = (x - width / 2, y - height / 2)
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.02", fc=face, ec=edge, lw=1.4))
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


def arrow(ax, start, end, *, colour=plotting.INK, dashed=False):
    """An arrow from `start` to `end`, both (x, y)."""
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.5, "linestyle": "--" if dashed else "-"}
    ax.annotate("", xy=end, xytext=start, arrowprops=style | {"shrinkA": 0, "shrinkB": 0})


def canvas(width, height, limits):
    """A figure of width x height inches without axes; `limits` are (left, right, bottom, top)."""
    figure, ax = plt.subplots(figsize=(width, height))
    ax.set(xlim=limits[:2], ylim=limits[2:])
    ax.axis("off")
    return figure, ax


def network():
    """The forward pass, the backward pass, and the kernel as the sum of their products."""
    figure, ax = canvas(6.4, 4.0, (0, 8, -0.2, 5.0))
    places = {"$x$": 0.9, "$y^1$": 2.9, "$y^2$": 4.9, "$f = y^3$": 6.9}
    labels = list(places)
    for label in labels:
        box(ax, places[label], 3.0, label, width=1.0 if "f" in label else 0.7)
    for l, (a, b) in enumerate(pairwise(labels), start=1):
        end = places[b] - (0.55 if "f" in b else 0.4)
        arrow(ax, (places[a] + 0.4, 3.15), (end, 3.15), colour=BLUE)
        arrow(ax, (end, 2.85), (places[a] + 0.4, 2.85), colour=RED, dashed=True)
        middle = (places[a] + places[b]) / 2
        ax.text(middle, 3.34, rf"$W^{l}\!,\,b^{l}$", ha="center", fontsize=10)
        above = r"$\phi$" if l > 1 else ""
        ax.text(middle, 2.5, above, ha="center", fontsize=10)
    ax.text(0.2, 4.62, "forward: how alike are two inputs in layer $l$?", color=BLUE, fontsize=10.5)
    ax.text(0.2, 1.02, "backward: how much does layer $l$ move the output?", color=RED, fontsize=10.5)
    for l, label in enumerate(labels[1:4], start=1):
        ax.text(places[label], 3.98, rf"$\Sigma^{l}(x, x')$", color=BLUE, ha="center", fontsize=11)
        arrow(ax, (places[label], 3.9), (places[label], 3.42), colour=BLUE)
        above = {
            1: r"$\sigma_w^2\dot\Sigma^2\;\sigma_w^2\dot\Sigma^3$",
            2: r"$\sigma_w^2\dot\Sigma^3$",
            3: "$1$",
        }
        ax.text(places[label], 1.62, above[l], color=RED, ha="center", fontsize=11)
        arrow(ax, (places[label], 2.0), (places[label], 2.58), colour=RED, dashed=True)
    ax.text(0.9, 1.62, r"$B^l$:", color=RED, ha="center", fontsize=11)
    ax.text(0.9, 3.98, r"$\Sigma^l$:", color=BLUE, ha="center", fontsize=11)
    ax.text(
        4.9, 0.42, r"$\Theta^3 \,=\, \Sigma^1 B^1 + \Sigma^2 B^2 + \Sigma^3 B^3$",
        ha="center", va="center", fontsize=12.5,
    )  # fmt: skip
    ax.text(0.2, 0.42, "kernel: multiply and add", va="center", fontsize=10.5)
    return figure


def functions():
    """State inside objects, and state that goes through functions."""
    figure, ax = canvas(6.4, 3.6, (0, 8, 0, 4.5))
    ax.text(0.1, 4.15, "PyTorch: the state lives in objects", fontsize=10.5)
    box(ax, 1.5, 3.2, "model\n(weights inside)", width=2.4, height=0.8, size=10)
    box(ax, 4.2, 3.2, "loss.backward()", width=1.9, height=0.8, size=10)
    box(ax, 6.8, 3.2, "optimizer.step()", width=1.9, height=0.8, size=10)
    arrow(ax, (2.75, 3.2), (3.2, 3.2))
    arrow(ax, (5.2, 3.2), (5.8, 3.2))
    ax.annotate(
        "", xy=(1.5, 2.75), xytext=(6.8, 2.75),
        arrowprops={"arrowstyle": "-|>", "color": RED, "lw": 1.5, "linestyle": "--",
                    "connectionstyle": "bar,fraction=-0.05"},
    )  # fmt: skip
    ax.text(4.15, 2.2, "overwrites the weights in place", color=RED, ha="center", fontsize=10)
    ax.text(0.1, 1.55, "JAX: the state goes in and comes out", fontsize=10.5)
    box(ax, 1.0, 0.7, "params, x, y", width=1.6, height=0.7, edge=BLUE, size=10)
    box(ax, 3.7, 0.7, "grad(loss)", width=1.7, height=0.7, size=10)
    box(ax, 6.6, 0.7, "new params", width=1.6, height=0.7, edge=BLUE, size=10)
    arrow(ax, (1.85, 0.7), (2.8, 0.7), colour=BLUE)
    arrow(ax, (4.6, 0.7), (5.75, 0.7), colour=BLUE)
    ax.text(5.15, 0.95, r"$-\eta\,g$", ha="center", fontsize=10)
    return figure


def paths():
    """Five paths of an Ornstein-Uhlenbeck process, its mean and two standard deviations around it."""
    rate, noise, start, dt = 1.0, 0.5, 2.0, 0.01
    t = np.arange(0, 5 + dt / 2, dt)
    steps = np.random.default_rng(4).standard_normal((5, len(t) - 1)) * np.sqrt(dt)
    walks = np.full((5, len(t)), start)
    for k in range(len(t) - 1):
        walks[:, k + 1] = walks[:, k] - rate * walks[:, k] * dt + noise * steps[:, k]
    mean = start * np.exp(-rate * t)
    deviation = noise * np.sqrt((1 - np.exp(-2 * rate * t)) / (2 * rate))
    figure, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.fill_between(t, mean - 2 * deviation, mean + 2 * deviation, color=BLUE, alpha=0.18, lw=0)
    for walk in walks:
        ax.plot(t[::5], walk[::5], color="#777777", lw=0.9, ls="-")
    ax.plot(t, mean, color=BLUE, lw=2.4, ls="-")
    ax.plot(t, mean * 0, color=plotting.INK, lw=0.8, ls=":")
    ax.annotate("the drift pulls the mean to 0", (0.75, 0.95), (1.35, 1.75), arrowprops={"arrowstyle": "->"})
    ax.annotate(
        "the noise keeps a spread: mean ± 2 deviations",
        (3.6, 0.68),
        (1.9, 1.2),
        arrowprops={"arrowstyle": "->"},
    )
    ax.set(xlabel="time $t$", ylabel="$X_t$", xlim=(0, 5))
    return figure


def audit():
    """A measurement with its error, the claimed value and the value of a wrong theory."""
    estimate, error, claimed, wrong = 0.629, 0.009, 0.637, 0.5
    figure, ax = plt.subplots(figsize=(6.4, 2.7))
    z = np.linspace(-4, 4, 200)
    ax.fill_between(estimate + error * z, np.exp(-(z**2) / 2), color=BLUE, alpha=0.2, lw=0)
    ax.errorbar(estimate, 0.0, xerr=error, fmt="o", color=BLUE, capsize=4, ms=7, zorder=3)
    for value, colour, dash in ((claimed, GREEN, "-"), (wrong, RED, "--")):
        ax.axvline(value, color=colour, ls=dash, lw=2)
    ax.text(0.662, 0.95, "claimed: 0.637\n$z = -0.9$: it survives", color=GREEN, va="top")
    ax.text(0.506, 0.95, "another theory: 0.5\n$z = 14$: excluded", color=RED, va="top")
    ax.text(0.662, 0.02, "measured:\n0.629 ± 0.009", color=BLUE)
    ax.set(xlim=(0.48, 0.76), ylim=(-0.12, 1.1), xlabel="quantity that the claim speaks of", yticks=[])
    for side in ("left", "right", "top"):
        ax.spines[side].set_visible(False)
    return figure


def gain(which: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Learning rates, steps of Gaussian over orthogonal networks in the authors' runs, and its errors."""
    published = json.loads((RESULTS / "published" / "huang_figure_4.json").read_text(encoding="utf-8"))
    curves = [published["panels"]["50 x 400"][weights][which] for weights in ("gaussian", "orthogonal")]
    shared = sorted(set(curves[0]["i"]) & set(curves[1]["i"]))
    places = [[curve["i"].index(i) for i in shared] for curve in curves]
    mean = [np.array(curve["mean"])[at] for curve, at in zip(curves, places, strict=True)]
    spread = [np.array(curve["std"])[at] for curve, at in zip(curves, places, strict=True)]
    ratio = mean[0] / mean[1]
    error = ratio * np.hypot(spread[0] / mean[0], spread[1] / mean[1]) / np.sqrt(published["runs"])
    return 10.0 ** (-1 - np.array(shared) / 10), ratio, error


def wide_accuracy(activation: str) -> float:
    """Accuracy in % of the infinitely wide network of 300 layers, MNIST, ten epochs."""
    recorded = json.loads((RESULTS / "depth_and_trainability.cpu.json").read_text(encoding="utf-8"))
    wanted = {"depth": 300, "width": None, "activation": activation}
    (record,) = (r for r in recorded["records"] if wanted.items() <= r["slice"].items())
    return 100 * np.array(record["result"]["test_accuracy"])[:, -1].mean()


def limit_and_width():
    """What the limit of infinite width explains of two published results."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.1, 3.3), width_ratios=(1.15, 1))
    rate, ratio, error = gain("test")
    left.errorbar(rate, ratio, error, color=RED, marker="o", ms=4, lw=1, ls="-", label="the authors' runs")
    left.axhline(1, color=plotting.INK, ls="--", lw=1.6, label="infinite width")
    left.set(xscale="log", yscale="log", xlabel="learning rate", ylim=(0.85, 7.5))
    left.set_title("Steps to 25 %:\nGaussian over orthogonal weights")
    left.set_yticks([1, 2, 3, 5], labels=["1", "2", "3", "5"])
    left.minorticks_off()
    left.legend(loc="upper left")
    names, printed = ("ReLU", "ELU"), (46.53, 91.63)  # Table 1 of paper S
    wide = [wide_accuracy(name.lower()) for name in names]
    place = np.arange(2)
    right.bar(place - 0.2, printed, 0.38, color=RED, label="width 300, printed")
    right.bar(
        place + 0.2, wide, 0.38, color="white", edgecolor=plotting.INK, hatch="///", label="infinite width"
    )
    for x, value in zip([*(place - 0.2), *(place + 0.2)], [*printed, *wide], strict=True):
        right.text(x, value + 1.5, f"{value:.0f}", ha="center", fontsize=10)
    right.set_xticks(place, names)
    right.set(ylim=(0, 128), yticks=[0, 25, 50, 75, 100])
    right.set_title("300 layers, MNIST:\ntest accuracy in %")
    right.legend(loc="upper left", ncols=1)
    return figure


DIAGRAMS = {
    "book/limit_and_width": limit_and_width,
    "book/primers/forward_and_backward": network,
    "book/primers/two_styles": functions,
    "book/primers/paths": paths,
    "book/primers/audit": audit,
}


def main() -> None:
    plotting.style()
    matplotlib.rcParams.update({"svg.hashsalt": "book", "svg.fonttype": "path"})
    for name, draw in DIAGRAMS.items():
        figure = draw()
        figure.savefig(ROOT / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    main()
