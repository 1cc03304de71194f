"""The race: error against the number of evaluations, for several samplers at once, filling in from cheap to dear."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from app.instruments import choosing, lanes, methods, race_snippet, solving, verdicts, ways
from app.instruments.base import Instrument, option
from app.instruments.references import References
from app.messages import comparisons
from edm import diagnostics, presets, runner
from edm.base.choices import titles
from edm.base.errors import Refused
from edm.diagnostics import MEASURES
from edm.experiments.experiment import Experiment
from edm.plots import panels
from edm.plots.looks import YOURS, Look, counted, look_of
from edm.plots.panels import Series
from edm.sampling.settings import Sampling

BUDGETS = (2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160, 200)
POINTS, IMAGES = 400, 8  # samples of a lane and seed, unless the measure wants more
REFERENCE_STEPS = {True: 128, False: diagnostics.REFERENCE_STEPS}  # of images, of points
CONTESTS = {
    "columns": "columns of Table 1",
    "walk": "one change at a time",
    "solvers": "solvers",
    "all": "all solvers",
    "churn": "stochasticity",
}
FINER = 3  # times, where orders are to be seen
AT_EDM = " = EDM"  # ends the title of the lane where a walk that goes on has arrived at the paper's
SOLVING = ("solvers", "all")  # contests of solvers
CHURN = {"S_churn": 30.0, "S_tmin": 0.05, "S_tmax": 1.0, "S_noise": 1.007}


class Race(lanes.Comparison):
    """What the race shows."""

    field: str = option(
        "columns", "race", "What races against what", choices=lambda: CONTESTS, list=True, section="Lanes"
    )
    lanes: tuple[str, ...] = lanes.lanes_option(when={"field": ["columns"]})
    start: str = option(
        "vp", "from", "The sampler that becomes EDM's, one row of Table 1 after the other", choices=presets.titles,
        section="Lanes", when={"field": ["walk"]},
    )  # fmt: skip
    on: bool = option(
        False, "and on to flow", "From EDM's sampler on to flow's time steps, σ(t) and s(t), still with Heun",
        section="Lanes", when={"field": ["walk"]},
    )  # fmt: skip
    solvers: tuple[str, ...] = methods.solvers_option(
        ("euler", "heun", "lms", "dpmpp_2m", "unipc"),
        "Solvers of the ODE, each in all coordinates",
        section="Lanes",
        when={"field": ["solvers"]},
    )
    coordinates: tuple[str, ...] = option(
        ("edm", "flow"),
        "coordinates",
        "The columns of Table 1 whose σ(t), s(t) and time steps the solvers get",
        choices=presets.titles,
        colors=lambda name: look_of(name).color,
        section="Coordinates",
        when={"field": ["solvers", "all"]},
    )
    grids: tuple[str, ...] = option(
        ("own",), "time steps", "The time steps of the coordinates' own column, or others", choices=solving.grids,
        section="Time steps", when={"field": ["solvers", "all"]},
    )  # fmt: skip
    shift: float = option(
        0.5, "α", "Of flow's time steps: below 1 they crowd towards low noise", slider=(0.1, 3), log=True, ge=0.01,
        le=100, section="Time steps", when={"field": ["solvers", "all", "walk"]},
    )  # fmt: skip
    churn: float = option(
        CHURN["S_churn"], "S<sub>churn</sub>", "Amount of fresh noise", slider=(0, 100), step=1, ge=0, le=1000,
        section="Lanes", when={"field": ["churn"]},
    )  # fmt: skip
    measure: str = option(
        "error", "measure", "What is measured", choices=lambda: titles(MEASURES), list=True, section="Measure"
    )
    seeds: int = option(
        1, "seeds", "Repeats with other noise, the same in all lanes; from 2 on there are intervals",
        slider=(1, 12), step=1, ge=1, le=64, section="Measure",
    )  # fmt: skip
    limit: int = option(
        200, "NFE ≤", "Where the race ends", slider=(10, 200), step=10, ge=2, le=1000, section="Measure"
    )


@dataclass(frozen=True)
class Entrant:
    """Who races: how it samples, whose own model it may have, and how it is drawn. method: of a race of solvers."""

    sampling: Sampling
    column: str
    look: Look
    method: str | None = None


def entrants(settings: Race, context) -> dict[str, Entrant]:
    """title -> who races."""
    seed = settings.seed
    if settings.field == "columns":
        if not settings.lanes:
            raise Refused("no lane is chosen: choose one or more under Lanes")
        named = ways.offered()
        return {
            named[lane]: Entrant(ways.sampling_of(lane, context.yours, seed), lane, look_of(lane))
            for lane in settings.lanes
        }
    if settings.field in SOLVING:
        chosen = settings.solvers if settings.field == "solvers" else tuple(methods.methods())
        found = solving.runners(chosen, settings.coordinates, settings.grids, settings.shift, seed)
        return {title: Entrant(one.sampling, one.column, one.look, one.method) for title, one in found.items()}
    if settings.field == "walk":
        start = ways.sampling_of(settings.start, context.yours, seed)
        end = ways.sampling_of("edm", context.yours, seed)
        steps = diagnostics.walk(start, end)
        found = [ways.offered()[settings.start], *(f"+ {lanes.short(step.rows[0])}" for step in steps[1:])]
        if settings.on:
            found[-1] += AT_EDM
            more = diagnostics.walk(end, ways.flow_with_heun(context.yours, seed, settings.shift))[1:]
            found += [f"+ flow's {lanes.short(step.rows[0])}" for step in more]
            steps += more
        samplings = [step.sampling.changed(seed=seed) for step in steps]
    else:
        base = ways.sampling_of("edm", context.yours, seed)
        added = {"S_churn": settings.churn}
        bounded = {**added, "S_tmin": CHURN["S_tmin"], "S_tmax": CHURN["S_tmax"]}
        noisy = {**added, "S_noise": CHURN["S_noise"]}
        found = ["deterministic", "S_churn", "S_churn, S_tmin, S_tmax", "S_churn, S_noise", "all four"]
        samplings = [base, *(base.changed(**c) for c in (added, bounded, noisy, {**bounded, **noisy}))]
    column = settings.start if settings.field == "walk" else "edm"
    return {
        title: Entrant(sampling, column, counted(k))
        for k, (title, sampling) in enumerate(zip(found, samplings, strict=True))
    }


def respond(settings: Race, context):
    racing = entrants(settings, context)
    opening = _body(settings, racing, [], None, False)
    yield {**opening, "summary": "Solving finely first, for what to compare with …"}, False
    learned = {title: _model(settings, entrant) for title, entrant in racing.items()}
    model = next(iter(learned.values()))
    measure, floor = settings.measure, None
    if MEASURES[measure].against:
        experiment = Experiment(model=model.name)
        measure = context.work.remember(
            ("to data", model.identity, measure), lambda: diagnostics.to_data(experiment, settings.measure)
        )
    count = _count(settings, model)
    if settings.measure == "distance":
        data = model.dataset
        floor = context.work.remember(  # as `app.work.measures` does
            ("floor", (data.name, None), count),
            lambda: diagnostics.data_floor(data, count, diagnostics.true_points(data)),
        )
    seeds = range(settings.seed, settings.seed + settings.seeds)
    latents = {seed: _start(model, count, seed, context)[0] for seed in seeds}
    labels = _start(model, count, settings.seed, context)[1]
    runners = {
        title: diagnostics.Lane(context.denoiser(learned[title]), entrant.sampling, labels)
        for title, entrant in racing.items()
    }
    budgets, steps = _budgets(settings), _solved(settings, model)
    solutions = References(learned, count, context, steps)
    points = diagnostics.race(runners, latents, budgets, measure, solutions, reference_steps=steps)
    for done, ended in context.paced(points):
        if done or ended:
            yield _body(settings, racing, done, floor, ended), ended


def _model(settings, entrant):
    return choosing.denoising(settings.data, settings.denoiser, "edm" if entrant.column == YOURS else entrant.column)


def _count(settings, model):
    return POINTS if len(model.shape) == 1 else MEASURES[settings.measure].images or IMAGES


def _start(model, count, seed, context):
    return runner.start(Experiment(model=model.name, count=count, sampling={"seed": seed}), context.place(model))


def _body(settings, racing, points, floor, ended):
    series = [
        Series(title, entrant.look, [point for point in points if point.lane == title])
        for title, entrant in racing.items()
    ]
    measure = MEASURES[settings.measure]
    limit = min(settings.limit, solving.BUDGETS[-1]) if settings.field in SOLVING else settings.limit
    panel = panels.race(series, measure.axis_of(measure.images), limit, settings.seeds > 1, floor)
    by_lane = {one.name: one.items for one in series}
    best = solving.best(by_lane, limit) if settings.field in SOLVING else {}
    if best:
        winning = {point.lane for point in best.values()} | {solving.reference(racing)}
        shown = winning if settings.field == "all" else set(by_lane)
        orders = ended and settings.measure == "error"
        panel["lines"] = [solving.told(line, by_lane[line["name"]], shown, orders) for line in panel["lines"]]
        panel["lines"].sort(key=lambda line: line["name"] is not None)  # the faint ones below
    return {
        "figure": {"panels": [panel]},
        "summary": _summary(settings, racing, points, ended),
        "python": _python(settings, racing),
        "best": [_best(settings, at, point, racing, by_lane) for at, point in best.items()],
    }


def _best(settings, at, point, racing, by_lane):
    """A row of the table: who is best with so many evaluations, and what Heun in EDM's coordinates has with them."""
    entrant, own = racing[point.lane], by_lane.get(solving.reference(racing))
    other = solving.at(own, at) if own else None
    model = _model(settings, entrant)
    sampling = entrant.sampling.changed(steps=point.steps)
    count = POINTS if len(model.shape) == 1 else None
    return {
        "evaluations": at,
        "lane": point.lane,
        "color": entrant.look.color,
        "value": point.value,
        "used": point.evaluations,
        "heun": other.value if other and math.isfinite(other.value) else None,
        "document": json.dumps(Experiment(model=model.name, count=count, sampling=sampling).document()),
    }


