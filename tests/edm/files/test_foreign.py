"""A file of another program is told by what is in it, and what is said of it names a way on. Nothing in it runs."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch

import edm
from edm.__main__ import main
from edm.files.foreign import KINDS, READ, foreign
from tests.official import Call, pickled, small

DIFFUSERS = {"conv_in.weight": torch.zeros(2), "down_blocks.0.resnets.0.conv1.weight": torch.zeros(2)}


def saved(value, **options) -> bytes:
    torch.save(value, file := io.BytesIO(), **options)
    return file.getvalue()


def zipped(**members) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return file.getvalue()


def arrays() -> bytes:
    np.savez(file := io.BytesIO(), a=np.zeros(2))
    return file.getvalue()


# (name as people have it, content, kind)
FILES = [
    ("model.onnx", b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x10" + bytes(40), "onnx"),
    ("unnamed.onnx", b"\x08\x07:\x90\x03" + bytes(400), "onnx"),
    ("model.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1, 1), "gguf"),
    ("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "h5"),
    ("model.weights.pkl", b"\x89HDF\r\n\x1a\n" + bytes(64), "h5"),
    ("model.keras", zipped(config_dot_json="{}", model_dot_weights_dot_h5=b"x"), "keras"),
    ("model.pt", lambda: saved({"fc.weight": torch.zeros(2)}), "torch"),
    ("state.pkl", lambda: saved({"fc.weight": torch.zeros(2)}), "torch"),
    ("old.pth", lambda: saved({"a": torch.zeros(2)}, _use_new_zipfile_serialization=False), "old torch"),
    ("script.pt", zipped(a__data_dot_pkl=b"", a__constants_dot_pkl=b"", a__code__a_dot_py=b""), "torchscript"),
    ("epoch=3.ckpt", lambda: saved({"pytorch-lightning_version": "2.1", "state_dict": {}}), "lightning"),
    ("diffusion_pytorch_model.bin", lambda: saved(DIFFUSERS), "diffusers"),
    ("diffusion_pytorch_model.safetensors", lambda: safetensors.torch.save(DIFFUSERS), "diffusers"),
    (
        "model_index.json",
        json.dumps({"_class_name": "DDPMPipeline", "_diffusers_version": "0.3"}).encode(),
        "diffusers",
    ),
    ("weights.safetensors", lambda: safetensors.torch.save({"a": torch.zeros(2)}), "safetensors"),
    ("flax_model.msgpack", b"\x82\xa6params\x81\xa5Dense\x80\xa4step\x01", "msgpack"),
    ("saved_model.pb", b"\x08\x01\x12\x80\x90\x01\x0a\x10" + bytes(50), "tensorflow"),
    ("ckpt-1.index", bytes(60) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "tensorflow"),
    ("model.tflite", b"\x1c\0\0\0TFL3" + bytes(20), "tflite"),
    ("edm.pkl.gz", b"\x1f\x8b\x08\0", "compressed"),
    ("all.tar", b"a".ljust(257, b"\0") + b"ustar\0" + bytes(300), "archive"),
    ("edm.pkl", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer"),
    ("edm-cifar10.pkl", b"\n<!DOCTYPE html><html>", "page"),
    ("nothing.pkl", b"", "empty"),
    ("images.zip", zipped(cat__1_dot_png=b"x"), "zip"),
    ("half.zip", zipped(cat__1_dot_png=b"x")[:40], "zip"),
    ("fid.npz", arrays, "arrays"),
    ("samples.png", b"\x89PNG\r\n\x1a\n" + bytes(20), "picture"),
    ("network.pt", lambda: pickled(small), "pickle"),
]


@pytest.mark.parametrize(("name", "content", "kind"), FILES, ids=[name for name, *_ in FILES])
def test_every_kind_is_told_by_its_content_with_its_remedy(tmp_path, capsys, name, content, kind):
    path = tmp_path / name
    path.write_bytes(content() if callable(content) else content)
    assert foreign(path) == KINDS[kind]
    (tmp_path / "out.safetensors").touch()
    if kind == "pickle":
        assert main(["convert", str(path), "--out", str(tmp_path / "made.safetensors")]) == 0
    else:
        # its kind is said before that there is such a file already
        assert main(["convert", str(path), "--out", str(tmp_path / "out.safetensors")]) == 2
        assert f"{path} cannot be converted: it is {KINDS[kind].what}; {KINDS[kind].remedy}" in capsys.readouterr().err
    for ask in (lambda: edm.load(path), lambda: edm.models.register(path)):
        with pytest.raises(ValueError, match=r"ours|cannot be used") as refused:
            ask()
        assert KINDS[kind].remedy in str(refused.value)


FOLDERS = {
    "diffusers": {"model_index.json": "{}"},
    "tensorflow": {"saved_model.pb": ""},
    "msgpack": {"_METADATA": "{}"},
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders_have_kinds_too(tmp_path, capsys, kind):
    for name, text in FOLDERS[kind].items():
        (tmp_path / name).write_text(text)
    for command in (["convert", str(tmp_path)], ["sample", "--model", str(tmp_path)]):
        assert main(command) == 2
        assert KINDS[kind].remedy in capsys.readouterr().err


def test_a_part_of_diffusers_is_known_by_its_settings(tmp_path):
    (tmp_path / "config.json").write_text('{"_class_name": "UNet2DModel"}')
    assert foreign(tmp_path) == KINDS["diffusers"]


def test_a_run_is_exported_and_not_converted(tmp_path, capsys):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "config.json").write_text("{}")
    assert main(["convert", str(tmp_path)]) == 2
    assert "python -m edm export" in capsys.readouterr().err


def test_whoever_samples_a_published_pickle_is_told_of_convert(tmp_path, capsys):
    path = tmp_path / "edm-cifar10-32x32-cond-vp.pkl"
    path.write_bytes(pickle.dumps({"ema": 1}))
    for command in (["sample", "--model", str(path)], ["evaluate", str(path)], ["info", str(path)]):
        assert main(command) == 2
        assert "python -m edm convert" in capsys.readouterr().err
    with pytest.raises(ValueError, match="python -m edm convert"):
        edm.models.load("edm-cifar10-32x32-cond-vp.pkl")


def test_the_remedy_is_told_however_many_models_are_known(monkeypatch):
    monkeypatch.setattr(edm.models, "names", lambda: ["run-digits_00000000256"] * 90)
    with pytest.raises(ValueError, match=r"python -m edm convert .* there are run-digits"):
        edm.models.load("edm-cifar10-32x32-cond-vp.pkl")


@pytest.mark.parametrize("kind", KINDS)
def test_no_refusal_to_convert_is_longer_than_anybody_reads(kind):
    assert len(f" cannot be converted: {KINDS[kind].sentence}. This reads {READ}") < 400


def test_a_file_of_ours_is_none_of_these(tmp_path):
    assert all(foreign(path) is None for path in edm.models.FOLDER.glob("*.safetensors"))
    path = tmp_path / "half.safetensors"
    path.write_bytes((edm.models.FOLDER / "spiral_mlp.safetensors").read_bytes()[:900])
    assert foreign(path) is None


def test_looking_at_a_file_runs_nothing(tmp_path):
    path = tmp_path / "weights.pt"
    mark = tmp_path / "ran"
    path.write_bytes(zipped(archive__data_dot_pkl=pickled(lambda: Call(exec, f"open({str(mark)!r}, 'w')"))))
    assert foreign(path) == KINDS["torch"]
    with pytest.raises(ValueError, match=r"torch\.save"):
        edm.load(path)
    assert not mark.exists()
