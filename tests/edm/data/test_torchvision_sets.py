"""MNIST, Fashion-MNIST and CIFAR-10 are read from their original files, and no file can run a program."""

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import urllib.request
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision import datasets

from edm.data import torchvision_sets
from edm.data.torchvision_sets import opened

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = [3, 0, 9, 9, 1, 5]
COLOURS = np.random.default_rng(1).integers(0, 256, (2, 3072), dtype=np.uint8)


def idx(array) -> bytes:
    array = np.asarray(array, dtype=np.uint8)
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(root, name="MNIST", images=None, labels=None):
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(idx(IMAGES) if images is None else images)
    (raw / "train-labels-idx1-ubyte").write_bytes(idx(LABELS) if labels is None else labels)
    return raw


def short(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def python_2(array, labels) -> bytes:
    """A batch as Python 2 wrote it, and as it is in the files of 2009."""
    counts = b"M" + struct.pack("<H", array.shape[0]) + b"M" + struct.pack("<H", array.shape[1])
    return b"".join(
        [
            b"\x80\x02}q\x01(" + short(b"batch_label") + b"q\x02" + short(b"training batch 1 of 5") + b"q\x03",
            short(b"labels") + b"q\x04]q\x05(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e",
            short(b"data") + b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85",
            short(b"b")
            + b"\x87Rq\x09(K\x01"
            + counts
            + b"\x86cnumpy\ndtype\nq\x0a"
            + short(b"u1")
            + b"K\x00K\x01\x87R",
            b"q\x0b(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            b"T" + struct.pack("<I", array.size) + array.tobytes() + b"tbu.",
        ]
    )


def write_batches(root, batch: bytes):
    place = root / "cifar-10-batches-py"
    place.mkdir(parents=True)
    for number in range(1, 6):
        (place / f"data_batch_{number}").write_bytes(python_2(COLOURS, [number, 9]))
    (place / "data_batch_3").write_bytes(batch)
    return place


class Runs:
    """Pickled as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_digits_and_garments_are_padded_to_32_pixels(tmp_path, name, folder):
    write_idx(tmp_path, folder)
    source = opened(name, tmp_path)
    assert (source.shape, source.size, source.classes, len(source.class_names)) == ((1, 32, 32), 6, 10, 10)
    images, labels = source.read(np.array([4, 1, 4]))
    assert images.dtype == torch.uint8 and labels.dtype == torch.int64
    assert labels.tolist() == [1, 0, 1]
    assert np.array_equal(images[:, 0, 2:30, 2:30].numpy(), IMAGES[[4, 1, 4]])
    assert images.sum() == IMAGES[[4, 1, 4]].sum(dtype=np.int64)


@pytest.mark.parametrize("protocol", ["Python 2", 2, 4, 5])
def test_colour_images_are_read_from_pickles_of_any_age(tmp_path, protocol):
    batch = {b"data": COLOURS[::-1].copy(), b"labels": [7, 0], b"filenames": [b"a.png", b"b.png"]}
    pickled = python_2(COLOURS[::-1], [7, 0]) if protocol == "Python 2" else pickle.dumps(batch, protocol)
    write_batches(tmp_path, pickled)
    source = opened("cifar10", tmp_path)
    assert (source.shape, source.size, source.classes, source.class_names[9]) == ((3, 32, 32), 10, 10, "truck")
    images, labels = source.read(np.arange(10))
    assert labels.tolist() == [1, 9, 2, 9, 7, 0, 4, 9, 5, 9]
    assert np.array_equal(images[:4:2].reshape(2, -1).numpy(), COLOURS[[0, 0]])
    assert np.array_equal(images[4].numpy(), COLOURS[1].reshape(3, 32, 32))


def test_original_batches_are_what_pickle_itself_reads():
    batch = pickle.loads(python_2(COLOURS, [1, 2]), encoding="bytes")
    assert np.array_equal(batch[b"data"], COLOURS) and batch[b"labels"] == [1, 2]


def hostile_pickles(mark):
    command = f"touch {mark}"
    batch = {b"data": COLOURS, b"labels": [1, 2]}
    call = pickle.dumps({**batch, b"filenames": Runs(os.system, command)})
    return {
        "os.system": call,
        "labels": pickle.dumps({**batch, b"labels": Runs(os.system, command)}),
        "alone": pickle.dumps(Runs(os.system, command), protocol=0),
        "eval": pickle.dumps({**batch, b"x": Runs(eval, f"__import__('os').system({command!r})")}),
        "numpy": pickle.dumps({**batch, b"x": Runs(np.load, str(mark))}),
        "inst": b"(dS'a'\n(S" + repr(command).encode() + b"\nios\nsystem\ns.",
        "state": b"\x80\x04cnumpy\nndarray\n}\x8c\x08__init__cbuiltins\neval\nsb.",
        "persistent": b"\x80\x02Pfile\n.",
        "extension": b"\x80\x02\x82\x01.",
        "memo": b"\x80\x02Nr\xff\xff\xff\x7f.",
        "long": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".",
        "nest": b"\x80\x02}" + b"(" + b"N" + b"\x85" * 1_000_000 + b"Nu.",
        "deep": python_2(COLOURS, [1, 2]).replace(b"(K\1K\2e", b"(" + b"]" * 50_000 + b"a" * 49_999 + b"K\2e"),
        "objects": pickle.dumps({**batch, b"data": np.array([Runs(os.system, command)] * 2, dtype=object)}),
    }


@pytest.mark.parametrize("kind", hostile_pickles("x"))
def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path, kind):
    write_batches(tmp_path / "set", hostile_pickles(tmp_path / "ran")[kind])
    with pytest.raises(ValueError, match=r"data_batch_3 is not a file of this dataset.*remove it"):
        opened("cifar10", tmp_path / "set")
    assert not (tmp_path / "ran").exists()


def test_the_same_pickle_would_run_its_program_elsewhere(tmp_path):
    pickle.loads(hostile_pickles(tmp_path / "ran")["os.system"])
    assert (tmp_path / "ran").exists()


BATCHES = {
    "3072": {b"data": COLOURS[:, :100], b"labels": [1, 2]},
    "array of bytes": {b"data": COLOURS.astype(np.int64), b"labels": [1, 2]},
    "not an array": {b"data": b"no array", b"labels": [1, 2]},
    "a list of 2": {b"data": COLOURS, b"labels": [1]},
    "list of 2 labels": {b"data": COLOURS, b"labels": (1, 2)},
    "the label 10": {b"data": COLOURS, b"labels": [1, 10]},
    "the label -1": {b"data": COLOURS, b"labels": [-1, 0]},
    "the label True": {b"data": COLOURS, b"labels": [True, 0]},
    "the label 'cat'": {b"data": COLOURS, b"labels": ["cat", 0]},
    "0 bytes": {b"data": COLOURS[:0], b"labels": []},
    "dictionary with": {b"images": COLOURS},
    "a dictionary": [COLOURS, [1, 2]],
    "not an array of bytes": {b"data": np.asfortranarray(COLOURS), b"labels": [1, 2]},
}


@pytest.mark.parametrize("reason", BATCHES)
def test_batches_of_another_structure_are_refused(tmp_path, reason):
    write_batches(tmp_path, pickle.dumps(BATCHES[reason], protocol=4))
    with pytest.raises(ValueError, match=f"data_batch_3.*{reason}"):
        opened("cifar10", tmp_path)


@pytest.mark.parametrize("length", [0, 1, 50, 3000, -1])
def test_a_batch_that_is_cut_off_is_refused(tmp_path, length):
    write_batches(tmp_path, python_2(COLOURS, [1, 2])[:length])
    with pytest.raises(ValueError, match="data_batch_3 is not a file of this dataset"):
        opened("cifar10", tmp_path)


IDX = {
    "header": {"images": b"\x1f\x8b\x08\x00" + idx(IMAGES)},
    "header is": {"images": b"\0\0"},
    "6×28×28, but 4703 bytes": {"images": idx(IMAGES)[:-1]},
    "4705 bytes": {"images": idx(IMAGES) + b"\0"},
    "bytes follow": {"images": struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3)},
    "6×28×27 pixels": {"images": idx(IMAGES[:, :, 1:])},
    "0×28×28 pixels": {"images": idx(IMAGES[:0]), "labels": idx([])},
    "in 3 dimensions": {"images": idx(LABELS)},
    "5 labels for 6 images": {"labels": idx(LABELS[1:])},
    "the label 10": {"labels": idx([10, *LABELS[1:]])},
}


@pytest.mark.parametrize("reason", IDX)
def test_files_of_another_structure_are_refused(tmp_path, reason):
    raw = write_idx(tmp_path, **IDX[reason])
    with pytest.raises(ValueError, match=f"{raw}/train-.*{reason}.*download fetches it anew"):
        opened("mnist", tmp_path)


def test_missing_files_are_named_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match=r"data_batch_1 is missing in .*cifar-10-batches-py; download fetches it"):
        opened("cifar10", tmp_path / "nowhere")
    (write_idx(tmp_path) / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte is missing in .*MNIST/raw; download fetches it"):
        opened("mnist", tmp_path)
    with pytest.raises(ValueError, match="no dataset 'imagenet'; there are mnist, fashion_mnist, cifar10"):
        opened("imagenet", tmp_path)


class Response(io.BytesIO):
    """What urlopen answers."""

    url = None

    @property
    def length(self):
        return len(self.getvalue())


def serve(monkeypatch, files: dict):
    """Let torchvision find these bytes under the last part of an address, and nothing else."""

    def urlopen(request, *_, **__):
        name = request.full_url.rsplit("/", 1)[1]
        if name not in files:
            raise URLError("the network is unreachable")
        return Response(files[name])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", torchvision_sets.SETS)
def test_without_a_network_a_download_says_so_and_leaves_nothing(tmp_path, monkeypatch, name):
    serve(monkeypatch, {})
    with pytest.raises(ValueError, match=r"could not be downloaded \(.*unreachable.*check the network"):
        opened(name, tmp_path / "sets", download=True)
    assert list((tmp_path / "sets").iterdir()) == []


def test_a_download_with_a_wrong_checksum_leaves_nothing(tmp_path, monkeypatch):
    files = {name: gzip.compress(idx(IMAGES)) for name, _ in datasets.MNIST.resources}
    serve(monkeypatch, files | {"cifar-10-python.tar.gz": b"half of it"})
    for name in ("mnist", "cifar10"):
        with pytest.raises(ValueError, match=r"could not be downloaded \(.*corrupted"):
            opened(name, tmp_path, download=True)
    assert list(tmp_path.iterdir()) == []


def test_downloads_take_their_place_when_they_are_whole(tmp_path, monkeypatch):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for number in range(1, 6):
            member = tarfile.TarInfo(f"cifar-10-batches-py/data_batch_{number}")
            batch = python_2(COLOURS, [number, 0])
            member.size = len(batch)
            tar.addfile(member, io.BytesIO(batch))
    files = {"cifar-10-python.tar.gz": archive.getvalue()}
    for name, _ in datasets.MNIST.resources:
        files[name] = gzip.compress(idx(IMAGES if "images" in name else LABELS))
    sums = {name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", sums["cifar-10-python.tar.gz"])
    monkeypatch.setattr(datasets.MNIST, "resources", [(name, sums[name]) for name, _ in datasets.MNIST.resources])
    serve(monkeypatch, files)
    for name in ("mnist", "cifar10"):
        fresh = opened(name, tmp_path / "sets", download=True)
        serve(monkeypatch, files)
        again = opened(name, tmp_path / "sets", download=True)
        assert torch.equal(fresh.images, again.images) and torch.equal(fresh.labels, again.labels)
    names = [f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)]
    names += ["MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte"]
    assert everything(tmp_path / "sets") == sorted(names)


def test_a_file_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    write_idx(tmp_path)

    def refuse(path, mode):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(torchvision_sets, "open", refuse, raising=False)
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte cannot be read \(Permission denied\)"):
        opened("mnist", tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match=r"could not be downloaded \(.*File exists|Not a directory"):
        opened("mnist", tmp_path / "file", download=True)


@pytest.mark.parametrize("indices", [[6], [-1], [0.5], [[0]]])
def test_indices_outside_the_set_are_refused(tmp_path, indices):
    write_idx(tmp_path)
    with pytest.raises(IndexError, match="indices"):
        opened("mnist", tmp_path).read(np.array(indices))
