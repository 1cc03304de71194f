"""Classes: a name finds its class wherever it is written, and a class without images is never drawn unasked."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import edm
from app.tabs import controls
from app.work import snippets
from app.work.thumbnails import Thumbnails
from edm import checkpoints, models, render, runner
from edm.__main__ import main
from edm.base.fields import SettingsError
from edm.base.flat import flatten, unflatten
from edm.data import classes, sources
from edm.data.settings import Data, data_learned
from edm.data.split import Split
from edm.diagnostics import Axis, Sweep
from edm.evaluation import evaluate
from edm.training.export import card
from edm.training.loop import Started, Tick, train
from edm.training.state import RunState, header_of
from tests.app.work import final
from tests.edm.runs import tiny

TWELVE = [str(k) for k in range(1, 13)]


def images(folder, names, labels=None):
    """A folder of little pictures of those names; labels: of each, for a dataset.json."""
    for k, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 20 * k % 256, dtype=np.uint8)).save(path)
    if labels is not None:
        listed = [list(pair) for pair in zip(names, labels, strict=True)]
        (folder / "dataset.json").write_text(json.dumps({"labels": listed}))
    return folder


def settings(folder, **changes):
    return tiny(
        data={"dataset": "folder", "path": str(folder), "holdout": changes.pop("holdout", 0)},
        architecture={"channels": 4, "dropout": 0},
        **{"images": 16, "batch": 16, "ema": [10], "tick": 16, "checkpoint": 16, "validation": 1, **changes},
    )


def untrained(folder, path, **changes):
    """A checkpoint of a run on that folder before its first step, made known under its file's name."""
    wanted = settings(folder)
    source = sources.open_source(wanted.data)
    split = Split(source, wanted.data.holdout)
    header = header_of(wanted, source, 0.5, split.held_out, taught=split.taught).changed(**changes)
    RunState(wanted, header, torch.device("cpu")).save(path)
    return models.register(path, path.stem)


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    place = tmp_path_factory.mktemp("twelve")
    return images(place / "set", [f"{name}/{k}.png" for name in TWELVE for k in range(2)])


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    place = tmp_path_factory.mktemp("pets")
    return images(place / "set", [f"{name}/{k}.png" for name in ("Cat", "dog", "none", "auto") for k in range(2)])


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    """Six images of the classes 0 and 999."""
    place = tmp_path_factory.mktemp("sparse")
    return images(place / "set", [f"{k}.png" for k in range(6)], [0, 999] * 3)


def test_whole_numbers_sort_as_numbers_where_all_are_and_else_as_letters(twelve):
    assert sources.open_source(Data(dataset="folder", path=str(twelve))).class_names == tuple(TWELVE)
    assert classes.ordered(["10", "9", "007"], "x") == ("007", "9", "10")
    assert classes.ordered(["10", "9", "b"], "x") == ("10", "9", "b")
    assert classes.ordered(["9" * 6000, "10"], "x")[0] == "10"
    with pytest.raises(ValueError, match="here: the classes '01' and '1' are one number; rename one"):
        classes.ordered(["01", "1", "2"], "here")


@pytest.mark.parametrize(
    ("label", "names", "number"),
    [
        (2, TWELVE, 1),
        ("2", sorted(TWELVE), 4),
        ("02", TWELVE, 1),
        (1, ("01", "02"), 0),
        ("01", ("1", "01"), 1),
        (0, TWELVE, None),
        (13, TWELVE, None),
        ("dog", ("cat", "dog"), 1),
        ("DOG", ("cat", "dog"), 1),
        ("DOG", ("Dog", "dog"), None),
        (1, ("cat", "dog"), 1),
        ("1", ("cat", "dog"), 1),
        (2, ("cat", "dog"), None),
        (-1, ("cat", "dog"), None),
        (0, ("cat", "1"), None),
        ("9" * 6000, ("cat", "dog"), None),
        ("²", ("cat", "dog"), None),
    ],
)
def test_a_label_is_a_name_and_a_place_only_where_no_name_is_a_number(label, names, number):
    assert classes.find(label, names) == number


