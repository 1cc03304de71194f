"""What the page computes is what the library computes."""

import base64
import json
import threading

import numpy as np
import pytest
import torch

import edm
from app.work import measures, snippets, watch
from app.work.measures import Measures
from app.work.numbers import plain
from app.work.pictures import Picture
from app.work.probes import Probe
from app.work.shared import Work
from app.work.tickets import Superseded, Ticket, Tickets
from app.work.watch import Watch
from edm import checkpoints, diagnostics, runner
from edm.__main__ import main
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from tests.app.work import bodies, final

EXPERIMENTS = [
    Experiment(model="pinwheel", count=20, sampling=Sampling(steps=6, S_churn=5, seed=3)),
    Experiment(model="two_diracs", sampling=Sampling(solver="euler", discretization="vp", schedule="vp", scaling="vp")),
    Experiment(model="digits", label=7, sampling=Sampling(steps=5)),
    Experiment(model="drawn", points=[[0, 0], [1, 0.5], [-0.3, 0.8]], sampling=Sampling(sigmas=[50, 3, 0.2])),
    Experiment(model="spiral_mlp", count=20, sampling=Sampling(steps=4)),
    Experiment(model="digits_edm", count=5, sampling=Sampling(steps=3)),
    Experiment(model="digits_edm", label=4, count=2, sampling=Sampling(steps=3)),
]


def picture(experiment, field=None):
    """All bodies of its picture."""
    return list(bodies(Picture(experiment=experiment, field=field)))


def decoded(text, kind, shape):
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.model)
def test_a_message_holds_the_states_of_the_library(experiment):
    body, finished = picture(experiment)[-1]
    states = list(runner.states(experiment))
    run, shape = body["run"], (len(states), len(states[0].x), *states[0].x.shape[1:])
    assert finished
    assert run["sigma"] == [state.sigma for state in states]
    assert run["evaluations"] == states[-1].evaluations
    if len(shape) == 5:
        assert (decoded(run["x"], "u1", shape)[-1] == edm.render.to_uint8(states[-1].x)).all()
        assert (decoded(run["denoised"], "u1", shape)[2] == edm.render.to_uint8(states[2].denoised)).all()
    else:
        expected = np.stack([(state.x / state.scale).numpy() for state in states])
        np.testing.assert_array_equal(decoded(run["x"], "<f4", shape), expected)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.model)
def test_the_copied_script_gives_the_same_samples(experiment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(snippets.python(experiment), scope)
    torch.testing.assert_close(scope["samples"], edm.last(runner.states(experiment)).x, rtol=0, atol=0)
    assert (tmp_path / "sample.png").stat().st_size > 500


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.model)
def test_the_copied_command_draws_the_same_picture(experiment, tmp_path, monkeypatch):
    import shlex

    monkeypatch.chdir(tmp_path)
    python, dash_m, module, *arguments = shlex.split(snippets.command(experiment))
    assert (python, dash_m, module) == ("python", "-m", "edm")
    assert main(arguments) == 0
    assert edm.render.read_document(tmp_path / "sample.png") == experiment.document()


def test_long_runs_send_previews_first(monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    messages = picture(EXPERIMENTS[2])
    assert [done for _, done in messages] == [False] * (len(messages) - 1) + [True]
    assert len(messages) > 3
    lengths = [len(body["run"]["index"]) for body, _ in messages]
    assert lengths == sorted(lengths)


def test_results_are_cached_by_content():
    evaluations = []
    server, counting = Work("cpu"), Watch(Ticket(checks=(lambda: evaluations.append(1),)))
    first = list(bodies(Picture(experiment=EXPERIMENTS[0]), server, counting))
    used = len(evaluations)
    again = list(bodies(Picture(experiment=EXPERIMENTS[0].document()), server, counting))
    assert used > 0
    assert len(evaluations) == used
    assert first == again


def test_a_superseded_run_ends_and_leaves_nothing_behind():
    server, tickets = Work("cpu"), Tickets()
    experiment = Experiment(sampling=Sampling(steps=1000), count=2000)
    ticket = tickets.take("anna", "main", 1)
    outcome = []

    def run():
        try:
            outcome.extend(bodies(Picture(experiment=experiment), server, Watch(ticket, server.slots)))
        except Superseded:
            outcome.append("superseded")

    thread = threading.Thread(target=run)
    thread.start()
    tickets.take("anna", "main", 2)
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert outcome[-1] == "superseded"
    assert final(Picture(experiment=EXPERIMENTS[0]), server)  # its place is free again


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.model)
def test_measures_are_the_library_s(experiment):
    model, samples = edm.models.of(experiment), edm.last(runner.states(experiment)).x
    found = final(Measures(experiment=experiment))
    if experiment.sampling.S_churn:
        assert found["error"] is None
    else:
        z, labels = runner.start(experiment)
        steps = measures.HEAVY_REFERENCE_STEPS if experiment.model == "digits_edm" else diagnostics.REFERENCE_STEPS
        exact = diagnostics.reference(model.denoiser, z, experiment.sampling, labels, steps)
        assert found["error"] == pytest.approx(diagnostics.rms_error(samples, exact), rel=1e-6)
    if len(model.shape) == 3:
        assert found["distance"] is None
    else:
        assert found["distance"] == diagnostics.sliced_wasserstein(samples, model.dataset.sample(4000, seed=10_000))
        assert found["floor"] > 0


