"""Settings are data: validated, frozen, and the same through JSON, text and back."""

import json
import math

import pytest

import edm
from edm.base.fields import SettingsError, choices, knobs
from edm.base.flat import flatten, groups, unflatten
from edm.commands.evaluate import Evaluation
from edm.data.settings import Data
from edm.experiments.experiment import Experiment
from edm.files.checkpoints import PreconditioningConfig
from edm.networks.settings import Architecture
from edm.objective import Design
from edm.sampling.settings import Sampling

SOME = [
    Sampling(),
    Sampling(solver="euler", alpha=0.5, discretization="vp", schedule="vp", scaling="vp", steps=7, seed=12),
    Sampling(rho=3.3, sigma_min=0.01, sigma_max=20, S_churn=12.5, S_tmin=0.05, S_tmax=50, S_noise=1.003),
    Sampling(sigmas=[80, 3.5, 0.1 + 0.2]),
]
EXPERIMENTS = [
    *(Experiment(sampling=sampling) for sampling in SOME),
    Experiment(model="digits", label=3, count=25),
    Experiment(model="drawn", points=[[0.1, -0.25], [1 / 3, 2]], count=10),
]


@pytest.mark.parametrize("sampling", SOME)
def test_sampling_survives_json(sampling):
    assert Sampling.parse(sampling.model_dump_json()) == sampling
    assert Sampling.parse(json.dumps(sampling.document())) == sampling
    assert Sampling.parse(sampling.document(complete=True)) == sampling
    json.loads(json.dumps(sampling.document(complete=True), allow_nan=False))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_survives_the_address_bar(experiment):
    text = flatten(experiment)
    assert all(isinstance(value, str) for value in text.values())
    assert Experiment.parse(unflatten(text, Experiment)) == experiment


def test_settings_are_frozen_and_compared_by_value():
    with pytest.raises(ValueError, match="frozen"):
        Sampling().steps = 3
    assert Sampling(steps=18) == Sampling()
    assert Sampling().changed(steps=5) == Sampling(steps=5)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("steps", 0, "at least 1 and at most 1000"),
        ("steps", 2.5, "whole number"),
        ("steps", True, "number"),
        ("steps", None, "whole number"),
        ("steps", "many", "whole number"),
        ("rho", 0, "at least 0.1"),
        ("rho", -7, "at least 0.1"),
        ("rho", math.nan, "number"),
        ("alpha", 0, "greater than 0 and at most 1"),
        ("alpha", 1.01, "at most 1"),
        ("sigma_min", 0, "at least 1e-06"),
        ("sigma_max", math.inf, "finite"),
        ("sigma_min", 90, "below sigma_max"),
        ("sigma_max", 0.001, "below sigma_max"),
        ("S_churn", -1, "at least 0"),
        ("S_churn", math.inf, "finite"),
        ("S_noise", -0.1, "at least 0"),
        ("S_tmin", math.nan, "at least 0"),
        ("S_tmax", math.nan, "at least 0"),
        ("seed", -1, "at least 0"),
        ("solver", "rk4", "'euler', 'heun'"),
        ("schedule", "cosine", "'vp', 've', 'linear'"),
        ("scaling", 3, "a name"),
        ("discretization", "", "'vp', 've', 'iddpm', 'edm'"),
        ("sigmas", [], "1 to 1000 levels"),
        ("sigmas", [0], "1 to 1000 levels"),
        ("sigmas", [1, 1], "below the level before it"),
        ("sigmas", [1, 0, 0.5], "at least 1e-06"),
        ("sigmas", "80,1", "a list"),
        ("Rho", 7, "no such field"),
    ],
)
def test_what_cannot_be_is_refused_by_name_value_and_remedy(field, value, allowed):
    with pytest.raises(SettingsError) as error:
        Sampling(**{field: value})
    message = str(error.value)
    assert field in message
    assert allowed in message
    assert "\n" not in message
    if isinstance(value, int | str) and not isinstance(value, bool):
        assert str(value) in message
    assert error.value.fields[0].startswith(field)


