"""Finite networks: an immutable description, and parameters as a plain pytree of arrays.

The parameters of a `Network` are a tuple of `Layers`, one for each run of layers of equal shape, which are
stacked along a leading axis; `apply` scans over a run, so 1,000 layers of equal width compile as fast as
three. Wide layers are each a run of their own. Everything works under `jax.jit`, `jax.grad` and `jax.vmap`.
"""

import math
from dataclasses import KW_ONLY, dataclass
from functools import partial
from itertools import groupby
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks, activations
from ntk_helpers._precision import own_rules
from ntk_helpers.activations import Activation

WEIGHTS = ("gaussian", "orthogonal")
PARAMETERIZATIONS = ("ntk", "standard")
#: Layers of so many weights are not stacked: copies out of a stack take longer than products with them.
WIDE = 2**16


class Layers(NamedTuple):
    """The parameters of k layers of one shape.

    Attributes
    ----------
    weights : (k, n_out, n_in).
    biases : (k, n_out).
    """

    weights: jax.Array
    biases: jax.Array


@dataclass(frozen=True)
class Network:
    """A fully connected or residual network with random parameters, described without its arrays.

    With L = `depth` weight layers, W^l of shape (n_l, n_{l-1}), and y^0 = x of width d = n_0,

        fcn:       y^1 = c_1 W^1 x + e b^1,    y^l = c_l W^l phi(y^{l-1}) + e b^l
        residual:  y^1 = c_1 W^1 x + e b^1,    y^l = y^{l-1} + c_l W^l phi(y^{l-1}) + e b^l

    and the output is y^L, linear in the last layer. In the NTK parameterisation c_l = sigma_w /
    sqrt(n_{l-1}), e = sigma_b, E (W_ij)^2 = 1 and b_i ~ N(0, 1). In the standard one c_l = e = 1 and these
    factors stand in the parameters themselves. One key gives the same function in both; gradient descent
    moves them differently. With sigma_b = 0 the NTK parameterisation has no active bias, while the standard
    one has biases that start at zero and are trained.

    The layers after the first of a residual network have one width n, but the last may be narrower: its
    output is then the first n_L coordinates of the y^L of width n. In law this is the network of width n
    seen through some coordinates, so the wide limit of its NTK is that of `kernels.residual_kernels`.

    The two ensembles of weights in the NTK parameterisation, E (W_ij)^2 = 1 in both:

    * "gaussian": independent N(0, 1) entries.
    * "orthogonal": W = sqrt(max(n_out, n_in)) Q with Q uniform (Haar) on the matrices with orthonormal rows
      where n_out <= n_in, with orthonormal columns where n_out >= n_in. So W W^T = n_in I for a wide and
      W^T W = n_out I for a tall layer (W^T W = n I, Huang, Du and Xu, 2020). Biases are Gaussian.

    Parameters
    ----------
    widths : (d, n_1, ..., n_L) positive integers, at least two.
    activation : a name or an `Activation`.
    sigma_w, sigma_b : standard deviations, finite and not negative.
    weights : "gaussian" or "orthogonal".
    parameterization : "ntk" or "standard".
    architecture : "fcn" or "residual".

    Raises
    ------
    ValueError
        If an argument is not one of these, or the widths do not fit a residual network.
    """

    widths: tuple[int, ...]
    activation: str | Activation
    _: KW_ONLY
    sigma_w: float
    sigma_b: float
    weights: str = "gaussian"
    parameterization: str = "ntk"
    architecture: str = "fcn"

    def __post_init__(self):
        # Jitted functions hash and compare the description: one form for each value.
        object.__setattr__(self, "widths", _checks.widths(self.widths))
        object.__setattr__(self, "activation", activations.get(self.activation))
        for name in ("sigma_w", "sigma_b"):
            object.__setattr__(self, name, _checks.standard_deviation(name, getattr(self, name)))
        _checks.one_of("weights", self.weights, WEIGHTS)
        _checks.one_of("parameterization", self.parameterization, PARAMETERIZATIONS)
        _checks.one_of("architecture", self.architecture, ("fcn", "residual"))
        if self.architecture == "residual":
            _check_residual_widths(self.widths)

    @property
    def depth(self) -> int:
        """The number L of weight layers."""
        return len(self.widths) - 1

    @property
    def runs(self) -> tuple[tuple[int, int, int], ...]:
        """(k, n_out, n_in) of each run of stacked layers; the first layer and each wide one are alone."""
        shapes = list(zip(self.widths[1:], self.widths[:-1], strict=True))
        runs = [(1, *shapes[0])]
        for (n_out, n_in), run in groupby(shapes[1:]):
            k = len(list(run))
            runs += [(1, n_out, n_in)] * k if n_out * n_in >= WIDE else [(k, n_out, n_in)]
        return tuple(runs)

    def factors(self, n_in: int) -> tuple[float, float]:
        """The factors (c, e) of W and b in a layer of `n_in` inputs."""
        return (1.0, 1.0) if self.parameterization == "standard" else self._deviations(n_in)

    def _deviations(self, n_in):
        return self.sigma_w / math.sqrt(n_in), self.sigma_b

    @own_rules()
    def init(self, key, *, dtype="float32") -> tuple[Layers, ...]:
        """Draw the parameters.

        Parameters
        ----------
        key : jax random key; may be traced, so that `jax.vmap(net.init)(keys)` draws many networks.
        dtype : "float32" or "float64" (the latter needs `jax_enable_x64`). The two give different draws.

        Returns
        -------
        tuple of Layers
            One for each of `runs`, weights (k, n_out, n_in) and biases (k, n_out).

        Raises
        ------
        ValueError
            If `dtype` is another one, or "float64" while jax computes in 32 bits.
        """
        dtype, key = _checked_dtype(dtype), _checks.random_key("key", key)
        scales = self._deviations if self.parameterization == "standard" else lambda n_in: (1.0, 1.0)
        # For each layer the keys of its weights and of its biases.
        keys = jax.vmap(jax.random.split)(jax.random.split(key, self.depth))
        params = []
        for k, n_out, n_in in self.runs:
            params.append(_draw_layers(self.weights, (n_out, n_in), scales(n_in), dtype, keys[:k]))
            keys = keys[k:]
        return tuple(params)

    @own_rules()
    def apply(self, params, x) -> jax.Array:
        """Outputs y^L of the network.

        Parameters
        ----------
        params : what `init` returned, or training made of it.
        x : (n, d) inputs.

        Returns
        -------
        jax.Array
            (n, n_L), in the dtype of `params`.

        Raises
        ------
        ValueError
            If `x` is not (n, d) or `params` are not shaped like those of `init`.
        """
        self.check_params(params)
        first, *later = params
        y = self.first_layer(first, self.checked_inputs("x", x, params))
        for run in later:
            y, _ = scan_layers(lambda y, layer: (self.layer(layer, y), None), y, run)
        return y

    def layers(self, params) -> list[tuple[jax.Array, jax.Array]]:
        """The parameters layer by layer.

        Parameters
        ----------
        params : as in `apply`.

        Returns
        -------
        list of L pairs (W^l, b^l), (n_l, n_{l-1}) and (n_l,)

        Raises
        ------
        ValueError
            If `params` are not shaped like those of `init`.
        """
        self.check_params(params)
        return [pair for run in params for pair in zip(run.weights, run.biases, strict=True)]

    def first_layer(self, run: Layers, x) -> jax.Array:
        """y^1 (n, n_1) from inputs (n, d) and the first run of the parameters."""
        return self._affine(run.weights[0], run.biases[0], x)

    def layer(self, layer: Layers, y) -> jax.Array:
        """y^l (n, n_l) from y^{l-1} (n, n_{l-1}) and one layer of a run, l >= 2."""
        new = self._affine(layer.weights, layer.biases, activations.get(self.activation).phi(y))
        return new + y[:, : new.shape[1]] if self.architecture == "residual" else new

    def _affine(self, weights, biases, z):
        weight_factor, bias_factor = self.factors(z.shape[1])
        # Not z @ weights.T: the transposed weights of every layer would be kept for the gradient.
        return weight_factor * jnp.einsum("ai,oi->ao", z, weights) + bias_factor * biases

    def check_params(self, params):
        """Raise ValueError unless `params` are shaped like those that `init` returns."""
        expected = tuple(((k, n_out, n_in), (k, n_out)) for k, n_out, n_in in self.runs)
        try:
            found = tuple((tuple(run.weights.shape), tuple(run.biases.shape)) for run in params)
        except (AttributeError, TypeError):
            found = type(params).__name__
        if found != expected:
            raise ValueError(
                f"params must be those of net.init for widths {_checks.short(self.widths)}, "
                f"with shapes {_checks.short(expected)}; got {_checks.short(found)}"
            )

    def checked_inputs(self, name, x, params) -> jax.Array:
        """`x` as an (n, d) array in the dtype of `params`; ValueError if it has another shape."""
        x = jnp.asarray(_checks.unmasked(name, x), params[0].weights.dtype)
        if x.ndim != 2 or x.shape[1] != self.widths[0]:
            raise ValueError(f"{name} must have shape (n, {self.widths[0]}) for this network, got {x.shape}")
        return x


