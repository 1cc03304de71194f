"""The race: error against the number of evaluations, for several samplers at once, filling in from cheap to dear."""

from __future__ import annotations

import math

from app.instruments import choosing
from app.instruments.base import Instrument, option, rounded
from app.instruments.lanes import LANES, Comparison, lanes_option, sampling_of, short
from edm import diagnostics, runner
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment

BUDGETS = (2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160, 200)
POINTS, IMAGES, FRECHET_IMAGES = 400, 8, 192  # samples of a lane and seed
REFERENCE_STEPS = {True: 128, False: diagnostics.REFERENCE_STEPS}  # of images, of points
FIELDS = {
    "columns": "columns of Table 1",
    "walk": "one change at a time",
    "churn": "stochasticity",
}
MEASURES = {"error": "error to the ODE", "distance": "distance to the data", "frechet": "Fréchet distance"}
UNITS = {
    "error": "RMS error to the ODE's solution",
    "distance": "sliced Wasserstein distance to the data",
    "frechet": f"Fréchet distance of {FRECHET_IMAGES} images, in features of a small classifier",
}
CHURN = {"S_churn": 30.0, "S_tmin": 0.05, "S_tmax": 1.0, "S_noise": 1.007}
COLORS = ("ink", "c1", "c2", "c3", "c4", "edm", "vp", "ve")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash", "dot")


class Race(Comparison):
    """What the race shows."""

    field: str = option(
        "columns", "race", "What races against what", choices=lambda: FIELDS, list=True, section="Lanes"
    )
    lanes: tuple[str, ...] = lanes_option(when={"field": ["columns"]})
    start: str = option(
        "vp",
        "from",
        "The sampler that becomes EDM's, one row of Table 1 after the other",
        choices=lambda: choosing.COLUMNS,
        section="Lanes",
        when={"field": ["walk"]},
    )
    churn: float = option(
        CHURN["S_churn"], "S<sub>churn</sub>", "Amount of fresh noise", slider=(0, 100), step=1, ge=0, le=1000,
        section="Lanes", when={"field": ["churn"]},
    )  # fmt: skip
    measure: str = option(
        "error", "measure", "What is measured", choices=lambda: MEASURES, list=True, section="Measure"
    )
    seeds: int = option(
        1, "seeds", "Repeats with other noise, the same in all lanes; from 2 on there are intervals",
        slider=(1, 12), step=1, ge=1, le=64, section="Measure",
    )  # fmt: skip
    limit: int = option(
        200, "NFE ≤", "Where the race ends", slider=(10, 200), step=10, ge=2, le=1000, section="Measure"
    )


def entrants(settings: Race, context) -> dict[str, tuple]:
    """title -> (sampling, column, colour, dash) of each lane."""
    seed = settings.seed
    if settings.field == "columns":
        if not settings.lanes:
            raise Refused("no lane is chosen: choose one or more under Lanes")
        return {
            LANES[lane]: (sampling_of(lane, context.yours, seed), lane, lane, choosing.DASHES.get(lane, "longdash"))
            for lane in settings.lanes
        }
    if settings.field == "walk":
        start = sampling_of(settings.start, context.yours, seed)
        steps = diagnostics.walk(start, sampling_of("edm", context.yours, seed))
        titles = [LANES[settings.start], *(f"+ {short(step.rows[0])}" for step in steps[1:])]
        samplings = [step.sampling.changed(seed=seed) for step in steps]
    else:
        base = sampling_of("edm", context.yours, seed)
        added = {"S_churn": settings.churn}
        bounded = {**added, "S_tmin": CHURN["S_tmin"], "S_tmax": CHURN["S_tmax"]}
        noisy = {**added, "S_noise": CHURN["S_noise"]}
        titles = ["deterministic", "S_churn", "S_churn, S_tmin, S_tmax", "S_churn, S_noise", "all four"]
        samplings = [base, *(base.changed(**c) for c in (added, bounded, noisy, {**bounded, **noisy}))]
    column = settings.start if settings.field == "walk" else "edm"
    return {
        title: (sampling, column, COLORS[k], DASHES[k])
        for k, (title, sampling) in enumerate(zip(titles, samplings, strict=True))
    }


