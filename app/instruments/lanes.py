"""The lanes of Compare: samplers side by side from the same latents."""

from __future__ import annotations

import json
import time
from itertools import product

from app.instruments import choosing, lane_notes
from app.instruments.base import Instrument, View, option
from app.instruments.guided import independent
from app.instruments.starts import seed_option
from app.instruments.ways import Lane, offered, read, ways
from app.messages import comparisons
from app.sentences.visible import without_folders
from app.work import snippets
from app.work.measures import measure
from app.work.pictures import Picture
from edm import diagnostics, models, runner
from edm.base.errors import Refused
from edm.diagnostics.ranges import EXAMPLES
from edm.experiments.experiment import EACH, Experiment
from edm.plots.looks import YOURS, look_of
from edm.sampling.guidance import GUIDANCES
from edm.sampling.loop import last

POINTS = 150  # trajectories in a lane
MOST_EVALUATIONS = 10_000
UPDATE_SECONDS = 0.15  # between messages: each holds all pictures so far
KINDS = {choosing.EXACT: "exact", choosing.SHARED: "one learned", choosing.OWN: "each its own"}
BOTH = {choosing.EXACT: "ideal", choosing.SHARED: "learned"}  # each lane twice


def lanes_option(**display):
    """The columns that are chosen."""
    return option(
        ("vp", "ve", "iddpm", "edm"),
        "lanes",
        "Columns of Table 1, and the Sampler tab's settings as they are now",
        choices=offered,
        colors=lambda name: look_of(name).color,
        section="Lanes",
        **display,
    )


def nfe_option(help, **display):
    return option(35, "NFE", help, slider=(2, 100), step=1, ge=1, le=1000, section="Equal budget", **display)


class Comparison(View):
    """What all comparisons have in common."""

    data: str = option(
        "eight_gaussians", "data", "What is sampled", choices=choosing.data, list=True, section="Data and denoiser"
    )
    denoiser: str = option(
        choosing.EXACT,
        "denoiser",
        "The exact denoiser, one learned model (EDM's) for all lanes, or each lane its own model",
        choices=lambda: KINDS,
        section="Data and denoiser",
    )
    seed: int = seed_option("The same latents in all lanes")


class Lanes(Comparison):
    """What the lanes show."""

    denoiser: str = option(
        choosing.EXACT,
        "denoiser",
        "The exact denoiser, one learned model (EDM's) for all lanes, each lane its own model, or exact beside learned",
        choices=lambda: KINDS | {choosing.BOTH: "exact and learned"},
        section="Data and denoiser",
    )

    lanes: tuple[str, ...] = lanes_option(reads=read, pairs="lanes")
    guidance: str = option(
        "none", "guidance", "Leads all lanes further than the model does", choices=independent, list=True,
        section="Guidance",
    )  # fmt: skip
    weights: str = option(
        "1,2,4", "w", f"Each lane with each of these weights; {EXAMPLES}", section="Guidance",
        when={"guidance": [name for name in GUIDANCES if name != "none"]},
    )  # fmt: skip
    equal: str = option(
        "nfe",
        "equal",
        "What is the same in all lanes",
        choices=lambda: {"nfe": "NFE", "steps": "N", "time": "time"},
        section="Equal budget",
    )
    nfe: int = nfe_option("Evaluations of the denoiser", when={"equal": ["nfe"]})
    steps: int = option(
        18, "N", "Steps", slider=(1, 64), step=1, ge=1, le=1000, section="Equal budget", when={"equal": ["steps"]}
    )
    milliseconds: float = option(
        100.0,
        "ms",
        "Time for the whole batch",
        slider=(10, 3000),
        log=True,
        ge=1,
        le=60_000,
        section="Equal budget",
        when={"equal": ["time"]},
    )


def sampled(settings: Comparison) -> str:
    """What is sampled by which denoiser, in words: "Eight Gaussians, exact denoiser"."""
    titles = {
        choosing.EXACT: "exact denoiser",
        choosing.SHARED: "a learned denoiser",
        choosing.OWN: "learned denoisers",
        choosing.BOTH: "exact and learned denoiser",
    }
    return f"{choosing.data()[settings.data]}, {titles[settings.denoiser]}"


def lane_of(title, lane, sampling, settings, fit=None, denoiser=None, color=None, guidance=None) -> Lane:
    """A lane on the data and denoiser that are chosen. fit(experiment) -> sampling within the budget.
    denoiser: of KINDS, where it is another one. color: where it is not the column's. guidance: fields of it."""
    color = color or look_of(lane).color
    try:
        column = "edm" if lane == YOURS else lane
        model = choosing.denoising(settings.data, denoiser or settings.denoiser, column)
        points = len(model.shape) == 1
        # beside a network, which is told classes by turns, the exact denoiser is told the same
        label = EACH if settings.denoiser == choosing.BOTH and model.classes else None
        experiment = Experiment(model=model.name, count=POINTS if points else None, label=label, sampling=sampling)
        experiment = experiment.changed(**(guidance or {}))
        return Lane(title, color, experiment.changed(sampling=fit(experiment)) if fit else experiment)
    except Refused as error:
        return Lane(title, color, None, without_folders(str(error)))


