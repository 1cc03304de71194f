"""Logs for TensorBoard hold what the run's own files hold."""

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from edm.__main__ import main
from edm.runs import tensorboard
from edm.training.loop import train
from edm.training.recording import record
from tests.edm.runs import points, tiny


def events(folder):
    """What is in the logs, read with the library's own description of them: [(step, {tag: value})]."""
    from tensorboardX.crc32c import crc32c
    from tensorboardX.proto.event_pb2 import Event

    def check(data):
        crc = crc32c(data)
        return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF

    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = io.BytesIO(path.read_bytes())
        while header := data.read(12):
            assert struct.unpack("<I", header[8:]) == (check(header[:8]),)
            body = data.read(struct.unpack("<Q", header[:8])[0])
            assert struct.unpack("<I", data.read(4)) == (check(body),)
            event = Event.FromString(body)
            for value in event.summary.value:
                content = value.image if value.HasField("image") else value.simple_value
                found.append((event.step, value.tag, content, event.wall_time))
    return found


def test_every_tick_is_there_with_its_losses_and_its_samples(tmp_path):
    for _ in record(train(tiny()), tmp_path / "a"):
        pass
    (tmp_path / "a" / "metrics.jsonl").open("a").write("{torn")
    folder = tensorboard.write(tmp_path / "a")
    assert folder == tmp_path / "a" / "tensorboard"
    ticks = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()[:-1]]
    found = {(step, tag): content for step, tag, content, _ in events(folder)}
    assert {step for step, _ in found} == {48, 96}
    for tick in ticks:
        assert found[tick["images"], "loss"] == pytest.approx(tick["loss"])
        assert found[tick["images"], "rate"] == pytest.approx(tick["rate"])
        for sigma, loss in zip(tick["sigmas"], tick["validation"], strict=True):
            assert found[tick["images"], f"validation/sigma_{sigma:.4g}"] == pytest.approx(loss)
        shown = Image.open(io.BytesIO(found[tick["images"], "samples"].encoded_image_string))
        kept = Image.open(tmp_path / "a" / "samples" / f"{tick['images']:011}.png").convert("RGB")
        assert np.array_equal(np.asarray(shown), np.asarray(kept))
    times = [time for _, tag, _, time in events(folder) if tag == "loss"]
    assert times[1] - times[0] == pytest.approx(ticks[1]["seconds"] - ticks[0]["seconds"], abs=1e-3)


def test_writing_again_replaces_and_points_have_no_pictures(tmp_path, capsys):
    path = tmp_path / "runs" / "a"
    with pytest.raises(ValueError, match="has not measured anything"):
        tensorboard.write(path)
    run = record(train(points()), path)
    while not (path / "metrics.jsonl").exists():
        next(run)
    assert main(["runs", "tensorboard", "--runs", str(tmp_path / "runs"), "a", "--out", str(tmp_path / "logs")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "logs")
    assert {step for step, *_ in events(tmp_path / "logs")} == {320}
    for _ in run:
        pass
    tensorboard.write(path, tmp_path / "logs")
    found = events(tmp_path / "logs")
    assert [step for step, tag, *_ in found if tag == "loss"] == [320, 640]
    assert "samples" not in {tag for _, tag, *_ in found}
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file"):
        tensorboard.write(path, tmp_path / "file")
