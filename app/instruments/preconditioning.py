"""The preconditioning lab: the coefficients of Table 1 over σ, and what they do to the network's input and target."""

from __future__ import annotations

import numpy as np

from app.instruments.base import Instrument, View, option
from edm import diagnostics, presets
from edm.base.choices import title_of, titles
from edm.objective import WEIGHTS
from edm.plots.looks import look_of
from edm.plots.panels import rounded
from edm.preconditioning import PRECONDITIONINGS


def own_weight(column: str) -> str:
    """The loss weight of the column of Table 1 that a preconditioning is of; EDM's for one of none."""
    name = column if column in presets.titles() else "edm"
    return presets.read(f"designs/{name}")["training"]["design"]["weight"]


class Preconditionings(View):
    """What the preconditioning lab shows."""

    columns: tuple[str, ...] = option(
        ("vp", "ve", "iddpm", "edm"),
        "columns",
        "Columns of Table 1",
        choices=lambda: titles(PRECONDITIONINGS),
        colors=lambda name: look_of(name).color,
        section="Preconditioning",
    )
    weight: str = option(
        "own",
        "λ(σ)",
        "The loss weight of each column, or one for all",
        choices=lambda: {"own": "each its own", **titles(WEIGHTS)},
        section="Loss weight",
    )
    sigma_data: float = option(
        0.5,
        "σ<sub>data</sub>",
        "Standard deviation of the data; 0.5 for images in [−1, 1]",
        slider=(0.1, 2),
        log=True,
        gt=0,
        le=100,
        section="Data",
    )


PANELS = (
    ("c_skip", "c<sub>skip</sub>", False),
    ("c_out", "|c<sub>out</sub>|", True),
    ("c_in", "c<sub>in</sub>", True),
    ("input_std", "size of the network's input", True),
    ("target_std", "size of the network's target", True),
    ("effective", "weight on the network, λ·c<sub>out</sub>²", True),
)


def respond(settings: Preconditionings, context):
    sigmas = np.geomspace(0.002, 80, 90)
    panels = {name: [] for name, _, _ in PANELS}
    for column in settings.columns:
        found = diagnostics.preconditioning(column, sigmas, settings.sigma_data)
        weight = own_weight(column) if settings.weight == "own" else settings.weight
        curves = {name: abs(np.asarray(getattr(found, name))) for name in panels if name != "effective"}
        curves["effective"] = diagnostics.effective_weight(column, weight, sigmas, settings.sigma_data)
        look = look_of(column)
        line = {"name": title_of(PRECONDITIONINGS, column), "color": look.color, "dash": look.dash}
        for name, values in curves.items():
            panels[name].append({**line, "x": rounded(sigmas), "y": rounded(values)})
    figure = {"columns": 3, "panels": [_panel(title, log, panels[name]) for name, title, log in PANELS]}
    yield {"figure": figure, "summary": _summary(settings, panels), "python": _python(settings)}, True


def _panel(title, log, lines):
    alike = _alike(lines)
    note = " = ".join(line["name"] for line in alike)
    above = [_hidden_by(line, lines[k + 1 :]) for k, line in enumerate(lines)]
    shown = [
        {**line, "width": 2 + 2 * over, "dash": "solid" if over else line["dash"]}
        for line, over in zip(lines, above, strict=True)
    ]
    return {"title": title, "note": note, "x": {"title": "σ", "log": True}, "y": {"log": log}, "lines": shown}


def _same(line, other):
    """At which of the noise levels that both have two lines lie on each other, as far as eyes can tell."""
    first, second = (np.array(each["y"], dtype=float) for each in (line, other))
    both = np.isfinite(first) & np.isfinite(second)
    return np.isclose(first[both], second[both], rtol=0.01, atol=1e-3)


def _hidden_by(line, later) -> int:
    """How many of the lines that are drawn later lie on this one: it is solid, and wider, so that all are seen."""
    return sum(bool(np.mean(_same(line, other)) > 0.25) for other in later)


def _alike(lines):
    """The most lines that are the same at every noise level; none if no two are."""
    groups = [[other for other in lines if _same(line, other).all()] for line in lines]
    largest = max(groups, key=len, default=[])
    return largest if len(largest) > 1 else []


def _summary(settings, panels):
    def span(name):
        return ", ".join(
            f"{line['name']} {_span(known)}"
            for line in panels[name]
            if (known := [y for y in line["y"] if y is not None])
        )

    return (
        f"Between σ = 0.002 and 80 with σ_data = {settings.sigma_data:g}: the network's input has "
        f"the size {span('input_std')}; "
        f"its target {span('target_std')}; the loss weighs its output by {span('effective')}."
    )


def _span(values):
    low, high = f"{min(values):.2g}", f"{max(values):.2g}"
    return low if low == high else f"{low} to {high}"


def _python(settings):
    return (
        "import numpy as np\nimport edm\n\nsigmas = np.geomspace(0.002, 80, 90)\n"
        f"for name in {list(settings.columns)}:\n"
        f"    print(name, edm.diagnostics.preconditioning(name, sigmas, {settings.sigma_data}))\n"
    )


INSTRUMENT = Instrument(
    "preconditioning",
    "loss",
    "Preconditioning",
    "What does the network see, and what is it asked for, at each noise level?",
    Preconditionings,
    respond,
)