#: Runs up to this length are compiled layer after layer, which saves the copies but compiles longer.
UNROLLED = 4


def scan_layers(step, carry, run, *, reverse=False):
    """`jax.lax.scan` of `step` over a run of stacked layers, called directly where the run is a single layer.

    A single layer may change the width, and with it the shape of the carry, which a scan does not allow.
    """
    k = jax.tree.leaves(run)[0].shape[0]
    if k > 1:
        return jax.lax.scan(step, carry, run, reverse=reverse, unroll=k <= UNROLLED)
    carry, out = step(carry, jax.tree.map(lambda leaf: leaf[0], run))
    return carry, jax.tree.map(lambda leaf: leaf[None], out)


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _draw_layers(ensemble, shape, scales, dtype, keys):
    # One layer after the other: all at once would take three times the memory of the parameters besides.
    return jax.lax.map(partial(_draw_layer, ensemble, shape, scales, dtype), keys)


def _draw_layer(ensemble, shape, scales, dtype, keys):
    draw = {"gaussian": _normal, "orthogonal": _haar}[ensemble]
    weights, biases = draw(keys[0], shape, dtype), _normal(keys[1], shape[:1], dtype)
    return Layers(scales[0] * weights, scales[1] * biases)


def _normal(key, shape, dtype):
    # Drawn as a vector, whose numbers are the same and whose program compiles in half the time.
    return jax.random.normal(key, (math.prod(shape),), dtype).reshape(shape)


