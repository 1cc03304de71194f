"""Images in arrays, as NumPy, MedMNIST, guided-diffusion, MNIST and CIFAR keep them, with their labels and splits."""

import gzip
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from edm.base.errors import Refused
from edm.data.brought.reading import bring

RANDOM = np.random.default_rng(0)


def noise(*shape):
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


GREY, COLOURS, LABELS = noise(6, 16, 16), noise(6, 16, 16, 3), np.array([2, 0, 1, 1, 2, 0])
NAMES = ["Kätzchen", "C++", "बिल्ली"]


def npz(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


def npy(folder, array):
    np.save(folder / "set.npy", array)
    return folder / "set.npy"


def pixels(path, **wanted):
    """All images of what was brought, uint8 [N, H, W, C]."""
    brought = bring(path)
    channels = brought.shape[0]
    return brought.source(channels=channels, **wanted).read(np.arange(brought.count))[0].numpy().transpose(0, 2, 3, 1)


LAYOUTS = {
    "[n, h, w]": (GREY, GREY),
    "[n, h, w, 1]": (GREY[..., None], GREY),
    "[n, 1, h, w]": (GREY[:, None], GREY),
    "[n, h·w]": (GREY.reshape(6, -1), GREY),
    "[n, h, w, 3]": (COLOURS, COLOURS),
    "[n, 3, h, w]": (COLOURS.transpose(0, 3, 1, 2), COLOURS),
    "[n, 3·h·w]": (COLOURS.transpose(0, 3, 1, 2).reshape(6, -1), COLOURS),
    "[h, w, 3, n]": (noise(16, 16, 3, 40), None),
    "Fortran's order": (np.asfortranarray(COLOURS), COLOURS),
    "big-endian": (COLOURS.astype(">u2") * 256 + COLOURS, COLOURS),
}


@pytest.mark.parametrize("given", LAYOUTS.values(), ids=LAYOUTS)
def test_images_are_found_in_every_layout(tmp_path, given):
    array, images = given
    images = array.transpose(3, 0, 1, 2) if images is None else images
    images = images.reshape(*images.shape[:3], -1)
    brought = bring(npy(tmp_path, array))
    assert (brought.kind, brought.count) == ("images", len(images))
    assert brought.shape == (images.shape[3], 16, 16)
    assert np.array_equal(pixels(npy(tmp_path, array)), images)


def test_flat_colours_that_lie_pixel_after_pixel_are_seen_to_do_so(tmp_path):
    ramp = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8)
    smooth = np.stack([np.stack([ramp, 250 - ramp, ramp + 99], axis=2)] * 4)
    for flat, words in (
        (smooth.reshape(4, -1), "pixel after pixel"),
        (smooth.transpose(0, 3, 1, 2).reshape(4, -1), "green"),
    ):
        assert np.array_equal(pixels(npy(tmp_path, flat)), smooth)
        assert words in bring(npy(tmp_path, flat)).notes[0]


RANGES = {
    "0 … 1": (COLOURS / 255, "from 0 to 1"),
    "−1 … 1": ((COLOURS / 127.5 - 1).astype(np.float32), "from -1 to 1"),
    "−½ … ½": (COLOURS / 255 - 0.5, "from -0.5 to 0.5"),
    "0 … 255": (COLOURS.astype(np.float32), "from 0 to 255"),
    "whole numbers": (COLOURS.astype(np.int64), None),
    "of a part": ((COLOURS.astype(np.uint16) << 4), "16-bit values from 0 to 4,080"),
    "of any size": (COLOURS * 1000.0 - 7, "from -7 to 254,993"),
}


@pytest.mark.parametrize(("array", "words"), RANGES.values(), ids=RANGES)
def test_values_of_any_range_become_eight_bits_and_it_is_said(tmp_path, array, words):
    array.reshape(-1)[:2] = array.min(), array.max()
    path = npy(tmp_path, array)
    found, notes = pixels(path), bring(path).notes
    assert np.array_equal(found.reshape(-1)[2:], COLOURS.reshape(-1)[2:])
    assert words is None if not notes else words in notes[0]


