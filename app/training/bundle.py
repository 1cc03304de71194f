"""A run to take away: its newest model with a card, or its metrics for TensorBoard, as a zip that travels in pieces."""

from __future__ import annotations

import base64
import shutil
import threading
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from edm import runs
from edm.training.export import export

PIECE = 3 << 20
KEPT = 4


class Bundles:
    """The zips that are being fetched. Thread-safe; they go when the server goes, or newer ones come."""

    def __init__(self):
        self._lock = threading.Lock()
        self._folder: TemporaryDirectory | None = None
        self._made: dict[tuple, Path] = {}

    def piece(self, run: runs.Run, kind: str, offset: int) -> dict:
        """{file, size, offset, piece} in base64. Raises ValueError where there is nothing to take away."""
        path = self._zip(run, kind)
        size = path.stat().st_size
        if not 0 <= offset <= size:
            raise ValueError(f"offset {offset} is not in a file of {size} bytes")
        with open(path, "rb") as file:
            file.seek(offset)
            piece = base64.b64encode(file.read(PIECE)).decode()
        return {"file": f"{run.name}-{kind}.zip", "size": size, "offset": offset, "piece": piece}

    def _zip(self, run, kind) -> Path:
        if kind not in _CONTENTS:
            raise ValueError(f"{kind!r:.40} is nothing that a run can be taken away as")
        key = run.name, kind, run.checkpoint and run.checkpoint.stem, run.started, run.images if kind != "model" else 0
        with self._lock:
            if key not in self._made:
                self._folder = self._folder or TemporaryDirectory(prefix="edm-bundles-")
                self._made[key] = self._make(run, kind, len(self._made))
                for old in list(self._made)[:-KEPT]:
                    self._made.pop(old).unlink(missing_ok=True)
            return self._made[key]

    def _make(self, run, kind, number) -> Path:
        with TemporaryDirectory(dir=self._folder.name) as place:
            inside = Path(place, "content")
            inside.mkdir()
            _CONTENTS[kind](run, inside)
            path = Path(self._folder.name, f"{run.name}-{kind}-{run.images}-{number}.zip")
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(p for p in inside.rglob("*") if p.is_file()):
                    archive.write(file, file.relative_to(inside))
        return path


def _model(run, folder):
    if run.checkpoint is None:
        raise ValueError(f"the run {run.name!r} has no checkpoint yet; wait for its first tick")
    export(run.checkpoint, folder / f"{run.name}.safetensors", title=f"Run {run.name}", family=run.name)


def _tensorboard(run, folder):
    from edm.runs import tensorboard

    written = Path(tensorboard.write(run.folder))
    shutil.copytree(written, folder / run.name) if written.is_dir() else shutil.copy(written, folder)


_CONTENTS = {"model": _model, "tensorboard": _tensorboard}
