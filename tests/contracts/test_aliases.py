"""Names as people use them are taken wherever a choice is made, and written as the entry's own."""

import json

import numpy as np
import pytest

import edm
from app.tabs.links import opened_from
from edm.__main__ import main
from edm.base.aliases import aliases, meaning
from edm.base.fields import SettingsError, registries
from edm.diagnostics import NAMES, Axis, Sweep
from edm.experiments.experiment import Experiment
from edm.objective import Design
from edm.sampling.settings import Sampling
from edm.timesteps import sigmas

FIELDS = {(kind, name): entries for kind in (Sampling, Design) for name, entries in registries(kind).items()}
CALLED = [(kind, name, own, alias) for (kind, name), entries in FIELDS.items() for own, alias in aliases(entries)]


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_no_other_name_is_an_entrys_own_or_stands_for_two(kind, name):
    entries = FIELDS[kind, name]
    found = [alias.name for _, alias in aliases(entries)]
    assert len({*found, *entries}) == len(found) + len(entries)
    assert all(meaning(entries, one).alias is not None for one in found)  # written as it is looked for


@pytest.mark.parametrize(("kind", "name", "own", "alias"), CALLED)
def test_every_other_name_is_read_as_the_entrys_own_with_what_it_implies(kind, name, own, alias):
    said = alias.name.replace("_", "-").capitalize()
    meant = kind(**{name: own, **alias.usual, **alias.sets})
    assert kind(**{name: alias.name}) == kind(**{name: said}) == kind().changed(**{name: said}) == meant
    assert kind.parse(json.dumps(meant.document())) == meant and getattr(meant, name) == own
    if alias.title:
        names = NAMES[alias.name]
        assert {**names.sampling, **names.design}[name] == own


def test_an_entrys_own_name_may_be_written_as_people_write_it():
    assert Sampling(solver="DPM++ 2M").solver == "dpmpp_2m" and Sampling(discretization="VP").discretization == "vp"
    for wrong in ("None", "none such"):
        with pytest.raises(SettingsError, match=r"scaling = .*must be one of"):
            Sampling(scaling=wrong)


@pytest.mark.parametrize(
    ("name", "even"),
    [
        ("uniform", lambda levels: levels),
        ("log_uniform", np.log),
        ("exponential", np.log),
        ("log_snr", lambda levels: -2 * np.log(levels)),
        ("kl_optimal", np.arctan),
        ("karras", lambda levels: levels ** (1 / 7)),
    ],
)
def test_levels_are_even_in_what_the_name_says(name, even):
    levels = sigmas(Sampling(discretization=name, steps=9, sigma_min=0.01, sigma_max=50.0)).numpy()[:-1]
    steps = np.diff(even(levels))
    assert levels[0] == 50 and np.allclose(steps, steps[0], rtol=1e-9)


def test_what_does_not_go_with_a_name_is_told_and_what_it_only_usually_has_is_taken():
    with pytest.raises(
        SettingsError, match=r"discretization = 'uniform': is 'edm' with rho = 1.0, and rho = 5 is given"
    ):
        Sampling(discretization="uniform", rho=5)
    assert Sampling(discretization="karras", rho=5).rho == 5
    assert Sampling(rho=5).changed(discretization="uniform").rho == 1
    assert Design(noise="logit_normal", P_std=0.7).document() == {"P_mean": 0.0, "P_std": 0.7}


@pytest.mark.parametrize(
    ("field", "said", "near"),
    [
        ("discretization", "karas", "did you mean 'karras', which is 'edm'"),
        ("discretization", "log_unifrom", "'log_uniform', which is 've'"),
        ("solver", "dpmpp_2n", "did you mean 'dpmpp_2"),
        ("schedule", "xyz", r"'flow'$"),
    ],
)
def test_an_unknown_name_gets_those_that_are_near(field, said, near):
    with pytest.raises(SettingsError, match=near):
        Sampling(**{field: said})


def test_links_pictures_and_the_command_line_take_them(tmp_path):
    opened = opened_from({"discretization": "uniform", "solver": "midpoint", "scaling": "edm"})
    sampling = opened["values"]["sampling"]
    chosen = [sampling[name] for name in ("discretization", "rho", "solver", "alpha", "scaling")]
    assert chosen == ["edm", 1.0, "heun", 0.5, "none"] and opened["notice"] is None
    out = tmp_path / "a.png"
    assert (
        main(["sample", "--preset=designs/edm", "--discretization=uniform", "--steps=2", "--count=4", f"--out={out}"])
        == 0
    )
    assert edm.render.read_document(out)["sampling"]["rho"] == 1


def test_a_sweep_over_such_names_gives_each_cell_what_its_name_implies():
    base = Experiment(sampling={"rho": 3.0})
    sweep = Sweep(base, Axis.parse("discretization", "uniform, exponential, edm"), Axis.parse("steps", "2"))
    assert [sweep.experiment_at(0, k).sampling.rho for k in range(3)] == [1, 3, 3]
    assert [sweep.experiment_at(0, k).sampling.discretization for k in range(3)] == ["edm", "ve", "edm"]
    both = Sweep(base, Axis.parse("discretization", "uniform"), Axis.parse("rho", "5"))
    with pytest.raises(SettingsError, match="leave one of them out"):
        both.experiment_at(0, 0)