def test_black_and_white_is_seen(tmp_path):
    for array in (GREY > 99, (GREY > 99).astype(np.uint8), (GREY > 99).astype(np.float32)):
        assert np.array_equal(pixels(npy(tmp_path, array))[..., 0], np.where(GREY > 99, 255, 0))


def test_what_is_transparent_lies_on_white(tmp_path):
    opacity = np.where(GREY > 127, 255, 0)[..., None].astype(np.uint8)
    path = npy(tmp_path, np.concatenate([COLOURS, opacity], axis=3))
    assert bring(path).shape == (3, 16, 16)
    assert np.array_equal(pixels(path), np.where(opacity == 255, COLOURS, 255))


KEPT = {
    "guided-diffusion": {"arr_0": COLOURS, "arr_1": LABELS},
    "images": {"images": COLOURS, "labels": LABELS.astype(np.float64)},
    "X and y": {"X": COLOURS, "y": LABELS[:, None]},
    "data and target": {"data": COLOURS, "target": LABELS.astype(np.uint8)},
    "one-hot": {"images": COLOURS, "labels": np.eye(3)[LABELS]},
    "text": {"images": COLOURS, "labels": np.array(["0", "1", "2"])[LABELS]},
    "others": {"x": COLOURS, "y": LABELS, "names_of_files": np.array(list("abcdef")), "mean": COLOURS[0]},
}


@pytest.mark.parametrize("arrays", KEPT.values(), ids=KEPT)
def test_labels_are_found_by_what_they_are_called(tmp_path, arrays):
    brought = bring(npz(tmp_path, **arrays))
    assert (brought.count, brought.shape, brought.classes) == (6, (3, 16, 16), 3)
    assert brought.class_names == ("0", "1", "2")
    images, labels = brought.source().read(np.arange(6))
    assert labels.tolist() == LABELS.tolist()
    assert np.array_equal(images.numpy().transpose(0, 2, 3, 1), COLOURS)
    assert [one.name for one in brought.left_out] == (["mean in set.npz"] if "mean" in arrays else [])


def test_names_of_classes_keep_their_letters(tmp_path):
    brought = bring(npz(tmp_path, images=COLOURS, labels=LABELS, class_names=np.array(NAMES)))
    assert brought.class_names == tuple(NAMES) and brought.source().labels.tolist() == LABELS.tolist()
    brought = bring(npz(tmp_path, images=COLOURS, labels=np.array(NAMES)[LABELS]))
    assert brought.class_names == tuple(sorted(NAMES))
    assert [brought.class_names[k] for k in brought.source().labels] == [NAMES[k] for k in LABELS]


def test_labels_that_are_no_classes_are_told(tmp_path):
    for labels, words in ((np.ones((6, 3)), "several labels"), (LABELS + 0.5, "not whole")):
        brought = bring(npz(tmp_path, images=COLOURS, labels=labels))
        assert brought.classes == 0 and words in brought.notes[0] and brought.source().labels is None


MEDMNIST = {f"{split}_images": noise(n, 16, 16) for split, n in (("train", 5), ("val", 2), ("test", 3))}
MEDMNIST |= {f"{split}_labels": np.arange(n)[:, None] % 2 for split, n in (("train", 5), ("val", 2), ("test", 3))}


def test_what_the_files_keep_to_validate_on_is_held_out(tmp_path):
    brought = bring(npz(tmp_path, **dict(reversed(MEDMNIST.items()))))
    assert (brought.count, brought.classes, brought.held_out) == (10, 2, 5)
    assert brought.notes == ("2 of val and 3 of test are held out, to validate on, and never trained on",)
    source = brought.source(channels=1)
    assert source.held.tolist() == [5, 6, 7, 8, 9] and source.labels.tolist() == [0, 1, 0, 1, 0, 0, 1, 0, 1, 0]
    everything = np.concatenate([MEDMNIST[f"{split}_images"] for split in ("train", "val", "test")])
    assert np.array_equal(source.read([9, 0])[0][:, 0], everything[[9, 0]])
    assert bring(npz(tmp_path, x_test=COLOURS)).held_out == 0


