"""Figures as data -> Plotly, in the page's colours. It needs no theme: all that is seen is said here."""

from __future__ import annotations

import math

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from edm.plots.looks import PALETTE

FONT = {"family": "system-ui, sans-serif", "size": 12, "color": PALETTE["ink"]}
BAND = 0.16  # opacity


def figure(panels: list[dict], columns: int = 1, shared_x: bool = False) -> go.Figure:
    """Panels, row by row, as one figure. Each series has one entry in the legend, over all panels."""
    rows = math.ceil(len(panels) / columns)
    shares = [panels[row * columns].get("share", 1) for row in range(rows)]
    titles = [panel.get("title", "") for panel in panels]
    made = make_subplots(rows, columns, row_heights=shares, shared_xaxes=shared_x, subplot_titles=titles)
    named: set = set()
    for k, panel in enumerate(panels):
        place = {"row": k // columns + 1, "col": k % columns + 1}
        for line in panel["lines"]:
            name = line.get("name")
            if "low" in line:
                made.add_trace(_band(line), **place)
            made.add_trace(_trace(line, name is not None and name not in named), **place)
            named.add(name)
        for mark in panel.get("marks", ()):
            _mark(made, mark, place)
        made.update_xaxes(_axis(panel.get("x", {})), **place)
        made.update_yaxes(_axis(panel.get("y", {})), **place)
        if panel.get("y", {}).get("equal"):
            made.update_yaxes(scaleanchor="x" if k == 0 else f"x{k + 1}", **place)
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02 + 0.06 * any(titles), "yanchor": "bottom"}
    paper = {"paper_bgcolor": PALETTE["bg"], "plot_bgcolor": PALETTE["bg"], "font": FONT, "template": "none"}
    size = {"width": 720 if columns == 1 else 1000, "height": 460 if rows == 1 else 560}
    made.update_layout(**paper, **size, legend=legend, hovermode="closest", margin={"l": 72, "r": 24, "t": 64, "b": 56})
    made.update_annotations(font_size=12.5)
    return made


def css(color: str) -> str:
    """A colour of the palette, or any other as it is."""
    return PALETTE.get(color, color)


def _axis(axis):
    log, limits = axis.get("log", False), axis.get("range")
    said = {"title": {"text": axis.get("title", ""), "standoff": 6}, "type": "log" if log else "linear"}
    if limits:
        said["range"] = [math.log10(limit) for limit in limits] if log else limits
    if log:
        said |= {"dtick": 1, "exponentformat": "power"}
    return {**said, "showgrid": True, "gridcolor": PALETTE["line"], "zeroline": False, "linecolor": PALETTE["line"]}


def _trace(line, labelled):
    color, name, text = css(line.get("color", "ink")), line.get("name"), line.get("text")
    hover = f"{f'{name}: ' if name else ''}%{{y:.3g}} at %{{x:.3g}}{' · %{text}' if text else ''}<extra></extra>"
    return go.Scatter(
        x=line["x"],
        y=line["y"],
        name=name,
        mode=line.get("mode", "lines"),
        text=text,
        textposition=line.get("place"),
        textfont={"color": color},
        cliponaxis=False if line.get("place") else None,
        opacity=line.get("opacity", 1),
        connectgaps=False,
        line={"color": color, "dash": line.get("dash", "solid"), "width": line.get("width", 2)},
        marker={"color": color, "size": line.get("size", 6), "symbol": line.get("symbol", "circle")},
        hovertemplate=hover,
        legendgroup=name,
        showlegend=labelled,
    )


def _band(line):
    """Between low and high, where both are known."""
    both = [each for each in zip(line["x"], line["low"], line["high"], strict=True) if None not in each]
    x, low, high = zip(*both, strict=True) if both else ((), (), ())
    red, green, blue = (int(css(line.get("color", "ink"))[i : i + 2], 16) for i in (1, 3, 5))
    return go.Scatter(
        x=[*x, *reversed(x)],
        y=[*high, *reversed(low)],
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},{BAND})",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=line.get("name"),
    )


def _mark(made, mark, place):
    line = {"color": css(mark.get("color", "mute")), "width": 1.2, "dash": mark.get("dash", "dot")}
    said = {"annotation_text": mark["text"], "annotation_font_size": 11} if "text" in mark else {}
    if "x" in mark:
        made.add_vline(x=mark["x"], line=line, **said, **place)
    else:
        made.add_hline(y=mark["y"], line=line, **said, **place)
