"""Many samples: each once, the same wherever it is drawn, and gone on with after any end."""

import os
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch

import edm
from edm.data.folders import ImageFolder
from edm.experiments import many, runner
from edm.experiments.many import Drawing, Many, Progress, blocks
from edm.files import albums
from edm.files.albums import Album, name_of
from edm.sampling.computing import Computing
from edm.sampling.loop import State
from tests import pretended

QUICK = edm.Experiment(model="digits_edm", sampling={"steps": 1, "S_churn": 2, "seed": 3})
CPU = torch.device("cpu")


def drawing(experiment=QUICK, device=CPU, **computing):
    return Drawing(experiment, Computing(**computing), device)


def drawn(place, numbers, made=None, ranks=1):
    """An album of these numbers, drawn by several processes, the first of which ends last."""
    made, album = made or drawing(), Album(place)
    album.prepare(made.document(), made.differs)
    if not album.complete(numbers):
        for rank in reversed(range(ranks)):
            for _ in many.images(made, numbers, album, rank, ranks):
                pass
    return contents(place)


def contents(place):
    if str(place).endswith(".zip"):
        with zipfile.ZipFile(place) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", autouse=True)
def few():
    """Sixteen at once, so that forty are several batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(many.ON_CPU, 3, 16)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory, few):
    """Samples 0 … 39, drawn in one go."""
    return drawn(tmp_path_factory.mktemp("whole") / "set", range(40))


@pytest.mark.parametrize("size", [1, 7, 16])
@pytest.mark.parametrize("ranks", [1, 2, 5])
@pytest.mark.parametrize("numbers", [range(40), range(13, 14), range(16, 90)])
def test_every_sample_is_drawn_by_one_process_with_the_same_neighbours(numbers, ranks, size):
    parts = [part for rank in range(ranks) for part in blocks(numbers, size, rank, ranks)]
    assert sorted(k for part in parts for k in part) == list(numbers)
    assert all(part[0] // size == part[-1] // size for part in parts)


@pytest.mark.parametrize(
    ("numbers", "ranks", "batch"),
    [(range(40), 2, None), (range(40), 3, 5), (range(17, 19), 1, None), (range(39, 40), 1, 64)],
    ids=["two processes", "three", "two samples", "one, of large batches"],
)
def test_a_sample_is_the_same_bit_for_bit_alone_in_any_batch_and_on_any_number_of_processes(
    tmp_path, whole, numbers, ranks, batch
):
    found = drawn(tmp_path / "set", numbers, drawing(batch=batch), ranks)
    for k in numbers:
        assert found[name_of(k)] == whole[name_of(k)]
    if numbers == range(40):
        assert found == whole, "the classes and the settings too"


def test_a_sample_is_that_of_the_page_and_of_the_library(tmp_path, whole):
    ours = edm.last(runner.states(QUICK.changed(count=16), CPU)).x
    folder = tmp_path / "set"
    for name, data in whole.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    images, labels = ImageFolder(folder, channels=1).read(np.arange(16))
    assert (images.numpy() == edm.render.to_uint8(ours)).mean() > 0.999
    assert labels.tolist() == runner.labels_of(QUICK, range(16)) == runner.labels_of(QUICK.changed(count=16))


def test_a_zip_holds_what_the_folder_holds_and_is_read_as_a_set(tmp_path, whole):
    assert drawn(tmp_path / "set.zip", range(40), ranks=2) == whole
    assert os.listdir(tmp_path) == ["set.zip"], "its parts are gone"
    read = ImageFolder(tmp_path / "set.zip", channels=1)
    assert (read.size, read.classes, read.labels[:11].tolist()) == (40, 10, [*range(10), 0])
    before = (tmp_path / "set.zip").stat().st_mtime_ns
    assert drawn(tmp_path / "set.zip", range(40)) == whole
    assert (tmp_path / "set.zip").stat().st_mtime_ns == before, "it is not made again"


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_killed_at_any_moment_it_goes_on_and_nothing_half_is_counted(tmp_path, whole, ending, monkeypatch):
    place = tmp_path / f"set{ending}"
    made, album = drawing(), Album(place)
    album.prepare(made.document(), made.differs)
    events = many.images(made, range(40), album)
    while next(events).done < 32:
        pass
    events.close()
    assert not place.exists() or "dataset.json" not in contents(place), "it says that not all are there"
    torn, flipped = album.folder / name_of(3), album.folder / name_of(5)
    torn.write_bytes(torn.read_bytes()[:-9])
    flipped.write_bytes(flipped.read_bytes()[:60] + b"\0\0\0\0" + flipped.read_bytes()[64:])
    for name in (".000007.png.abcdefgh", ".000039.png.12345678"):
        (album.folder / "00000" / name).write_bytes(b"half")
    foreign = album.folder / "00000" / ".000040.png.abcdefgh"
    foreign.write_bytes(b"of a sample that another process may be writing")
    kept = (album.folder / name_of(4)).stat().st_mtime_ns
    assert album.lacking(range(8)) == [3, 5]
    begun = []
    states = Drawing.states
    monkeypatch.setattr(Drawing, "states", lambda self, block: begun.append(block) or states(self, block))
    there = drawn(place, range(40), made)
    assert ending or foreign.exists()
    assert {name: data for name, data in there.items() if name != "00000/.000040.png.abcdefgh"} == whole
    assert begun[0] == range(16)
    assert range(16, 32) not in begun, "what was whole is not drawn again"
    assert ending or (album.folder / name_of(4)).stat().st_mtime_ns == kept


def test_halves_of_long_ago_are_swept_whosever_they_were(tmp_path):
    made, album = drawing(), Album(tmp_path / "set")
    album.prepare(made.document(), made.differs)
    for name, when in (("old", 0), ("new", None)):
        (album.folder / f".dataset.json.{name}_____").touch()
        os.utime(album.folder / f".dataset.json.{name}_____", when if when is None else (when, when))
    album.prepare(made.document(), made.differs)
    assert sorted(os.listdir(album.folder)) == [".dataset.json.new_____", "settings.json"]


def test_more_samples_may_come_into_a_folder_but_none_of_other_settings(tmp_path, whole):
    drawn(tmp_path / "set", range(20))
    assert drawn(tmp_path / "set", range(20, 40)) == whole
    for changes, words in [
        ({"sampling": {"steps": 2, "S_churn": 2, "seed": 3}}, r"steps = 1, not 2"),
        ({"label": 3}, "label = none, not 3"),
        ({"model": "digits_ve"}, "model = digits_edm, not digits_ve"),
    ]:
        with pytest.raises(edm.Refused, match=f"of other settings .*{words}.*; name another --out"):
            drawn(tmp_path / "set", range(20), drawing(edm.Experiment(**{**QUICK.model_dump(), **changes})))
    with pytest.raises(edm.Refused, match="precision = fp32, not bf16"):
        drawn(tmp_path / "set", range(20), drawing(precision="bf16"))


def test_places_that_hold_something_else_are_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    (tmp_path / "mine.zip").write_bytes(b"no zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("letter.txt", "")
    for name, words in [("mine", "other files"), ("mine.zip", "is no zip"), ("other.zip", "no samples of ours")]:
        with pytest.raises(edm.Refused, match=f"{words}.*; name another --out"):
            drawn(tmp_path / name, range(1))
    drawn(tmp_path / "set.zip", range(2))
    with pytest.raises(edm.Refused, match="without the sample 2"):
        drawn(tmp_path / "set.zip", range(3))


def test_images_without_classes_are_a_set_without_classes(tmp_path):
    """Else its reader would take the sub-folders for classes."""
    album, made = Album(tmp_path / "set"), drawing()
    album.prepare({}, made.differs)
    for number in (0, 1, 1000, 999_999, 1_000_000):
        album.write(number, np.full((3, 8, 8), number % 251, np.uint8))
    album.finish(range(0), ())
    read = ImageFolder(tmp_path / "set")
    assert (read.size, read.classes, read.labels, read.shape) == (5, 0, None, (3, 8, 8))
    assert read.names[-1] == "01000/1000000.png"


def test_on_a_gpu_the_images_are_those_of_the_cpu_but_for_rounding(tmp_path, whole):
    with pretended.gpu() as gpu:
        found = drawn(tmp_path / "set", range(5), drawing(device=gpu.device, batch=3))
    assert len(found) == 7
    read = ImageFolder(tmp_path / "set", channels=1).read(np.arange(5))[0]
    assert (read.numpy() == edm.render.to_uint8(edm.last(runner.states(QUICK, CPU, None, range(5))).x)).mean() > 0.99


def test_a_million_samples_take_no_more_memory_than_a_thousand(monkeypatch):
    """All that is planned; what is drawn is a stub."""
    made = drawing(edm.Experiment(model="two_diracs", sampling={"steps": 1}))

    def states(self, block):
        seeds, labels = edm.seeds(0, len(block), block.start), runner.labels_of(self.experiment, block)
        assert labels is None
        return iter([State(1, 0.0, 0.0, 1.0, torch.zeros(self.size, 1), torch.tensor(seeds[:1]), 1)])

    monkeypatch.setattr(Drawing, "states", states)

    def peak(count):
        tracemalloc.start()
        try:
            assert sum(map(len, many.rows(made, range(count)))) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak(2000)
    assert peak(1_000_000) < 1.5 * few


def test_the_classes_of_a_million_images_are_written_without_a_list_of_them(tmp_path, monkeypatch):
    album = Album(tmp_path)

    def peak(thousands):
        numbers = (list(range(k * 1000, k * 1000 + 1000)) for k in range(thousands))
        monkeypatch.setattr(Album, "numbers", lambda self: numbers)
        tracemalloc.start()
        try:
            album.finish(range(0), range(10))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak(2)
    assert peak(40) < 1.5 * few
    assert (tmp_path / albums.LABELS).read_bytes().endswith(b'\n["00039/039999.png", 9]\n]}')


def test_progress_counts_what_other_processes_do_as_far_as_ones_own(tmp_path):
    made, album = drawing(), Album(tmp_path / "set")
    album.prepare(made.document(), made.differs)
    second = list(many.images(made, range(32), album, 1, 2))
    assert second[0] == Progress(0, 32)
    assert second[-1].done <= 32
    first = list(many.images(made, range(32), album, 0, 2))
    assert [event.done for event in first] == sorted(event.done for event in first)
    assert first[-1] == Progress(32, 32)


@pytest.mark.parametrize(("text", "numbers"), [("0-49999", range(50_000)), ("7", range(7, 8)), (" 5-5 ", range(5, 6))])
def test_numbers_of_samples_are_written_as_a_range(text, numbers):
    assert many.numbers_of(text) == numbers


@pytest.mark.parametrize("text", ["", "a", "5-", "-5", "9-3", "1-2-3", "٣", f"0-{1 << 32}"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(edm.Refused, match="--seeds"):
        many.numbers_of(text)


def test_how_many_images_are_drawn_is_a_document():
    asked = Many.parse({"count": "5e4", "first": 50_000, "label": 3, "sampling": {"steps": 18}})
    assert asked.numbers == range(50_000, 100_000)
    assert asked.experiment("digits_edm") == edm.Experiment(model="digits_edm", label=3)
    assert Many.parse(asked.document()) == asked
