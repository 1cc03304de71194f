"""Emoji: what ships, and how it is drawn."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from edm.base.errors import Refused
from edm.base.resources import ASSETS
from edm.data import emoji, sources
from edm.data.emoji import __main__ as drawing
from edm.data.settings import Data

LIST = """# group: Smileys & Emotion
# subgroup: face-smiling
1F600  ; fully-qualified     # 😀 E1.0 grinning face
263A   ; unqualified         # ☺ E0.6 smiling face
# group: People & Body
1F44B 1F3FB ; fully-qualified # 👋🏻 E1.0 waving hand: light skin tone
1F468 200D 1F680 ; fully-qualified # 👨‍🚀 E4.0 man astronaut
# group: Component
1F9B0  ; component           # 🦰 E11.0 red hair
"""


def test_what_ships_is_small_named_and_licensed():
    assert emoji.FILE.stat().st_size < 3e6
    assert "SIL OPEN FONT LICENSE Version 1.1" in (ASSETS / "emoji" / "OFL.txt").read_text()
    known = emoji.read()
    assert known.images.shape == (len(known.names), *emoji.SHAPE) and known.images.dtype == np.uint8
    assert 1800 < len(known.names) == len(set(known.names)) == len(known.labels)
    assert (np.diff(known.labels) >= 0).all() and set(known.labels) == set(range(9))
    of = {name: emoji.CLASSES[label] for name, label in zip(known.names, known.labels, strict=True)}
    assert (of["grinning cat"], of["dolphin"], of["flag: France"]) == ("smileys", "animals and nature", "flags")
    assert not any("skin tone" in name for name in known.names)


def test_each_picture_is_there_once_and_stands_on_white():
    images = emoji.read().images
    assert len({hashlib.sha256(image.tobytes()).digest() for image in images}) == len(images)
    assert (np.median(images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]], axis=0) == 255).all()
    assert (images.min((1, 2, 3)) < 255).all()


def test_the_source_and_the_exact_denoiser_have_the_same_pictures():
    source, exact = sources.open_source(Data(dataset="emoji")), emoji.exact()
    samples, labels = sources.read(source, np.arange(source.size))
    assert torch.equal(samples, exact.points) and torch.equal(labels, exact.labels)
    assert source.names[int((exact.labels == 2).nonzero()[0])] == "monkey face"
    assert sources.spread(source) == pytest.approx(exact.sigma_data, rel=1e-5) == pytest.approx(0.562, abs=0.001)


def test_the_list_gives_single_emoji_without_skin_tones(tmp_path):
    (tmp_path / "list.txt").write_text(LIST, encoding="utf-8")
    assert list(drawing.listed(tmp_path / "list.txt")) == [
        ("smileys", "grinning face", "😀"),
        ("people", "man astronaut", "👨\u200d🚀"),
    ]


def test_a_picture_becomes_its_middle_on_white():
    drawn = Image.new("RGBA", drawing.BOX[2:], (0, 0, 0, 0))
    drawn.paste((255, 0, 0, 255), (4, 0, 68, 64))
    small = drawing.reduced(drawn).astype(int)
    assert small.shape == (32, 32, 3)
    assert (small[:15, :15] == (255, 0, 0)).all() and (small[17:] == 255).all() and (small[:, 17:] == 255).all()


def test_a_sheet_is_read_as_it_was_written_bit_for_bit_the_same_each_time(tmp_path):
    known = emoji.read()
    chosen = np.flatnonzero(np.isin(known.labels, [0, 5]))[::5]
    groups = {group: [known.names[k] for k in chosen if known.labels[k] == n] for n, group in enumerate(emoji.CLASSES)}
    for name in ("one.png", "two.png"):
        drawing.write(tmp_path / name, known.images[chosen].transpose(0, 2, 3, 1), groups)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    again = emoji.read(tmp_path / "one.png")
    assert np.array_equal(again.images, known.images[chosen]) and np.array_equal(again.labels, known.labels[chosen])
    assert again.names == tuple(known.names[k] for k in chosen)


def test_a_font_that_is_none_is_refused_with_what_to_name(tmp_path, capsys):
    (tmp_path / "font.ttf").write_bytes(b"no font")
    with pytest.raises(Refused, match=r"font\.ttf.*Noto Color Emoji"):
        drawing.draw(tmp_path / "font.ttf", emoji.FILE)
    with pytest.raises(SystemExit):
        drawing.main(["--font", str(tmp_path / "none.ttf")])
    assert "Noto Color Emoji" in capsys.readouterr().err