PICKS = [
    *((Sampling, name) for name in choices(Sampling)),
    (Experiment, "model"),
    *((group, name) for group in (Data, Architecture, Design, edm.Training) for name in choices(group)),
    (PreconditioningConfig, "name"),
    (Evaluation, "dataset"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", ["", " ", "none such", "None"])
@pytest.mark.parametrize(("kind", "name"), PICKS, ids=lambda value: getattr(value, "__name__", value))
def test_every_name_that_picks_from_a_registry_is_checked(kind, name, wrong):
    with pytest.raises(SettingsError, match="must be one of") as error:
        kind(**{name: wrong})
    assert repr(wrong) in str(error.value)
    if kind in (Data, Architecture, Design):
        group = next(g for g, k in groups(edm.Training).items() if k is kind)
        with pytest.raises(SettingsError, match="must be one of") as error:
            edm.Training.parse({group: {name: wrong}})
        assert error.value.fields == (name,)


def test_a_name_may_be_left_open_only_where_its_field_says_so():
    assert Architecture(network=None).network is None
    for kind, name in ((Design, "noise"), (Design, "weight"), (Design, "preconditioning"), (Data, "dataset")):
        with pytest.raises(SettingsError, match=f"{name} = None: must be a name"):
            kind(**{name: None})


@pytest.mark.parametrize("dataset", ["folder", "points", "mnist", "digits"])
def test_an_empty_path_is_no_path(dataset):
    with pytest.raises(SettingsError, match="path = ''"):
        Data(dataset=dataset, path="")


def test_all_mistakes_are_named_at_once_and_inside_an_experiment():
    with pytest.raises(SettingsError) as error:
        Experiment.parse({"sampling": {"rho": 0, "steps": -3}})
    assert set(error.value.fields) == {"rho", "steps"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "cifar"}, "model = 'cifar'"),
        ({"label": 2}, "no classes"),
        ({"model": "digits", "label": 10}, "below 10"),
        ({"model": "drawn"}, "points"),
        ({"points": [[0, 0]]}, "points"),
        ({"model": "drawn", "points": [[0, 11]]}, r"points\[0\]"),
        ({"model": "drawn", "points": [[0, math.nan]]}, "points"),
        ({"model": "drawn", "points": []}, "1 to 1000 points"),
        ({"count": 5000}, "at most 4096"),
        ({"sampling": 3}, "sampling"),
    ],
)
def test_experiments_that_cannot_be(values, words):
    with pytest.raises(SettingsError, match=words):
        Experiment.parse(values)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null", '"x"'])
def test_what_is_no_document_is_refused(text):
    with pytest.raises(SettingsError):
        Experiment.parse(text)


@pytest.mark.parametrize("text", [{"sigmas": "80,x"}, {"points": "1,2;3"}, {"points": "1;2"}])
def test_lists_in_an_address_are_read_with_care(text):
    with pytest.raises(SettingsError):
        Experiment.parse(unflatten({"model": "drawn", **text}, Experiment))


def test_iddpm_refuses_more_steps_than_it_has_levels():
    assert Sampling(discretization="iddpm", steps=992)
    with pytest.raises(SettingsError, match="992 noise levels"):
        Sampling(discretization="iddpm", steps=993)
    with pytest.raises(SettingsError, match="0 noise levels"):
        Sampling(discretization="iddpm", steps=1, sigma_min=50, sigma_max=51)


def test_every_knob_is_declared_once_with_all_a_page_needs():
    for model in (Sampling, Experiment):
        declared = knobs(model)
        assert set(declared) == set(model.model_fields) - {"sampling"}
        for name, knob in declared.items():
            assert knob["help"], name
            assert knob["symbol"], name
            if knob["slider"]:
                low, high = knob["slider"]
                values = (low, high) if not knob["whole"] else (int(low), int(high))
                if model is Sampling and name not in ("sigma_min", "sigma_max", "restart_min", "restart_max"):
                    for value in values:
                        Sampling(**{name: value})
    json.dumps(knobs(Sampling), allow_nan=False)
    assert set(choices(Sampling)) <= set(knobs(Sampling))


def test_whole_numbers_may_be_written_as_powers_of_ten():
    assert edm.Training(images="1e6").images == 10**6
    for odd in ("1.5", "1e-3", "1e999", "nan", "x"):
        with pytest.raises(SettingsError, match="images"):
            edm.Training(images=odd)


def test_changing_a_group_keeps_its_other_fields():
    settings = edm.Training(design={"noise": "vp", "P_mean": -2})
    assert settings.changed(design={"weight": "simple"}).design.noise == "vp"
    assert settings.changed(design={"weight": "simple"}).design.weight == "simple"


def test_the_range_is_the_discretization_s_own_unless_given():
    assert Sampling().range == (0.002, 80)
    assert Sampling(discretization="ve", sigma_max=50).range == (0.02, 50)
    assert edm.Sampling(discretization="vp").range == pytest.approx((0.010486, 152.167), rel=1e-5)