def _summary(settings, racing, points, ended):
    if not points:
        return ""
    by_lane = {title: [point for point in points if point.lane == title] for title in racing}
    if settings.field in SOLVING:
        return solving.summary(racing, by_lane, settings.limit, lanes.sampled(settings), settings.measure)
    last = [found[-1] for found in by_lane.values() if found]
    ranking = sorted((p for p in last if math.isfinite(p.value)), key=lambda p: p.value)
    listed = ", ".join(f"{p.lane} {p.value:.2g} at {p.evaluations} NFE" for p in ranking)
    text = f"{'At the end' if ended else 'So far'}, from the best: {listed or 'no finite number'}."
    if broken := [p.lane for p in last if not math.isfinite(p.value)]:
        text += f" Not finite, and so without a point: {', '.join(broken)}."
    if not ended:
        return text
    if settings.field == "churn" and settings.seeds >= diagnostics.LEAST:
        text += f" {verdicts.of_churn(by_lane)}"
    elif settings.seeds > 1 and len(ranking) > 1:
        first, second = ranking[:2]
        verdict = diagnostics.compare(first.values, second.values).text
        text += f" {first.lane} against {second.lane}: {verdict}."
    samplings = {title: entrant.sampling for title, entrant in racing.items()}
    error, what = settings.measure == "error", lanes.sampled(settings)
    return f"{text} {verdicts.of_race(by_lane, samplings, _paper(settings, racing), error, what)}".rstrip()


