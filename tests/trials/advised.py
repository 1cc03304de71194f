"""Trained with what `edm.data.advice` says, and with the defaults of the page's form: as many images, the same seeds.

    python -m tests.trials advice                 # five sets, the table of README
    python -m tests.trials.advised FOLDER         # only writes the three sets that somebody could have brought

`glyphs`: letters of 16×16 pixels, turned and scaled. `stickers`: small emoji on a wide white ground. `tracks.csv`: two
thousand points of walks through a town, in degrees, as a receiver writes them.
"""

from __future__ import annotations

import string
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import edm
from app.training.recipes import recipe
from edm.base.flat import unflatten
from edm.data import emoji
from edm.data.advising import source_of
from edm.data.settings import Data
from edm.evaluation import evaluate
from edm.training.loop import train
from edm.training.settings import Training

SEEDS = (0, 1)
IMAGES = {"points": 400_000, "digits": 16_000, "images": 6_000}  # that each run sees: a minute or less of one core
STEPS = {1: 18, 3: 12}
SAMPLES = {1: 4000, 3: 500}


def glyphs(folder: Path, count=1500):
    """Grey letters on white."""
    random, font = np.random.default_rng(1), ImageFont.load_default(size=40)
    folder.mkdir(parents=True)
    for k in range(count):
        large = Image.new("L", (64, 64), 255)
        letter = str(random.choice(list(string.ascii_uppercase)))
        ImageDraw.Draw(large).text((32, 32), letter, fill=int(random.integers(0, 90)), font=font, anchor="mm")
        turned = large.rotate(float(random.normal(0, 12)), fillcolor=255, resample=Image.Resampling.BICUBIC)
        side = int(64 / random.uniform(0.85, 1.25))
        low = (64 - side) // 2
        turned.crop((low, low, low + side, low + side)).resize((16, 16)).save(folder / f"{k:04}.png")


def stickers(folder: Path, count=1500):
    """Colour on white, of which most of each picture is."""
    random, known = np.random.default_rng(2), emoji.read()
    folder.mkdir(parents=True)
    for k in range(count):
        chosen = known.images[random.integers(len(known.images))].transpose(1, 2, 0)
        side, page = int(random.integers(7, 11)), Image.new("RGB", (16, 16), "white")
        page.paste(Image.fromarray(chosen).resize((side, side)), tuple(map(int, random.integers(0, 17 - side, 2))))
        page.save(folder / f"{k:04}.png")


def tracks(path: Path, count=2000):
    """Degrees of latitude and longitude, to 10⁻⁵: along streets, which are narrow."""
    random = np.random.default_rng(3)
    corners = np.array([47.37, 8.54]) + random.uniform(-0.02, 0.02, (9, 2)) * [1, 3]
    legs = random.integers(len(corners), size=count)
    along = random.uniform(size=(count, 1))
    places = corners[legs] + along * (corners[(legs + 1) % len(corners)] - corners[legs])
    rows = places + random.normal(0, 1.5e-4, (count, 2))
    path.write_text("lat,lon\n" + "".join(f"{lat:.5f},{lon:.5f}\n" for lat, lon in rows))


def write(folder: Path):
    """The three sets that somebody could have brought."""
    folder.mkdir(parents=True, exist_ok=True)
    glyphs(folder / "glyphs")
    stickers(folder / "stickers")
    tracks(folder / "tracks.csv")


def sets(folder: Path) -> dict[str, dict]:
    """Name -> `edm.data.settings.Data`, as a document."""
    write(folder)
    return {
        "digits": {"dataset": "digits"},
        "glyphs": {"dataset": "folder", "path": str(folder / "glyphs"), "greyscale": True},
        "stickers": {"dataset": "folder", "path": str(folder / "stickers")},
        "spiral": {"dataset": "spiral"},
        "tracks": {"dataset": "points", "path": str(folder / "tracks.csv")},
    }


def settings_of(data: dict, seed: int, **design) -> Training:
    """What the page's form makes of the data, but for the design."""
    shape = source_of(Data.parse(data)).shape
    kind = "points" if len(shape) == 1 else "digits" if shape[-1] <= 12 else "images"
    made = unflatten(recipe(shape, "small", "edm") | design, Training)
    images = IMAGES[kind]
    length = {"images": images, "tick": images, "checkpoint": images, "lr_ramp": images / 10}
    length |= {"ema": (images / 10,), "ema_ramp": None}  # long, since what ends so soon ends somewhere by chance
    length |= {"lr": 3e-3} if kind == "images" else {}  # as of digits: 1e-3 is for runs of ten times the length
    quiet = {"samples": 1, "validation": 16, "precision": "fp32"}
    return Training.parse({**made, **length, **quiet, "data": data, "seed": seed})


def trained(settings: Training):
    """The denoiser that it ends with."""
    state = None
    for event in train(settings):
        state = getattr(event, "state", state)
    return state.denoisers()[0]


def distance(denoiser, settings: Training, **sampling) -> float:
    dims = len(denoiser.shape)
    found = edm.last(evaluate(denoiser, settings.data, edm.Sampling(steps=STEPS[dims], **sampling), SAMPLES[dims]))
    return found.distance


def advice(folder, dice, names=()):
    """Distances to the data: with the defaults, with the advised p_train, and then over the advised σ, too."""
    yield f"{'set':9} {'P_mean, P_std':24} {'distances of both seeds: defaults':36} {'advised p_train':22} and σ"
    for name, data in sets(folder).items():
        if names and name not in names:
            continue
        said = edm.data.advice(Data.parse(data))
        wanted = {"P_mean": said.P_mean, "P_std": said.P_std}
        over = {"sigma_min": said.sigma_min, "sigma_max": said.sigma_max}
        found: list[list[float]] = [[], [], []]
        for seed in SEEDS:
            plain, told = settings_of(data, seed), settings_of(data, seed, **wanted)
            found[0].append(distance(trained(plain), plain))
            learned = trained(told)
            found[1].append(distance(learned, told))
            found[2].append(distance(learned, told, **over))
        design = plain.design
        numbers = f"{design.P_mean:g}, {design.P_std:g} → {said.P_mean:g}, {said.P_std:g}"
        columns = [" ".join(f"{value:.4g}" for value in column) for column in found]
        yield f"{name:9} {numbers:24} {columns[0]:36} {columns[1]:22} {columns[2]}; σ {over}"
        assert all(np.isfinite(column).all() for column in map(np.array, found))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
