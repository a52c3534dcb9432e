"""An activation with its Gaussian expectations."""

import functools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks
from ntk_helpers._precision import float64
from ntk_helpers.activations import closed_forms, quadrature
from ntk_helpers.activations.closed_forms import Expectations

ANY_RANGE = (0.0, math.inf)

# Pairs in one call of the compiled program: bounds the memory of a call with many pairs.
_BLOCK = 2**12

# Derivatives of phi above this order are not examined for jumps at the kinks.
_HIGHEST_ORDER = 8


# One object per function: activations made from the same function are then equal, and compiled once.
_derivative = functools.cache(quadrature.derivative)
_plane_quadrature = functools.cache(quadrature.expectations)
_resolved_range = functools.cache(float64(quadrature.resolved_range))
two_slopes = functools.cache(closed_forms.two_slopes)


@dataclass(frozen=True)
class Activation:
    """An elementwise nonlinearity with its expectations over centred Gaussian variables.

    All methods broadcast and compute in float64. They return numpy arrays for concrete arguments, and jax
    arrays where an argument is traced, as inside `jax.jit` (call that under `jax_enable_x64`, or in a
    `float64` context).

    Parameters
    ----------
    name : what messages call it.
    phi : an elementwise function of a jax array, of any shape.
    dphi : its derivative, elementwise; by automatic differentiation if not given.
    kinks : the points at which phi, or a derivative of phi, is not smooth.
    slopes : (a, b) where phi(x) = a x for x > 0 and b x for x < 0; tried on phi, unless expectations are
        given.
    q_range : smallest and largest variance that the expectations accept; if not given, those that they
        resolve.
    expectations : their implementation; if not given, in closed form for two slopes and by quadrature over
        the plane else.

    Raises
    ------
    ValueError
        If phi or dphi is not an elementwise function with real values, phi does not have the slopes, a kink
        or a bound of q_range is not a number, or the quadrature does not resolve phi in q_range.
    """

    name: str
    phi: Callable
    dphi: Callable | None = None
    kinks: tuple = ()
    slopes: tuple | None = None
    q_range: tuple | None = None
    expectations: Expectations | None = None

    def __post_init__(self):
        put, resolved = functools.partial(object.__setattr__, self), ANY_RANGE
        put("kinks", tuple(_checks.finite("kinks", kink) for kink in np.atleast_1d(self.kinks)))
        _check_elementwise("phi", self.phi)
        put("dphi", _derivative(self.phi) if self.dphi is None else self.dphi)
        _check_elementwise("dphi", self.dphi)
        if self.expectations is None and self.slopes is not None:
            put("slopes", _checked_slopes(self.slopes, self.phi))
            put("expectations", two_slopes(*self.slopes))
        elif self.expectations is None:
            put("expectations", _plane_quadrature(self.phi, self.dphi, self.kinks))
            resolved = _resolved_range(self.phi, self.dphi, self.kinks)
        put("q_range", resolved if self.q_range is None else self.q_range)
        low, high = self.q_range
        if not 0.0 <= low < high:
            raise ValueError(f"q_range must be two numbers with 0 <= low < high, got {self.q_range}")
        if low < resolved[0] or high > resolved[1]:
            raise ValueError(
                f"q_range must lie in [{resolved[0]:g}, {resolved[1]:g}], where the quadrature resolves "
                f"{self.name}, got {self.q_range}: give `expectations` that are accurate beyond"
            )

    def __reduce__(self):
        from ntk_helpers.activations.catalogue import ACTIVATIONS, get, leaky_relu

        if ACTIVATIONS.get(self.name) is self:
            return get, (self.name,)
        if self.slopes is not None and self == leaky_relu(self.slopes[1]):
            return leaky_relu, self.slopes[1:]
        dphi = None if self.dphi == _derivative(self.phi) else self.dphi
        plane = _plane_quadrature(self.phi, self.dphi, self.kinks)
        made = self.slopes is not None or self.expectations == plane
        expectations = None if made else self.expectations
        functions = (_reference(f) for f in (self.phi, dphi))
        return _rebuilt, (self.name, *functions, self.kinks, self.slopes, self.q_range, expectations)

    @property
    def homogeneous(self) -> bool:
        """Whether phi(a x) = a phi(x) for all a > 0: whether it has two slopes."""
        return self.slopes is not None

    def moments(self, q1, q2, gamma):
        """E[phi(u) phi(v)] and E[phi'(u) phi'(v)].

        Parameters
        ----------
        q1, q2 : variances, inside `q_range`.
        gamma : 1 - correlation, in [0, 2].

        Returns
        -------
        Two arrays of the broadcast shape.

        Raises
        ------
        ValueError
            If a concrete variance is outside `q_range` or a concrete gamma outside [0, 2]. Traced values
            cannot be examined: compiled code checks `q_range` itself.
        """
        return self._call("moments", (q1, q2, gamma), ("q1", "q2", "gamma"))

    def variance(self, q):
        """E[phi(u)^2] and E[phi'(u)^2] for u of variance q.

        Parameters
        ----------
        q : variances, inside `q_range`.

        Returns
        -------
        Two arrays of the shape of q.

        Raises
        ------
        ValueError
            As in `moments`.
        """
        return self._call("variance", (q,), ("q",))

    def gaps(self, q1, q2, gamma):
        """E[(phi(u) - phi(v))^2] / 2 and E[(phi'(u) - phi'(v))^2] / 2, to full relative accuracy.

        For q1 = q2 = q this is E[phi(u)^2] - E[phi(u) phi(v)] and the same for phi', without the
        cancellation.

        Parameters
        ----------
        q1, q2, gamma : as in `moments`.

        Returns
        -------
        Two arrays of the broadcast shape.

        Raises
        ------
        ValueError
            As in `moments`.
        """
        return self._call("gaps", (q1, q2, gamma), ("q1", "q2", "gamma"))

    def correlation_derivatives(self, q, order):
        """Derivatives at c = 1 of the correlation map c -> E[phi(u) phi(v)] for variances q1 = q2 = q > 0.

        The k-th is q^k E[phi^(k)(u)^2] (Price's theorem), and infinite once phi^(k - 1) jumps at a kink.

        Parameters
        ----------
        q : variances, inside `q_range`.
        order : positive integer.

        Returns
        -------
        The derivatives of order 1, ..., `order`: a tuple of arrays of the shape of q.

        Raises
        ------
        ValueError
            If a concrete variance is outside `q_range` or the order is not a positive integer.
        """
        if not (isinstance(order, (int, np.integer)) and 1 <= order <= _HIGHEST_ORDER):
            raise ValueError(f"order must be an integer from 1 to {_HIGHEST_ORDER}, got {order!r}")
        return self._call(int(order), (q,), ("q",))

    def _call(self, method, arguments, names):
        if any(isinstance(x, jax.core.Tracer) for x in arguments):
            return _implementation(self, method)(*arguments)
        with float64():
            arrays = [np.asarray(x, dtype=np.float64) for x in arguments]
        for name, x in zip(names, arrays, strict=True):
            low, high = (0.0, 2.0) if name == "gamma" else self.q_range
            if not np.all((x >= low) & (x <= high)):
                wrong = x[~((x >= low) & (x <= high))][0]
                raise ValueError(f"{name} must be in [{low:g}, {high:g}] for {self.name}, got {wrong:g}")
        return _in_blocks(self, method, np.broadcast_arrays(*arrays))


