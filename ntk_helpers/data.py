"""Data sets, read from their distributors' own files: MNIST, CIFAR-10, digits, and points on a sphere."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks

__all__ = ["Dataset", "load", "sphere"]

_VARIABLE = "NTK_HELPERS_DATA"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images as rows, their labels, and what they are.

    Attributes
    ----------
    name : "cifar10", "mnist" or "digits".
    x_train, x_test : (n, d) float32 in [0, 1], read-only.
    y_train, y_test : (n,) int64 class labels 0 ... 9, read-only.
    provenance : which data, whose, and the checksums of the files they were read from.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    provenance: str

    def __post_init__(self) -> None:
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            array.flags.writeable = False


def load(name: str, *, root: str | os.PathLike | None = None, download: bool = False) -> Dataset:
    """Load a data set of images.

    The files are looked for in root, then in the folder that the environment variable NTK_HELPERS_DATA names,
    then in the cache, which a download into root passes over. The first that has the data set's folder is
    read, and what stands there is checked.

    Examples come in the order of the files. The split of the digits is the first 1,437 against the last 360,
    in scikit-learn's order, where one writer's digits stand together: training and test share few writers.

    CIFAR-10 also loads from one known JPEG copy of the official files (same order and labels, pixels lossy);
    `provenance` then begins "CIFAR-10 (JPEG copy)" and not "CIFAR-10 (official files)".

    Parameters
    ----------
    name : "mnist", 60,000 + 10,000 images of d = 28 * 28 (LeCun, Cortes & Burges); "cifar10", 50,000 + 10,000
        of d = 3 * 32 * 32, channels first (Krizhevsky 2009); or "digits", 1,437 + 360 of d = 8 * 8, which
        scikit-learn carries: no files, no download.
    root : a folder that holds MNIST/raw/*-ubyte(.gz) or cifar-10-batches-py/*, the official files.
    download : whether to fetch the files where no folder has all of them, into root or else the cache; what
        an earlier download has left there, it completes.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        For an unknown name, a root that is no folder, and a truncated or altered file.
    FileNotFoundError
        Where a file is missing. Each error says which and what to do.
    """
    if name == "digits":
        return _digits()
    sets: dict[str, tuple[str, Iterable[str], Callable, Callable]] = {
        "cifar10": ("cifar-10-batches-py", _CIFAR10_MD5S, _download_cifar10, _cifar10),
        "mnist": ("MNIST/raw", _MNIST_SHA256, _download_mnist, _mnist),
    }
    if name not in sets:
        raise ValueError(f"name must be 'cifar10', 'digits' or 'mnist', got {name!r}")
    layout, files, fetch, read = sets[name]
    return read(_folder(name, layout, files, root, fetch if download else None))


def sphere(n: int, d: int, key: jax.Array) -> np.ndarray:
    """Draw n independent points, uniform on the unit sphere of R^d: Gaussian vectors over their norms.

    Times sqrt(d), they give every first-layer variance sigma_b^2 + sigma_w^2 |x|^2 / d the value sigma_b^2 +
    sigma_w^2. The draw is in float32, so that it does not depend on jax_enable_x64.

    Parameters
    ----------
    n, d : positive integers.
    key : jax random key.

    Returns
    -------
    (n, d) float64, rows of norm one.

    Raises
    ------
    ValueError
        If n or d is not a positive integer, or the key is none.
    """
    shape = (_checks.positive_integer("n", n), _checks.positive_integer("d", d))
    key = _checks.random_key("key", key)
    gaussian = np.asarray(jax.random.normal(key, shape, dtype=jnp.float32), dtype=np.float64)
    return gaussian / np.linalg.norm(gaussian, axis=1, keepdims=True)


# Where the files are


def _folder(name: str, layout: str, files: Iterable[str], root, download) -> Path:
    """Find the folder of a data set: the first of root, NTK_HELPERS_DATA and the cache that has one.

    With a download, one without some of the files does not count.
    """
    given = ("root", root), (_VARIABLE, os.environ.get(_VARIABLE))
    named = [(what, Path(place)) for what, place in given if place]
    for what, place in named:
        # A folder to download into need not be there yet.
        if not place.is_dir() and not (download and what == "root"):
            raise ValueError(f"{what} must be a folder that exists, got {str(place)!r}")
    import pooch

    places = [place for _, place in named] + [Path(pooch.os_cache("ntk_helpers"))]
    for place in places[:-1] if root and download else places:
        folder = place / layout
        complete = all((folder / file).is_file() or (folder / f"{file}.gz").is_file() for file in files)
        if folder.is_dir() and (download is None or complete):
            return folder
    if download is None:
        raise FileNotFoundError(
            f"no folder {layout} in {', '.join(map(str, places))}; put the official files there, or set the "
            f"environment variable {_VARIABLE} to where they are, or call load({name!r}, download=True)"
        )
    target = (Path(root) if root else places[-1]) / layout
    download(target)
    return target


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is missing from {path.parent}; {_mend(path.parent)}")
    return path.read_bytes()


def _damaged(path: Path, what: str) -> ValueError:
    return ValueError(f"{path} is truncated or altered: {what}; {_mend(path.parent)}")


def _mend(folder: Path) -> str:
    return f"put the official file there, or remove {folder} and call load with download=True"


# MNIST


_MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
# Of the content, since the same content is compressed in more than one way; and of what is downloaded.
_MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_MNIST_GZ_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


def _mnist(folder: Path) -> Dataset:
    x_train, y_train, x_test, y_test = (_read_idx(folder, *file) for file in _MNIST_SHA256.items())
    checksums = ", ".join(f"{name} {sha256}" for name, sha256 in _MNIST_SHA256.items())
    return Dataset(
        "mnist",
        _unit_rows([x_train]),
        y_train.astype(np.int64),
        _unit_rows([x_test]),
        y_test.astype(np.int64),
        "MNIST (official content): LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist/; "
        f"SHA-256 of the decompressed files: {checksums}",
    )


def _read_idx(folder: Path, name: str, sha256: str) -> np.ndarray:
    """Read one array in the IDX format, compressed or not, and check that it is the official one."""
    path = folder / name
    if not path.is_file():
        path = folder / f"{name}.gz"
    content = _read(path)
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise _damaged(path, f"it does not decompress ({error})") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise _damaged(path, f"the SHA-256 of its content is {digest}, expected {sha256}")
    # IDX: four bytes for the type and the number of axes, four for the length of each axis, the entries.
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _download_mnist(target: Path) -> None:
    import pooch

    for gz, md5 in _MNIST_GZ_MD5.items():
        pooch.retrieve(_MNIST_URL + gz, f"md5:{md5}", gz, target, progressbar=True)


# CIFAR-10


_CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_CIFAR10_MD5 = "c58f30108f718f92721af3b95e74349a"
# Of the official files and of the JPEG copy, which is small enough to travel with an automatic test run. The
# last one is the test set.
_CIFAR10_MD5S = {
    "data_batch_1": ("c99cafc152244af753f735de768cd75f", "20ed7481cf6194824d118a03aea3c030"),
    "data_batch_2": ("d4bba439e000b95fd0a9bffe97cbabec", "89a94a7bad2ca66ab1f928943fa981ac"),
    "data_batch_3": ("54ebc095f3ab1f0389bbae665268c751", "cbfc31d3a7ce033c137b5507b5a0e1c4"),
    "data_batch_4": ("634d18415352ddfa80567beed471001a", "81968d57390ff463d803ae4c69d5f099"),
    "data_batch_5": ("482c414d41f54cd18b22e5b47cb7c3cb", "ecfc38a9c6a52bcf1d29a04a27dd8620"),
    "test_batch": ("40351d587109b95175f43aff81a1287e", "51d87c978d952cda189ed2967c8aed3b"),
}
_CIFAR10_COPIES = (
    "CIFAR-10 (official files): Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html",
    "CIFAR-10 (JPEG copy): official order and labels (Krizhevsky 2009), but not the official pixels: each "
    "image went through JPEG once, at about 30 dB, save the first 1,017 of data_batch_1 and of test_batch",
)


def _cifar10(folder: Path) -> Dataset:
    read = [_read_batch(folder / name, known) for name, known in _CIFAR10_MD5S.items()]
    images, labels, copies = zip(*read, strict=True)
    if len(set(copies)) > 1:
        titles = (_CIFAR10_COPIES[copy].split(":")[0] for copy in copies)
        which = ", ".join(map(" ".join, zip(_CIFAR10_MD5S, titles, strict=True)))
        raise ValueError(f"{folder} mixes two copies: {which}; {_mend(folder)}")
    md5 = ", ".join(f"{name} {known[copies[0]]}" for name, known in _CIFAR10_MD5S.items())
    provenance = f"{_CIFAR10_COPIES[copies[0]]}; MD5 of the files: {md5}"
    x_train, x_test = _unit_rows(images[:-1]), _unit_rows(images[-1:])
    return Dataset("cifar10", x_train, np.concatenate(labels[:-1]), x_test, labels[-1], provenance)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles plain values and arrays: what it may import, it may call, so it imports nothing else."""

    _ADMITTED = (("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"))

    def find_class(self, module, name):
        if (module, name) not in self._ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only arrays are admitted")
        return super().find_class(module, name)


def _read_batch(path: Path, known: tuple[str, str]) -> tuple[np.ndarray, np.ndarray, int]:
    """Read one CIFAR-10 batch: images (n, 3072) uint8, labels (n,) int64, and which known copy it is of.

    Only a file whose checksum is known is unpickled, and it can import nothing but arrays.
    """
    content = _read(path)
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if digest not in known:
        raise _damaged(path, f"its MD5 is {digest}, expected {known[0]}")
    batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    return batch[b"data"], np.asarray(batch[b"labels"], np.int64), known.index(digest)


def _download_cifar10(target: Path) -> None:
    import pooch

    folder = target.parent
    members = [f"{target.name}/{name}" for name in _CIFAR10_MD5S]
    unpack = pooch.Untar(members=members, extract_dir=".")
    archive = _CIFAR10_URL.rsplit("/", 1)[-1]
    pooch.retrieve(_CIFAR10_URL, f"md5:{_CIFAR10_MD5}", archive, folder, processor=unpack, progressbar=True)
    (folder / archive).unlink()


# Digits


def _digits() -> Dataset:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    pixels, labels, cut = images.astype(np.uint8), labels.astype(np.int64), 1_437
    digest = hashlib.sha256(pixels.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    x = _unit_rows([pixels], maximum=16)
    provenance = (
        "digits: the test set of Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998, UCI), as "
        "scikit-learn carries it, the first 1,437 for training and the last 360 for testing; "
        f"SHA-256 of the pixels and labels as bytes: {digest}"
    )
    return Dataset("digits", x[:cut], labels[:cut], x[cut:], labels[cut:], provenance)


def _unit_rows(images: Sequence[np.ndarray], maximum: int = 255) -> np.ndarray:
    """Join arrays of bytes along the first axis: (n, d) float32 in [0, 1]."""
    joined = np.concatenate([array.reshape(len(array), -1) for array in images], dtype=np.float32)
    joined /= maximum
    return joined