def test_label_2_of_folders_1_to_12_draws_folder_2(twelve, tmp_path):
    for name in (untrained(twelve, tmp_path / "new.safetensors"),
                 untrained(twelve, tmp_path / "old.safetensors", class_names=sorted(TWELVE))):  # fmt: skip
        model = models.load(name)
        for label in (2, "2", "02"):
            experiment = edm.Experiment(model=name, label=label)
            assert experiment.label == 2
            assert {model.class_names[k] for k in runner.labels_of(experiment)} == {"2"}
        with pytest.raises(SettingsError, match="label = 13: must be one of '1', "):
            edm.Experiment(model=name, label=13)


@pytest.mark.parametrize("label", ["Cat", "cat", "none", "auto", "dog", 0, "3"])
def test_a_class_is_the_same_on_page_and_command_line_in_links_scripts_and_pictures(pets, tmp_path, label, capsys):
    path = tmp_path / "pets.safetensors"
    name = untrained(pets, path)
    model = models.load(name)
    experiment = edm.Experiment(model=name, label=label, count=2, sampling={"steps": 2})
    number = model.class_of(label)
    assert runner.start(experiment)[1].tolist() == [number] * 2
    assert experiment.label == model.class_names[number]
    assert [experiment.label, experiment.label] in controls.described(model)["classes"]
    assert edm.Experiment.parse(unflatten(flatten(experiment), edm.Experiment)) == experiment
    assert edm.Experiment.parse(json.dumps(experiment.document())) == experiment

    picture, again = tmp_path / "a.png", tmp_path / "b.png"
    assert main(["sample", f"--model={path}", f"--label={label}", "--count=2", "--steps=2", f"--out={picture}"]) == 0
    assert render.read_document(picture)["label"] == experiment.label
    assert main(["sample", f"--config={picture}", f"--out={again}"]) == 0
    assert picture.read_bytes() == again.read_bytes()

    script = snippets.python(experiment)
    scope: dict = {}
    exec(script.replace('save("sample.png")', "size"), scope)
    assert torch.equal(scope["samples"], edm.last(runner.states(experiment)).x)


def test_an_axis_may_be_classes_by_name(pets, tmp_path):
    name = untrained(pets, tmp_path / "pets.safetensors")
    axis = Axis.parse("label", "cat, dog, 1, none")
    sweep = Sweep(edm.Experiment(model=name, count=1), axis)
    assert [sweep.experiment_at(0, k).label for k in range(4)] == ["Cat", "dog", "auto", None]


def test_none_is_no_class_where_none_is_called_so():
    for label in ("none", "auto", "", "None"):
        assert edm.Experiment(model="digits", label=label).label is None
        assert edm.Experiment(label=label).label is None
    for label in (True, 2.5, [1], {"a": 1}):
        with pytest.raises(SettingsError, match=r"label = .*must be the name of a class"):
            edm.Experiment(model="digits", label=label)
    for label in ("cat", -1, 10, "1" * 5000):
        with pytest.raises(SettingsError, match="must be a whole number below 10"):
            edm.Experiment(model="digits", label=label)


def test_classes_without_images_are_known_and_never_drawn_unasked(sparse, tmp_path):
    events = train(settings(sparse, samples=4, checkpoint=16))
    started = next(event for event in events if isinstance(event, Started))
    tick = next(event for event in events if isinstance(event, Tick))
    assert started.state.header.classes == 1000  # as published networks count them
    assert tick.labels.tolist() == [0, 999, 0, 999]
    path = tmp_path / "sparse.safetensors"
    started.state.save(path)
    name = models.register(path, "sparse")
    model = models.load(name)

    assert model.drawn == (0, 999)
    assert runner.start(edm.Experiment(model=name, count=5))[1].tolist() == [0, 999, 0, 999, 0]
    page = controls.described(model)
    assert page["classes"] == [[0, "0"], [999, "999"]]
    assert final(Thumbnails(models=[name]))["thumbnail"]
    assert runner.start(edm.Experiment(model=name, label=999, count=1))[1].tolist() == [999]
    with pytest.raises(SettingsError, match="label = 5: had no images in the training of this model; it knows '0', '9"):
        edm.Experiment(model=name, label=5)
    assert "seen images of 2 only (0, 999)" in card(model.header, "x", 1)
    done = evaluate(model.denoiser, data_learned(model.header), edm.Sampling(steps=1), count=5, reference=5)
    assert edm.last(done).count == 5


