"""Points in a file: which files are taken, and that training on them is training on the Sampler's drawing."""

import gzip
import zipfile

import numpy as np
import pytest
import torch

import edm
from app.instruments import choosing
from edm import data, models
from edm.data import points, sources, toy
from edm.data.settings import Data, data_learned
from edm.training.export import elsewhere
from edm.training.loop import Started, train
from edm.training.settings import Training
from tests.edm.runs import points as small

CLOUD = np.random.default_rng(0).normal(0.2, 0.5, (60, 2)).round(3)


def saved(path, array):
    np.save(path, array, allow_pickle=True)
    return path


def text(path, content, encoding="utf-8"):
    path.write_text(content, encoding=encoding)
    return path


def zipped(path):
    """What numpy.load would take for an archive of arrays."""
    path.write_bytes(b"PK\x03\x04")
    return path


@pytest.mark.parametrize(
    "content",
    ["1,2\n3,4\n", "x,y\n1,2\n3,4", "\ufeff1;2\r\n\r\n3;4\r\n", "1 2\n 3\t4 ", '"x", "y"\n1.0, 2e0\n3, 4'],
)
def test_a_text_file_has_a_point_a_line(tmp_path, content):
    assert points.read(text(tmp_path / "a.csv", content)).tolist() == [[1, 2], [3, 4]]


def test_a_text_file_of_one_column_is_one_dimensional(tmp_path):
    assert points.read(text(tmp_path / "a.csv", "1\n2\n3\n")).shape == (3, 1)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int8, np.uint32, ">f8"])
def test_a_numpy_file_may_hold_any_real_numbers(tmp_path, kind):
    array = np.asfortranarray(np.arange(6).reshape(3, 2).astype(kind))
    read = points.read(saved(tmp_path / "a.npy", array))
    assert read.dtype == np.float64 and np.array_equal(read, array)


REFUSED = {
    "holds no points": lambda p: text(p / "a.csv", "x,y\n\n"),
    "holds no points: .*row 1": lambda p: text(p / "a.csv", "0,inf"),
    "no column has numbers": lambda p: text(p / "a.csv", "a,b\nc,d\n"),
    r"shape \[2, 2, 2\]": lambda p: saved(p / "a.npy", np.zeros((2, 2, 2))),
    "holds no points ": lambda p: saved(p / "b.npy", np.zeros((0, 2))),
    "real numbers": lambda p: saved(p / "a.npy", np.array([[object(), 1]])),
    "complex numbers": lambda p: saved(p / "a.npy", np.ones((2, 2), complex)),
    "whole .npy file": lambda p: text(p / "a.npy", "1,2"),
    "whole .npy file ": lambda p: zipped(p / "a.npy"),
    "cannot be read": lambda p: p / "none.csv",
    "is no file": lambda p: (p / "d.csv").mkdir() or p / "d.csv",
}


@pytest.mark.parametrize("words", REFUSED)
def test_anything_else_gets_a_sentence_that_names_the_file(tmp_path, words):
    path = REFUSED[words](tmp_path)
    with pytest.raises(ValueError, match=words.strip()) as refusal:
        points.read(path)
    assert str(path) in str(refusal.value)


def test_a_header_that_claims_gigabytes_costs_no_memory(tmp_path):
    path = saved(tmp_path / "a.npy", np.zeros((3, 2)))
    path.write_bytes(path.read_bytes().replace(b"(3, 2), }" + b" " * 10, b"(3000000000, 2), } "))
    with pytest.raises(ValueError, match="not a whole"):
        points.read(path)


def test_pickles_are_not_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path / "sprung").touch, ()

    path = saved(tmp_path / "a.npy", np.array([[Trap(), Trap()]]))
    with pytest.raises(ValueError, match="real numbers"):
        points.read(path)
    assert not (tmp_path / "sprung").exists()


def test_training_draws_from_the_very_distribution_that_a_drawing_is(tmp_path):
    path = saved(tmp_path / "cloud.npy", CLOUD)
    source = sources.open_source(Data(dataset="points", path=str(path)))
    samples = sources.read(source, np.arange(3000))[0].numpy()
    found, counts = np.unique(samples, axis=0, return_counts=True)
    assert np.allclose(found, np.unique(CLOUD, axis=0), atol=1e-6)
    assert counts.min() > 20 and counts.max() < 100  # 50 each
    drawn = toy.drawn(CLOUD)
    x, exact = torch.randn(20, 2), data.of_points(path).denoiser
    assert torch.equal(exact(x, 0.3), drawn(x, 0.3))
    assert sources.spread(source) == pytest.approx(drawn.sigma_data, rel=0.03)


