"""Independent implementations that ours is compared with, imported on a current JAX."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.core
import jax.extend.core
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad

__all__ = ["neural_tangents"]

_INSTALL = "pip install --no-deps neural-tangents==0.6.5 frozendict"

# What neural-tangents 0.6.5 takes from JAX under names that JAX has since moved or dropped.
_CORE_NAMES = ("AbstractValue", "Jaxpr", "JaxprEqn", "Literal", "Primitive", "Value", "Var")
_AD_NAMES = ("UndefinedPrimal", "Zero")
_UTIL_NAMES = ("safe_map", "safe_zip")
# It looks these two up in `jax.core` when it runs, too, so they stay there after the import.
_CORE_NAMES_AT_RUN_TIME = ("ShapedArray", "eval_context")


def neural_tangents() -> types.ModuleType:
    """Return the module neural_tangents 0.6.5, with `.stax` and `.predict`, on JAX 0.7 or newer.

    The last release of neural-tangents (0.6.5; Novak et al. 2020) does not import on JAX newer than 0.5.3,
    because a dozen names have moved inside JAX, and it asks for TensorFlow, which only its `experimental`
    module uses. This function puts the names back while the import runs, and leaves `experimental` out.
    Names that JAX still has are never replaced. A second call returns the same module.

    What works: the analytic kernels of `stax`, `predict` (also inside `jax.jit`, `jax.grad` and `jax.vmap`),
    `batch`, `monte_carlo_kernel_fn`, and the empirical kernels with the implementations JACOBIAN_CONTRACTION
    (the default) and NTK_VECTOR_PRODUCTS. STRUCTURED_DERIVATIVES and AUTO raise NotImplementedError.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        Where neural-tangents or its one small dependency is not installed, and where it does not import on
        this version of JAX; with the command that mends it.
    """
    if "neural_tangents" in sys.modules:
        return sys.modules["neural_tangents"]
    absent = [name for name in ("neural_tangents", "frozendict") if importlib.util.find_spec(name) is None]
    if absent:
        raise ImportError(f"{' and '.join(absent)} not installed; install without TensorFlow: {_INSTALL}")
    with warnings.catch_warnings(), _moved_names_restored():
        # JAX's notices that the names this module is about are deprecated
        warnings.filterwarnings("ignore", r"jax\.(core|util|interpreters)\b", DeprecationWarning)
        try:
            module = importlib.import_module("neural_tangents")
        except (ImportError, AttributeError) as error:
            raise ImportError(
                f"neural-tangents does not import on JAX {jax.__version__} ({error}); "
                f"ntk_helpers.peers knows release 0.6.5 on JAX 0.7 to 0.12. Install that: {_INSTALL}"
            ) from error
    # A plain AttributeError says more than an empty module would.
    del module.experimental
    empirical = importlib.import_module("neural_tangents._src.empirical")
    _refuse_what_leans_on_internals(empirical)
    empirical._std_basis = _unit_vectors  # NTK_VECTOR_PRODUCTS; its own asks for the size of a mere shape
    _mend_predict(importlib.import_module("neural_tangents._src.predict"), module.predict)
    return module


def _mend_predict(source: types.ModuleType, public: types.ModuleType) -> None:
    """Let `predict` work on scipy 1.14 and newer, and where JAX traces."""
    # On a CPU `max_learning_rate` calls scipy by a keyword that scipy 1.14 dropped, elsewhere JAX.
    source._is_on_cpu = lambda _: False
    # It leaves the trace to factorise a kernel, which it cannot where the kernel itself is traced.
    core = types.SimpleNamespace(eval_context=contextlib.nullcontext)
    source.jax = types.SimpleNamespace(core=core, default_backend=jax.default_backend)
    for name in ("gradient_descent_mse", "gradient_descent_mse_ensemble", "gp_inference"):
        function = _without_memory_in_traces(getattr(source, name))
        setattr(source, name, function)
        setattr(public, name, function)


def _without_memory_in_traces(make: Callable[..., Callable]) -> Callable[..., Callable]:
    """`make`, whose predictors keep factorisations: within a trace each call has a predictor of its own.

    What is kept there would be tracers, and the next call, outside that trace, would fail on them.
    """
    outside = _core_name("trace_state_clean")

    @functools.wraps(make)
    def made(*arguments, **options):
        lasting = make(*arguments, **options)

        @functools.wraps(lasting)
        def predict(*inputs, **named):
            predictor = lasting if outside() else make(*arguments, **options)
            return predictor(*inputs, **named)

        return predict

    return made


def _unit_vectors(tree: Any) -> Any:
    """The unit vectors of the space of such trees of arrays, or of their shapes, along a new first axis."""
    leaves, structure = jax.tree.flatten(tree)
    unit = jnp.eye(sum(leaf.size for leaf in leaves), dtype=jnp.result_type(*leaves))
    parts = jnp.split(unit, np.cumsum([leaf.size for leaf in leaves])[:-1], axis=1)
    shaped = [part.reshape(-1, *leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
    return structure.unflatten(shaped)


def _refuse_what_leans_on_internals(empirical: types.ModuleType) -> None:
    """Let two implementations of the empirical kernel say at the call which ones to take instead."""

    def refusal(name: str):
        def ntk_fn(**_):
            raise NotImplementedError(
                f"implementation {name} of neural-tangents 0.6.5 does not work on JAX {jax.__version__}: "
                "take NtkImplementation.JACOBIAN_CONTRACTION, the default, or NTK_VECTOR_PRODUCTS"
            )

        return ntk_fn

    for name in ("AUTO", "STRUCTURED_DERIVATIVES"):
        empirical._implementation_to_ntk_fn[empirical.NtkImplementation[name]] = refusal(name)


@contextlib.contextmanager
def _moved_names_restored() -> Iterator[None]:
    """Put the names that neural-tangents imports where it looks for them, and take them away afterwards."""
    with contextlib.ExitStack() as undo:
        for name in _CORE_NAMES + _CORE_NAMES_AT_RUN_TIME:
            if not hasattr(jax.core, name):
                setattr(jax.core, name, _core_name(name))
                if name not in _CORE_NAMES_AT_RUN_TIME:
                    undo.callback(delattr, jax.core, name)
        for name in _AD_NAMES:
            if not hasattr(ad, name):
                setattr(ad, name, getattr(importlib.import_module("jax._src.interpreters.ad"), name))
                undo.callback(delattr, ad, name)
        if not hasattr(ad, "zeros_like_p"):
            # A key of a table of rules that neural-tangents fills at import. No jaxpr contains it any more.
            ad.zeros_like_p = jax.extend.core.Primitive("zeros_like")
            undo.callback(delattr, ad, "zeros_like_p")
        util = types.ModuleType("jax.util")
        for name in _UTIL_NAMES:
            setattr(util, name, getattr(importlib.import_module("jax._src.util"), name))
        # The real `experimental` imports TensorFlow.
        for module in (util, types.ModuleType("neural_tangents.experimental")):
            if before := sys.modules.get(module.__name__):
                undo.callback(sys.modules.__setitem__, module.__name__, before)
            else:
                undo.callback(sys.modules.pop, module.__name__)
            sys.modules[module.__name__] = module
        yield


def _core_name(name: str) -> Any:
    """Find a former member of `jax.core`: in `jax.extend.core`, its home now, or where JAX defines it."""
    if hasattr(jax.extend.core, name):
        return getattr(jax.extend.core, name)
    # Some are in annotations only; a JAX that has dropped one altogether does no harm.
    return getattr(importlib.import_module("jax._src.core"), name, object)
