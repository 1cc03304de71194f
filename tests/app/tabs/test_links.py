"""Addresses are read with care."""

import json

import pytest

from app.tabs.links import dropped, opened_from
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling


def test_an_address_gives_experiment_and_pinned_result():
    opened = opened_from(
        {
            "model": "spiral",
            "steps": "9",
            "pin.model": "spiral",
            "pin.solver": "euler",
            "view.field": "on",
            "__theme": "dark",
        }
    )
    assert Experiment.parse(opened["values"]) == Experiment(model="spiral", sampling=Sampling(steps=9))
    assert Experiment.parse(opened["pinned"]) == Experiment(model="spiral", sampling=Sampling(solver="euler"))
    assert opened["notice"] is None
    assert opened["show"] is None


@pytest.mark.parametrize(
    ("carried", "query"),
    [
        ({"model": "spiral", "sampling": {"steps": 9}}, {"model": "spiral", "steps": "9"}),
        (
            {"show": "sweep", "values": {"x": "rho"}, "yours": {"model": "spiral"}},
            {"show": "sweep", "sweep.x": "rho", "model": "spiral"},
        ),
        ({"runs": ["a", "b"]}, {"tab": "train", "train.runs": "a,b"}),
        ({"model": "drawn", "points": [[0, 1], [0.5, -1]]}, {"model": "drawn", "points": "0,1;0.5,-1"}),
    ],
)
def test_what_a_picture_carries_is_an_address(carried, query):
    assert dropped(json.dumps(carried)) == query
    assert opened_from(query)["notice"] is None


@pytest.mark.parametrize("carried", ["", "[1]", "{", '{"show": "race", "values": 3}', "[" * 10_000])
def test_a_picture_that_carries_something_else_is_told(carried):
    with pytest.raises(Refused, match="picture carries"):
        dropped(carried)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"rho": "0"}, "rho = 0"),
        ({"model": "<script>"}, "<script>"),
        ({"colour": "red"}, "colour"),
        ({"pin.steps": "x"}, "steps"),
    ],
)
def test_a_bad_address_gives_the_default_and_a_sentence(values, named):
    opened = opened_from(values)
    assert (Experiment.parse(opened["values"]), opened["pinned"]) == (Experiment(), None)
    assert named in opened["notice"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"self": "x"}, "self = 'x'"),
        ({"a": "1", "a.b": "2"}, "a.b = 2"),
        ({"figure": "a" * 300}, "figure = 'aaa"),
        ({"figure": "../../etc/passwd"}, "figure = "),
        ({"show": "toString"}, "show = 'toString'"),
        ({"tab": "nowhere"}, "tab = 'nowhere'"),
        ({"points": r"\ud800"}, "points = "),
        ({"count": "\ud800"}, "count = "),
        ({"seed": "9" * 20_000}, "seed = 9"),
        ({"sampling": "1"}, "sampling = 1"),
        ({"": "5"}, " = 5"),
        ({"x" * 300: "y" * 60_000}, "xxx"),
        ({"pin.self": "1"}, "pin.self"),
        ({"model": "drawn"}, "model = 'drawn'"),
        ({"show": "race", "race.self": "1"}, "race.self"),
        ({"show": "loss", "loss.models": "digits_edm,gone"}, "gone"),
        ({"tab": "train", "train.colour": "red"}, "train.colour"),
        ({"tab": "train", "train.measure": "red"}, "train.measure"),
        ({"train.colour": "red"}, "train.colour"),
        ({"show": "race", "train.colour": "red", "train.lr": "1", "train.runs": "a"}, "train.colour"),
        ({"loss.colour": "red", "show": "race"}, "loss.colour"),
        (dict.fromkeys(map(str, range(2000)), "1"), "and 1996 more"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_one_bad_value_of_a_link_drops_only_itself_and_is_named(query, said):
    opened = opened_from({"steps": "9", **query, "rho": "5"})
    values = Experiment.parse(opened["values"]).sampling
    assert (values.steps, values.rho) == (9, 5)
    assert said in opened["notice"]
    assert len(opened["notice"]) <= 600 and opened["notice"].isprintable()


TRACKERS = dict.fromkeys(("utm_source", "fbclid", "gclid", "mc_cid", "ref", "msclkid", "_ga"), "x")


@pytest.mark.parametrize(
    ("query", "seed"),
    [
        (TRACKERS, 0),
        ({"amp;rho": "5", "amp;amp;seed": "3"}, 3),
        ({"__theme": "dark", "view.field": "on"}, 0),
        ({"seed": "3)."}, 3),
        ({"seed": "3", "solver": "euler,"}, 3),
        ({"figure": "figure3."}, 0),
        ({"tab": "compare", "": ""}, 0),
        ([("seed", "3"), ("seed", "4")], 4),
    ],
    ids=str,
)
def test_trackers_and_the_traces_of_a_paste_are_passed_over(query, seed):
    opened = opened_from([("steps", "9"), *(query.items() if isinstance(query, dict) else query)])
    assert opened["notice"] is None
    assert (opened["values"]["sampling"]["steps"], opened["values"]["sampling"]["seed"]) == (9, seed)


def test_of_a_list_in_a_link_what_is_known_is_kept():
    opened = opened_from({"show": "loss", "loss.models": "digits_edm,gone,digits_vp"})
    assert opened["show"]["values"]["models"] == ["digits_edm", "digits_vp"]


def test_a_form_in_a_link_loses_only_what_the_form_refuses(tmp_path):
    from app.training.form import Former

    query = {"tab": "train", "train.size": "large", "train.lr": "abc", "train.runs": "a,b.", "train.data": "own:gone"}
    opened = opened_from(query, lambda values: Former(tmp_path).plan(values, costs=False))
    assert opened["show"]["values"] == {"size": "large", "runs": "a,b"}
    assert "train.lr = 'abc'" in opened["notice"] and "train.data = 'own:gone'" in opened["notice"]


@pytest.mark.parametrize(
    ("query", "only", "hide", "left"),
    [
        ({"only": "rho, steps)"}, ["rho", "steps"], None, None),
        ({"hide": "seed,S_churn"}, None, ["seed", "S_churn"], None),
        ({"only": "rho,colour"}, ["rho"], None, "only = 'colour'"),
        ({"only": ""}, None, None, None),
        ({"only": "rho", "hide": "rho"}, ["rho"], None, None),
        ({"only": "data,race.measure", "show": "race"}, ["data", "measure"], None, None),
        ({"only": "rho", "show": "race"}, None, None, "only = 'rho'"),
        ({"only": "batch", "tab": "train"}, ["batch"], None, None),
    ],
)
def test_an_address_says_which_controls_are_shown(query, only, hide, left):
    opened = opened_from(query)
    assert opened["controls"] == {"only": only, "hide": hide}
    assert (left in opened["notice"]) if left else opened["notice"] is None
