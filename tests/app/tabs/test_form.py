"""The form of the Train tab: what its values make of a run."""

import json
from dataclasses import replace

import pytest

from app.training import datasets, form, recipes
from app.training.recipes import COLUMNS, SIZES
from app.uploads import sets
from edm import runs
from edm.base.fields import SettingsError
from edm.runs import places, turns
from edm.training.estimate import Estimate
from tests.app.tabs.asking import Lesson
from tests.app.training import answer, asked, finished
from tests.edm.runs import points


def planned(**values):
    return form.Former("nowhere").plan(values, costs=False).settings


def test_start_alone_trains_digits_with_samples_to_watch():
    settings = planned()
    assert settings.data.dataset == "digits"
    assert settings.design.preconditioning == settings.design.noise == settings.design.weight == "edm"
    assert settings.images // settings.tick >= 10
    assert settings.checkpoint == settings.tick


def test_pictures_of_every_size_have_a_network_with_as_many_levels_as_they_can_be_halved_for():
    for side, multipliers in {28: [1, 2, 4], 30: [1, 2], 29: [1], 9: [1], 8: [1, 2], 64: [1, 2, 4, 4]}.items():
        assert recipes.recipe((3, side, side), "small", "edm")["channel_mult"] == multipliers, side


def test_a_recipe_s_attention_follows_multipliers_and_somebody_s_own_must_fit():
    assert planned(data="digits", channel_mult="1").architecture.attention == ()
    assert planned(data="scenes", channel_mult="1,2,2").architecture.attention == (8,)
    with pytest.raises(SettingsError, match=r"attention = \[5\]: no level .* its levels have 8, 4") as error:
        planned(data="digits", attention="5")
    assert error.value.fields == ("attention",)
    with pytest.raises(SettingsError, match="attention"):
        planned(data="digits", attention="8,16")


def test_a_knob_that_was_set_and_changes_nothing_says_so():
    plan = form.Former("nowhere").plan({"data": "spiral", "design": "ve", "P_mean": "-2", "attention": "8"})
    assert set(form.described(plan)["notes"]) == {"P_mean", "attention"}
    assert "the noise distribution 've' has none" in plan.notes["P_mean"]
    assert form.Former("nowhere").plan({"data": "spiral", "design": "ve"}).notes == {}


@pytest.mark.parametrize("data", datasets.names())
def test_every_choice_of_the_form_is_a_training(data):
    for size in SIZES:
        for column in COLUMNS:
            settings = planned(data=data, size=size, design=column, images="5000")
            assert recipes.column_of(settings.design) == column
            assert settings.images == 5000