def test_arrays_in_files_of_their_own_are_one_set(tmp_path):
    for name, array in {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:2], "y_test": LABELS[:2]}.items():
        np.save(tmp_path / f"{name}.npy", array)
    brought = bring(tmp_path)
    assert (brought.count, brought.classes, brought.held_out) == (8, 3, 2)
    assert brought.source(channels=1).labels.tolist() == [*LABELS, *LABELS[:2]]


def test_files_of_one_picture_each_are_a_set_whose_folders_are_classes(tmp_path):
    for k, name in enumerate(["cat/9", "cat/10", "dog/1", "dog/2", "dog/3"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.save(tmp_path / f"{name}.npy", COLOURS[k])
    brought = bring(tmp_path)
    assert (brought.count, brought.shape, brought.class_names) == (5, (3, 16, 16), ("cat", "dog"))
    assert brought.source().labels.tolist() == [0, 0, 1, 1, 1]
    assert sorted(pixels(tmp_path).sum((1, 2, 3)).tolist()) == sorted(COLOURS[:5].sum((1, 2, 3)).tolist())


def test_files_of_one_class_each_are_offered_as_classes(tmp_path):
    for name, array in {"bitmap_cat": GREY, "bitmap_dog": GREY[:2]}.items():
        np.save(tmp_path / f"{name}.npy", array.reshape(len(array), -1))
    brought = bring(tmp_path)
    assert (brought.count, brought.classes) == (8, 0)
    assert [tuple(one) for one in brought.choices] == [("labels", "names", "classes cat, dog from the file names")]
    brought = bring(tmp_path, labels="names")
    assert brought.class_names == ("cat", "dog") and brought.source().labels.tolist() == [0] * 6 + [1] * 2


def test_who_waits_is_told_how_far_it_is(tmp_path):
    told, worked = [], []
    bring(
        npz(tmp_path, **MEDMNIST),
        progress=lambda *done: told.append(done),
        work=lambda piece: worked.append(piece()) or worked[-1][0],
    )
    assert told == [(5, 10), (7, 10), (10, 10)] and sum(pixels for _, pixels in worked) == 2560


def idx(array) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


MNIST = [
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
    tuple(
        f"emnist-letters-{split}-{what}-ubyte" for split in ("train", "test") for what in ("images-idx3", "labels-idx1")
    ),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("names", MNIST)
def test_mnists_files_are_read_under_any_of_their_names(tmp_path, names, packed):
    for name, array in zip(names, (GREY, LABELS, GREY[:2], LABELS[:2]), strict=True):
        data = gzip.compress(idx(array)) if packed else idx(array)
        (tmp_path / (name + ".gz" * packed)).write_bytes(data)
    brought = bring(tmp_path)
    assert (brought.count, brought.shape, brought.classes, brought.held_out) == (8, (1, 16, 16), 3, 2)
    assert np.array_equal(pixels(tmp_path)[..., 0], np.concatenate([GREY, GREY[:2]]))
    alone = bring(tmp_path / (names[0] + ".gz" * packed))
    assert (alone.count, alone.classes) == (6, 0)


def cifar(folder, labels="labels"):
    batches = [COLOURS.transpose(0, 3, 1, 2).reshape(6, -1)[k::2] for k in (0, 1)]
    for k, batch in enumerate(batches):
        known = {b"data": batch, labels.encode(): LABELS[k::2].tolist(), b"filenames": [b"a.png"] * 3}
        (folder / ("test_batch" if k else "data_batch_10")).write_bytes(pickle.dumps(known, protocol=2))
    meta = {labels.encode().removesuffix(b"s") + b"_names": [name.encode() for name in NAMES], b"num_vis": 768}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta))
    return np.concatenate([COLOURS[::2], COLOURS[1::2]]), [*LABELS[::2], *LABELS[1::2]]


@pytest.mark.parametrize("labels", ["labels", "fine_labels"])
def test_cifars_batches_are_read_and_not_unpickled(tmp_path, labels):
    images, numbers = cifar(tmp_path, labels)
    brought = bring(tmp_path)
    assert (brought.count, brought.class_names, brought.held_out, brought.left_out) == (6, tuple(NAMES), 3, ())
    assert brought.source().labels.tolist() == numbers
    assert np.array_equal(pixels(tmp_path), images)
    assert bring(tmp_path / "test_batch").count == 3


def test_cifars_binary_batches_are_read(tmp_path):
    images = noise(6, 3, 32, 32)
    records = np.concatenate([LABELS[:, None].astype(np.uint8), images.reshape(6, -1)], axis=1)
    (tmp_path / "data_batch_1.bin").write_bytes(records.tobytes())
    (tmp_path / "batches.meta.txt").write_text("\n".join([*NAMES, ""]))
    brought = bring(tmp_path)
    assert (brought.count, brought.class_names, brought.source().labels.tolist()) == (6, tuple(NAMES), LABELS.tolist())
    assert np.array_equal(pixels(tmp_path), images.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("header", [True, False])
def test_a_table_of_pixels_is_images(tmp_path, header):
    names = ",".join(["label", *(f"pixel{k}" for k in range(256))]) + "\n"
    for split, count in (("train", 6), ("test", 2)):
        rows = [",".join(map(str, [label, *image.reshape(-1)])) for label, image in zip(LABELS, GREY, strict=True)]
        (tmp_path / f"mnist_{split}.csv").write_text(names * header + "\n".join(rows[:count]))
    brought = bring(tmp_path)
    assert (brought.count, brought.shape, brought.classes, brought.held_out) == (8, (1, 16, 16), 3, 2)
    assert np.array_equal(pixels(tmp_path)[:6, ..., 0], GREY)
    assert bring(tmp_path / "mnist_train.csv").source().labels.tolist() == LABELS.tolist()


def test_a_pickle_of_splits_is_read_and_what_would_run_is_not(tmp_path):
    splits = tuple((GREY.reshape(6, -1)[:n] / 255, LABELS[:n]) for n in (6, 2, 3))
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps(splits, protocol=2)))
    assert (bring(path).count, bring(path).held_out, bring(path).classes) == (11, 5, 3)

    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path.write_bytes(pickle.dumps({"images": GREY, "labels": Runs()}))
    with pytest.raises(Refused, match=r"is a pickle, which could run a program.*'posix.system'.*np\.savez"):
        bring(path)
    assert not (tmp_path / "ran").exists()