def test_a_set_of_points_is_known_by_what_it_holds(tmp_path):
    one = data.of_points(saved(tmp_path / "1.npy", CLOUD))
    same = data.of_points(text(tmp_path / "2.csv", "\n".join(f"{x},{y}" for x, y in CLOUD)))
    other = data.of_points(saved(tmp_path / "3.npy", CLOUD + 1e-9))
    assert one.name == same.name != other.name
    assert (one.title, one.shape) == ("Points of 1.npy", (2,))


def test_the_settings_ask_for_the_file_and_for_nothing_that_is_for_images():
    with pytest.raises(edm.SettingsError, match=r"\.csv or \.npy file of the dataset 'points'"):
        Training.parse({"data": {"dataset": "points"}})
    with pytest.raises(edm.SettingsError, match="resolution"):
        Training.parse({"data": {"dataset": "points", "path": "a.csv", "resolution": 8}})


def test_equal_points_ask_for_sigma_data(tmp_path):
    path = saved(tmp_path / "one.npy", np.zeros((5, 2)))
    settings = small(data={"dataset": "points", "path": str(path)})
    with pytest.raises(ValueError, match="all samples are equal; give sigma_data"):
        next(train(settings))
    assert isinstance(next(train(settings.changed(design={"sigma_data": 0.5}))), Started)


@pytest.mark.parametrize("dimension", [1, 2])
def test_a_model_of_points_is_trained_resumed_and_compared_with_the_exact_one(tmp_path, monkeypatch, capsys, dimension):
    monkeypatch.chdir(tmp_path)
    from edm.__main__ import main

    saved(tmp_path / "cloud.npy", CLOUD[:, :dimension])
    small_run = ["--channels=16", "--blocks=1", "--batch=64", "--tick=320", "--checkpoint=320", "--validation=16"]
    assert main(["train", "--dataset=points", "--path=cloud.npy", "--images=320", "--out=run", *small_run]) == 0
    assert main(["train", "--resume=run", "--images=640"]) == 0
    (checkpoint,) = (tmp_path / "run" / "checkpoints").glob("*640.safetensors")
    name = models.register(checkpoint, f"points_{dimension}")
    try:
        model = models.load(name)
        assert model.dataset.name == choosing.data_of(model) == data.of_points("cloud.npy").name
        assert choosing.exact_of(model).denoiser.points.shape == (60, dimension)
        assert main(["sample", f"--model={name}", "--count=8", "--steps=4", "--out=picture.png"]) == 0
        assert (tmp_path / "picture.png").exists()
        (tmp_path / "cloud.npy").unlink()
        gone = models.load(models.register(checkpoint, name))
        assert gone.dataset is None and choosing.exact_of(gone) is None
        assert main(["sample", f"--model={name}", "--count=8", "--steps=4", "--out=again.png"]) == 0
    finally:
        models.forget(name)