def _reference(function):
    """The place of one of jax's own functions, which cannot be pickled; any other function itself."""
    name = getattr(function, "__name__", "")
    homes = (module.__name__ for module in (jnp, jax.nn, jax.lax) if getattr(module, name, 0) is function)
    return next(((home, name) for home in homes), function)


def _rebuilt(name, phi, dphi, *others):
    functions = (getattr(sys.modules[f[0]], f[1]) if isinstance(f, tuple) else f for f in (phi, dphi))
    return Activation(name, *functions, *others)


def _implementation(activation, method):
    if isinstance(method, int):
        return functools.partial(_correlation_derivatives, activation, method)
    return getattr(activation.expectations, method)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _compiled(activation, method, *arguments):
    return _implementation(activation, method)(*arguments)


@float64
def _in_blocks(activation, method, arguments):
    """Applies a method to concrete arrays of one shape, a block at a time."""
    shape, size = arguments[0].shape, arguments[0].size
    if size <= _BLOCK:
        return _compiled(activation, method, *arguments)
    flat = [x.reshape(-1) for x in arguments]
    # The last block is filled up with repetitions, so that one compiled program serves all.
    index = [np.minimum(np.arange(start, start + _BLOCK), size - 1) for start in range(0, size, _BLOCK)]
    blocks = [_compiled(activation, method, *(x[i] for x in flat)) for i in index]
    return tuple(np.concatenate(parts)[:size].reshape(shape) for parts in zip(*blocks, strict=True))


