"""Server and page speak by one schema: what it says is what the server sends, and what the page's types are made of."""

import base64
import json
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter, ValidationError

from app import schema
from app.instruments import INSTRUMENTS
from app.messages.boot import Boot
from app.messages.models import Model
from app.tabs import TABS, classes, controls, opening
from app.visitors.room import Sender
from app.work.tickets import Ticket
from edm import lessons, models
from edm.base.errors import Refused
from tests import loop
from tests.app.conftest import TEACHER
from tests.app.training import finished
from tests.app.visitors.rooms import inside, opened
from tests.checked import Checked, strict
from tests.fuzz.asked import MESSAGES


@pytest.fixture
def said(tab):
    """said(event, how many answers, **message): what a checked server sends."""
    asked = {name: one for one in opening.asked() for name in one.events}

    def answers(event, most=2, **message):
        read = strict(asked[event].events[event].message).read({"serial": 1, **message})
        serve = Checked(asked[event]).serve(tab.house)
        return loop.items(serve(event, read, Ticket(), SimpleNamespace(username=None)), most)

    return answers


def test_the_types_of_the_page_s_scripts_are_those_of_the_server():
    assert schema.PLACE.read_text(encoding="utf-8") == schema.declarations(), "run `python -m app.schema`"


@pytest.mark.parametrize("name", ["eight_gaussians", "two_diracs", "drawn", "digits", "digits_edm", "two_moons_mlp"])
def test_a_model_is_described_as_declared(name):
    described = TypeAdapter(Model).validate_json(json.dumps(controls.described(models.load(name))))
    assert (described.name, tuple(described.shape)) == (name, models.load(name).shape)


def test_what_a_page_knows_from_the_start_is_as_declared(tab):
    text = json.dumps(opening.boot(tab.house))
    TypeAdapter(Boot).validate_json(text)
    assert [one["name"] for one in json.loads(text)["tabs"]] == ["sampler", "loss", "compare", "train"]


@pytest.mark.parametrize(
    "query",
    ["", "?pin.steps=4&view.field=on&rho=x", "?show=race", "?tab=train&train.size=large", "?lesson=steps&step=2"],
)
def test_what_a_page_is_told_when_it_opens_is_as_declared(said, query):
    (told,) = said("open", query=query)
    show = json.loads(told)["body"]["show"]
    assert (show["name"] if show else "") in query


PICTURES = [
    {"model": "eight_gaussians", "steps": "4", "count": "9"},
    {"model": "two_diracs", "steps": "4"},
    {"model": "digits_edm", "steps": "3", "count": "2"},
    {"model": "drawn", "points": "0,0;1,1", "steps": "3", "S_churn": "4"},
]


@pytest.mark.parametrize("values", PICTURES, ids=lambda values: values["model"])
def test_pictures_and_measures_are_as_declared(said, values):
    assert said("ask", 50, values=values, field={"aspect": 1.5, "follow": True})
    assert said("measure", values=values)
    if values["model"] != "digits_edm":
        assert said("probe", values=values, level=1, position=[0.1] * (1 + (values["model"] != "two_diracs")))


def test_what_is_found_better_is_as_declared(said):
    values = {"model": "two_moons", "steps": "2", "count": "9"}
    (told,) = said("rivals", values=values)
    assert json.loads(told)["body"]["best"]["evaluations"] == 3
    *_, told = said("levels", 1000, values=values)
    assert len(json.loads(told)["body"]["sigmas"]) == 2 and json.loads(told)["finished"]
    (told,) = said("steps", values=values, evaluations=36)
    assert json.loads(told)["body"] == {"steps": 18}


def test_what_is_taken_away_and_what_is_dropped_are_as_declared(said):
    (told,) = said("take", values={"model": "two_diracs", "steps": "3"}, form="svg", look="dark")
    assert base64.b64decode(json.loads(told)["body"]["content"]).startswith(b"<svg")
    (told,) = said("drop", settings='{"show": "race", "yours": {"steps": "7"}}')
    assert json.loads(told)["body"]["show"]["name"] == "race"


def test_a_lesson_and_what_comes_of_it_are_as_declared(said):
    (told,) = said("lesson", name="steps")
    step = json.loads(told)["body"]["steps"][0]
    (told,) = said("reveal", step=step, values={"model": "spiral", "steps": "5", "count": "20"})
    assert json.loads(told)["body"]["right"] == [1]


def test_what_explains_the_page_is_as_declared(said):
    (told,) = said("glossary")
    assert {"σ", "ρ", "D(x; σ)"} < {one["symbol"] for one in json.loads(told)["body"]["symbols"]}
    (told,) = said("sheet", name="race")
    assert json.loads(told)["body"]["title"] == "The race"
    with pytest.raises(Refused, match="no sheet about 'nothing'"):
        said("sheet", name="nothing")


