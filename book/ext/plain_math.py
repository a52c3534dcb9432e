"""TeX as plain text, for places that show no formula: alternative texts, descriptions, the search index."""

import re

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ",
    "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
SIGNS = {
    "times": "×", "cdot": "·", "cdots": "...", "dots": "...", "ldots": "...", "pm": "±", "mp": "∓",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "ll": "≪", "gg": "≫",
    "approx": "≈", "sim": "~", "simeq": "≃", "equiv": "≡", "propto": "∝", "to": "→", "rightarrow": "→",
    "mapsto": "↦", "infty": "∞", "in": "∈", "subset": "⊂", "cup": "∪", "cap": "∩", "forall": "for all",
    "exists": "there is", "parallel": "∥", "nabla": "∇", "partial": "∂", "sum": "sum", "prod": "product",
    "int": "integral", "sqrt": "√", "ell": "l", "circ": "∘", "otimes": "⊗", "odot": "⊙", "oplus": "⊕",
    "top": "T", "prime": "'", "lVert": "|", "rVert": "|", "Vert": "|", "lvert": "|", "rvert": "|",
    "|": "|", "langle": "<", "rangle": ">", "mid": "|", "quad": " ", "qquad": " ", ",": " ", ";": " ",
    ":": " ", "!": "", " ": " ", "\\": " ", "{": "{", "}": "}", "%": "%", "&": "&", "_": "_",
}  # fmt: skip
_ARGUMENT = r"\s*(?:\{([^{}]*)\}|(\w|\\[A-Za-z]+))"
_FRACTION = re.compile(r"\\[dt]?frac" + 2 * _ARGUMENT)
_ROOT = re.compile(r"\\sqrt" + _ARGUMENT)
_WRAPPER = re.compile(
    r"\\(?:text|mathrm|mathbf|mathbb|mathcal|mathsf|operatorname|dot|hat|bar|tilde|widehat|widetilde|overline)"
    r"\*?" + _ARGUMENT
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[^{}]*\}")
_TAG = re.compile(r"\\(?:tag|label)\{[^{}]*\}")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)")


def plain(tex: str) -> str:
    """The formula as a reader would type it without TeX: `\\sigma_w^2 = \\frac12` becomes `σ_w^2 = 1/2`."""
    text = _ENVIRONMENT.sub(" ", _TAG.sub("", tex)).replace("&", " ")
    before = None
    while text != before:  # from the inside out
        before = text
        text = _WRAPPER.sub(lambda m: m[1] if m[1] is not None else m[2], text)
        text = _FRACTION.sub(lambda m: f"{_group(m[1] or m[2])}/{_group(m[3] or m[4])}", text)
        text = _ROOT.sub(lambda m: f"√{_group(m[1] or m[2])}", text)
        text = re.sub(r"([_^])\{([^{}]*)\}", lambda m: m[1] + _group(m[2]), text)
    text = _COMMAND.sub(
        lambda m: GREEK.get(m[1], SIGNS.get(m[1], m[1] if len(m[1]) > 3 else f"{m[1]} ")), text
    )
    text = re.sub(r"(?:left|right|big|Big|bigg|Bigg)(?=[\[\](){}|.])", "", text)
    return re.sub(r"\s+", " ", re.sub(r"[{}]", "", text)).strip()


def without_tex(text: str) -> str:
    """Text with formulas between dollars, these as plain text."""
    return re.sub(r"\$([^$]+)\$", lambda m: plain(m[1]), text)


def _group(text: str) -> str:
    """In brackets, if it is more than a number, a name or a symbol."""
    text = text.strip()
    return text if re.fullmatch(r"-?(?:[\w.']+|\\[A-Za-z]+)", text) else f"({text})"