def test_what_is_exported_says_nothing_of_where_the_data_lay(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    from edm.__main__ import main

    saved(tmp_path / "cloud.npy", CLOUD)
    run = ["--channels=16", "--blocks=1", "--batch=64", "--tick=320", "--checkpoint=320", "--validation=16"]
    assert main(["train", "--dataset=points", "--path=cloud.npy", "--images=320", "--out=run", *run]) == 0
    assert main(["export", "run", "--out=model.safetensors"]) == 0
    for name in ("model.safetensors", "model.md"):
        assert str(tmp_path).encode() not in (tmp_path / name).read_bytes(), name
    assert "--path=cloud.npy" in (tmp_path / "model.md").read_text()
    model = models.load(models.register("model.safetensors", "exported"))
    try:
        assert data_learned(model.header).path == "cloud.npy"
        assert model.dataset is None, "a file of that name may be any here"
    finally:
        models.forget("exported")
    capsys.readouterr()
    wanted = ["evaluate", "model.safetensors", "--count=64", "--reference=64"]
    assert main(wanted) == 2
    assert "say so with --path" in capsys.readouterr().err
    assert main([*wanted, "--path=cloud.npy"]) == 0


@pytest.mark.parametrize(
    ("data", "known"),
    [
        ({"dataset": "folder", "path": "/srv/photos/cats.zip"}, "cats.zip"),
        ({"dataset": "folder", "path": "/srv/photos/cats/"}, "cats"),
        ({"dataset": "folder", "path": "/"}, "data"),
        ({"dataset": "mnist", "path": "/srv/data"}, None),
        ({"dataset": "digits"}, None),
    ],
)
def test_other_people_are_told_the_last_name_of_a_path(data, known):
    assert elsewhere(Training.parse({"data": data})).data == Training.parse({"data": data | {"path": known}}).data


PLACES = "name,lat,lon,height,art\n" + "".join(
    f"p{k},{48 + x:.4f},{11 + y:.4f},{400 + k},{'well' if k % 3 else 'spring'}\n" for k, (x, y) in enumerate(CLOUD)
)


def test_classes_of_a_table_are_drawn_with_its_points_and_asked_for_one_by_one(tmp_path):
    path = text(tmp_path / "places.csv", PLACES)
    source = sources.open_source(Data(dataset="points", path=str(path)))
    samples, labels = sources.read(source, np.arange(600))
    assert source.class_names == ("spring", "well") and source.classes == 2
    known = points.table(path)
    table = {tuple(x): label for x, label in zip(known.points.astype(np.float32).tolist(), known.labels, strict=True)}
    assert [table[tuple(x)] for x in samples.tolist()] == labels.tolist()
    exact = data.of_points(path).denoiser
    springs = toy.drawn(known.points[known.labels == 0])
    x = torch.randn(20, 2)
    torch.testing.assert_close(exact(x, 0.3, torch.zeros(20, dtype=torch.int64)), springs(x, 0.3))
    assert not torch.allclose(exact(x, 0.3), springs(x, 0.3))


def test_columns_are_a_setting_of_points_and_of_nothing_else(tmp_path):
    path = text(tmp_path / "places.csv", PLACES)
    chosen = Data(dataset="points", path=str(path), columns="lon,height")
    assert data.learned(chosen).units.names == ("lon", "height")
    assert data.learned(chosen).name != data.learned(Data(dataset="points", path=str(path))).name
    with pytest.raises(edm.SettingsError, match="columns = 'x,y': is only for the datasets points"):
        Data(dataset="digits", columns="x,y")


def test_samples_of_a_network_come_back_in_the_numbers_and_classes_of_its_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    from edm.__main__ import main

    text(tmp_path / "places.csv", PLACES)
    small_run = ["--channels=16", "--blocks=1", "--batch=64", "--tick=320", "--checkpoint=320", "--validation=16"]
    asked = ["--path=places.csv", "--columns=lon,lat", "--images=320", "--out=run", *small_run]
    assert main(["train", "--dataset=points", *asked]) == 0
    assert main(["export", "run", "--out=model.safetensors"]) == 0
    (tmp_path / "places.csv").unlink()
    model = models.load(models.register("model.safetensors", "places"))
    try:
        assert model.class_names == ("spring", "well") and model.units.names == ("lon", "lat")
        for name in ("drawn.csv", "drawn.npz"):
            assert main(["sample", "--model=places", "--label=well", "--count=32", "--steps=6", f"--out={name}"]) == 0
        drawn = np.loadtxt("drawn.csv", delimiter=",")
        assert np.abs(drawn - [11, 48]).max() < 20 and np.abs(drawn).min() > 1
        with np.load("drawn.npz") as file:
            np.testing.assert_allclose(file["samples"], drawn, rtol=1e-12)
            assert np.array_equal(file["samples"], file["trajectory"][-1])
    finally:
        models.forget("places")
    assert "(lon 11.15 ± 1.1; lat" in (tmp_path / "model.md").read_text(), "the card says what the coordinates are"


def test_a_table_in_an_archive_or_packed_alone_is_learned_as_it_is_read(tmp_path):
    text = "x,y\n" + "\n".join(f"{k / 50:.2f},{(k * k % 53) / 53:.3f}" for k in range(80))
    (tmp_path / "plain.csv").write_text(text)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("measured/table.csv", text)
        archive.writestr("measured/notes.md", "made on a Tuesday")
    known = points.read(tmp_path / "plain.csv")
    for name in ("packed.csv.gz", "set.zip"):
        assert np.array_equal(points.read(tmp_path / name), known), name
        assert np.array_equal(edm.data.bring(tmp_path / name).points, known), name
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="without a table"):
        points.read(tmp_path / "empty")
