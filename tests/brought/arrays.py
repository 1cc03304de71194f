"""Arrays of images, as courses, papers and torchvision have them."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from collections.abc import Iterator

import numpy as np

from tests.brought.case import Case, alone, chw, encoded, picture, together


def npy(array, **how) -> bytes:
    np.save(file := io.BytesIO(), array, **how)
    return file.getvalue()


def npz(**arrays) -> bytes:
    np.savez(file := io.BytesIO(), **arrays)
    return file.getvalue()


def idx(array) -> bytes:
    """The format of MNIST."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def cases(dice) -> Iterator[Case]:
    random = np.random.default_rng(dice.randrange(1 << 32))
    images = random.integers(0, 256, (8, 12, 12, 3), dtype=np.uint8)
    digits = random.integers(0, 256, (20, 28, 28), dtype=np.uint8)
    digits[:, 0, :2] = 0, 255
    labels = np.arange(20) % 4
    rgb = images.transpose(0, 3, 1, 2)
    grey = np.repeat(digits[:, None], 3, 1)

    def one(name, content, file="images.npy", **expected):
        return Case(name, alone(file, content), **{"count": 8, "shape": (3, 12, 12), **expected})

    mnist = {"count": 20, "shape": (1, 28, 28)}
    yield one("NHWC of bytes", npy(images), values=rgb)
    yield one("NCHW of bytes", npy(rgb), values=rgb)
    yield one("[n, 28, 28] of bytes", npy(digits), values=grey, **mnist)
    yield one("[n, 784] of bytes", npy(digits.reshape(20, -1)), values=grey, **mnist)
    yield one("[n, 28, 28, 1] of bytes", npy(digits[..., None]), values=grey, **mnist)
    yield one("[n, 1, 28, 28] of bytes", npy(digits[:, None]), values=grey, **mnist)
    yield one("floats in 0…1", npy((images / 255).astype(np.float32)), values=rgb)
    yield one("floats in −1…1", npy(rgb.astype(np.float32) / 127.5 - 1), values=rgb)
    yield one("doubles in 0…1, [n, 784]", npy(digits.reshape(20, -1) / 255), values=grey, **mnist)
    yield one("halves in 0…1", npy((images / 255).astype(np.float16)))
    yield one("floats in 0…255", npy(images.astype(np.float32)), values=rgb)
    yield one("int64 in 0…255", npy(images.astype(np.int64)), values=rgb)
    yield one("big-endian floats", npy((images / 255).astype(">f4")), values=rgb)
    yield one("in Fortran's order", npy(np.asfortranarray(images)), values=rgb)
    yield one("with alpha", npy(np.concatenate([images, np.full((8, 12, 12, 1), 255, np.uint8)], 3)), values=rgb)
    yield one("of two values", npy(digits > 127), values=np.where(grey > 127, 255, 0), **mnist)
    yield one(
        "sklearn's digits, 0…16",
        npy(np.tile(np.arange(64.0) % 17, (20, 1)).reshape(20, 8, 8)),
        count=20,
        shape=(1, 8, 8),
    )
    of_zip = {"file": "images.npz"}
    yield one("arr_0, as guided-diffusion", npz(arr_0=images), values=rgb, **of_zip)
    yield one(
        "arr_0 and arr_1, its classes", npz(arr_0=images, arr_1=np.arange(8) % 2), values=rgb, classes=2, **of_zip
    )
    yield one("images and labels", npz(images=images, labels=np.arange(8) % 2), classes=2, **of_zip)
    yield one("X and y", npz(X=digits, y=labels), classes=4, **of_zip, **mnist)
    yield one(
        "data and target, [n, 784]", npz(data=digits.reshape(20, -1), target=labels), classes=4, **of_zip, **mnist
    )
    medical = {
        "train_images": digits[:12], "train_labels": labels[:12, None], "val_images": digits[12:16],
        "val_labels": labels[12:16, None], "test_images": digits[16:], "test_labels": labels[16:, None],
    }  # fmt: skip
    yield one("MedMNIST", npz(**medical), "bloodmnist.npz", classes=4, **{**mnist, "count": None}, held_out=8)
    keras = {"x_train": digits[:16], "y_train": labels[:16], "x_test": digits[16:], "y_test": labels[16:]}
    yield one("Keras' mnist.npz", npz(**keras), "mnist.npz", classes=4, held_out=4, **mnist)
    np.savez_compressed(packed := io.BytesIO(), images)
    yield one("compressed", packed.getvalue(), values=rgb, **of_zip)
    yield one("images as objects", npy(np.array([*images, None], dtype=object), allow_pickle=True), refused=("object",))
    yield one("complex images", npy(images.astype(np.complex64)), refused=("complex",))
    bad = (images / 255).astype(np.float32)
    bad[3, 4, 4, 1] = np.nan
    yield one("with a number that is none", npy(bad), refused=("finite",))
    yield one("no images", npy(images[:0]), refused=("images.npy",))

    names = {
        "train-images-idx3-ubyte": digits[:16],
        "train-labels-idx1-ubyte": labels[:16],
        "t10k-images-idx3-ubyte": digits[16:],
        "t10k-labels-idx1-ubyte": labels[16:],
    }
    packs = {f"{name}.gz": gzip.compress(idx(array), mtime=0) for name, array in names.items()}
    yield Case("MNIST, as it is published", together(packs), **mnist, classes=4, held_out=4, values=grey)
    yield Case(
        "MNIST, unpacked", together({name: idx(array) for name, array in names.items()}), **mnist, classes=4, held_out=4
    )
    dotted = {name.replace("-idx", ".idx"): idx(array) for name, array in names.items()}
    yield Case("MNIST, with dots, by a browser", together(dotted), **mnist, classes=4, held_out=4)
    letters = {"train-images": 0, "train-labels": 1, "test-images": 2, "test-labels": 3}
    arrays, ends = list(names.values()), ("idx3-ubyte", "idx1-ubyte")
    emnist = {
        f"emnist-letters-{name}-{ends[k % 2]}.gz": gzip.compress(idx(arrays[k]), mtime=0) for name, k in letters.items()
    }
    yield Case("EMNIST", together(emnist), **mnist, classes=4, held_out=4)
    yield Case(
        "one idx alone",
        alone("train-images-idx3-ubyte.gz", packs["train-images-idx3-ubyte.gz"]),
        count=16,
        shape=(1, 28, 28),
    )

    flat = np.ascontiguousarray(random.integers(0, 256, (10, 3, 32, 32), dtype=np.uint8)).reshape(10, -1)

    def batch(rows, **more):
        return pickle.dumps({b"data": flat[rows], b"labels": [int(k) % 3 for k in range(len(flat[rows]))], **more}, 2)

    meta = pickle.dumps({b"label_names": [b"cat", b"dog", b"frog"], b"num_vis": 3072}, 2)
    cifar = {f"cifar-10-batches-py/data_batch_{k}": batch(slice(2 * k - 2, 2 * k)) for k in (1, 2, 3)}
    cifar |= {
        "cifar-10-batches-py/test_batch": batch(slice(6, 10)),
        "cifar-10-batches-py/batches.meta": meta,
        "cifar-10-batches-py/readme.html": b"<html>",
    }
    expected = {"count": 10, "shape": (3, 32, 32), "classes": ("cat", "dog", "frog"), "held_out": 4, "left_out": None}
    yield Case("CIFAR-10's batches", together(cifar), **expected)

    def tar(folder):
        with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
            for name, content in cifar.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return folder / "cifar-10-python.tar.gz"

    yield Case("CIFAR-10's tar", tar, **expected)
    hundred = {b"data": flat[:6], b"fine_labels": [0, 1, 2, 0, 1, 2], b"coarse_labels": [0, 0, 1, 0, 0, 1]}
    fine = pickle.dumps({b"fine_label_names": [b"apple", b"bear", b"cup"], b"coarse_label_names": [b"x", b"y"]}, 2)
    yield Case(
        "CIFAR-100",
        together({"train": pickle.dumps(hundred, 2), "test": pickle.dumps(hundred, 2), "meta": fine}),
        count=12,
        shape=(3, 32, 32),
        classes=("apple", "bear", "cup"),
        held_out=6,
        left_out=None,
    )
    binary = b"".join(bytes([k % 3]) + flat[k].tobytes() for k in range(4))
    yield Case(
        "CIFAR-10's binary batches",
        together({"data_batch_1.bin": binary, "test_batch.bin": binary, "batches.meta.txt": "cat\ndog\nfrog\n"}),
        count=8,
        shape=(3, 32, 32),
        classes=("cat", "dog", "frog"),
        held_out=4,
        left_out=None,
        said=("bin",),
    )

    yield from _parquet(dice)
    lent = {"count": 8, "left_out": None}
    yield one("tensors of torch", b"PK\3\4" + bytes(30), "images.pt", refused=("images.pt",))
    yield one(
        "a MATLAB file, such as SVHN's", b"MATLAB 5.0 MAT-file" + bytes(200), "train_32x32.mat", refused=("matlab",)
    )
    yield one("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(200), "images.h5", refused=("hdf5",))
    yield one("a pickle", pickle.dumps(images), "images.pkl", values=rgb, said=("pickle",))
    yield Case(
        "arrays and a README",
        together({"images.npy": npy(images), "README.txt": "arrays"}),
        shape=(3, 12, 12),
        **{**lent, "left_out": 1},
    )


def _parquet(dice):
    import pyarrow
    from pyarrow import parquet

    pixels = [picture(dice) for _ in range(6)]
    rows = [{"bytes": encoded(one), "path": f"{k}.png"} for k, one in enumerate(pixels)]

    def table(**columns):
        parquet.write_table(pyarrow.table(columns), file := io.BytesIO())
        return file.getvalue()

    plain = table(image=rows, label=[0, 1, 0, 1, 0, 1])
    expected = {"count": 6, "shape": (3, 12, 12)}
    yield Case(
        "Hugging Face's parquet",
        alone("train-00000-of-00001.parquet", plain),
        classes=2,
        values=chw(*pixels),
        **expected,
    )
    yield Case("its image column called img", alone("data.parquet", table(img=rows)), **expected)
    yield Case("images as bytes", alone("data.parquet", table(image=[row["bytes"] for row in rows])), **expected)
    shards = {f"data/{s}-0000{k}-of-00002.parquet": plain for s in ("train", "test") for k in range(2)}
    yield Case("its shards and splits", together(shards), count=24, shape=(3, 12, 12), classes=2, held_out=12)
