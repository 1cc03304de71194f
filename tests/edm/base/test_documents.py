"""Documents from outside: plain data is read, and all else is refused in a sentence that says where it stood."""

import json
import resource
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import edm
from edm import checkpoints, presets, render
from edm.__main__ import main
from edm.base import documents, errors, flat, settings_files
from edm.base.errors import Refused
from edm.base.fields import Settings, SettingsError
from edm.data import points
from edm.experiments.experiment import Experiment

DEEP = "[" * 100_000
DEEP_MAPPINGS = '{"a":' * 100_000
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (DEEP, "nested too deeply"),
        (DEEP_MAPPINGS, "nested too deeply"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
        ('{"a": [1, ', "not valid JSON"),
        ("9" * 100_000, "a number of 100000 digits"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        (r'{"a": "\ud800"}', "half a letter"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"\xc3(", "not text"),
        (" " * (documents.MAX_JSON + 1), "too large"),
    ],
    ids=lambda text: str(text)[:12],
)
def test_json_that_is_no_plain_data_is_refused(text, words):
    with pytest.raises(Refused, match=words) as refused:
        documents.from_json(text, "the letter")
    assert str(refused.value).startswith("the letter") and len(str(refused.value)) < 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_every_encoding_that_says_so(encoding):
    text = '{"σ": [1, 2.5, null, true, Infinity, -1e999]}'
    assert documents.from_json(text.encode(encoding), "x") == {"σ": [1, 2.5, None, True, "Infinity", -float("inf")]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (DEEP, "nested too deeply"),
        ("- " * 50_000, "nested too deeply"),
        ("? " * 50_000, "nested too deeply"),
        (LAUGHS, "alias"),
        ("a: !!python/object/apply:os.system [ls]", "tag"),
        ('a: !!int ""', "tag"),
        ("a: 1\na: 2", "'a' is there twice"),
        ("1: 2", "no text"),
        ("a: 0x" + "f" * 10_000, "a number of 10,002 digits"),
        ("a: " + "9" * 100_000, "a number of 100,000 digits"),
        ("x" * (settings_files.MAX_BYTES + 1), "too large"),
    ],
    ids=lambda text: str(text)[:12],
)
def test_yaml_that_is_no_plain_data_is_refused_at_once(text, words):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused, match=words) as refused:
        settings_files.from_yaml(text, "the letter")
    assert len(str(refused.value)) < 300
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_date_is_text():
    assert settings_files.from_yaml("a: 2020-99-99\nb: 1:30", "x") == {"a": "2020-99-99", "b": 90}


ODD = ["[1, 2]", '"model"', "null", "3", DEEP, DEEP_MAPPINGS, '{"model": "spi', '{"self": 1}', '{"a": {"self": 1}}']