@float64
def _checked_slopes(slopes, phi):
    """(a, b) as floats, if phi(x) = a x for x > 0 and b x for x < 0."""
    given = np.atleast_1d(slopes)
    if given.shape != (2,):
        raise ValueError(f"slopes must be two numbers (a, b), got {slopes!r}")
    a, b = (_checks.finite("slopes", slope) for slope in given.tolist())
    x = np.array([-1e6, -3.0, -1.0, -1e-6, 0.0, 1e-6, 1.0, 3.0, 1e6])
    found, expected = np.asarray(phi(jnp.asarray(x))), np.where(x > 0, a, b) * x
    if not np.allclose(found, expected, rtol=1e-12, atol=0.0):
        at = x[~np.isclose(found, expected, rtol=1e-12, atol=0.0)][0]
        raise ValueError(
            f"slopes must be those of phi, {a:g} for x > 0 and {b:g} for x < 0, but phi({at:g}) is "
            f"{found[x == at][0]:g}: leave slopes out"
        )
    return a, b


def _correlation_derivatives(activation, order, q):
    q = jnp.asarray(q)
    smooth, function, derivatives = first_jump(activation), activation.dphi, []
    for k in range(1, min(order, smooth) + 1):
        square, function = (lambda u, f=function: f(u)[None] ** 2), _derivative(function)
        mean = quadrature.line_expectation(square, activation.kinks, q.reshape(-1))[0].reshape(q.shape)
        derivatives.append(q**k * mean)
    return (*derivatives, *[jnp.full_like(q, jnp.inf)] * (order - len(derivatives)))


@functools.cache
def first_jump(activation):
    """The order of the first derivative of phi that jumps at a kink; infinite if none does."""
    with float64(), jax.ensure_compile_time_eval():
        function = activation.phi
        for order in range(_HIGHEST_ORDER + 1):
            for kink in activation.kinks:
                # Across a jump the change does not shrink with the step; elsewhere it does.
                steps = max(1.0, abs(kink)) * jnp.array([1e-4, 1e-7])
                wide, narrow = np.asarray(jnp.abs(function(kink + steps) - function(kink - steps)))
                if narrow > max(0.1 * wide, 1e-9):
                    return order
            function = _derivative(function)
    return math.inf


def _check_elementwise(name, function):
    """Raises ValueError unless `function` maps real arrays to real arrays of the same shape."""
    if not callable(function):
        raise ValueError(f"{name} must be a function of a jax array, got {function!r}")
    with float64():
        for shape in ((), (2, 3)):
            try:
                result = jax.eval_shape(function, jax.ShapeDtypeStruct(shape, jnp.float64))
            except Exception as error:
                raise ValueError(
                    f"{name} must map an array of shape {shape} to one of the same shape; called with one it "
                    f"raised {type(error).__name__}: {error}"
                ) from error
            got = getattr(result, "shape", type(result).__name__)
            if got != shape:
                raise ValueError(f"{name} must map an array of shape {shape} to the same shape, got {got}")
            if result.dtype != jnp.float64:
                raise ValueError(f"{name} must map float64 to float64, got {result.dtype}")