def test_a_class_that_is_held_out_whole_is_not_drawn_either(tmp_path):
    place = images(tmp_path / "set", [f"{name}/{k}.png" for name in "abc" for k in range(4)])
    source = sources.open_source(Data(dataset="folder", path=str(place)))
    split = Split(source, 1)
    (held,) = split.validation(1)
    lonely = images(tmp_path / "lonely", [f"{k}.png" for k in range(12)], [int(k == held) for k in range(12)])
    split = Split(sources.open_source(Data(dataset="folder", path=str(lonely))), 1)
    assert split.taught == (0,)
    assert Split(source, 0).taught == ()


def test_a_file_from_before_that_was_recorded_draws_all_its_classes(sparse, tmp_path):
    model = models.load(untrained(sparse, tmp_path / "before.safetensors", taught=()))
    assert model.drawn == tuple(range(1000))
    assert models.load("digits_edm").drawn == tuple(range(10))


@pytest.mark.parametrize("taught", [[1, 0], [0, 0], [1000], [-1]])
def test_a_header_of_classes_that_cannot_be_is_refused(sparse, tmp_path, taught):
    header = models.load(untrained(sparse, tmp_path / "x.safetensors")).header
    with pytest.raises(SettingsError, match="taught"):
        header.changed(taught=taught)


def test_a_run_goes_on_with_the_order_of_classes_in_which_it_began(twelve, tmp_path):
    path = tmp_path / "old.safetensors"
    old = tuple(sorted(TWELVE))
    untrained(twelve, path, class_names=old)
    events = train(settings(twelve), resume=path)
    assert next(events).state.header.class_names == old
    events.close()
    source = sources.open_source(Data(dataset="folder", path=str(twelve)))
    learned = sources.as_learned(source, old)
    for a, b in ((source.read([2, 3, 23])[1], learned.read([2, 3, 23])[1]), (source.labels, learned.labels)):
        assert [source.class_names[k] for k in a] == [old[k] for k in b]
    draw = edm.diagnostics.held_out(models.load("old"))
    assert draw([0, 1, 2])[1].tolist() == learned.read(Split(learned, 0).validation(3))[1].tolist()


def test_evaluation_asks_a_model_for_its_own_order_of_classes(tmp_path):
    place = images(tmp_path / "set", [f"{name}/{k}.png" for name, n in (("2", 9), ("10", 1)) for k in range(n)])
    model = models.load(untrained(place, tmp_path / "old.safetensors", class_names=("10", "2")))
    asked = []

    def denoiser(x, sigma, labels=None):
        asked.extend([] if labels is None else labels.tolist())
        return model.denoiser(x, sigma, labels)

    denoiser.classes, denoiser.shape, denoiser.header = 2, model.shape, model.header
    edm.last(evaluate(denoiser, data_learned(model.header), edm.Sampling(steps=1), count=40, reference=10))
    assert np.mean(np.array(asked) == 1) > 0.7  # "2", of which there are nine times as many


def test_more_classes_than_a_thousand_keep_their_names(tmp_path):
    names = [f"class {k}" for k in range(1001)]
    place = images(tmp_path / "set", [f"{name}/a.png" for name in names])
    wanted = settings(place)
    assert len(header_of(wanted, sources.open_source(wanted.data), 0.5).class_names) == 1001
    assert checkpoints.MAX_HEADER > 12 << 20  # all names that a folder may have, as JSON


def test_an_exact_denoiser_can_be_told_all_classes_by_turns_as_a_network_is():
    exact, network = (
        edm.Experiment(model="digits", label="Each", count=12),
        edm.Experiment(model="digits_edm", count=12),
    )
    assert runner.labels_of(exact) == runner.labels_of(network) == [k % 10 for k in range(12)]
    assert runner.labels_of(exact, range(5, 7)) == [5, 6]
    assert edm.Experiment.parse(unflatten(flatten(exact), edm.Experiment)) == exact
    assert edm.Experiment(model="digits_edm", label="each", count=12) == network
    scope: dict = {}
    exec(snippets.python(exact.changed(sampling={"steps": 2})).partition("edm.render")[0], scope)
    assert list(scope["labels"]) == runner.labels_of(exact)
    with pytest.raises(SettingsError, match="no classes"):
        edm.Experiment(model="spiral", label="each")