def test_an_array_in_an_archive_is_found(tmp_path):
    path = npz(tmp_path, images=COLOURS, labels=LABELS)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "course/set.npz")
    brought = bring(tmp_path / "x.zip")
    assert (brought.count, brought.classes) == (6, 3) and np.array_equal(pixels(tmp_path / "x.zip"), COLOURS)


def test_large_arrays_stay_on_the_disk(tmp_path):
    with open(tmp_path / "large.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (4096, 64, 64, 3)})
        file.truncate(file.tell() + 4096 * 64 * 64 * 3)
    import tracemalloc

    tracemalloc.start()
    source = bring(tmp_path / "large.npy").source()
    assert source.read(np.arange(4000, 4008))[0].shape == (8, 3, 64, 64)
    assert tracemalloc.get_traced_memory()[1] < 30e6
    tracemalloc.stop()


class Anything:
    """An object."""


def ragged():
    found = np.empty(2, object)
    found[:] = [GREY[0], Anything()]
    return found


TROUBLES = {
    "is one picture of 64×64×3; a set has two or more": noise(64, 64, 3),
    "is one picture of 48×60;": noise(48, 60),
    "has the shape 5×3×32×3, which may be 3 channels of 32×3, or 3 channels of 3×32; save": noise(5, 3, 32, 3),
    "has the shape 5×4×8×4, which may be 4 channels of 8×4, or 4 channels of 4×8": noise(5, 4, 8, 4),
    "has the shape 5×8×8×2: images have 1 channel .grey., 3 .RGB. or 4 .RGBA., not 2;": noise(5, 8, 8, 2),
    "has the shape 5×13×8×8: .*, not 13;": noise(5, 13, 8, 8).astype(np.float32),
    "has the shape 9×50×2, in which no images of 4 pixels": noise(9, 50, 2),
    "has 3 values that are not finite .*, the first in image 2": np.where(
        np.arange(80).reshape(5, 4, 4) % 26 == 25, np.nan, 1
    ),
    "holds complex numbers; save": noise(5, 8, 8) * 1j,
    "holds a structure; save": np.zeros((5, 8, 8), [("r", "u1"), ("g", "u1")]),
    "holds Python objects, which only running a program could read; save": np.array([[[Anything()]]]),
    "is empty: its shape is 0×8×8": noise(0, 8, 8),
}


@pytest.mark.parametrize("reason", TROUBLES)
def test_what_cannot_be_images_gets_a_true_sentence(tmp_path, reason):
    with pytest.raises(Refused, match=f"set.npy {reason}"):
        bring(npy(tmp_path, TROUBLES[reason]))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"images": ragged()}, "'images' in .*set.npz holds Python objects"),
        (
            {"images": COLOURS, "labels": np.array([1, "a", None, 2, 3, 4], object)},
            "'labels' in .* holds Python objects",
        ),
        ({"images": COLOURS, "labels": LABELS[:5]}, "'labels' in .*set.npz has 5 labels for the 6 images of 'images'"),
        ({"a": COLOURS, "b": COLOURS}, r"has the arrays 'a', 'b'; which are the images\? save them anew: np.savez"),
    ],
)
def test_arrays_that_do_not_belong_together_are_told(tmp_path, arrays, reason):
    with pytest.raises(Refused, match=reason):
        bring(npz(tmp_path, **arrays))


