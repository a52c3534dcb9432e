"""Reads pickles of plain values and arrays, as CIFAR-10 comes in, and runs nothing that they ask for."""

import math
import pickle
from io import BytesIO

import numpy as np


class _Recorded:
    """Stands for numpy's classes in a pickle, and records what they would have been built from."""

    def __init__(self, *arguments):
        self.arguments = arguments
        self.state = None

    def __setstate__(self, state):
        self.state = state


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles plain values and arrays, and nothing else.

    A pickle is a program that may call whatever it can import. Here it can import the three names that an
    array is made of, and gets a recorder for each: nothing outside this module runs on unchecked input.
    """

    _ADMITTED = (
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    )

    def find_class(self, module, name):
        if (module, name) in self._ADMITTED:
            return _Recorded
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only arrays are admitted")


def arrays_only(content: bytes):
    """What a pickle holds, its arrays as records for `bytes_array`; a damaged one raises almost anything."""
    return _ArrayUnpickler(BytesIO(content), encoding="bytes").load()


def bytes_array(recorded) -> np.ndarray | None:
    """Rebuild an array of unsigned bytes from its recorded pickle, or return None where it is not one."""
    match recorded:
        case _Recorded(
            state=(_, tuple(shape), _Recorded(arguments=(b"u1", *_)), bool(fortran), bytes(entries))
        ) if all(type(n) is int and n >= 0 for n in shape) and math.prod(shape) == len(entries):
            return np.frombuffer(entries, np.uint8).reshape(shape, order="F" if fortran else "C")
    return None
