"""Data sets: what loads, what it says of itself, and what is refused."""

import gzip
import hashlib
import http.server
import os
import pickle
import struct
import threading
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy import stats

from ntk_helpers import data
from ntk_helpers.data import load, sphere

needs_files = pytest.mark.skipif(
    not os.environ.get("NTK_HELPERS_DATA"),
    reason="NTK_HELPERS_DATA names no folder with MNIST and CIFAR-10",
)


@pytest.fixture
def empty_places(monkeypatch, tmp_path):
    """No folder but what a test names: the variable is unset and the cache is empty."""
    import pooch

    monkeypatch.delenv("NTK_HELPERS_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path


# The real data


def assert_images(dataset, n_train, n_test, d):
    assert dataset.x_train.shape == (n_train, d)
    assert dataset.x_test.shape == (n_test, d)
    assert dataset.y_train.shape == (n_train,)
    assert dataset.y_test.shape == (n_test,)
    for x in (dataset.x_train, dataset.x_test):
        assert x.dtype == np.float32
        assert x.min() == 0
        assert x.max() == 1
    for y in (dataset.y_train, dataset.y_test):
        assert y.dtype == np.int64
        assert set(np.unique(y)) == set(range(10))


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    digits, (images, labels) = load("digits"), load_digits(return_X_y=True)
    assert_images(digits, 1_437, 360, 64)
    np.testing.assert_array_equal(np.concatenate([digits.x_train, digits.x_test]) * 16, images)
    np.testing.assert_array_equal(np.concatenate([digits.y_train, digits.y_test]), labels)
    # A scikit-learn with other digits would move every result on them.
    assert digits.provenance.endswith("87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826")
    assert "scikit-learn" in digits.provenance


@needs_files
def test_mnist_is_the_official_one():
    mnist = load("mnist")
    assert_images(mnist, 60_000, 10_000, 784)
    assert mnist.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    # The mean and deviation by which everybody normalises MNIST.
    assert mnist.x_train.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert mnist.x_train.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
    assert mnist.provenance.startswith("MNIST (official content)")


@needs_files
def test_cifar10_says_which_copy_it_is():
    cifar10 = load("cifar10")
    assert_images(cifar10, 50_000, 10_000, 3_072)
    assert np.bincount(cifar10.y_train).tolist() == [5_000] * 10
    assert np.bincount(cifar10.y_test).tolist() == [1_000] * 10
    assert cifar10.y_train[:5].tolist() == [6, 9, 9, 4, 1]
    md5 = {
        path.name: hashlib.md5(path.read_bytes()).hexdigest()
        for path in Path(os.environ["NTK_HELPERS_DATA"], "cifar-10-batches-py").glob("*_batch*")
    }
    official = md5["data_batch_1"] == "c99cafc152244af753f735de768cd75f"
    assert cifar10.provenance.startswith(f"CIFAR-10 ({'official files' if official else 'JPEG copy'}): ")
    for name, digest in md5.items():
        assert f"{name} {digest}" in cifar10.provenance
    # The first training image begins with these red pixels, in the JPEG copy as well.
    assert np.rint(cifar10.x_train[0, :8] * 255).tolist() == [59, 43, 50, 68, 98, 119, 139, 145]


@needs_files
def test_root_is_read_before_the_variable(monkeypatch, tmp_path):
    folder = os.environ["NTK_HELPERS_DATA"]
    monkeypatch.setenv("NTK_HELPERS_DATA", str(tmp_path))
    assert load("mnist", root=folder).x_train.shape == (60_000, 784)


def test_arrays_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        load("digits").x_train[0] = 0


# MNIST's format, on small files


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def small_mnist(monkeypatch, empty_places):
    """A folder with four small files in MNIST's format, and the loader told of their checksums."""
    rng = np.random.default_rng(0)
    raw = empty_places / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    arrays, content_sums, packed_sums = [], {}, {}
    for name, shape, bound in (
        ("train-images-idx3-ubyte", (6, 3, 2), 256),
        ("train-labels-idx1-ubyte", (6,), 10),
        ("t10k-images-idx3-ubyte", (4, 3, 2), 256),
        ("t10k-labels-idx1-ubyte", (4,), 10),
    ):
        array = rng.integers(0, bound, shape, dtype=np.uint8)
        content = idx(array)
        packed = gzip.compress(content)
        (raw / f"{name}.gz").write_bytes(packed)
        content_sums[name] = hashlib.sha256(content).hexdigest()
        packed_sums[f"{name}.gz"] = hashlib.md5(packed).hexdigest()
        arrays.append(array)
    monkeypatch.setattr(data, "_MNIST_SHA256", content_sums)
    monkeypatch.setattr(data, "_MNIST_GZ_MD5", packed_sums)
    return raw, arrays


def assert_is_small_mnist(dataset, arrays):
    x_train, y_train, x_test, y_test = arrays
    np.testing.assert_array_equal(np.rint(dataset.x_train * 255), x_train.reshape(6, 6))
    np.testing.assert_array_equal(np.rint(dataset.x_test * 255), x_test.reshape(4, 6))
    np.testing.assert_array_equal(dataset.y_train, y_train)
    np.testing.assert_array_equal(dataset.y_test, y_test)


def test_mnist_reads_compressed_and_plain_files(small_mnist):
    raw, arrays = small_mnist
    root = raw.parents[1]
    assert_is_small_mnist(load("mnist", root=root), arrays)
    for path in sorted(raw.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert_is_small_mnist(load("mnist", root=root), arrays)


def test_the_variable_is_read_before_the_cache(small_mnist, empty_places, monkeypatch):
    raw, arrays = small_mnist
    (empty_places / "cache" / "ntk_helpers" / "MNIST" / "raw").mkdir(parents=True)
    monkeypatch.setenv("NTK_HELPERS_DATA", str(raw.parents[1]))
    assert_is_small_mnist(load("mnist"), arrays)


def test_the_cache_is_read_last(small_mnist, empty_places):
    raw, arrays = small_mnist
    cache = empty_places / "cache" / "ntk_helpers"
    cache.mkdir(parents=True)
    raw.parents[0].rename(cache / "MNIST")
    assert_is_small_mnist(load("mnist", root=raw.parents[1]), arrays)


@pytest.mark.parametrize(
    "damaged",
    [
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: b"\0\0\x0b" + content[3:],
        lambda content: content[:4] + struct.pack(">I", 7) + content[8:],
        lambda content: content[:5],
        lambda content: b"",
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    ],
    ids=["cut", "longer", "magic", "shape", "header cut", "empty", "one bit"],
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_mnist_file_is_named_with_the_reason_and_the_fix(small_mnist, damaged, packed):
    raw, _ = small_mnist
    path = raw / "train-labels-idx1-ubyte.gz"
    content = damaged(gzip.decompress(path.read_bytes()))
    if packed:
        path.write_bytes(gzip.compress(content))
    else:
        path.with_suffix("").write_bytes(content)
    message = "the SHA-256 of its content is"
    with pytest.raises(
        ValueError, match=f"train-labels-idx1-ubyte.* is truncated or altered: {message}.*download=True"
    ):
        load("mnist", root=raw.parents[1])


@pytest.mark.parametrize(
    "bad", [lambda c: c[:-9], lambda c: c[:5], lambda c: b"not gzip", lambda c: c[:20] + c[21:]]
)
def test_a_damaged_gz_file_is_named(small_mnist, bad):
    raw, _ = small_mnist
    path = raw / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(bad(path.read_bytes()))
    with pytest.raises(
        ValueError, match=r"t10k-images-idx3-ubyte\.gz is truncated or altered: it does not decompress"
    ):
        load("mnist", root=raw.parents[1])


def test_a_missing_file_is_named(small_mnist):
    raw, _ = small_mnist
    (raw / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"t10k-labels-idx1-ubyte\.gz is missing from .*download=True"
    ):
        load("mnist", root=raw.parents[1])


# CIFAR-10's format, on small files


def short_string(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def python2_pickle(labels: list[int], images: np.ndarray) -> bytes:
    """A batch as Python 2 pickled the official ones: protocol 2, byte strings, numpy's old module names."""
    shape = b"K" + bytes([images.shape[0]]) + b"K" + bytes([images.shape[1]]) + b"\x86"
    entries = images.tobytes()
    return (
        b"\x80\x02}("
        + short_string(b"labels") + b"](" + b"".join(b"K" + bytes([c]) for c in labels) + b"e"
        + short_string(b"data")
        + b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01" + shape
        + b"cnumpy\ndtype\n" + short_string(b"u1")
        + b"K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + b"\x89T" + struct.pack("<I", len(entries)) + entries + b"tb"
        + b"u."
    )  # fmt: skip


@pytest.fixture
def small_cifar10(monkeypatch, empty_places):
    """Six small batches in CIFAR-10's format, twice, and the loader told of the checksums of both."""
    rng = np.random.default_rng(0)
    folders = {kind: empty_places / kind / "cifar-10-batches-py" for kind in ("official", "jpeg")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    batches, pixels, classes = {}, [], []
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        labels = rng.integers(0, 10, 10)
        images = rng.integers(0, 255, (10, 12), dtype=np.uint8)
        md5 = {}
        for kind, folder in folders.items():
            content = python2_pickle(labels.tolist(), images + (kind == "jpeg"))
            (folder / name).write_bytes(content)
            md5[kind] = hashlib.md5(content).hexdigest()
        batches[name] = (md5["official"], md5["jpeg"])
        pixels.append(images)
        classes.append(labels)
    monkeypatch.setattr(data, "_CIFAR10_MD5S", batches)
    return folders, np.array(pixels), np.array(classes)


@pytest.mark.parametrize(("kind", "title"), [("official", "official files"), ("jpeg", "JPEG copy")])
def test_cifar10_reads_python_2_pickles_and_names_the_copy(small_cifar10, kind, title):
    folders, pixels, classes = small_cifar10
    cifar10 = load("cifar10", root=folders[kind].parent)
    found = np.concatenate([cifar10.x_train, cifar10.x_test])
    np.testing.assert_array_equal(np.rint(found * 255), pixels.reshape(60, 12) + (kind == "jpeg"))
    np.testing.assert_array_equal(np.concatenate([cifar10.y_train, cifar10.y_test]), classes.ravel())
    assert cifar10.x_train.shape == (50, 12)
    assert cifar10.provenance.startswith(f"CIFAR-10 ({title}): ")
    assert ("not the official pixels" in cifar10.provenance) == (kind == "jpeg")


def test_a_mixture_of_copies_is_refused(small_cifar10):
    folders, _, _ = small_cifar10
    (folders["official"] / "data_batch_3").write_bytes((folders["jpeg"] / "data_batch_3").read_bytes())
    with pytest.raises(ValueError, match=r"mixes two copies: .*data_batch_3 CIFAR-10 \(JPEG copy\)"):
        load("cifar10", root=folders["official"].parent)


class Command:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("how", ["a command", "cut", "empty", "other pixels"])
def test_a_bad_batch_is_refused_named_and_not_run(small_cifar10, tmp_path, how):
    folders, _, _ = small_cifar10
    marker, batch = tmp_path / "ran", folders["official"] / "data_batch_2"
    content = {
        "a command": pickle.dumps(Command(f"touch {marker}"), protocol=2),
        "cut": batch.read_bytes()[:-20],
        "empty": b"",
        "other pixels": python2_pickle([0] * 10, np.zeros((10, 12), np.uint8)),
    }[how]
    batch.write_bytes(content)
    with pytest.raises(ValueError, match=r"data_batch_2 is truncated or altered: its MD5 is .*download=True"):
        load("cifar10", root=folders["official"].parent)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (pickle.dumps(Command("true"), protocol=2), r"\w+\.system"),
        (b"cnumpy\nload\nU\x01x\x85R.", r"numpy\.load"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.", r"numpy\.ndarray\.tofile"),
    ],
)
def test_a_pickle_imports_nothing_but_arrays_even_if_its_checksum_is_known(
    small_cifar10, monkeypatch, content, name
):
    folders, _, _ = small_cifar10
    path = folders["official"] / "data_batch_1"
    path.write_bytes(content)
    known = hashlib.md5(content, usedforsecurity=False).hexdigest()
    monkeypatch.setitem(data._CIFAR10_MD5S, "data_batch_1", (known, ""))
    with pytest.raises(pickle.UnpicklingError, match=f"it asks for {name}, and only arrays are admitted"):
        load("cifar10", root=folders["official"].parent)


def test_the_malicious_pickle_of_these_tests_is_malicious(tmp_path):
    pickle.loads(pickle.dumps(Command(f"touch {tmp_path / 'ran'}"), protocol=2))
    assert (tmp_path / "ran").exists()


def test_a_missing_batch_is_named(small_cifar10):
    folders, _, _ = small_cifar10
    (folders["official"] / "test_batch").unlink()
    with pytest.raises(FileNotFoundError, match=r"test_batch is missing from .*download=True"):
        load("cifar10", root=folders["official"].parent)


# Where nothing is, and downloads


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_files_the_error_says_where_it_looked_and_what_to_do(empty_places, name):
    with pytest.raises(FileNotFoundError, match=r"cache.*NTK_HELPERS_DATA.*download=True"):
        load(name, root=empty_places)


def test_a_folder_that_is_not_there_is_named(monkeypatch, empty_places):
    with pytest.raises(ValueError, match=r"root must be a folder that exists, got .*absent"):
        load("mnist", root=empty_places / "absent")
    monkeypatch.setenv("NTK_HELPERS_DATA", str(empty_places / "absent"))
    with pytest.raises(ValueError, match=r"NTK_HELPERS_DATA must be a folder that exists, got .*absent"):
        load("mnist", download=True)


@pytest.mark.parametrize("name", ["MNIST", "", None, 3])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match="name must be 'cifar10', 'digits' or 'mnist', got "):
        load(name)


@pytest.fixture
def server(tmp_path):
    """A web server on this machine, and the folder that it serves."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/", folder
        running.shutdown()


def test_mnist_downloads_once_with_a_progress_bar(small_mnist, server, monkeypatch, capfd):
    raw, arrays = small_mnist
    url, folder = server
    for path in raw.iterdir():
        path.rename(folder / path.name)
    raw.rmdir()
    root = raw.parents[1] / "new"
    monkeypatch.setattr(data, "_MNIST_URL", url)
    assert_is_small_mnist(load("mnist", root=root, download=True), arrays)
    assert "100%" in capfd.readouterr().err
    for path in folder.iterdir():
        path.unlink()
    assert_is_small_mnist(load("mnist", root=root, download=True), arrays)


def test_an_altered_download_is_refused_and_not_kept(small_mnist, server, monkeypatch):
    raw, _ = small_mnist
    url, folder = server
    for path in raw.iterdir():
        path.rename(folder / path.name)
    raw.rmdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    monkeypatch.setattr(data, "_MNIST_URL", url)
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz"):
        load("mnist", root=raw.parents[1], download=True)
    assert not (raw / "train-images-idx3-ubyte.gz").exists()


def test_a_download_that_failed_is_completed_by_the_next(small_mnist, server, monkeypatch):
    raw, arrays = small_mnist
    url, folder = server
    for path in raw.iterdir():
        path.rename(folder / path.name)
    late = folder / "t10k-labels-idx1-ubyte.gz"
    content = late.read_bytes()
    late.unlink()
    monkeypatch.setattr(data, "_MNIST_URL", url)
    with pytest.raises(OSError, match="404"):
        load("mnist", root=raw.parents[1], download=True)
    assert [path.name for path in raw.iterdir()], "the first files are there"
    late.write_bytes(content)
    assert_is_small_mnist(load("mnist", root=raw.parents[1], download=True), arrays)


@pytest.mark.parametrize("stale", ["incomplete", "damaged"])
def test_a_stale_cache_does_not_keep_a_download_from_another_folder(
    small_mnist, server, empty_places, monkeypatch, stale
):
    raw, arrays = small_mnist
    url, folder = server
    cache = empty_places / "cache" / "ntk_helpers" / "MNIST" / "raw"
    cache.mkdir(parents=True)
    for path in raw.iterdir():
        if stale == "damaged":
            (cache / path.name).write_bytes(b"")
        path.rename(folder / path.name)
    monkeypatch.setattr(data, "_MNIST_URL", url)
    assert_is_small_mnist(load("mnist", root=empty_places / "new", download=True), arrays)


def test_cifar10_downloads_and_unpacks(small_cifar10, server, monkeypatch):
    import tarfile

    folders, pixels, _ = small_cifar10
    url, folder = server
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folders["official"], "cifar-10-batches-py")
    monkeypatch.setattr(data, "_CIFAR10_URL", url + archive.name)
    monkeypatch.setattr(data, "_CIFAR10_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    root = folder.parent / "new"
    cifar10 = load("cifar10", root=root, download=True)
    np.testing.assert_array_equal(np.rint(cifar10.x_train * 255), pixels[:5].reshape(50, 12))
    assert [path.name for path in root.iterdir()] == ["cifar-10-batches-py"]


# Points on a sphere


def test_sphere_points_have_norm_one_and_no_direction():
    n, d = 4_000, 3
    points = sphere(n, d, jax.random.key(0))
    assert points.shape == (n, d)
    assert points.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=4 * np.finfo(np.float64).eps)
    # Archimedes: each coordinate is uniform on [-1, 1], so that the mean and the second moment have these
    # standard errors: sqrt(1/3 / n) and sqrt((1/5 - 1/9) / n).
    assert np.all(np.abs(points.mean(axis=0)) < 4 * np.sqrt(1 / 3 / n))
    second = points.T @ points / n
    assert np.all(np.abs(second - np.eye(d) / 3) < 4 * np.sqrt((1 / 5 - 1 / 9) / n))

    # Not moments alone: points of a cube, scaled to norm one, have these means and are refused.
    def smallest_p(points):
        directions = np.column_stack([np.eye(d), np.ones(d) / np.sqrt(d)])
        return min(stats.kstest(part, "uniform", (-1, 2)).pvalue for part in (points @ directions).T)

    cube = np.random.default_rng(0).uniform(-1, 1, (n, d))
    assert smallest_p(points) > 1e-3
    assert smallest_p(cube / np.linalg.norm(cube, axis=1, keepdims=True)) < 1e-6


def test_sphere_does_not_depend_on_the_global_precision():
    single = sphere(5, 4, jax.random.key(1))
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", not before)
    try:
        np.testing.assert_array_equal(sphere(5, 4, jax.random.key(1)), single)
    finally:
        jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize(
    ("n", "d", "message"), [(0, 3, "n must .* got 0"), (3, -1, "d .* got -1"), (2.5, 3, "n .* got 2.5")]
)
def test_sphere_refuses_bad_sizes(n, d, message):
    with pytest.raises(ValueError, match=message):
        sphere(n, d, jax.random.key(0))


def test_sphere_refuses_an_int_for_a_key():
    with pytest.raises(ValueError, match=r"key must be a jax random key, got 0: take jax\.random\.key\(0\)"):
        sphere(3, 2, 0)
