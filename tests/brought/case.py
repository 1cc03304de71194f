"""A file that somebody brings, and what must come of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import edm
from edm.base.errors import LONGEST, Refused

SYSTEM = (
    ".ds_store",
    "thumbs.db",
    "desktop.ini",
    "__macosx",
    "._",
    ".ipynb_checkpoints",
)  # counted or not, as you like


@dataclass(frozen=True)
class Case:
    """make(folder) -> what is brought, a path. The other fields are what must come out; None: whatever it is.

    shape: of a sample. classes: their names, in order; an int: how many, without names. left_out: how many files or
    rows, those of the system aside. held_out: how many samples. noted: words of the notes, offered: names of choices.
    values: the samples, in any order: images as uint8 [N, C, H, W], or points [n, d] up to a centre and scales.
    refused: words of the sentence, in the place of all that; said: either this refusal, or what is above.
    given: what `bring` is told.
    """

    name: str
    make: Callable[[Path], Path]
    kind: str = "images"
    count: int | None = None
    shape: Sequence[int] | None = None
    classes: Sequence[str] | int | None = ()
    left_out: int | None = 0
    held_out: int | None = None
    noted: Sequence[str] = ()
    offered: Sequence[str] = ()
    values: Any = None
    refused: Sequence[str] = ()
    said: Sequence[str] = ()
    given: Mapping[str, Any] = field(default_factory=dict)

    def called(self, name: str) -> Case:
        return replace(self, name=name)

    def differences(self, folder: Path) -> list[str]:
        """What comes out otherwise, in words; [] where all is as it must be."""
        folder.mkdir(parents=True)
        path = self.make(folder)
        try:
            found = edm.data.bring(path, **self.given)
            document = found.document()
        except (Refused, OSError) as error:
            return self._refusal(str(error))
        except Exception as error:
            return [f"an error of the program: {type(error).__name__}: {error!s:.200}"]
        if self.refused:
            return [f"was taken, as {_short(document)}"]
        told = []
        for name in ("kind", "count", "held_out"):
            if getattr(self, name) is not None and document[name] != getattr(self, name):
                told.append(f"{name} {document[name]!r}, not {getattr(self, name)!r}")
        if self.shape is not None and list(document["shape"]) != list(self.shape):
            told.append(f"shape {document['shape']}, not {list(self.shape)}")
        told += self._classes(document)
        told += self._rest(document)
        if not told and self.values is not None:
            told += self._values(found)
        return [*told, *([f"got {_short(document)}"] if told else [])]

    def _refusal(self, sentence) -> list[str]:
        words = self.refused or self.said
        if not words:
            return [f"was refused: {sentence:.300}"]
        told = [
            f"the refusal lacks {word!r}: {sentence:.300}" for word in words if word.lower() not in sentence.lower()
        ]
        return told + [f"the refusal has {len(sentence)} letters"] * (len(sentence) > LONGEST)

    def _classes(self, document) -> list[str]:
        if self.classes is None:
            return []
        wanted = self.classes if isinstance(self.classes, int) else len(self.classes)
        if document["classes"] != wanted:
            return [f"{document['classes']} classes {document['class_names'][:6]}, not {wanted}"]
        if not isinstance(self.classes, int) and list(document["class_names"]) != list(self.classes):
            return [f"classes {document['class_names'][:6]}, not {list(self.classes)[:6]}"]
        return []

    def _rest(self, document) -> list[str]:
        told = []
        left = [one for one in document["left_out"] if not any(word in one["name"].lower() for word in SYSTEM)]
        if self.left_out is not None and len(left) != self.left_out:
            told.append(f"{len(left)} left out ({left[:2]}), not {self.left_out}")
        told += ["something is left out without a reason"] * any(not one["reason"] for one in left)
        notes = " ".join(document["notes"]).lower()
        told += [f"no note has {word!r}" for word in self.noted if word.lower() not in notes]
        offered = {choice["name"] for choice in document["choices"]}
        return told + [f"{name} is not offered" for name in self.offered if name not in offered]

    def _values(self, found) -> list[str]:
        wanted = np.asarray(self.values)
        if self.kind == "points":
            return _points(np.asarray(found.points, float), wanted)
        source = found.source(channels=wanted.shape[1])
        images = np.asarray(source.read(np.arange(source.size))[0])
        if images.shape != wanted.shape:
            return [f"images {list(images.shape)}, not {list(wanted.shape)}"]
        images, wanted = (
            np.stack(sorted(all_, key=lambda one: one.tobytes())).astype(int) for all_ in (images, wanted)
        )
        worst = int(np.abs(images - wanted).max())
        return [f"pixels differ by up to {worst}"] if worst > 1 else []


def _points(found, wanted):
    if found.shape != wanted.shape:
        return [f"points {list(found.shape)}, not {list(wanted.shape)}"]
    found, wanted = ((one - one.mean(0)) / (one.std(0) + 1e-30) for one in (found, wanted))
    worst = float(np.abs(found - wanted).max())
    return [f"the points are others (up to {worst:.2g} standard deviations)"] if worst > 1e-5 else []


def _short(document):
    kept = {name: document[name] for name in ("kind", "count", "shape", "classes", "class_names", "notes")}
    return f"{kept!s:.400}"


def picture(dice, size=(12, 12), channels=3) -> np.ndarray:
    """Pixels of any values, uint8 [H, W] or [H, W, C]."""
    shape = size if channels == 1 else (*size, channels)
    return np.frombuffer(dice.randbytes(int(np.prod(shape))), np.uint8).reshape(shape)


def encoded(pixels, format="PNG", **how) -> bytes:
    """An image file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file := io.BytesIO(), format, **how)
    return file.getvalue()


def pets(dice, names=("cat", "dog"), each=3, before="", size=(12, 12), ending=".png") -> dict[str, bytes]:
    """Image files in folders of classes, by their names."""
    return {f"{before}{name}/{k}{ending}": encoded(picture(dice, size)) for name in names for k in range(each)}


def written(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """A folder of files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def alone(name: str, content: bytes | str) -> Callable[[Path], Path]:
    """One file, as `make` of a case."""
    return lambda folder: written(folder, {name: content}) / name


def together(files: Mapping[str, bytes | str]) -> Callable[[Path], Path]:
    """A folder of files, as `make` of a case."""
    return lambda folder: written(folder, files)


def chw(*pixels) -> np.ndarray:
    """Pixels [H, W(, C)] as samples of three channels [N, 3, H, W]."""
    full = [np.repeat(one[..., None], 3, 2) if one.ndim == 2 else one[..., :3] for one in pixels]
    return np.stack(full).transpose(0, 3, 1, 2)
