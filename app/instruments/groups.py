"""Trained models that are measured on the same samples, and the curves of their losses as lines of a figure."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from app.instruments import choosing
from edm import diagnostics, models
from edm.objective import WEIGHTS, Design
from edm.plots.looks import look_of
from edm.plots.panels import loss_line, rounded
from edm.training.settings import trained_as

FIRST = {1: 64, 3: 2}  # samples of the first, rough curve: of points, of images
MOMENT_SAMPLES = 256


def short(model) -> str:
    """The model's title in as few words as tell it from the others: "Digits EDM 5 k"."""
    return _shortened(model, choosing.title(model))


def short_titles() -> dict[str, str]:
    """All trained models: name -> short title."""
    found = choosing.trained()
    titles = choosing.titles(found)
    return {model.name: _shortened(model, titles[model.name]) for model in found}


def _shortened(model, title) -> str:
    plain = re.sub(r", (after .*|MLP)$", "", model.title).replace(",", "")
    return plain if title == model.title else f"{plain} {model.header.images // 1000} k"


@dataclass(frozen=True)
class Group:
    """Models that are measured on the same samples. exact: the model of the ideal denoiser, or None."""

    title: str
    models: list[models.Model]
    exact: models.Model | None
    draw: diagnostics.Draw
    moment: float

    def losses(self, context, sigmas):
        """The library's endless stream of curves, with guarded denoisers."""
        place = context.place(self.models[0])
        return diagnostics.losses(
            {model.name: context.denoiser(model, place) for model in self.models},
            self.draw,
            sigmas,
            exact=context.denoiser(self.exact, place) if self.exact else None,
            first=FIRST[len(self.models[0].shape)],
            device=place,
        )

    def design(self, model) -> Design:
        """How the model was trained."""
        return trained_as(model.header).design


def group_of(chosen: list[models.Model], context) -> Group:
    """The group of models of the same data. Raises Refused if their data cannot be had."""
    remember, model = context.work.remember, chosen[0]
    draw = draw_of(model, context)
    moment = remember(("second moment", model.identity), lambda: _moment(draw))
    return Group(choosing.data()[choosing.data_of(model)].split(",")[0], chosen, exact_of(model), draw, moment)


def draw_of(model, context) -> diagnostics.Draw:
    """Where the model's samples come from, looked up once."""
    return context.work.remember(("draw", model.identity), lambda: diagnostics.held_out(model))


def exact_of(model):
    """The model of the ideal denoiser of the same data at the same size, or None."""
    exact = choosing.exact_of(model)
    return exact if exact is not None and exact.shape == model.shape else None


def _moment(draw):
    count = min(draw.size or MOMENT_SAMPLES, MOMENT_SAMPLES)
    return float(draw(range(count))[0].double().square().mean())


def fine(curves, precision) -> bool:
    """Whether every standard error is below that part of its mean."""
    return all((curve.stderr < precision * curve.mean).all() for curve in curves.values())


def group_lines(group, curves, sigmas, groups=1, k=0) -> list[dict]:
    """Each model's loss, the floor, and the loss of fresh networks, as raw losses; `weights` has what to multiply
    with for each choice of λ: a line without that choice is not shown with it.

    groups, k: of several groups each has its own colour, of a single one each column of Table 1.
    """
    several = groups > 1
    shade = f"c{1 + k % 4}"
    lines = []
    for model in group.models:
        column, rank = choosing.preconditioning_of(model), _rank(model, group.models)
        look = look_of(column)
        known = np.isfinite(diagnostics.preconditioning(column, sigmas, model.sigma_data).c_out)
        line = {"name": short(model), "color": shade if several else look.color, "dash": look.dash}
        line |= {"opacity": 1 - 0.55 * rank, "width": 2.4 - 0.6 * rank}
        lines.append(loss_line(line, curves[model.name], known) | {"weights": weights_of(group, sigmas, model)})
    lines += _fresh(group, sigmas, shade if several else None)
    if group.exact:
        title = f"least possible, {group.title}" if several else "least possible"
        style = {
            "name": title,
            "color": shade if several else "data",
            "dash": "longdash" if several else "solid",
            "width": 1.8,
        }
        own = {group.design(model).weight: model for model in group.models}
        for number, model in enumerate(own.values()):
            weights = weights_of(group, sigmas, model)
            if number:  # the other choices are the same for all
                weights = {"own": weights["own"]}
            floor = loss_line(style, curves["floor"])
            lines.append(floor | {"weights": weights, "floor": True})
    return lines


def _rank(model, others):
    """0 for the newest of a run's checkpoints that are shown, up to 1 for the oldest."""
    siblings = sorted((m for m in others if m.family == model.family), key=lambda m: -m.header.images)
    return siblings.index(model) / max(1, len(siblings) - 1)


def weights_of(group, sigmas, model):
    """What each choice of λ multiplies the raw loss with; "own" as the model was trained."""
    fixed = {name: rounded(diagnostics.loss_weight(name, sigmas, group.models[0].sigma_data)) for name in WEIGHTS}
    own = rounded(diagnostics.loss_weight(group.design(model).weight, sigmas, model.sigma_data))
    return {"raw": [1.0] * len(sigmas), "own": own, **fixed}


def _alike(a, b) -> bool:
    """Whether two curves agree wherever both are known."""
    both = np.isfinite(a) & np.isfinite(b)
    return bool(both.any()) and np.allclose(a[both], b[both])


def _fresh(group, sigmas, color):
    """The loss of networks that return 0, one line for preconditionings that make the same of it."""
    found: list = []  # (loss, weight, model, columns)
    for model in group.models:
        column, weight = choosing.preconditioning_of(model), group.design(model).weight
        loss = diagnostics.initial_loss(column, sigmas, model.sigma_data, group.moment)
        known = next((columns for other, of, _, columns in found if of == weight and _alike(other, loss)), None)
        if known is None:
            found.append((loss, weight, model, [column]))
        elif column not in known:
            known.append(column)
    return [
        {
            "name": f"fresh network, {'/'.join(choosing.column_title(column) for column in columns)}",
            "color": color or look_of(columns[0]).color,
            "dash": "dot",
            "width": 1.3,
            "x": rounded(sigmas),
            "y": rounded(loss),
            "weights": weights_of(group, sigmas, model),
        }
        for loss, _, model, columns in found
    ]