def test_files_that_are_cut_off_are_told(tmp_path):
    for path in (npy(tmp_path, GREY), npz(tmp_path, x=GREY), tmp_path / "train-images-idx3-ubyte"):
        path.write_bytes((path.read_bytes() if path.exists() else idx(GREY))[:-70])
        with pytest.raises(Refused, match=f"{path.name} is damaged or cut off .*; get it anew"):
            bring(path)


def test_a_file_that_is_called_npy_is_what_its_content_says(tmp_path):
    path = tmp_path / "set.npy"
    path.write_bytes(pickle.dumps({"images": COLOURS, "labels": LABELS}))
    assert (bring(path).count, bring(path).classes) == (6, 3)
    path.write_text("0.5,1\n")
    with pytest.raises(Refused, match="is no array of NumPy's, but text; write it"):
        bring(path)


def test_sizes_are_brought_to_what_is_wanted(tmp_path):
    path = npy(tmp_path, noise(4, 20, 16, 3))
    with pytest.raises(Refused, match="are 16×20, not square; use crop"):
        bring(path).source()
    assert bring(path).source(8, crop=True, channels=1).read([0])[0].shape == (1, 1, 8, 8)
    plain = npy(tmp_path, np.repeat(np.repeat(GREY, 2, axis=1), 2, axis=2))
    assert np.abs(pixels(plain, resolution=16)[..., 0].astype(int) - GREY).mean() < 40
    assert bring(plain).source(channels=3).shape == (3, 32, 32)


def test_what_tells_images_apart_knows_values_and_labels(tmp_path):
    first = bring(npz(tmp_path, x=GREY, y=LABELS)).source().marks
    assert len(set(first.tolist())) == 6
    assert np.array_equal(bring(npz(tmp_path, x=GREY, y=LABELS)).source(8).marks, first)
    changed = GREY.copy()
    changed[3, 5, 5] ^= 1
    assert (bring(npz(tmp_path, x=changed, y=LABELS)).source().marks != first).tolist() == [k == 3 for k in range(6)]
    assert (bring(npz(tmp_path, x=GREY, y=LABELS[::-1])).source().marks != first).any()


def test_points_are_no_images(tmp_path):
    assert bring(npy(tmp_path, RANDOM.normal(size=(9, 2)))).kind == "points"
