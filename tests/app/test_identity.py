"""What is known of a run or a model never passes to another one that has its name."""

import json

import pytest

import edm
from app.instruments import INSTRUMENTS, Context
from app.training import about
from app.work.measures import Measures
from app.work.numbers import plain
from app.work.pictures import Picture
from app.work.watch import Watch
from edm import models, runner, runs
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from edm.runs import places
from tests.app.training import answer, finished
from tests.app.work import final

NAME = "run-learner_640"


@pytest.fixture
def successor(tab):
    """(tab, a function that puts another run of the same name, with other weights, in the place of the first)."""

    def replace(look=False):
        runs.delete(tab.board.folder / "learner")
        if look:
            follow(tab)
        finished(tab.board.folder, "learner", seed=7)
        follow(tab)

    finished(tab.board.folder, "learner", seed=3)
    follow(tab)
    return tab, replace


def follow(tab):
    tab.board.wake()
    tab.board.follow()


def right(experiment):
    """The samples, from the file that is there now."""
    model = models.load(NAME)
    z, labels = runner.start(experiment)
    return edm.last(edm.sample(edm.load(model.path), z, experiment.sampling, labels)).x.tolist()


@pytest.mark.parametrize("look", [True, False], ids=["seen in between", "not seen in between"])
def test_a_picture_is_that_of_the_model_which_has_the_name_now(successor, look):
    tab, replace = successor
    experiment = Experiment(model=NAME, count=5, sampling={"steps": 3})
    pictures, samples, measures = [], [], []
    for _ in range(2):
        pictures.append(final(Picture(experiment=experiment), tab.work))
        samples.append(plain(experiment, tab.work, Watch())["samples"])
        measures.append(final(Measures(experiment=experiment), tab.work))
        assert samples[-1] == right(experiment)
        if len(samples) == 1:
            replace(look)
    assert samples[0] != samples[1] and measures[0] != measures[1]
    assert pictures[0]["run"]["x"] != pictures[1]["run"]["x"]


def test_an_instrument_measures_the_model_which_has_the_name_now(successor):
    tab, replace = successor
    churn, context, found = INSTRUMENTS["churn"], Context(tab.work, Watch(), Experiment()), []
    settings = churn.settings.parse({"data": NAME, "steps": 3})
    for _ in range(2):
        (*_, (body, _)) = churn.respond(settings, context)
        found.append(json.dumps(body))
        if len(found) == 1:
            replace()
    assert found[0] != found[1]


def test_a_page_is_told_of_the_successor_and_gets_its_samples_and_losses(successor):
    tab, replace = successor
    first = answer(tab, "poll", runs={"learner": None})
    learner = first["runs"]["learner"]
    replace()
    seen = {"learner": {"cursor": learner["cursor"], "sample": learner["sample"]["images"]}}
    news = answer(tab, "poll", clock=first["clock"], models=first["models"]["clock"], runs=seen)
    assert [model["name"] for model in news["models"]["new"]] == news["models"]["names"] != []
    assert news["models"]["thumbnails"].keys() == first["models"]["thumbnails"].keys() == {"learner"}
    assert news["models"]["thumbnails"]["learner"] != first["models"]["thumbnails"]["learner"]
    now = news["runs"]["learner"]
    assert now["anew"] and now["id"] != learner["id"]
    assert now["sample"]["x"] != learner["sample"]["x"]
    assert now["sample"]["field"] != learner["sample"]["field"]


def test_a_run_keeps_its_identity_while_it_goes_on(successor):
    tab, replace = successor
    folder = tab.board.folder / "learner"
    before = places.identity(folder)
    runs.resume(folder, images="960")
    assert places.identity(folder) == before
    runs.stop(folder)
    replace()
    assert places.identity(folder) not in (before, None)


def test_settings_are_read_again_when_the_file_is_another(successor):
    tab, replace = successor
    assert about.settings_of(tab.board.find("learner")).seed == 3
    replace()
    assert about.settings_of(tab.board.find("learner")).seed == 7


def test_weights_are_never_taken_from_a_file_that_came_after_the_model_was_known(successor):
    tab, _ = successor
    model = models.load(NAME)
    runs.delete(tab.board.folder / "learner")
    finished(tab.board.folder, "learner", seed=7)
    with pytest.raises(Refused, match="was replaced"):
        _ = model.denoiser