def _paper(settings, racing):
    """The title of the lane that the paper arrives at: EDM's, or the end of a walk."""
    if settings.field == "walk":
        return next((title for title in racing if title.endswith(AT_EDM)), list(racing)[-1])
    return next(
        (title for title, entrant in racing.items() if settings.field == "columns" and entrant.column == "edm"), None
    )


def _python(settings, racing):
    models = {title: _model(settings, one) for title, one in racing.items()}
    model = next(iter(models.values()))
    chosen = {title: (models[title].name, one.sampling.document()) for title, one in racing.items()}
    seeds = list(range(settings.seed, settings.seed + settings.seeds))
    how = settings.measure, _budgets(settings), _solved(settings, model)
    return race_snippet.python(chosen, model.name, _count(settings, model), seeds, *how)


def _budgets(settings) -> list[int]:
    """The evaluations at which it is measured."""
    return [
        budget for budget in (solving.BUDGETS if settings.field in SOLVING else BUDGETS) if budget <= settings.limit
    ]


def _solved(settings, model) -> int:
    """Steps of the solutions that errors are measured from."""
    return REFERENCE_STEPS[len(model.shape) == 3] * (FINER if settings.field in SOLVING else 1)


INSTRUMENT = Instrument(
    "race",
    "compare",
    "The race",
    "Which sampler needs how many evaluations for how small an error?",
    Race,
    respond,
    script="race",
    body=comparisons.Race,
)
