"""Figures as data -> Plotly, in the page's colours. It needs no theme: all that is seen is said here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from edm.plots.looks import PALETTE

if TYPE_CHECKING:
    import plotly.graph_objects as go

FONT = {"family": "system-ui, sans-serif", "size": 12, "color": PALETTE["ink"]}
BAND = 0.16  # opacity


def figure(panels: list[dict], columns: int = 1, shared_x: bool = False) -> go.Figure:
    """Panels, row by row, as one figure. Each series has one entry in the legend, over all panels."""
    from plotly.subplots import make_subplots

    rows = math.ceil(len(panels) / columns)
    shares = [panels[row * columns].get("share", 1) for row in range(rows)]
    titles = [panel.get("title", "") for panel in panels]
    spacing = {"vertical_spacing": 0.06 if shared_x else 0.2 / rows}
    made = make_subplots(rows, columns, row_heights=shares, shared_xaxes=shared_x, subplot_titles=titles, **spacing)
    named: set = set()
    for k, panel in enumerate(panels):
        place = {"row": k // columns + 1, "col": k % columns + 1}
        for line in panel["lines"]:
            name = line.get("name")
            if "low" in line:
                made.add_trace(_band(line), **place)
            made.add_trace(_trace(line, name is not None and name not in named), **place)
            named |= {name} - {None}
        for mark in panel.get("marks", ()):
            _mark(made, mark, panel, place)
        made.update_xaxes(_axis(panel.get("x", {}), panel, "x"), **place)
        made.update_yaxes(_axis(panel.get("y", {}), panel, "y"), **place)
        if panel.get("y", {}).get("equal"):
            made.update_yaxes(scaleanchor="x" if k == 0 else f"x{k + 1}", **place)
    square = any(panel.get("y", {}).get("equal") for panel in panels)
    size = {
        "width": 620 if square else 720 if columns == 1 else 1000,
        "height": 620 if square else 460 + 100 * (rows > 1),
    }
    dress(made, **size)
    made.update_layout(margin_t=(36 if named else 16) + (30 if any(titles) else 0))
    made.update_annotations(font_size=12)
    return made


def dress(made: go.Figure, **layout: Any) -> None:
    """The page's colours and type, instead of a theme."""
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yref": "container", "yanchor": "top"}
    paper = {"paper_bgcolor": PALETTE["bg"], "plot_bgcolor": PALETTE["bg"], "font": FONT, "template": "none"}
    margin = {"l": 72, "r": 24, "t": 36, "b": 56}
    made.update_layout(**paper, legend=legend, hovermode="closest", margin=margin, **layout)


def css(color: str) -> str:
    """A colour of the palette, or any other as it is."""
    return PALETTE.get(color, color)


def _axis(axis, panel, letter):
    log, limits = axis.get("log", False), axis.get("range")
    said = {"title": {"text": axis.get("title", ""), "standoff": 6}, "type": "log" if log else "linear"}
    if limits:
        said["range"] = [math.log10(limit) for limit in limits] if log else limits
    if log:
        said["exponentformat"] = "power"
        said |= {"dtick": 1} if _decades(limits or [v for line in panel["lines"] for v in line[letter]]) > 2 else {}
    grid = {"showgrid": True, "gridcolor": PALETTE["line"], "zeroline": False, "linecolor": PALETTE["line"]}
    return {**said, **grid, "tickfont": {"size": 11, "color": PALETTE["mute"]}}


def _decades(values) -> float:
    known = [value for value in values if value is not None and value > 0]
    return math.log10(max(known) / min(known)) if known else 0.0


def _trace(line, labelled):
    color, name, text = css(line.get("color", "ink")), line.get("name"), line.get("text")
    hover = f"{f'{name}: ' if name else ''}%{{y:.3g}} at %{{x:.3g}}{' · %{text}' if text else ''}<extra></extra>"
    return {
        "type": "scatter",
        "x": line["x"],
        "y": line["y"],
        "name": name,
        "mode": line.get("mode", "lines"),
        "text": text,
        "textposition": line.get("place"),
        "textfont": {"color": color},
        "cliponaxis": False if line.get("place") else None,
        "opacity": line.get("opacity", 1),
        "connectgaps": False,
        "line": {"color": color, "dash": line.get("dash", "solid"), "width": line.get("width", 2), "simplify": False},
        "marker": {"color": color, "size": line.get("size", 6), "symbol": line.get("symbol", "circle")},
        "hovertemplate": hover,
        "legendgroup": name,
        "showlegend": labelled,
    }


def _band(line):
    """Between low and high, where both are known."""
    both = [each for each in zip(line["x"], line["low"], line["high"], strict=True) if None not in each]
    x, low, high = zip(*both, strict=True) if both else ((), (), ())
    red, green, blue = (int(css(line.get("color", "ink"))[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "type": "scatter",
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},{BAND})",
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": line.get("name"),
    }


def _mark(made, mark, panel, place):
    """A line through the whole panel, with its text at the end."""
    color = css(mark.get("color", "mute"))
    letter, other = ("x", "y") if "x" in mark else ("y", "x")
    line = {"color": color, "width": 1.2, "dash": mark.get("dash", "dot")}
    across = {f"{other}0": 0, f"{other}1": 1, f"{other}ref": f"{other} domain"}
    made.add_shape(
        type="line", line=line, **{f"{letter}0": mark[letter], f"{letter}1": mark[letter]}, **across, **place
    )
    if "text" in mark:
        at = math.log10(mark[letter]) if panel[letter].get("log") else mark[letter]
        ends = {"xanchor": "right", "yanchor": "bottom"} if letter == "y" else {"xanchor": "left", "yanchor": "top"}
        said = {"text": mark["text"], "showarrow": False, "font": {"size": 11, "color": color}, **ends}
        made.add_annotation(**{letter: at, other: 1, f"{other}ref": f"{other} domain"}, **said, **place)
