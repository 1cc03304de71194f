"""Same or different? Two names as rows of Table 1, the proof, and what the difference does to the race."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from app.instruments import choosing, starts, verdicts
from app.instruments.base import Instrument, View, option
from app.instruments.references import References
from app.messages import comparisons
from edm import diagnostics, models
from edm.base.devices import precisely
from edm.diagnostics import MEASURES, Name, RacePoint, Sameness, Setting
from edm.diagnostics.sameness import DIFFERENT, EQUAL, SAME, SAMPLING_ROWS
from edm.diagnostics.training_rows import SIGMAS, TRAINING_ROWS
from edm.experiments.experiment import Experiment
from edm.plots import panels
from edm.plots.looks import YOURS, Look
from edm.plots.panels import Series, rounded
from edm.sampling.settings import Sampling

POINTS = 200
BUDGETS = (3, 5, 7, 9, 11, 14, 18, 25, 35, 50, 71, 100)
TOLD = 11  # evaluations at which the summary compares
DIFFER = (SAME, DIFFERENT)  # in what they say
SIDES = ("A", "B")
LOOKS = {"A": Look("c1", "solid"), "B": Look("c2", "dash")}
WIDTHS = {"A": 5, "B": 2}  # so that a line on a line is seen


def offered() -> dict[str, str]:
    """name -> title of all that can be compared."""
    return {**{name: known.title for name, known in diagnostics.names().items()}, YOURS: "as in the Sampler tab"}


def families(names: Iterable[str]) -> list[str]:
    """Under which heading each stands in the list."""
    known = diagnostics.names()
    return [known[name].family if name in known else "yours" for name in names]


def name_option(default: str, symbol: str, help: str):
    """One of the two."""
    return option(default, symbol, help, choices=offered, families=families, list=True, section="Two settings")


class Pair(View):
    """What is compared."""

    a: str = name_option("flow_euler", "A", "A name as people use it, a column of Table 1, or a choice of one row")
    b: str = name_option("ddim", "B", "The other one: a row that only one of the two sets is the same for both")
    data: str = option(
        "eight_gaussians", "data", "What is sampled, by its exact denoiser", choices=choosing.small, list=True,
        section="Proof",
    )  # fmt: skip
    steps: int = option(11, "N", "Steps of both", slider=(1, 64), step=1, ge=1, le=200, section="Proof")
    limit: int = option(71, "NFE ≤", "Where the race ends", slider=(10, 100), step=1, ge=3, le=200, section="Race")
    seed: int = starts.seed_option("The same latents, and the same fresh noise, for both")


def name_of(chosen: str, yours: Sampling) -> Name:
    """What was chosen, with the Sampler tab's settings as one name."""
    if chosen != YOURS:
        return diagnostics.names()[chosen]
    fields = {field for row in SAMPLING_ROWS for field in row.fields}
    return Name(YOURS, "yours", sampling={field: getattr(yours, field) for field in sorted(fields)})


def respond(settings: Pair, context):
    model = models.load(settings.data)
    yours = context.yours.sampling
    first, second = (name_of(chosen, yours) for chosen in (settings.a, settings.b))
    by_hand = next((one.sampling["sigmas"] for one in (first, second) if one.sampling.get("sigmas")), None)
    steps = settings.steps if by_hand is None else len(by_hand)
    z, _ = starts.latents(model, POINTS, 0, settings.seed, context.place(model))
    denoiser = context.denoiser(model)
    found = diagnostics.same(
        first, second, denoiser, z, sampling=Sampling(steps=steps, seed=settings.seed),
        sigma_data=model.dataset.sigma_data if model.dataset else 1.0,
    )  # fmt: skip
    yield _body(settings, found, []), False
    for done, ended in context.paced(_points(found, model, denoiser, z, settings, context)):
        yield _body(settings, found, done), ended


def _settings(found) -> dict[str, Setting]:
    return dict(zip(SIDES, (found.a, found.b), strict=True))


def _measure(found: Sameness) -> str:
    """What they race for: with fresh noise there is no solution to err from."""
    return "distance" if any(setting.sampling.stochastic for setting in (found.a, found.b)) else "error"


def _points(found, model, denoiser, z, settings, context) -> Iterator[RacePoint]:
    """Points of both at each budget; levels as published are made anew for each N."""
    known = References(dict.fromkeys(SIDES, model), POINTS, context)
    latents, seen, measure = {settings.seed: precisely(z)}, set(), _measure(found)
    if measure != "error":
        experiment = Experiment(model=model.name)
        measure = context.work.remember(
            ("to data", model.identity, measure), lambda: diagnostics.to_data(experiment, "distance")
        )
    for budget in (budget for budget in BUDGETS if budget <= settings.limit):
        racing = {}
        for side, setting in _settings(found).items():
            sampling = setting.at(diagnostics.with_evaluations(setting.sampling, budget))
            if (side, sampling.N) not in seen:
                racing[side] = diagnostics.Lane(denoiser, sampling)
            seen.add((side, sampling.N))
        if racing:
            yield from diagnostics.race(racing, latents, [budget], measure, known)


