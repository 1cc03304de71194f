"""What the command line and the queue say of data that are not the same, and how images are told apart."""

import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from edm import runs
from edm.__main__ import main
from edm.data import identity, marks
from edm.data.settings import Data
from edm.files import saved
from edm.runs import places
from edm.training.loop import Started
from tests.edm.data.held import draw, header, held, older, refused, resume, settings


def test_an_older_checkpoint_goes_on_as_before_and_knows_its_data_from_then_on(run, images):
    before = held(run, images)
    older(run)
    assert header(run).data is None
    assert "is taken on trust" in resume(run, images)[0].note
    assert held(run, images) == before
    draw(images, "cat/0000.png", 7)
    refused(run, images, "'cat/0000.png' is new", images=96)
    older(run)
    (images / "cat").rename(images / "zebra")
    refused(run, images, "the class 'cat' is gone", images=96)


def test_the_command_line_refuses_accepts_and_tells(run, images, capsys):
    draw(images, "cat/0000.png", 7)
    given = ["train", f"--resume={run}", "--images=64", "--device=cpu"]
    assert main(given) == 2
    assert "the image 'cat/0000.png' is new" in capsys.readouterr().err
    assert main([*given, "--accept-data"]) == 0
    said = capsys.readouterr().err
    assert "12 of 12 images that were held out are still there" in said
    assert "as accepted" in runs.read(run).sentence


def test_a_run_of_the_queue_says_so_and_offers_to_go_on(run, images, tmp_path, capsys):
    folder = tmp_path / "runs"
    shutil.move(run, folder / "a")
    draw(images, "cat/0000.png", 7)
    assert main(["runs", "resume", "a", f"--runs={folder}", "--images=64"]) == 2
    assert "the image 'cat/0000.png' is new" in capsys.readouterr().err
    path = runs.resume(folder / "a", images="64")  # as the page does, which does not look at the data
    assert work(path) == 2
    found = runs.read(path)
    assert (found.state, found.reason) == ("failed", "data")
    (remedy,) = found.remedies
    assert remedy[1] == {"accept_data": "true"}
    runs.resume(path, accept_data=True)
    assert work(path) == 0
    found = runs.read(path)
    assert (found.state, found.images) == ("finished", 64)
    assert "as accepted" in found.sentence


def work(path):
    """The worker of a run's newest beginning, in this process."""
    number = places.newest(path)
    places.create(places.request(path, number, "taken"), {})
    return main(["train", f"--run={path}", f"--beginning={number}"])


def test_a_relative_path_works_from_another_folder(images, tmp_path, monkeypatch):
    document = tmp_path / "settings.json"
    document.write_text(json.dumps(settings("set").document()))
    monkeypatch.chdir(tmp_path)
    assert main(["train", f"--config={document}", "--out=here", "--device=cpu"]) == 0
    queued = runs.start(settings("set"), tmp_path / "runs", "cpu", "q")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert main(["train", "--resume=../here", "--images=48", "--device=cpu"]) == 0
    monkeypatch.chdir("/")
    checkpoint = saved.newest(tmp_path / "here")
    assert main(["train", f"--resume={checkpoint}", "--images=64", "--device=cpu"]) == 0
    assert json.loads((queued / "config.json").read_text())["data"]["path"] == str(images)


def test_a_hundred_thousand_images_are_told_apart_without_reading_one():
    class Many:
        names = tuple(f"class{k % 10}/{k:08}.png" for k in range(100_000))
        size, shape, classes, class_names = 100_000, (3, 8, 8), 0, ()
        marks = np.random.default_rng(0).permutation(100_000).astype("<u8")

    known = identity.identify(Many, Data(dataset="folder", path="x"), np.arange(1000))
    assert identity.still_held(Many, known).tolist() == list(range(1000))
    assert len(known.model_dump_json()) < 12_000, "in every checkpoint"
    more = SimpleNamespace(**{**vars(Many), "names": ("a", *Many.names), "marks": np.append(5**20, Many.marks)})
    assert identity.Contents.found_in(more).against(identity.Contents.found_in(Many)) == ["the image 'a' is new"]


def test_what_tells_an_image_is_its_name_its_size_and_its_ends(tmp_path):
    size = 3 * marks.ENDS
    data = bytearray(os.urandom(size))

    def mark(data, name="a", label=None):
        (tmp_path / "file").write_bytes(data)
        with open(tmp_path / "file", "rb") as file:
            return marks.of_file(file, name, label)

    first = mark(data)
    assert mark(data) == first
    assert len({first, mark(data, "b"), mark(data, label=1), mark(data + b"x")}) == 4
    for place in (0, marks.ENDS - 1, size - marks.ENDS, size - 1):
        data[place] ^= 1
        assert mark(data) != first
        data[place] ^= 1


@pytest.mark.parametrize("spoilt", [b"", b"PK", b"x" * 99])
def test_a_broken_record_of_names_costs_only_words(run, images, spoilt):
    (run / "data.npz").write_bytes(spoilt)
    draw(images, "cat/0000.png", 7)
    refused(run, images, "there were 60 images and are 61")
    started = resume(run, images, accept=True)[0]
    assert isinstance(started, Started)
    assert identity.Contents.read(run) is not None