@pytest.mark.parametrize("content", ODD, ids=lambda text: text[:12])
@pytest.mark.parametrize("ending", [".png", ".PNG", ".json", ".JSON", ".yaml", ".settings"])
def test_what_is_no_settings_is_refused_with_the_name_of_the_file(tmp_path, capsys, content, ending):
    path = tmp_path / f"odd{ending}"
    written(path, content)
    assert main(["sample", f"--config={path}", "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and len(said) < 1000
    assert "odd" in said or "self" in said or "a = " in said


def written(path, text):
    if path.suffix.lower() == ".png":
        about = PngImagePlugin.PngInfo()
        about.add_itxt("edm", text)
        Image.new("L", (1, 1)).save(path, "PNG", pnginfo=about)
    else:
        path.write_text(text)


@pytest.mark.parametrize("ending", [".PNG", ".Json", ".yml"])
@pytest.mark.parametrize("document", [{"model": "spiral", "steps": 9}, {"model": "spiral", "sampling": {"steps": 9}}])
def test_settings_are_read_whatever_the_case_of_the_ending_and_flat_or_in_groups(tmp_path, capsys, ending, document):
    path = tmp_path / f"mine{ending}"
    written(path, json.dumps(document))
    assert main(["sample", f"--config={path}", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": "spiral", "sampling": {"steps": 9}}
    if ending == ".PNG":
        assert main(["info", str(path)]) == 0
        assert json.loads(capsys.readouterr().out) == document


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_settings_that_powershell_has_written_are_read(tmp_path, capsys, encoding):
    path = tmp_path / "mine.json"
    path.write_text('{"model": "spiral"}\r\n', encoding)
    assert main(["sample", f"--config={path}", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": "spiral"}


def test_a_field_that_is_given_twice_is_refused():
    with pytest.raises(Refused, match=r"steps is given twice, by itself and in sampling"):
        flat.unflatten({"steps": 3, "sampling": {"steps": 4}}, edm.Experiment)
    with pytest.raises(Refused, match="sampling = '1': must be names and values"):
        flat.unflatten({"steps": 3, "sampling": "1"}, edm.Experiment)
    given = {"sampling": {"rho": 5}}
    assert flat.unflatten({"steps": 3, **given}, edm.Experiment) == {"sampling": {"rho": 5, "steps": 3}}
    assert given == {"sampling": {"rho": 5}}


def test_a_model_file_whose_settings_are_nested_deeply_is_refused(tmp_path):
    from safetensors.numpy import save_file

    for text in (DEEP, DEEP_MAPPINGS, "null", '{"self": 1}'):
        save_file({"a": np.zeros(1)}, tmp_path / "odd.safetensors", {"edm": text})
        with pytest.raises(Refused, match=r"odd\.safetensors"):
            checkpoints.read_header(tmp_path / "odd.safetensors")


def test_an_array_whose_header_is_a_nest_of_brackets_is_refused(tmp_path):
    for header in (b"[" * 900, b"(" * 9000, b"-" * 9000 + b"1"):
        (tmp_path / "odd.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        with pytest.raises(Refused, match=r"odd\.npy is not a whole \.npy file"):
            points.read(tmp_path / "odd.npy")


def test_points_with_a_number_of_hundreds_of_digits_are_refused():
    with pytest.raises(Refused, match="the drawing does not hold points"):
        points.checked([[10**400, 1]], "the drawing")


@pytest.mark.parametrize("name", ["a" * 300, "figures/" + "a" * 300, "../designs/vp", "", "figure3/x", "\0"])
def test_a_preset_that_is_none_is_refused_whatever_its_name(name):
    with pytest.raises(Refused, match="no preset"):
        presets.figure(name)


# ---- sentences ----


def test_no_sentence_is_longer_than_anybody_reads():
    for values in (
        {"model": "a" * 5000},
        {str(k): [[1] * 9000] for k in range(2000)},
        {"points": [["x"]] * 5000},
    ):
        with pytest.raises(SettingsError) as refused:
            Experiment.parse(values)
        assert len(str(refused.value)) <= errors.LONGEST
    assert str(Refused("a\x1b[2Jb\n\n c" + "d" * 9000)) == "a�[2Jb c" + "d" * (errors.LONGEST - 9) + "…"


def test_a_value_is_shown_in_a_few_letters_and_in_no_time():
    assert errors.shown(10**100_000) == "a number of some 99657 digits"
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    for value in (nested, "a" * 10**6, [1] * 10**6, {k: k for k in range(10**5)}, b"a" * 10**6):
        assert len(errors.shown(value)) <= 60
    while nested:
        nested = nested.pop()


def test_a_defect_within_a_validator_is_not_taken_for_a_mistake_of_the_user():
    from pydantic import model_validator

    class Odd(Settings):
        size: int = 1

        @model_validator(mode="after")
        def _defective(self):
            if self.size == 2:
                raise ValueError("of the program's making")
            if self.size == 3:
                raise Refused("size = 3: is refused")
            return self

    with pytest.raises(ValueError, match="of the program's making") as found:
        Odd(size=2)
    assert not isinstance(found.value, Refused)
    with pytest.raises(SettingsError, match=r"^size = 3: is refused$"):
        Odd(size=3)


@pytest.mark.parametrize("shown", [False, True])
def test_a_defect_on_the_command_line_is_a_sentence_with_the_place_of_its_traceback(
    monkeypatch, capsys, shown, tmp_path
):
    import tempfile

    def broken(*_):
        raise ValueError("of the program's making")

    monkeypatch.setattr(render, "read_document", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("EDM_TRACEBACK", "1" if shown else "")
    (picture := tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert main(["info", str(picture)]) == 1
    said = capsys.readouterr().err
    assert "an error of the program, ValueError: of the program's making" in said
    assert ("Traceback" in said) is shown
    logs = list(tmp_path.glob("edm-*.log"))
    assert len(logs) == (not shown)
    assert all("Traceback" in log.read_text() and str(log) in said for log in logs)