def _body(settings, found, points):
    titles = tuple(setting.title for setting in (found.a, found.b))
    drawn = _curves(found, titles)
    if not found.sampled_alike or not drawn:
        drawn = [*_race(settings, found, titles, points), *drawn]
    columns = 1 if len(drawn) == 1 else 2 if len(drawn) in (2, 4) else 3
    return {
        "figure": {"columns": columns, "panels": drawn},
        "summary": _summary(settings, found, titles, points),
        "python": _python(settings),
        "titles": titles,
        "same": found.same,
        "verdict": _verdict(found),
        "rows": [_row(row) for row in found.rows],
    }


def _race(settings, found, titles, points):
    series = [
        Series(f"{side}: {title}", LOOKS[side], [point for point in points if point.lane == side])
        for side, title in zip(SIDES, titles, strict=True)
    ]
    panel = panels.race(series, MEASURES[_measure(found)].axis_of(None), settings.limit)
    for side, line in zip(SIDES, panel["lines"], strict=True):
        line["width"] = WIDTHS[side]
    return [panel | {"x": panel["x"] | {"title": "NFE"}, "title": panel["y"]["title"], "y": {"log": True}}]


def _curves(found, titles):
    """Over σ, of the training rows that say something else."""
    rows = {row.title: row for row in found.rows}
    drawn = []
    for row in TRAINING_ROWS:
        if rows[row.title].verdict == EQUAL:
            continue
        curves = {side: row.curves(setting) for side, setting in _settings(found).items()}
        for name in curves["A"]:
            lines = [
                {
                    "name": f"{side}: {title}", "color": LOOKS[side].color, "dash": LOOKS[side].dash,
                    "width": WIDTHS[side], "x": rounded(SIGMAS), "y": rounded(curves[side][name]),
                }
                for side, title in zip(SIDES, titles, strict=True)
            ]  # fmt: skip
            log = not name.startswith(("c_skip", "p_train"))
            drawn.append({"title": name, "x": {"title": "σ", "log": True}, "y": {"log": log}, "lines": lines})
    return drawn


def _row(row):
    proof = ""
    if row.verdict != EQUAL:
        number = f"{row.difference:.1g}" if math.isfinite(row.difference) else "not bounded"
        proof = f"{row.of}: {number}" if row.of else number
    return {"title": row.title, "a": row.a, "b": row.b, "verdict": row.verdict, "proof": proof}


def _verdict(found):
    """In a sentence."""
    other, apart = _rows(found, *DIFFER), _rows(found, DIFFERENT)
    if not other:
        return "The same, row by row: two names for one entry of Table 1."
    if found.same:
        return f"The same, though written differently in {other}."
    if found.sampled_alike and not found.trained_alike:
        return f"Different in training, in {apart}; they sample alike."
    return f"Different, in {apart}." if apart else f"Different, by {other} together."


def _rows(found, *verdicts_of) -> str:
    """The rows of these verdicts, as in a sentence."""
    titles = [row.title for row in found.rows if row.verdict in verdicts_of]
    return f"the row{'s' * (len(titles) > 1)} {verdicts.enumerated(titles)}" if titles else ""


def _summary(settings, found, titles, points):
    text = (
        f"The largest differences at N = {found.a.sampling.N}: levels {_small(found.levels)}, coefficients "
        f"{_small(found.coefficients)}, samples {_small(found.samples)} of σ_data."
    )
    at = {side: [p for p in points if p.lane == side and p.evaluations <= TOLD] for side in SIDES}
    if found.sampled_alike or not all(at.values()):
        return f"{text} So the race has one line." if found.sampled_alike else text
    (first, second), error = (at[side][-1] for side in SIDES), _measure(found) == "error"
    text += f" At {first.evaluations} evaluations the {'error' if error else 'distance to the data'} of {titles[0]} is "
    text += f"{first.value:.2g}, that of {titles[1]}"
    if first.evaluations != second.evaluations:
        text += f", at {second.evaluations},"
    text += f" {second.value:.2g}"
    if not error:
        return f"{text}. With fresh noise there is no solution to err from; both had the same noise."
    if math.isfinite(first.value) and 0 < second.value < math.inf:
        text += f": {max(first.value / second.value, second.value / first.value):.2g} × apart"
    return f"{text}. {verdicts.about(f'{choosing.data()[settings.data]}, exact denoiser')}"


def _small(number):
    return "0" if number == 0 else f"{number:.1g}" if math.isfinite(number) else "not bounded"


def _python(settings):
    names = [repr(name) for name in (settings.a, settings.b) if name != YOURS]
    if len(names) < 2:
        names = [*names, "edm.diagnostics.Name('yours', 'yours', sampling={'solver': 'heun'})  # your fields"][:2]
    return (
        "import edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"latents = edm.latents(edm.seeds({settings.seed}, {POINTS}), model.shape)\n"
        f"pair = [{', '.join(names)}]\n"
        f"sampling = edm.Sampling(steps={settings.steps}, seed={settings.seed})\n"
        "found = edm.diagnostics.same(*pair, model.denoiser, latents, sampling=sampling)\n"
        "print(found.same, found.levels, found.coefficients, found.samples)\n"
        "for row in found.rows:\n"
        "    print(row.title, row.verdict, row.difference)\n"
    )


INSTRUMENT = Instrument(
    "sameness",
    "compare",
    "Same or different?",
    "Do two names mean the same, and if not, which row tells them apart?",
    Pair,
    respond,
    script="sameness",
    body=comparisons.Sameness,
)