@pytest.fixture
def ve_of_points(tmp_path):
    """A network of points that knows the noise levels of VE only, 0.02 to 100."""
    network = {"name": "mlp", "in_channels": 2, "out_channels": 2, "channels": 16, "blocks": 1}
    header = checkpoints.Header(
        kind="model", network=network, preconditioning={"name": "ve"}, shape=(2,), sigma_data=0.5, half_lives=(1,)
    )
    torch.manual_seed(0)
    tensors = checkpoints.build(header.network).state_dict()
    checkpoints.save(tmp_path / "ve.safetensors", header, {f"ema0/{name}": t for name, t in tensors.items()})
    yield edm.models.register(tmp_path / "ve.safetensors", "ve_of_points")
    edm.models.forget("ve_of_points")


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("spiral", {"schedule": "vp", "scaling": "vp"}),
        ("spiral", {"S_churn": 4, "seed": 3}),
        ("two_moons_mlp", {"S_churn": 9, "S_tmin": 0.1, "S_tmax": 20, "schedule": "vp", "scaling": "vp"}),
        ("ve_of_points", {}),
        ("ve_of_points", {"S_churn": 9, "schedule": "ve"}),
    ],
    ids=str,
)
def test_a_dragged_particle_goes_as_its_neighbours_do(model, options, ve_of_points):
    """From where sample 3 is at level 4, its path is sample 3's: its levels, its steps and its noise."""
    experiment = Experiment(model=model, sampling=Sampling(steps=9, **options))
    states = list(runner.states(experiment))
    position = (states[4].x / states[4].scale)[3].tolist()
    probe = final(Probe(experiment=experiment, level=4, position=position))
    expected = torch.stack([(state.x / state.scale)[3] for state in states[4:]])
    assert probe["sigma"] == pytest.approx([state.sigma for state in states[4:]])
    torch.testing.assert_close(torch.tensor(probe["path"]), expected, rtol=1e-5, atol=5e-4)


VIEWS = [None, {"aspect": 1.6, "follow": True}, {"aspect": 1.6, "follow": False}]


@pytest.mark.parametrize("model", [name for name in edm.models.names() if name != "drawn"])
def test_every_model_opens_in_every_view_on_the_levels_it_was_asked_for(model):
    loaded, server = edm.models.load(model), Work("cpu")
    experiment = Experiment(model=model, count=2, sampling=Sampling(steps=3))
    for view in VIEWS:
        body = final(Picture(experiment=experiment, field=view), server)
        assert body["run"]["sigma"] == pytest.approx(body["levels"], rel=1e-9)
        assert ("field" in body) == (view is not None and loaded.shape == (2,))
    low, high = (getattr(loaded.denoiser, name, None) for name in ("sigma_min", "sigma_max"))
    assert (low or 0) <= body["levels"][-2] and body["levels"][0] <= (high or 1e9)
    if loaded.shape == (2,):
        assert len(final(Probe(experiment=experiment, level=1, position=[0.3, -0.2]), server)["path"]) == 3


def test_what_differs_from_the_settings_is_said():
    body, _ = picture(Experiment(model="digits_ve", count=1, sampling=Sampling(steps=3, sigma_min=0.001)))[-1]
    assert body["levels"][-2] == pytest.approx(0.02)
    assert "sigma_min = 0.001 is beyond what this model knows, so that 0.02 is taken" in body["notes"]


def test_arrows_are_sent_on_request_and_point_along_the_flow():
    body, _ = picture(Experiment(sampling=Sampling(steps=4)), {"aspect": 1.5, "follow": False})[-1]
    places = len(decoded(body["field"]["positions"], "<f4", -1)) // 2
    positions = decoded(body["field"]["positions"], "<f4", (places, 2))
    arrows = decoded(body["field"]["arrows"], "<f4", (5, places, 2))
    denoiser = edm.data.load("eight_gaussians").denoiser
    expected = denoiser(torch.from_numpy(positions.copy()), body["run"]["sigma"][2]).numpy() - positions
    np.testing.assert_allclose(arrows[2], expected, rtol=1e-5, atol=1e-6)


def test_very_long_trajectories_are_thinned():
    [*_, (body, _)] = picture(Experiment(count=4000, sampling=Sampling(solver="euler", steps=400)))
    index = body["run"]["index"]
    assert index[0] == 0
    assert index[-1] == 400
    assert len(index) * 4000 * 2 <= 1_500_000


def test_a_reader_who_never_comes_back_blocks_nobody(monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    server = Work("cpu")
    left_behind = [bodies(Picture(experiment=EXPERIMENTS[2]), server) for _ in range(50)]
    for reader in left_behind:
        next(reader)
    done = []
    thread = threading.Thread(
        target=lambda: done.append(final(Picture(experiment=EXPERIMENTS[0]), server)), daemon=True
    )
    thread.start()
    thread.join(timeout=10)
    assert done


def test_plain_results_for_scripts():
    found = plain(EXPERIMENTS[3], Work("cpu"), Watch())
    assert np.array(found["samples"]).shape == (400, 2)
    assert found["levels"] == [50, 3, 0.2, 0]
    assert found["measures"]["error"] > 0
    json.dumps(found, allow_nan=False)