def test_what_a_lesson_s_author_is_told_is_as_declared(said):
    draft = {"title": "x", "steps": [{"text": "y"}]}
    for lesson in (draft, {"title": ""}):
        assert said("draft", lesson=lesson)
    (told,) = said("share", lesson=draft, page="http://127.0.0.1:7860/")
    assert "--host 0.0.0.0" in json.loads(told)["body"]["sentence"]


def test_what_a_class_is_told_is_as_declared(tab, tmp_path):
    tab.room = opened(tmp_path)
    inside(tab.room, "Kim", TEACHER)
    serve = Checked(classes.Classes()).serve(tab.house)
    events = {name: strict(event.message) for name, event in classes.Classes.events.items()}

    async def told():
        async def ask(event, **message):
            sender = Sender("Kim", None, "desk")
            async for one in serve(event, events[event].read({"serial": 1, **message}), Ticket(), sender):
                return json.loads(one)["body"]
            return None

        step = lessons.load("steps").steps[0]
        place = {"lesson": "steps", "step": 1, "ask": step.ask.document(complete=True)}
        assert await ask("lead", on=True, query="?lesson=steps", **place) == {"counted": True}
        assert await ask("show", do="show", reveal=True) == {"counted": True}
        assert await ask("predict", lesson="steps", step=1, answer=1) == {"counted": False}
        return await ask("class")

    found = loop.run(told())
    assert found["mine"] and found["led"]["query"] == "?lesson=steps" and len(found["tally"]["bars"]) == 2


def test_thumbnails_are_as_declared(said):
    assert len(said("thumbnails", 2, models=["spiral_mlp", "nobody"])) == 2


CHANGED = {
    "lanes": {"nfe": "3"},
    "walk": {"nfe": "3"},
    "sweep": {"x_range": "1,2", "y_range": "0,1"},
    "race": {"limit": "4"},
}
DRAWINGS = [(name, CHANGED.get(name, {})) for name in INSTRUMENTS] + [
    ("churn", {"what": "rounds"}),
    ("churn", {"data": "digits", "steps": "3"}),
    ("oracle", {"model": "digits_edm"}),
    ("lanes", {"lanes": "edm", "denoiser": "own", "data": "digits", "nfe": "1"}),
    ("race", {"measure": "distance", "seeds": "2", "limit": "3"}),
    ("sweep", {"x": "steps", "x_range": "1,2", "y": "none", "measure": "error", "seeds": "2"}),
]


@pytest.mark.parametrize(("instrument", "values"), DRAWINGS, ids=str)
def test_live_figures_are_as_declared(said, instrument, values):
    assert said(instrument, 3, values=values, yours={"steps": "5"})


def test_what_the_train_tab_says_is_as_declared(said, tab):
    finished(tab.board.folder, "learner")
    tab.board.wake()
    (first,) = said("poll", runs={"learner": {"cursor": "", "sample": None}, "gone": None})
    assert json.loads(first)["body"]["runs"]["learner"]["sample"]["x"]
    assert said("film", run="learner", images=[320, 640, 5])
    assert [json.loads(one)["body"]["fields"] for one in said("plan", values={"batch": "x"})] == [["batch"]]
    assert said("plan", 1, values={"data": "spiral"})
    assert said("reading", 1, values={"data": "two_diracs"})
    assert said("act", do="delete", run="learner", token="once")


def test_every_event_is_asked_for_in_one_of_these_tests():
    tried = {"boot", "open", "ask", "askPinned", "measure", "measurePinned", "probe", "thumbnails", *INSTRUMENTS}
    tried |= {"rivals", "levels", "steps", "lesson", "reveal", "draft", "share", "class", "lead", "show", "predict"}
    tried |= {"glossary", "sheet"}
    tried |= {"poll", "film", "plan", "act", "reading", "take", "drop"}
    assert set(schema.events()) == tried
    assert set(MESSAGES) <= tried


@pytest.mark.parametrize("change", [{"more": 1}, {"error": "much"}, {"stochastic": None}])
def test_an_answer_that_is_not_as_declared_is_not_passed(tab, change):
    class Odd:
        events = TABS[0].events

        def serve(self, house):
            body = {"error": None, "distance": None, "floor": None, "stochastic": True, **change}
            return lambda *_: (json.dumps({"finished": True, "body": one}).encode() for one in [body])

    with pytest.raises(ValidationError):
        loop.items(Checked(Odd()).serve(tab.house)("measure", None, None, None))


def test_a_request_with_something_undeclared_is_not_passed(said):
    with pytest.raises(ValueError, match="colour"):
        said("measure", values={}, colour="red")
