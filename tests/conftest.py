"""What several test files need."""

import jax
import pytest


@pytest.fixture
def double_precision():
    """64-bit jax for one test: float64 parameters need it."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)
