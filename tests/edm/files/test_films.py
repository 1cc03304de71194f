"""Films and drawings: from noise to data, with their settings inside, whatever their files are called."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import edm
from edm import render, runner
from edm.__main__ import main
from edm.base.errors import Refused
from edm.files import films

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def brief(monkeypatch):
    """Films have few pictures."""
    monkeypatch.setattr(films, "MOMENTS", 10)


def states_of(**settings):
    experiment = edm.Experiment.parse({"count": 30, "sampling": {"steps": 5}, **settings})
    return edm.models.of(experiment), list(runner.states(experiment, "cpu"))


def frames(path):
    with Image.open(path) as film:
        return [np.asarray(film.convert("RGB")) for k in range(film.n_frames) if film.seek(k) is None]


@pytest.mark.parametrize(("name", "ending"), [("a", ".gif"), ("b.GIF.bak", ".gif"), ("c", ".svg"), ("d.jpeg", ".svg")])
@pytest.mark.usefixtures("brief")
def test_what_is_taken_away_opens_again_whatever_it_is_called(tmp_path, capsys, name, ending):
    first, second = tmp_path / f"first{ending}", tmp_path / f"second{ending.upper()}"
    given = ["sample", "--model=two_diracs", "--steps=6", "--count=9", "--dark"]
    assert main([*given, f"--out={first}"]) == 0
    assert render.read_document(first) == {"model": "two_diracs", "count": 9, "sampling": {"steps": 6}}
    renamed = first.rename(tmp_path / name)
    assert main(["sample", f"--config={renamed}", "--dark", f"--out={second}"]) == 0
    assert renamed.read_bytes() == second.read_bytes()
    assert main(["info", str(renamed)]) == 0
    assert "two_diracs" in capsys.readouterr().out


@pytest.mark.usefixtures("brief")
def test_a_film_of_points_goes_from_noise_to_data_evenly_and_is_light_enough_for_slides(tmp_path):
    model, states = states_of(model="eight_gaussians", count=200, sampling={"steps": 12})
    film = films.film(model, states)
    (tmp_path / "film.gif").write_bytes(content := films.gif(film, {}))
    assert len(content) * 45 < 10 * 3_000_000
    shown, seconds = frames(tmp_path / "film.gif"), [stays for _, stays in film]
    assert (len(shown), seconds[-1]) == (films.MOMENTS, films.REST)
    assert set(seconds[:-1]) == {films.SECONDS / films.MOMENTS}
    noise = np.array(films.LOOKS["light"].noise)
    places = [np.argwhere(np.abs(one[: films.SIZE] - noise.astype(int)).sum(2) < 40) for one in shown]
    half = films.SIZE / 2  # at the end the dots are where the samples are: q = x / sigma_data
    expected = half - states[-1].x.numpy()[:, 1] / model.sigma_data / films.WINDOW * half
    assert np.sort(places[-1][:, 0]).mean() == pytest.approx(expected.mean(), abs=4)
    assert np.std(places[-1]) == pytest.approx(half / films.WINDOW, rel=0.15)
    assert not np.array_equal(shown[0], shown[1])


@pytest.mark.parametrize("look", films.LOOKS)
def test_a_film_of_images_shows_each_state_with_its_noise_level(look, tmp_path):
    model, states = states_of(model="digits", count=9)
    film = films.film(model, states, look)
    assert len(film) == len(states)
    last, side = np.asarray(film[-1][0]), 64
    expected = np.repeat(np.repeat(render.to_uint8(states[-1].x[0, 0]), 8, 0), 8, 1)
    np.testing.assert_array_equal(last[4 : 4 + side, 4 : 4 + side, 0], expected)
    assert tuple(last[-1, -1]) == films.LOOKS[look].paper
    words = [np.asarray(picture)[-films.STRIP + 4 :] for picture, _ in film]
    assert all((one != films.LOOKS[look].paper).any() for one in words)
    assert len({one.tobytes() for one in words}) == len(states)


def test_lines_are_drawn_as_they_are(tmp_path):
    model, states = states_of(model="spiral")
    root = ET.fromstring(films.svg(model, states, {"model": "</metadata><script>"}))
    lines = [node.get("points").split() for node in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [6] * 30
    assert [one.split(",") for line in lines for one in line[-1:]] == [
        [node.get("cx"), node.get("cy")] for node in root.iter(f"{SVG}circle")
    ]
    assert {re.sub(r"{.*}", "", node.tag) for node in root.iter()}.isdisjoint({"script", "a", "foreignObject"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model=digits", "--out={}/a.svg"], "'digits' makes images"),
        (["--dark", "--out={}/a.png"], "--dark: "),
        (["--config={}/photo.jpg"], "photo.jpg carries no settings"),
        (["--config={}/photo.jpg"], "has removed them"),
        (["--config={}/stripped.gif"], "has removed them"),
        (["--config={}/stripped.svg"], "has removed them"),
        (["--config={}/sweep.png"], "drop it onto the page"),
    ],
)
def test_what_is_no_picture_of_settings_is_told(tmp_path, capsys, arguments, said):
    blank = Image.new("RGB", (8, 8))
    blank.save(tmp_path / "photo.jpg")
    blank.save(tmp_path / "stripped.gif", comment=b"made with love")
    (tmp_path / "stripped.svg").write_text("<?xml version='1.0'?><svg/>")
    render.save_png(blank, tmp_path / "sweep.png", {"show": "sweep", "values": {}})
    assert main(["sample", *(one.format(tmp_path) for one in arguments)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    "settings",
    [{"model": "drawn", "points": [[9, 9]]}, {"model": "drawn", "points": [[0, 0]]}, {"model": "two_diracs"}],
)
def test_what_lies_outside_of_the_picture_or_nowhere_harms_nobody(settings):
    model, states = states_of(**settings)
    for k, value in ((-1, np.nan), (-2, np.inf), (1, 1e30)):
        states[k] = replace(states[k], x=states[k].x * value)
    assert len(films.gif(films.film(model, states), {})) > 1000
    assert "nan" not in films.svg(model, states, {})


def test_of_very_many_some_are_drawn(monkeypatch):
    for name in ("MOST_IMAGES", "MOST_LINES", "MOST_CORNERS"):
        monkeypatch.setattr(films, name, 4)
    model, states = states_of(model="digits")
    assert films.film(model, states)[0][0].width == 160  # 2 × 2 of them
    lines = re.findall('<polyline points="(.*)"', films.svg(*states_of(model="spiral"), {}))
    assert [len(line.split()) for line in lines] == [4] * 4


def test_there_are_two_looks():
    model, states = states_of(model="two_diracs", count=2)
    with pytest.raises(Refused, match="look = 'sepia'"):
        films.film(model, states, "sepia")


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("ending", [".png", ".gif", ".svg"])
def test_behind_samples_of_a_class_is_the_density_of_that_class_whatever_leads_them(tmp_path, ending):
    out = tmp_path / f"led{ending}"
    given = [
        "--model=two_moons",
        "--label=upper moon",
        "--guidance=free",
        "--guidance_weight=3",
        "--steps=3",
        "--count=1",
    ]
    assert main(["sample", *given, f"--out={out}"]) == 0
    if ending == ".svg":
        (shade,) = re.findall('base64,([^"]*)"', out.read_text())
        last, window = Image.open(io.BytesIO(base64.b64decode(shade))), films.WINDOW
    else:
        with Image.open(out) as image:
            image.seek(getattr(image, "n_frames", 1) - 1)
            last, window = image.convert("RGB"), films.WINDOW
    mixture, model = edm.models.load("two_moons").dataset.labelled, edm.models.load("two_moons")
    half = 1.25 * float(mixture.means.abs().max().clamp(min=1)) if ending == ".png" else window * model.sigma_data
    paper = np.array(last.convert("RGB").getpixel((2, 2)), int)
    size = last.width

    def shaded(part):
        """Of the components of a class: how many lie where something is drawn."""
        places = (mixture.means[mixture.labels == part].numpy() * [1, -1] / half + 1) * size / 2
        colors = np.array([last.convert("RGB").getpixel(tuple(place)) for place in places.astype(int).tolist()], int)
        return float((np.abs(colors - paper).sum(1) > 30).mean())

    assert shaded(0) == 1
    assert shaded(1) < 0.5, "but where the classes meet, or a path goes"
