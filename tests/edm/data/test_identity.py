"""A run knows which data it has learned: it goes on with others only if told to, and says what is no longer true."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import torch

from edm import diagnostics, models
from edm.data import identity, sources
from edm.data.settings import Data
from edm.data.torchvision_sets import InMemory
from edm.files import saved
from edm.training.loop import Tick, train
from tests.edm.data.held import CLASSES, draw, header, held, older, refused, resume, settings, trained
from tests.edm.runs import points


def test_the_same_data_go_on_silently_wherever_they_lie(run, images, tmp_path):
    elsewhere = shutil.move(images, tmp_path / "moved")
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(elsewhere.rglob("*.png")):
            archive.write(path, path.relative_to(elsewhere))
    for k, place in enumerate((elsewhere, packed)):
        started = resume(run, place, images=48 + 16 * k)[0]
        assert (started.note, started.held_out) == ("", True)


def test_a_renamed_class_is_refused_and_accepted_it_keeps_its_number(run, images):
    assert header(run).class_names == CLASSES
    (images / "cat").rename(images / "zebra")
    refused(run, images, "the class 'cat' is gone", "the class 'zebra' is new")
    started = resume(run, images, accept=True)[0]
    assert "'zebra'" in started.note
    assert header(run).class_names == ("zebra", "dog"), "not sorted anew, which would swap the labels"
    source = sources.open_source(Data(dataset="folder", path=str(images)))
    fitted = identity.fitting(source, header(run))
    pixels, labels = fitted.read(np.arange(60))
    bright = pixels[:, 0, 0, 0] >= 160
    assert torch.equal(labels, bright.long()), "dogs are bright, and are 1 as before"
    assert resume(run, images, images=96)[0].note == "", "from then on these are its data"


def test_a_class_more_has_no_place_in_the_network_and_one_less_has(run, images, tmp_path):
    draw(images, "ant/1.png", 3)
    for accept in (False, True):
        with pytest.raises(ValueError, match="knows 2 classes, and 'ant' would be one more"):
            resume(run, images, accept=accept)
    shutil.rmtree(images / "ant")
    three = tmp_path / "three"
    for k in range(30):
        draw(images, f"ox/{k:03}.png", 5 * k)
    trained(settings(images), three)
    shutil.rmtree(images / "cat")
    refused(three, images, "the class 'cat' is gone")
    resume(three, images, accept=True)
    assert header(three).class_names == ("cat", "dog", "ox")
    source = identity.fitting(sources.open_source(Data(dataset="folder", path=str(images))), header(three))
    assert sorted(set(source.read(np.arange(source.size))[1].tolist())) == [1, 2]


def test_an_image_more_keeps_those_that_are_held_out_and_trains_on_the_new_one(run, images):
    before = held(run, images)
    assert len(before) == 12
    draw(images, "cat/0000.png", 7)  # the first by name, which moves every number
    refused(run, images, "the image 'cat/0000.png' is new")
    started = resume(run, images, accept=True)[0]
    assert started.held_out
    assert "12 of 12 images that were held out are still there" in started.note
    assert held(run, images) == before
    assert header(run).held_out


def test_images_that_are_gone_or_changed_are_named_and_held_out_no_more(run, images):
    first, second, *rest = held(run, images)
    (images / first).unlink()
    draw(images, second, 255)
    refused(run, images, f"the image {first!r} is gone", f"the image {second!r} has changed")
    started = resume(run, images, accept=True)[0]
    assert "10 of 12 images that were held out are still there" in started.note
    assert held(run, images) == rest


def test_where_nothing_is_left_that_was_held_out_nobody_says_held_out(run, images, tmp_path):
    for name in held(run, images):
        (images / name).unlink()
    events = resume(run, images, accept=True)
    assert not events[0].held_out
    assert "images of the training" in events[0].note
    assert not any(event.held_out for event in events if isinstance(event, Tick))
    assert not header(run).held_out
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["held_out"] for line in lines] == [True, False]
    assert not resume(run, images, images=96)[0].held_out, "nor later"
    (name,) = [name for name in models.register_run(run) if name.endswith("_96")]
    assert diagnostics.held_out(models.load(name)).words.startswith("the training images")


def test_where_it_is_not_known_what_was_held_out_other_data_are_not_called_held_out(run, images):
    older(run)
    (images / "cat").rename(images / "zebra")
    started = resume(run, images, accept=True)[0]
    assert not started.held_out and "images of the training" in started.note
    assert not header(run).held_out and not resume(run, images, images=96)[0].held_out


def test_what_a_model_is_measured_on_is_what_its_run_held_out(run, images):
    before = held(run, images)
    draw(images, "cat/0000.png", 7)
    model = models.load(models.register_run(run)[-1])
    source = sources.open_source(Data(dataset="folder", path=str(images)))
    wanted, _ = sources.read(source, [source.names.index(name) for name in before])
    draw_ = diagnostics.held_out(model)
    assert (draw_.words, draw_.size) == ("held out", 12)
    assert torch.equal(draw_(np.arange(12))[0], wanted)


def test_more_cannot_be_held_out_later_and_less_can(run, images):
    before = held(run, images)
    with pytest.raises(ValueError, match="held out 12 images and trained on the others"):
        resume(run, images, data={"holdout": 20})
    resume(run, images, data={"holdout": 5})
    assert held(run, images) == before[:5]
    with pytest.raises(ValueError, match="held out 5 images"):
        resume(run, images, images=96, data={"holdout": 12})
    assert not resume(run, images, images=96, data={"holdout": 0})[0].held_out


def test_without_its_folder_a_checkpoint_still_knows_and_tells_less(run, images, tmp_path):
    alone = shutil.copy(saved.newest(run), tmp_path / "alone.safetensors")
    draw(images, "cat/0000.png", 7)
    with pytest.raises(identity.OtherData, match="there were 60 images and are 61"):
        train(settings(images, images=64), resume=alone)
    (images / "cat/0000.png").unlink()
    draw(images, "cat/000.png", 9)
    with pytest.raises(identity.OtherData, match="what the set 'folder' holds has changed"):
        train(settings(images, images=64), resume=alone)


def test_labels_of_a_file_are_part_of_the_data(images, tmp_path):
    flat = tmp_path / "flat"
    for k in range(30):
        draw(flat, f"{k}.png", 8 * k)
    labels = [[f"{k}.png", k % 3] for k in range(30)]
    (flat / "dataset.json").write_text(json.dumps({"labels": labels}))
    trained(settings(flat), tmp_path / "listed")
    labels[7][1] = 2
    (flat / "dataset.json").write_text(json.dumps({"labels": labels}))
    refused(tmp_path / "listed", flat, "the image '7.png' has changed")


def test_another_crop_is_another_set(images, tmp_path):
    made = {"data": {"crop": True, "resolution": 8}}
    trained(settings(images, **made), tmp_path / "cropped")
    refused(tmp_path / "cropped", images, "crop was true and is false", data={"resolution": 8})


def test_another_distribution_or_other_points_are_refused(tmp_path):
    trained(points(), tmp_path / "moons")
    with pytest.raises(identity.OtherData, match="the dataset was 'two_moons' and is 'spiral'"):
        train(points(data={"dataset": "spiral"}, images=704), resume=saved.newest(tmp_path / "moons"))
    cloud = tmp_path / "cloud.csv"
    cloud.write_text("0,1\n1,0\n0.5,0.5\n")
    given = points(data={"dataset": "points", "path": str(cloud)}, images=128)
    trained(given, tmp_path / "cloud")
    cloud.write_text("0, 1\n1, 0\n0.50, 0.5\n")
    assert next(train(given.changed(images=192), resume=saved.newest(tmp_path / "cloud"))).note == ""
    cloud.write_text("0,1\n1,0\n0.5,0.6\n")
    with pytest.raises(identity.OtherData, match="'points' holds has changed"):
        train(given.changed(images=192), resume=saved.newest(tmp_path / "cloud"))
    again = train(given.changed(images=192), resume=saved.newest(tmp_path / "cloud"), accept_data=True)
    assert "as accepted" in next(again).note


def test_sets_in_memory_are_known_by_what_they_hold(tmp_path):
    dice = np.random.default_rng(0)
    pixels = torch.from_numpy(dice.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8))
    labels = torch.arange(40) % 2
    given = settings("x", data={"dataset": "mnist", "path": "x", "holdout": 8})
    before = trained(given, tmp_path / "run", source=InMemory(pixels, labels, ("0", "1")))
    assert before[0].state.header.data.size == 40
    swapped = InMemory(pixels, 1 - labels, ("0", "1"))
    with pytest.raises(identity.OtherData, match="has changed"):
        train(given.changed(images=64), resume=saved.newest(tmp_path / "run"), source=swapped)
    started = next(train(given.changed(images=64), resume=saved.newest(tmp_path / "run"), source=swapped,
                         accept_data=True))  # fmt: skip
    assert not started.held_out, "none of these was held out"


@pytest.mark.parametrize("name", ["eight_gaussians", "digits"])
def test_what_comes_with_the_program_can_be_told_apart(name):
    data = Data(dataset=name)
    found = identity.identify(sources.open_source(data), data)
    assert found is not None and found.digest