def test_a_field_that_is_set_by_hand_wins():
    settings = planned(channels="48", channel_mult="1,1", weight="simple")
    assert settings.architecture.channels == 48
    assert settings.architecture.channel_mult == (1, 1)
    assert recipes.column_of(settings.design) == "yours"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"data": "moons"}, "data"),
        ({"data": "own:../../etc"}, "data"),
        ({"batch": "0"}, "batch"),
        ({"minutes": "-1"}, "minutes"),
        ({"minutes": "1e400"}, "minutes"),
        ({"size": "huge"}, "size"),
        ({"design": "ddim"}, "design"),
        ({"name": "../evil"}, "name"),
        ({"P_std": "none of it"}, "P_std"),
        ({"channel_mult": "1;2"}, "channel_mult"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_value_that_cannot_be_gets_a_sentence_at_its_knob(tab, values, field):
    ((text, _),) = asked(tab, "plan", values=values)
    refused = json.loads(text)
    assert refused["fields"] == [field]
    assert len(refused["error"]) > 20


def test_minutes_become_images_by_what_the_machine_can_do(monkeypatch):
    asked = []

    def estimate(settings, device):
        asked.append(settings)
        reports = 5 * (settings.images // settings.tick)
        return Estimate(settings.images / 100 + reports, bytes=1, parameters=2, rate=100)

    monkeypatch.setattr(form, "estimate", estimate)
    former = form.Former("nowhere")
    plan = former.plan({"minutes": "3"})
    assert plan.settings.images == 100 * 3 * 60
    ticks = plan.settings.images // plan.settings.tick
    assert plan.cost.seconds(plan.settings) == pytest.approx(180 + 5 * ticks)
    former.plan({"minutes": "30", "seed": "4", "name": "other"})
    assert len(asked) == 1


def test_a_run_of_minutes_finds_out_itself_how_many_images_they_are_and_one_of_images_is_of_those(monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    former = form.Former("nowhere")
    settings = former.plan({"data": "digits", "minutes": "0.5"}).settings
    assert (settings.minutes, settings.images, settings.early) == (0.5, 3000, True)
    assert settings.lr_ramp == 300  # a tenth of so short a run; by hand it stays what it is
    assert former.plan({"data": "digits", "minutes": "0.5", "lr_ramp": "9000"}).settings.lr_ramp == 9000
    settings = former.plan({"data": "digits", "images": "3000"}).settings
    assert (settings.minutes, settings.images, settings.lr_ramp) == (None, 3000, 3000)
    assert {"minutes", "images"} <= form.NAMES


def test_two_runs_of_minutes_against_each_other_train_in_turns(tab, monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    names = answer(tab, "act", do="contrast", values={"data": "spiral", "minutes": "1"})["runs"]
    settings = [json.loads((tab.board.folder / name / "config.json").read_text()) for name in names]
    assert [one.pop("design")["preconditioning"] for one in settings] == ["vp", "edm"]
    assert settings[0] == settings[1] and settings[0]["minutes"] == 1
    one, other = (tab.board.folder / name for name in names)
    assert turns.partners(one) == [other] and turns.partners(other) == [one]


def test_what_memory_is_for_is_told(monkeypatch):
    parts = {"activations": 8 * 10**9, "weights": 10**9}
    found = Estimate(60.0, 9 * 10**9, 2, 100.0, parts, precision="bf16", why="in which it multiplies")
    monkeypatch.setattr(form, "estimate", lambda *_: found)
    told = form.described(form.Former("nowhere").plan({"data": "spiral"}))
    assert (told["cost"]["precision"], told["cost"]["why"]) == ("bf16", "in which it multiplies")
    assert told["cost"]["parts"] == parts and told["cost"]["bytes"] == 9 * 10**9
    assert told["misfit"] is None


def test_what_such_a_run_has_done_here_counts_more_than_an_estimate(tab, monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    done = finished(tab.board.folder, "done", data={"dataset": "spiral"})
    places.write(
        done / "status.json", places.read(done / "status.json") | {"number": 1, "state": "finished", "rate": 700}
    )
    like = {"data": "spiral", "channels": "16", "blocks": "1", "batch": "64", "minutes": "1"}
    tab.board.wake()
    assert tab.former.plan(like).cost.rate == 700
    assert tab.former.plan(like | {"batch": "32"}).cost.rate == 100


def test_two_runs_against_each_other_differ_in_their_design_only(tab, monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    answer(tab, "act", do="contrast", values={"data": "spiral", "images": "2000", "weight": "edm", "seed": "3"})
    vp, edm = (json.loads((run.folder / "config.json").read_text()) for run in reversed(tab.board.runs()))
    assert (vp.pop("design")["preconditioning"], edm.pop("design")["preconditioning"]) == ("vp", "edm")
    assert vp == edm
    assert vp["seed"] == 3


def test_of_two_runs_against_each_other_none_begins_where_one_may_not(tab, monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    tab.room = Lesson(tab.board.folder)
    values = {"data": "spiral", "images": "2000"}
    with pytest.raises(ValueError, match="1 run at once, and these are 2; start one after the other"):
        answer(tab, "act", do="contrast", values=values)
    assert tab.board.runs() == []
    tab.room.allowance = replace(tab.room.allowance, at_once=3, runs=5)
    assert len(answer(tab, "act", do="contrast", values=values)["runs"]) == 2
    with pytest.raises(ValueError, match="3 runs at once; stop"):
        answer(tab, "act", do="contrast", values=values)
    assert len(answer(tab, "act", do="start", values=values)["runs"]) == 1
    assert len(tab.board.runs()) == 3


def test_if_the_second_cannot_be_started_the_first_does_not_remain(tab, monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    honest, asked = runs.start, []

    def start(settings, *place, **named):
        asked.append(settings)
        if len(asked) == 2:
            raise OSError("No space left on device")
        return honest(settings, *place, **named)

    monkeypatch.setattr(runs, "start", start)
    with pytest.raises(OSError, match="No space left"):
        answer(tab, "act", do="contrast", values={"data": "spiral", "images": "2000"})
    assert len(asked) == 2 and runs.all_runs(tab.board.folder) == []


def test_two_runs_of_which_one_has_a_taken_name_are_refused_together(tab, monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    runs.start(points(), tab.board.folder, "cpu", "edm-mine")
    with pytest.raises(ValueError, match="there is a run 'edm-mine' already"):
        answer(tab, "act", do="contrast", values={"data": "spiral", "images": "2000", "name": "mine"})
    assert [run.name for run in runs.all_runs(tab.board.folder)] == ["edm-mine"]


def test_an_upload_is_named_by_its_id_only(tab):
    drawn = [[0.1 * k, -0.1 * k] for k in range(9)]
    found = datasets.own(sets.intake(drawn, tab.board.folder, title="Nine"))
    settings = tab.former.plan({"data": found.name}, costs=False).settings
    assert settings.data.dataset == "points"
    assert sets.is_ours(settings.data.path, tab.board.folder)
    offered = answer(tab, "poll")["datasets"]
    assert [one["name"] for one in offered["list"]] == [found.name]
    assert answer(tab, "poll", datasets=offered["clock"])["datasets"] is None
