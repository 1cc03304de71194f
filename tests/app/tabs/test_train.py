"""What the Train tab makes of a form, and of a runs folder that changes under it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.tabs import controls
from app.tabs.links import opened_from
from app.training import board, datasets, film, form, recipes
from app.training.recipes import COLUMNS, SIZES
from app.uploads import sets
from app.visitors.room import Room, Visitor
from edm import models, runs
from edm.base.fields import SettingsError
from edm.data import sources
from edm.runs import places
from edm.training.estimate import Estimate
from tests.app.training import answer, asked, finished
from tests.edm.runs import points

# ---- the form ----


def planned(**values):
    return form.Former("nowhere").plan(values, costs=False).settings


def test_start_alone_trains_digits_with_samples_to_watch():
    settings = planned()
    assert settings.data.dataset == "digits"
    assert settings.design.preconditioning == settings.design.noise == settings.design.weight == "edm"
    assert settings.images // settings.tick >= 10
    assert settings.checkpoint == settings.tick


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


# ---- the list, and models ----


def test_a_look_tells_only_what_changed(tab):
    runs.start(points(), tab.board.folder, "cpu", "one")
    first = answer(tab, "poll")
    assert [row["name"] for row in first["rows"]] == ["one"]
    assert first["live"]
    again = answer(tab, "poll", clock=first["clock"], models=first["models"]["clock"])
    assert (again["rows"], again["order"], again["models"]) == ([], None, None)
    runs.start(points(), tab.board.folder, "cpu", "two")
    tab.board.wake()
    news = answer(tab, "poll", clock=first["clock"])
    assert [row["name"] for row in news["rows"]] == ["two"]
    assert sorted(news["order"]) == ["one", "two"]


def test_what_happens_during_a_look_is_found_by_the_next_one(tab, monkeypatch):
    honest, looks = runs.all_runs, []

    def all_runs(folder):
        looks.append(folder)
        found = honest(folder)
        if len(looks) == 1:  # as late in the look as can be
            runs.start(points(), folder, "cpu", "late")
            tab.board.wake()
        return found

    monkeypatch.setattr(runs, "all_runs", all_runs)
    monkeypatch.setattr(board, "AGE", 1e9)
    assert tab.board.runs() == []
    assert [run.name for run in tab.board.runs()] == ["late"]
    tab.board.runs()
    assert len(looks) == 2, "and one look serves everybody until somebody wakes it"


def test_the_models_of_a_run_come_and_go_everywhere(tab):
    path = finished(tab.board.folder, "learner")
    (path / "checkpoints" / "00000000999.safetensors").write_bytes(b"half of one")
    tab.board.wake()
    tab.board.follow()
    news = answer(tab, "poll")["models"]
    assert news["names"][-1] == "run-learner_640"
    assert {model["family"] for model in news["new"]} == {"run-learner"}
    assert all(model["thumbnail"] for model in news["new"])
    assert "run-learner_640" in news["choices"]["loss"]["models"]["choices"]
    assert models.load("run-learner_640").title == "Run learner"
    runs.delete(path)
    tab.board.wake()
    tab.board.follow()
    assert answer(tab, "poll", models=news["clock"])["models"]["names"] == []
    assert not models.known("run-learner_640")
    assert "run-learner_640" not in json.dumps(controls.choices())


def test_a_closer_look_has_losses_samples_and_the_field(tab):
    finished(tab.board.folder, "learner")
    look = answer(tab, "poll", runs={"learner": None, "gone": None, "../x": None})["runs"]
    assert look["gone"] is look["../x"] is None
    learner = look["learner"]
    assert learner["points"]["images"] == [320, 640]
    assert [frame["images"] for frame in learner["frames"]] == [320, 640]
    assert learner["sample"]["images"] == 640
    assert learner["sample"]["dimension"] == 2
    assert learner["sample"]["field"]["arrows"]
    seen = {"learner": {"cursor": learner["cursor"], "sample": 640}}
    assert "sample" not in answer(tab, "poll", runs=seen)["runs"]["learner"]


def test_samples_are_named_by_run_and_number(tab):
    finished(tab.board.folder, "learner")
    found = answer(tab, "film", run="learner", images=[320, 330, 331])
    assert [frame["images"] for frame in found["frames"]] == [320]
    for run in ("../learner", "", None, "nobody"):
        with pytest.raises(ValueError):
            answer(tab, "film", run=run, images=[320])
    with pytest.raises((TypeError, ValueError)):
        answer(tab, "film", run="learner", images=["../../etc/passwd"])


def test_the_first_picture_of_a_grid_is_a_thumbnail(tmp_path):
    from edm.files.render import grid

    images = np.linspace(-1, 1, 3 * 64, dtype=np.float32).reshape(3, 1, 8, 8)
    for folder in ("samples", "checkpoints"):
        (tmp_path / folder).mkdir()
    grid(images).save(tmp_path / "samples" / "00000000064.png")
    packed = film.thumbnail(tmp_path / "checkpoints" / "x.safetensors", (1, 8, 8))
    assert packed == film.pack.uint8([images[0]])


# ---- who may ----


class Lesson(Room):
    """A classroom in which `who` speaks."""

    def __init__(self, folder):
        super().__init__(folder, password="chalk", classroom=True, teacher_password="red pencil")
        self.who = Visitor("ada", False)

    def visitor(self, request):
        return self.who


def test_students_control_their_own_runs_and_the_teacher_all(tab):
    tab.room = room = Lesson(tab.board.folder)
    (name,) = answer(tab, "act", do="start", values={"data": "spiral", "images": "2000"})["runs"]
    room.who = Visitor("bob", False)
    assert answer(tab, "poll")["locked"] == [name]
    for action in ("stop", "delete", "resume", "pause"):
        with pytest.raises(ValueError, match="somebody else's"):
            answer(tab, "act", do=action, run=name)
    room.who = Visitor("eve (teacher)", True)
    answer(tab, "act", do="stop", run=name)
    assert tab.board.find(name).state == "stopped"


def test_a_student_cannot_name_a_path(tab):
    tab.room = Lesson(tab.board.folder)
    with pytest.raises(ValueError):
        answer(tab, "act", do="start", values={"data": "digits", "dataset": "folder", "path": "/etc"})
    assert tab.board.runs() == []


@pytest.fixture
def secrets(tmp_path):
    """A file and a folder of the server, and what is not there."""
    (tmp_path / "grades.csv").write_text("1,2\n3,4\n")
    (tmp_path / "pictures").mkdir()
    return [("points", "grades.csv"), ("folder", "pictures"), ("points", "nothing.csv"), ("folder", "nothing")]


def said(ask):
    """The sentence of a refusal, or what was answered."""
    try:
        return str(ask())
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("kind", ["classroom", "closed"])
def test_nobody_learns_from_a_plan_or_a_start_what_the_server_has(tab, tmp_path, secrets, kind, monkeypatch):
    tab.room = Lesson(tab.board.folder) if kind == "classroom" else Room(tab.board.folder, local=False, password="x")
    honest = sources.open_source
    monkeypatch.setattr(sources, "open_source", lambda data: pytest.fail("looked for") if data.path else honest(data))
    answers = set()
    for dataset, name in secrets:
        values = {"data": "spiral", "dataset": dataset, "path": str(tmp_path / name), "images": "2000"}
        answers.add(said(lambda values=values: asked(tab, "plan", values=values)))
        started = said(lambda values=values: asked(tab, "act", do="start", values=values))
        assert "paths" in started
    assert len(answers) == 1 and "no paths can be given" in answers.pop()
    assert "downloaded" in said(
        lambda: asked(tab, "plan", values={"data": "spiral", "dataset": "mnist", "download": "true"})
    )
    assert tab.board.runs() == []


def test_on_one_s_own_machine_a_plan_may_name_a_path(tab, tmp_path, secrets):
    values = {"data": "spiral", "dataset": "points", "path": str(tmp_path / "grades.csv"), "images": "2000"}
    *_, (text, ended) = asked(tab, "plan", values=values)
    assert ended and json.loads(text)["values"]["path"] == values["path"]


@pytest.mark.parametrize("changes", [{"path": "X"}, {"dataset": "points", "path": "X"}, {"data": {"path": "X"}}])
def test_resuming_names_no_path_either(tab, tmp_path, secrets, changes):
    tab.room = Lesson(tab.board.folder)
    (name,) = answer(tab, "act", do="start", values={"data": "spiral", "images": "2000"})["runs"]
    answer(tab, "act", do="stop", run=name)
    config = (tab.board.folder / name / "config.json").read_bytes()
    answers = set()
    for _, file in secrets:
        given = json.loads(json.dumps(changes).replace("X", str(tmp_path / file)))
        message = {"do": "resume", "run": name, "changes": given}
        answers.add(said(lambda message=message: asked(tab, "act", **message)).replace(str(tmp_path / file), "X"))
    assert len(answers) == 1, answers
    assert tab.board.find(name).state == "stopped"
    assert (tab.board.folder / name / "config.json").read_bytes() == config


@pytest.mark.parametrize(
    "message", [{"do": "explode", "run": "x"}, {"do": "stop", "run": "../x"}, {"do": "stop", "run": 3}]
)
def test_what_cannot_be_done_gets_a_sentence(tab, message):
    with pytest.raises(ValueError, match=" "):
        answer(tab, "act", **message)


def test_the_address_brings_the_tab_back():
    opened = opened_from({"tab": "train", "train.runs": "a,b", "train.size": "large", "seed": "4"})
    assert opened["show"] == {"tab": "train", "name": "train", "values": {"runs": "a,b", "size": "large"}}
    assert opened["values"]["sampling"]["seed"] == 4
    assert opened["notice"] is None


def test_settings_error_names_fields():
    with pytest.raises(SettingsError) as refused:
        form.Former("nowhere").plan(["no", "mapping"])
    assert "names and values" in str(refused.value)