def respond(settings: Lanes, context):
    def fit(experiment):
        sampling = experiment.sampling
        if settings.equal == "nfe":
            passes = max(runner.path(experiment).passes, default=1)  # a guided step may evaluate two networks
            return sampling.changed(steps=diagnostics.steps_for(sampling, settings.nfe // passes or 1), sigmas=None)
        if settings.equal == "steps":
            return sampling.changed(steps=settings.steps, sigmas=None)
        return sampling.changed(steps=_steps_in(settings.milliseconds, experiment, context), sigmas=None)

    if not settings.lanes:
        raise Refused("no lane is chosen: choose one or more under Lanes")
    kinds = BOTH if settings.denoiser == choosing.BOTH else {None: ""}
    lanes = []
    for way in ways(settings.lanes, context.yours, settings.seed):
        if isinstance(way, Lane):
            lanes.append(way)
            continue
        for (kind, said), (weight, guidance) in product(kinds.items(), _guidances(settings)):
            title = ", ".join(filter(None, (way.title, said, weight)))
            lanes.append(lane_of(title, way.column, way.sampling, settings, fit, kind, way.color, guidance))
    asked = settings.nfe if settings.equal == "nfe" else None
    yield from pictures(lanes, context, sampled(settings), copies=settings.denoiser == choosing.BOTH, asked=asked)


def _guidances(settings) -> list[tuple[str, dict]]:
    """(what is said of it, the fields) of the guidance of each lane."""
    if settings.guidance == "none":
        return [("", {})]
    weights = diagnostics.parse_range(settings.weights, "guidance_weight")
    return [(f"w = {weight:g}", {"guidance": settings.guidance, "guidance_weight": weight}) for weight in weights]


def short(row: str) -> str:
    """The title of a row of Table 1 without its symbols: "time steps tᵢ" -> "time steps"."""
    return " ".join(word for word in row.split() if word.isalpha() and word.isascii())


def pictures(lanes, context, what, chain=False, copies=False, asked=None, beside=None, said=None, drawn=None):
    """Bodies with one more picture each, then with the errors.

    what: is sampled, in words. chain: each note says what the step has changed. copies: and how many samples are.
    asked: the evaluations that were, which are said where a lane has others. beside: a lane without a picture, whose
    error the last one's is held against. said() -> what is said in place of the errors. drawn() -> more panels of
    numbers."""
    shown = [{"title": lane.title, "color": lane.color, "error": lane.failed, "picture": None} for lane in lanes]
    samplings = {f"{k}": lane.experiment.sampling for k, lane in enumerate(lanes) if lane.experiment}
    rows = [
        (title, [cells.get(f"{k}", "") for k in range(len(lanes))])
        for title, cells in diagnostics.differing_rows(samplings)
    ]
    base = {"rows": rows, "summary": "", "python": snippets.complete(_python(lanes), context.work.own)}
    due = time.perf_counter() + UPDATE_SECONDS
    for k, lane in enumerate(lanes):
        if lane.experiment is None:
            continue
        for text, _ in Picture(experiment=lane.experiment).compute(context.work, context.watch):
            shown[k] |= {"picture": text, "note": lane_notes.note(lane, None, None, asked)}
            if time.perf_counter() > due:
                yield _text(base, shown), False
                due = time.perf_counter() + UPDATE_SECONDS
    yield _text(base, shown), False
    found: list = []
    copied: dict = {}
    for k, lane in enumerate(lanes):
        measures = measure(lane.experiment, context.work, context.watch) if lane.experiment else None
        before = next((e for e in map(lane_notes.error, reversed(found)) if e is not None), None) if chain else None
        found.append(measures)
        if lane.experiment is not None:
            shown[k]["note"] = lane_notes.note(lane, measures, before, asked)
            if copies and (known := lane_notes.copies(lane, context)):
                copied[lane.title] = known
                shown[k]["note"] += " · {} of {} are copies".format(*known)
    base["summary"] = said() if said else lane_notes.summary(lanes, found, what, chain)
    if beside is not None and beside.experiment is not None:
        base["summary"] += lane_notes.held(
            lanes[-1], found[-1], beside, measure(beside.experiment, context.work, context.watch)
        )
    base["figure"] = lane_notes.table(lanes, shown, found, copied, drawn() if drawn else ())
    yield _text(base, shown), True


def _text(base, shown):
    """The body as JSON; pictures are JSON already."""
    parts = [{**{k: v for k, v in lane.items() if k != "picture"}, "picture": None} for lane in shown]
    lanes = [
        json.dumps(part)[: -len("null}")] + (lane["picture"] or "null") + "}"
        for part, lane in zip(parts, shown, strict=True)
    ]
    return f'{json.dumps(base)[:-1]}, "lanes": [{", ".join(lanes)}]}}'


def _steps_in(milliseconds, experiment, context):
    """N for which the whole batch takes about so long here, from a short run of the same sampler."""
    sampling, model = experiment.sampling, models.of(experiment)

    def measure():
        brief = experiment.changed(count=None, sampling={"steps": 4, "sigmas": None})
        place = context.place(model)
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            last(runner.states(brief, place, context.watch))
            taken.append(1000 * (time.perf_counter() - start))
        return sorted(taken)[1] / 4

    told = "step time", model.identity, sampling.solver, sampling.schedule, experiment.guidance
    each = context.work.remember(told, measure)
    return max(
        1, min(diagnostics.steps_for(sampling.changed(sigmas=None), MOST_EVALUATIONS), round(milliseconds / each))
    )


def _python(lanes):
    lines = ["import edm", "", "lanes = {"]
    for lane in lanes:
        if lane.experiment:
            lines.append(f"    {lane.title!r}: {lane.experiment.document()!r},")
    lines += [
        "}",
        "for title, settings in lanes.items():",
        "    experiment = edm.Experiment.parse(settings)",
        "    states = list(edm.runner.states(experiment))",
        "    part = edm.runner.part_of(experiment)",
        "    edm.render.picture(edm.models.of(experiment), states, part=part).save(f'{title}.png')",
    ]
    return "\n".join(lines) + "\n"


INSTRUMENT = Instrument(
    "lanes",
    "compare",
    "Side by side",
    "The same noise through different samplers: where do they end?",
    Lanes,
    respond,
    script="lanes",
    body=comparisons.Lanes,
)
