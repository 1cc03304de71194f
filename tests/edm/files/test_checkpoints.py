"""Files: whole or refused with a sentence; nothing in them is executed."""

import errno
import json
import pickle
import random
import shlex

import pytest
import torch
from safetensors.torch import save_file

import edm
from edm import checkpoints
from edm.files import tensors
from edm.runs.failures import explain
from edm.training.export import command, export
from edm.training.loop import train
from edm.training.recording import record
from edm.training.settings import trained_as
from tests.edm.runs import points, tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(folder, last checkpoint, last state) of a finished run."""
    folder = tmp_path_factory.mktemp("run")
    state = None
    for event in record(train(tiny()), folder):
        state = getattr(event, "state", state)
    return folder, sorted((folder / "checkpoints").iterdir())[-1], state


def test_a_checkpoint_is_a_ready_denoiser(run):
    _, path, state = run
    x = edm.latents(edm.seeds(0, 6), (1, 8, 8))
    labels = torch.arange(6)
    for i in (0, 1):
        denoiser = edm.load(path, ema=i)
        assert torch.equal(denoiser(x, 1.0, labels), state.denoisers()[i](x, 1.0, labels))
    assert denoiser.shape == (1, 8, 8)
    assert denoiser.classes == 10
    samples = edm.last(edm.sample(denoiser, x, edm.Sampling(steps=4), [3] * 6)).x
    assert torch.isfinite(samples).all()


@pytest.mark.parametrize("labels", [[0, 10], [-2, 0], [0.5, 1.0], [1], [[1], [2]]])
def test_labels_that_cannot_be_are_refused(run, labels):
    x = edm.latents(edm.seeds(0, 2), (1, 8, 8))
    with pytest.raises(ValueError, match="labels"):
        edm.load(run[1])(x, 1.0, labels)


def test_a_checkpoint_says_what_it_is(run):
    header = checkpoints.read_header(run[1])
    assert trained_as(header) == tiny().changed(precision="fp32")  # which is taken for so small a network
    assert (header.images, header.shape, header.classes) == (96, (1, 8, 8), 10)
    assert header.sigma_data == pytest.approx(edm.data.load("digits").sigma_data, rel=1e-6)
    assert len(header.metrics.validation) == len(header.metrics.sigmas) > 0
    assert header.held_out
    assert header.half_lives == (50, 200)


def test_the_folder_of_a_run_is_plain_files(run):
    folder = run[0]
    assert json.loads((folder / "config.json").read_text())["batch"] == 16
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [48, 96]
    assert len(list((folder / "samples").glob("*.png"))) == 2


def test_an_exported_model_is_small_and_says_how_it_was_made(run, tmp_path):
    out = tmp_path / "model.safetensors"
    export(run[1], out, title="Tiny digits", ema=1)
    assert out.stat().st_size < run[1].stat().st_size / 8
    x = edm.latents(edm.seeds(0, 4), (1, 8, 8))
    torch.testing.assert_close(edm.load(out)(x, 0.5), edm.load(run[1], ema=1)(x, 0.5), rtol=0.01, atol=0.01)
    card = out.with_suffix(".md").read_text()
    assert command(checkpoints.read_header(out)) in card
    from edm.base.flat import unflatten
    from edm.commands import options

    words = shlex.split(command(checkpoints.read_header(out)))
    given = dict(word.removeprefix("--").split("=", 1) for word in words[4:])
    made = tiny().changed(precision="fp32")
    assert edm.Training.parse(unflatten(given, edm.Training)) == made
    assert options.read(out, edm.Training, "training") == made.document(complete=True)


def test_a_model_can_be_sampled_by_its_path(run, tmp_path):
    from edm.__main__ import main

    out = tmp_path / "x.png"
    assert main(["sample", "--model", str(run[1]), "--steps", "3", "--count", "4", "--out", str(out)]) == 0
    assert out.stat().st_size > 500
    assert main(["info", str(run[1])]) == 0


def test_a_truncated_file_is_refused_wherever_it_ends(run, tmp_path):
    whole = run[1].read_bytes()
    for end in (0, 1, 7, 8, 100, 5000, len(whole) // 2, len(whole) - 1):
        path = tmp_path / "cut.safetensors"
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"cut\.safetensors"):
            edm.load(path)


def test_flipped_bits_are_refused_or_only_change_numbers(run, tmp_path):
    whole, dice = run[1].read_bytes(), random.Random(0)
    length = int.from_bytes(whole[:8], "little")
    for _ in range(60):
        place = dice.randrange(8 + length)
        path = tmp_path / "bits.safetensors"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << dice.randrange(8))]) + whole[place + 1 :])
        try:
            edm.load(path)
        except ValueError as error:
            assert "bits.safetensors" in str(error) or "preconditioning" in str(error)


def test_foreign_files_are_refused(tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, foreign)
    with pytest.raises(ValueError, match="not one of ours"):
        edm.load(foreign)
    save_file({"weight": torch.zeros(3)}, foreign, metadata={"edm": "[1, 2"})
    with pytest.raises(ValueError, match="JSON"):
        edm.load(foreign)
    with pytest.raises(FileNotFoundError, match="no file"):
        edm.load(tmp_path / "nothing.safetensors")
    with pytest.raises(FileNotFoundError, match="no file"):
        edm.load(tmp_path)


def test_a_pickle_by_another_name_runs_nothing(tmp_path):
    marker = tmp_path / "executed"

    class Hostile:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    for name in ("a.safetensors", "b.safetensors"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Hostile()))
        with pytest.raises(ValueError, match="not a whole safetensors file"):
            edm.load(path)
    assert not marker.exists()


def changed_header(path, out, change):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        document = json.loads(file.metadata()["edm"])
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    change(document)
    save_file(tensors, out, metadata={"edm": json.dumps(document)})
    return out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda d: d["network"].update(channels=1024, channel_mult=[32] * 4, blocks=32),
            "fit its own",
        ),
        (lambda d: d["network"].update(channels=10**9), "channels"),
        (lambda d: d["network"].update(name="os.system"), "no network"),
        (lambda d: (d["network"].update(classes=7), d.update(class_names=[])), "shape"),
        (lambda d: d["network"].update(channel_mult=[1, 1, 1, 1, 1]), "halved"),
        (lambda d: d["preconditioning"].update(name="evil"), "preconditioning"),
        (lambda d: d["preconditioning"].update(sigma_data=-1), "sigma_data"),
        (lambda d: d.update(format=2), "format"),
        (lambda d: d.update(more=1), "no such field"),
        (lambda d: d.update(shape=[]), "shape"),
        (lambda d: d.update(shape=[3, 16, 16]), "must be"),
        (lambda d: d.update(class_names=["a"]), "class_names"),
        (lambda d: d["metrics"].update(validation=[1.0]), "metrics"),
        (lambda d: d["metrics"].update(evaluation=[1.0]), "evaluation"),
        (lambda d: d.update(training=[1]), "training"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_before_memory_is_taken(run, tmp_path, change, words):
    path = changed_header(run[1], tmp_path / "other.safetensors", change)
    with pytest.raises(ValueError, match=words):
        edm.load(path)


def test_settings_that_do_not_fit_are_refused_by_whoever_needs_them(run, tmp_path):
    path = changed_header(run[1], tmp_path / "other.safetensors", lambda d: d["training"].update(batch=-4))
    assert edm.load(path).shape == edm.load(run[1]).shape
    with pytest.raises(ValueError, match="training: batch = -4"):
        trained_as(checkpoints.read_header(path), path)
    with pytest.raises(ValueError, match="batch = -4"):
        export(path, tmp_path / "model.safetensors")


def test_only_a_checkpoint_of_the_same_kind_of_run_can_be_continued(run, tmp_path):
    model = tmp_path / "model.safetensors"
    export(run[1], model)
    for path, settings, words in (
        (model, tiny(), "not a checkpoint"),
        (run[1], tiny(architecture={"channels": 16}), "another network"),
        (run[1], tiny(design={"preconditioning": "vp", "augment": 0.2}), "another preconditioning"),
        (run[1], tiny(ema=[7]), "averages over"),
    ):
        with pytest.raises(ValueError, match=words):
            next(train(settings, resume=path))


def test_a_checkpoint_without_its_state_is_refused(run, tmp_path):
    from safetensors import safe_open

    with safe_open(run[1], framework="pt") as file:
        kept = {name: file.get_tensor(name) for name in list(file.keys()) if name.startswith("ema0/")}
        metadata = file.metadata()
    save_file(kept, tmp_path / "no.safetensors", metadata=metadata)
    with pytest.raises(ValueError, match="cannot be continued from"):
        train(tiny(), resume=tmp_path / "no.safetensors")


def test_a_disk_that_is_full_is_told_and_leaves_nothing_behind(run, tmp_path, monkeypatch):
    write, written = tensors.write, []

    def full(file, content, metadata):
        write(file, dict(list(content.items())[:3]), metadata)
        written.append(file.name)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensors, "write", full)
    with pytest.raises(OSError, match=r"x\.safetensors cannot be written") as caught:
        run[2].save(tmp_path / "x.safetensors")
    assert written
    assert explain(caught.value).reason == "disk"
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_record_forgets_the_ticks_it_repeats(tmp_path):
    for _ in record(train(points()), tmp_path):
        pass
    (tmp_path / "metrics.jsonl").open("a").write('{"images": 10')  # torn by a power cut
    first = sorted((tmp_path / "checkpoints").iterdir())[1]
    for _ in record(train(points(), resume=first), tmp_path):
        pass
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [320, 640]
