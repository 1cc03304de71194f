"""What visitors bring, for tests."""

import io
import zipfile

import numpy as np
from PIL import Image

from app.uploads import sets

NOISE = np.random.default_rng(0).integers(0, 256, (6, 20, 30, 3), dtype=np.uint8)


SQUARE = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


def encoded(pixels, kind="PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


ONE = encoded(NOISE[0])


PETS = {f"my pets/{'cats' if k < 3 else 'dogs'}/photo {k}.png": encoded(NOISE[k]) for k in range(6)}


def packed(files, compression=zipfile.ZIP_DEFLATED, name="pets.zip"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for inside, data in files.items():
            archive.writestr(inside, data)
    file.seek(0)
    return [(name, file)]


def brought(files):
    return [(name, io.BytesIO(data)) for name, data in files.items()]


def left(folder):
    return sorted(path.name for path in (folder / sets.FOLDER).iterdir())
