"""A choice is declared on its registry's entry, and nowhere else: whatever is added while the program runs is found on
the page, on the command line, in documents, figures and tables; and no other table holds the names of a registry."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import edm
from app.instruments import INSTRUMENTS, Context, Instrument, of_tab
from app.instruments.base import View
from app.instruments.job import Figure
from app.instruments.starts import seed_option
from app.tabs import TABS, controls
from app.training import form
from app.work.shared import Work
from app.work.watch import Watch
from edm import data, diagnostics, networks, noises, objective, preconditioning, schedules, solvers, timesteps
from edm.__main__ import main
from edm.base import flat
from edm.base.choices import Choice
from edm.base.fields import SettingsError
from edm.data import sets, sources, toy
from edm.diagnostics import Measure
from edm.experiments.experiment import Experiment
from edm.plots.looks import PALETTE
from edm.training.settings import Training
from tests.contracts import twins

NEW, TITLE, FORMULA = "newcomer", "Newcomer's", "ν(σ)"
HELP = "nothing like it was there"


class Nothing(View):
    """What an instrument without a subject shows."""

    seed: int = seed_option("The random start")


def figure(settings, context):
    yield {"figure": {"panels": []}, "summary": f"seed {settings.seed}", "python": ""}, True


def choice(make, **more):
    return Choice(NEW, TITLE, make, FORMULA, HELP, **more)


REGISTRIES = {
    "solver": solvers.SOLVERS,
    "schedule": schedules.SCHEDULES,
    "scaling": schedules.SCALINGS,
    "discretization": timesteps.DISCRETIZATIONS,
    "preconditioning": preconditioning.PRECONDITIONINGS,
    "noise": noises.NOISES,
    "weight": objective.WEIGHTS,
    "network": networks.NETWORKS,
    "source": sources.SOURCES,
    "dataset": data.DATASETS,
    "measure": diagnostics.MEASURES,
    "instrument": INSTRUMENTS,
}
ENTRIES = {
    "solver": replace(solvers.SOLVERS["heun"], name=NEW, title=TITLE, variants=(), knobs=("alpha",), help=HELP),
    "schedule": choice(lambda low, high: replace(schedules.LINEAR, name=NEW)),
    "scaling": choice(lambda schedule: replace(schedules.SCALINGS["none"](schedule), name=NEW)),
    "discretization": timesteps.Discretization(
        NEW, timesteps.edm_levels, (0.01, 50.0), TITLE, FORMULA, HELP, ("rho",), most=lambda low, high: 12
    ),
    "preconditioning": choice(preconditioning.EDM, knobs=("sigma_data",)),
    "noise": noises.NoiseDistribution(
        NEW, TITLE, lambda u, design: (2 - 6 * u.sqrt()).exp(), ("P_std",), formula=FORMULA, help=HELP
    ),
    "weight": choice(lambda sigma, sigma_data: torch.log1p(1 / sigma.square())),
    "network": replace(networks.NETWORKS["mlp"], name=NEW, title=TITLE),
    "source": sources.Reader(NEW, TITLE, lambda settings: sets.Mixture(data.load("spiral"))),
    "dataset": data.Dataset(NEW, TITLE, (2,), toy.two_moons),
    "measure": Measure(
        NEW,
        TITLE,
        f"{TITLE} number of {{count}}samples",
        lambda experiment, model: None,
        lambda experiment, model, device: lambda samples: float(samples.square().mean()),
    ),
    "instrument": Instrument(NEW, "loss", TITLE, "What is new?", Nothing, figure),
}
OF_SAMPLING = ("solver", "discretization", "schedule", "scaling")
OF_TRAINING = {"preconditioning": "design", "noise": "design", "weight": "design", "network": "architecture"}
WITH_FORMULA = ("schedule", "scaling", "discretization", "preconditioning", "noise", "weight")


@pytest.fixture
def added(monkeypatch):
    def add(*kinds):
        for kind in kinds:
            monkeypatch.setitem(REGISTRIES[kind], NEW, ENTRIES[kind])

    return add


@pytest.fixture
def page(tmp_path):
    """() -> all that the page knows from the start."""

    def read():
        tabs = {tab: [instrument.described() for instrument in of_tab(tab)] for tab in ("loss", "compare")}
        return json.loads(json.dumps(controls.boot() | {"train": form.boot(tmp_path, ["cpu"]), "tabs": tabs}))

    return read


def offered(knob):
    """What a knob of the page says of the newcomer: (title, help, uses)."""
    k = knob["choices"].index(NEW)
    return tuple(knob[key][k] for key in ("titles", "helps", "uses"))


def test_the_page_offers_each_by_its_title_with_its_formula_help_and_knobs(added, page):
    added(*REGISTRIES)
    known = page()
    for kind in (*OF_SAMPLING, *OF_TRAINING):
        knobs = known["knobs"] if kind in OF_SAMPLING else known["train"]["fields"]
        title, help, uses = offered(knobs[kind])
        entry = ENTRIES[kind]
        assert title == TITLE
        assert help == (f"{FORMULA}: {HELP}" if kind in WITH_FORMULA else getattr(entry, "help", ""))
        assert uses == (list(entry.knobs) if hasattr(entry, "knobs") else None)
    assert (NEW, TITLE) in [(one["name"], one["title"]) for one in known["train"]["datasets"]]
    assert (NEW, TITLE) in [(one["name"], one["title"]) for one in known["models"]]
    assert (NEW, TITLE) in [(one["name"], one["title"]) for one in known["tabs"]["loss"]]


@pytest.mark.parametrize(
    ("kind", "instrument", "knob"),
    [
        ("solver", "order", "solvers"),
        ("solver", "truncation", "solver"),
        ("discretization", "order", "grids"),
        ("schedule", "curvature", "schedule"),
        ("scaling", "curvature", "scaling"),
        ("weight", "loss", "weight"),
        ("weight", "preconditioning", "weight"),
        ("preconditioning", "preconditioning", "columns"),
        ("dataset", "lanes", "data"),
        ("dataset", "churn", "data"),
        ("dataset", "sweep", "model"),
        ("measure", "race", "measure"),
        ("measure", "sweep", "measure"),
    ],
)
def test_instruments_offer_it_by_its_title(added, kind, instrument, knob):
    added(kind)
    declared = INSTRUMENTS[instrument].described()["knobs"][knob]
    assert dict(zip(declared["choices"], declared["titles"], strict=True))[NEW] == TITLE
    if "colors" in declared:
        assert set(declared["colors"]) <= set(PALETTE)


@pytest.mark.parametrize(
    ("kind", "instrument", "values"),
    [
        ("solver", "order", {"solvers": NEW, "most": "8"}),
        ("solver", "truncation", {"solver": NEW, "steps": "3"}),
        ("discretization", "order", {"solvers": "euler", "grids": f"edm,{NEW}", "most": "8"}),
        ("schedule", "curvature", {"lines": "yours", "schedule": NEW}),
        ("preconditioning", "preconditioning", {"columns": f"edm,{NEW}"}),
        ("measure", "race", {"measure": NEW, "lanes": "edm", "limit": "5"}),
        ("measure", "sweep", {"measure": NEW, "x_range": "2,3", "y": "none"}),
    ],
)
def test_figures_name_it_in_colours_that_there_are(added, kind, instrument, values):
    added(kind)
    chosen = INSTRUMENTS[instrument]
    settings = chosen.settings.parse(flat.unflatten(values, chosen.settings))
    *_, (body, last) = chosen.respond(settings, Context(Work("cpu"), Watch(), Experiment()))
    assert last and TITLE in json.dumps(body, ensure_ascii=False)
    lines = [line for panel in body["figure"]["panels"] for line in panel.get("lines", ())]
    assert {line["color"] for line in lines} <= set(PALETTE)
    assert "NaN" not in json.dumps(body)


def test_an_instrument_is_one_entry_for_the_tab_its_events_and_its_jobs(added):
    added("instrument")
    (bench,) = (tab for tab in TABS if tab.name == "loss")
    assert bench.events[NEW].answer is ENTRIES["instrument"].body
    ((body, last),) = Figure(instrument=NEW, settings=Nothing(seed=3)).compute(Work("cpu"), Watch())
    assert last and body["summary"] == "seed 3"
    with pytest.raises(SettingsError):
        INSTRUMENTS[NEW].settings.parse({"seed": -1})


@pytest.mark.parametrize("kind", OF_SAMPLING)
def test_table_1_has_its_formula_and_the_command_line_its_name(added, kind, capsys, tmp_path):
    added(kind)
    [*_, (_, texts)] = diagnostics.differing_rows({"a": edm.Sampling(), "b": edm.Sampling(**{kind: NEW})})
    rows = dict(diagnostics.differing_rows({"a": edm.Sampling(), "b": edm.Sampling(**{kind: NEW})}))
    assert any((FORMULA if kind in WITH_FORMULA else TITLE) in cells["b"] for cells in rows.values()) and texts
    with pytest.raises(SystemExit):
        main(["sample", "--help"])
    assert NEW in capsys.readouterr().out
    experiment = Experiment(count=4, sampling={kind: NEW, "steps": 3})
    assert Experiment.parse(json.dumps(experiment.document())) == experiment
    assert main(["sample", "--steps=3", "--count=4", f"--{kind}={NEW}", f"--out={tmp_path / 'a.png'}"]) == 0
    assert edm.render.read_document(tmp_path / "a.png")["sampling"][kind] == NEW


@pytest.mark.parametrize("kind", [*OF_TRAINING, "source", "dataset"])
def test_training_takes_it_in_documents_and_on_the_command_line(added, kind, capsys):
    added(kind)
    field, group = ("dataset", "data") if kind in ("source", "dataset") else (kind, OF_TRAINING[kind])
    settings = Training(**{group: {field: NEW}})
    assert Training.parse(json.dumps(settings.document())) == settings
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert NEW in capsys.readouterr().out
    assert f"--{field}={NEW}" in flat.command("train", settings)


def test_what_a_choice_needs_is_known_wherever_settings_are_judged(added):
    added("discretization", "solver")
    with pytest.raises(SettingsError, match="steps = 13"):
        edm.Sampling(discretization="iddpm", sigma_min=0.5, sigma_max=0.51, steps=13)
    assert diagnostics.steps_for(edm.Sampling(discretization=NEW, steps=5), 500) == 12
    texts = dict(diagnostics.differing_rows({"a": edm.Sampling(), "b": edm.Sampling(solver=NEW, alpha=0.5)}))
    assert texts["solver"]["b"] == f"{TITLE}'s family, α = 0.5"


def test_notebooks_name_it_too(added):
    added("measure", "discretization")
    point = diagnostics.RacePoint("a", 2, 3, 1.0, np.nan, np.nan, (1.0,))
    assert edm.plots.race([point], NEW, 7).layout.yaxis.title.text == f"{TITLE} number of 7 samples"
    (levels,) = edm.plots.levels(edm.Sampling(discretization=NEW, steps=4)).data
    assert len(levels.y) == 4 and levels.y[0] == 50


BESIDE = {  # why these files may hold names that a registry holds too
    "app/instruments/race.py": "what can race, not instruments",
    "app/tabs/train.py": "the two presets that one click sets against each other",
    "app/training/recipes.py": "kinds of data by their shape",
    "app/uploads/sets.py": "files of what visitors upload",
    "app/work/measures.py": "numbers in a message",
    "edm/__init__.py": "names of modules",
    "edm/data/torchvision_sets.py": "where the files of sets lie",
    "edm/diagnostics/__init__.py": "names of functions",
    "edm/evaluation/classifiers.py": "a registry of classifiers, by the data they know",
    "edm/evaluation/train_classifier.py": "how those are trained",
    "edm/networks/official.py": "names in the paper's files",
    "edm/networks/encoder.py": "what sets the U-Nets apart",
    "edm/plots/looks.py": "colours, called after what they mean",
    "assets/page/sampler/sampler.js": "fields of settings",
    "assets/page/shared/colors.js": "colours, called after what they mean",
}
HOMES = {  # of the registries
    "edm/schedules.py", "edm/timesteps.py", "edm/preconditioning.py", "edm/noises.py", "edm/objective.py",
    "edm/solvers/__init__.py", "edm/networks/__init__.py", "edm/data/__init__.py", "edm/data/sources.py",
    "edm/diagnostics/measures.py",
}  # fmt: skip


def test_no_table_beside_a_registry_holds_its_names():
    names = {kind: set(registry) for kind, registry in REGISTRIES.items()}
    hits = [*twins.in_python(names), *twins.in_scripts(names)]
    found = [hit for hit in hits if hit[0] not in BESIDE and hit[0] not in HOMES]
    assert not found, "\n".join(f"{file}:{line} holds {kind}s {known}" for file, line, kind, known in found)


def test_the_search_for_twins_finds_them(tmp_path, monkeypatch):
    monkeypatch.setattr(twins, "ROOT", tmp_path)
    for folder, name, text in (
        ("edm", "a.py", 'TITLES = {"euler": "Euler", "heun": "Heun"}\nx = option(("euler", "heun"), 1)\n'),
        ("assets/page", "a.js", 'const NAMES = { euler: "Euler", heun: 1 }; // ["euler", "heun"]\n'),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_text(text)
    names = {"solver": {"euler", "heun"}}
    assert [hit[:2] for hit in twins.in_python(names)] == [("edm/a.py", 1)]
    assert [hit[:2] for hit in twins.in_scripts(names)] == [("assets/page/a.js", 1)]