@jax.custom_batching.sequential_vmap
def _qr(matrix):
    # Under vmap one matrix after the other. jaxlib's batched decomposition holds a thread of the CPU's pool
    # while others are to do the work: two of them at once wait for each other for ever on two cores.
    return tuple(jnp.linalg.qr(matrix))


def _haar(key, shape, dtype):
    """sqrt(max(shape)) Q, with Q uniform on the matrices of this shape that have orthonormal rows or columns.

    The QR decomposition of a Gaussian matrix gives a Q that is uniform only once R is made unique, by a
    positive diagonal: Mezzadri, Notices of the AMS 54 (2007), 592. LAPACK's own signs are not.
    """
    small, large = sorted(shape)
    q, r = _qr(_normal(key, (large, small), dtype))
    q = q * jnp.where(jnp.diagonal(r) < 0, -1, 1).astype(dtype)
    return math.sqrt(large) * (q if shape[0] >= shape[1] else q.T)


def _check_residual_widths(widths):
    hidden, last = set(widths[1:-1]), widths[-1]
    if len(hidden) > 1 or (hidden and last > max(hidden)):
        raise ValueError(
            "widths of a residual network must be (d, n, ..., n, o) with one hidden width n and an output "
            f"width o <= n, so that the skip connections fit; got {_checks.short(widths)}"
        )


def _checked_dtype(dtype):
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = repr(dtype)
    if name not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {name}")
    if name == "float64" and not jax.config.jax_enable_x64:
        raise ValueError(
            "dtype 'float64' needs 64-bit jax: call jax.config.update('jax_enable_x64', True) first, "
            "or ask for 'float32'"
        )
    return name