def respond(settings: Race, context):
    field = entrants(settings, context)
    opening = _body(settings, field, [], None, False)
    yield {**opening, "summary": "Solving finely first, for what to compare with …"}, False
    runners = {title: _runner(settings, sampling, column, context) for title, (sampling, column, *_) in field.items()}
    model = next(iter(runners.values()))[0]
    measure, floor = settings.measure, None
    if measure != "error":
        experiment = Experiment(model=model.name)
        measure = context.work.remember(
            ("to data", model.identity, measure), lambda: diagnostics.to_data(experiment, settings.measure)
        )
    count = _count(settings, model)
    if settings.measure == "distance":
        truth = model.dataset.sample(4000, seed=10_000)
        floor = diagnostics.data_floor(model.dataset, count, truth)
    shape = model.shape
    seeds = range(settings.seed, settings.seed + settings.seeds)
    latents = {seed: _start(model, count, seed, context)[0] for seed in seeds}
    labels = _start(model, count, settings.seed, context)[1]
    lanes = {
        title: diagnostics.Lane(context.denoiser(of), sampling, labels) for title, (of, sampling) in runners.items()
    }
    budgets = [budget for budget in BUDGETS if budget <= settings.limit]
    key = "references", tuple((t, m.identity) for t, (m, _) in runners.items()), tuple(seeds), count
    references = context.work.remember(key, dict)
    steps = REFERENCE_STEPS[len(shape) == 3]
    points = diagnostics.race(lanes, latents, budgets, measure, references, reference_steps=steps)
    for done, ended in context.paced(points):
        if done or ended:
            yield _body(settings, field, done, floor, ended), ended


def _runner(settings, sampling, column, context):
    return choosing.denoising(settings.data, settings.denoiser, "edm" if column == "yours" else column), sampling


def _count(settings, model):
    if len(model.shape) == 1:
        return POINTS
    return FRECHET_IMAGES if settings.measure == "frechet" else IMAGES


def _start(model, count, seed, context):
    return runner.start(Experiment(model=model.name, count=count, sampling={"seed": seed}), context.work.device)


def _body(settings, field, points, floor, ended):
    lines = []
    for title, (_, _, color, dash) in field.items():
        mine = [point for point in points if point.lane == title and math.isfinite(point.value)]
        line = {"name": title, "color": color, "dash": dash, "mode": "lines+markers", "size": 5}
        line |= {"x": [p.evaluations for p in mine], "y": rounded(p.value for p in mine)}
        if settings.seeds > 1:
            least = 1e-3 * min((p.value for p in mine), default=1.0)
            line |= {"low": rounded(max(p.low, least) for p in mine), "high": rounded(p.high for p in mine)}
        lines.append(line)
    marks = [{"y": floor, "text": "as many true samples"}] if floor else []
    title = (
        UNITS.get(settings.measure) or f"Fréchet distance of {FRECHET_IMAGES} images, in a small classifier's features"
    )
    panel = {
        "x": {
            "title": "NFE, evaluations of the denoiser for each sample",
            "log": True,
            "range": [0.9, settings.limit * 1.1],
        },
        "y": {"title": UNITS[settings.measure], "log": True},
        "lines": lines,
        "marks": marks,
    }
    return {"figure": {"panels": [panel]}, "summary": _summary(settings, points, ended), "python": _python(settings)}


def _summary(settings, points, ended):
    if not points:
        return ""
    most = {}
    for point in points:
        most[point.lane] = point
    ranking = sorted((p for p in most.values() if math.isfinite(p.value)), key=lambda p: p.value)
    listed = ", ".join(f"{p.lane} {p.value:.2g} at {p.evaluations} NFE" for p in ranking)
    text = f"{'At the end' if ended else 'So far'}, from the best: {listed}."
    if ended and settings.seeds > 1 and len(ranking) > 1:
        first, second = ranking[:2]
        verdict = diagnostics.compare(first.values, second.values).text
        text += f" {first.lane} against {second.lane}: {verdict}."
    return text


def _python(settings):
    return f"""import edm
from edm import diagnostics, presets

model = edm.models.load({choosing.denoising(settings.data, settings.denoiser, "edm").name!r})
lanes = {{name: (model.denoiser, presets.load(f"designs/{{name}}").sampling) for name in ("vp", "ve", "iddpm", "edm")}}
latents = {{seed: edm.latents(edm.seeds(seed, {POINTS}), model.shape) for seed in range({settings.seeds})}}
for point in diagnostics.race(lanes, latents, evaluations=range(2, {settings.limit} + 1, 8)):
    print(point.lane, point.steps, point.evaluations, point.value, point.low, point.high)
"""


INSTRUMENT = Instrument(
    "race", "The race", "Which sampler needs how many evaluations for how small an error?", Race, respond
)
