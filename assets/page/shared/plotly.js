// @ts-nocheck
// A figure as Plotly wants it: its traces and its layout, in the page's colours.

const GAP = { across: 64, down: 58 }; // pixels between panels: room for axis titles

export function translate(figure, colors, width, height) {
  const crowded = figure.columns > 2 && figure.panels.some(({ title }) => title); // the legend takes a line of its own
  const margin = { l: 64, r: 18, t: crowded ? 52 : 30, b: 46 };
  const layout = {
    width,
    height,
    margin,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: colors.ink },
    hovermode: "closest",
    hoverlabel: { bgcolor: colors.panel, bordercolor: colors.line, font: { color: colors.ink } },
    legend: {
      bgcolor: "rgba(0,0,0,0)",
      orientation: "h",
      x: 1,
      xanchor: "right",
      y: 1 + (crowded ? 22 / (height - margin.t - margin.b) : 0),
      yanchor: "bottom",
    },
    uirevision: figure.key ?? "same",
    shapes: [],
    annotations: [],
    showlegend: false,
  };
  const data = [];
  const named = new Set(); // one legend entry a series, over all panels
  boxes(figure, width - margin.l - margin.r, height - margin.t - margin.b).forEach(([x, y], k) => {
    const panel = figure.panels[k];
    const id = k ? String(k + 1) : "";
    const linked = figure.sharedX && k ? { matches: "x" } : {};
    layout[`xaxis${id}`] = { ...axis(panel.x ?? {}, colors), ...linked, domain: x, anchor: `y${id}` };
    layout[`yaxis${id}`] = { ...axis(panel.y ?? {}, colors), domain: y, anchor: `x${id}` };
    const place = { xaxis: `x${id}`, yaxis: `y${id}` };
    if (panel.title)
      layout.annotations.push({
        text: `<b>${panel.title}</b>`,
        x: x[0],
        y: y[1],
        xref: "paper",
        yref: "paper",
        xanchor: "left",
        yanchor: "bottom",
        yshift: 4,
        showarrow: false,
        font: { size: 12.5 },
      });
    if (panel.heat) data.push({ ...heatmap(panel.heat, colors), ...place });
    for (const line of panel.lines ?? []) {
      if (line.low) data.push({ ...band(line, colors), ...place });
      const labelled = line.name != null && panel.legend !== false && !named.has(line.name);
      if (labelled) [layout.showlegend] = [named.add(line.name) && true];
      data.push({ ...trace(line, colors), ...place, showlegend: labelled, legendgroup: line.name });
    }
    for (const mark of panel.marks ?? []) addMark(layout, mark, panel, place, colors);
  });
  return { data, layout };
}

// The domain of each panel: a grid of `columns`, rows by the share that their first panel asks for.
function boxes({ panels, columns = 1, sharedX }, width, height) {
  const rows = Math.ceil(panels.length / columns);
  const shares = Array.from({ length: rows }, (_, r) => panels[r * columns].share ?? 1);
  const total = shares.reduce((a, b) => a + b);
  const titled = panels.some((panel) => panel.title);
  const [across, down] = [GAP.across / width, (sharedX ? 22 : GAP.down + (titled ? 18 : 0)) / height];
  const [free, tall] = [1 - across * (columns - 1), 1 - down * (rows - 1)];
  let top = 1;
  return shares
    .flatMap((share) => {
      const size = (tall * share) / total;
      const y = [Math.max(0, top - size), top];
      top -= size + down;
      return Array.from({ length: columns }, (_, c) => {
        const left = c * (free / columns + across);
        return [[left, Math.min(1, left + free / columns)], y];
      });
    })
    .slice(0, panels.length);
}

function axis({ title, log, range, ticks, reversed, hideTicks, equal, counts }, colors) {
  return {
    title: { text: title ?? "", standoff: 6, font: { size: 12, color: colors.mute } },
    type: log ? "log" : ticks ? "category" : "linear",
    ...(range
      ? { range: log ? range.map(Math.log10) : range, autorange: false }
      : { autorange: reversed ? "reversed" : true }),
    ...(ticks ? { tickvals: ticks.map((_, i) => i), ticktext: ticks, type: "linear" } : {}),
    ...(equal ? { scaleanchor: "x" } : {}),
    exponentformat: counts ? "SI" : "power",
    ...(log ? { dtick: 1 } : {}),
    gridcolor: colors.line,
    zeroline: false,
    linecolor: colors.line,
    tickcolor: colors.line,
    tickfont: { color: colors.mute, size: 11 },
    showticklabels: !hideTicks,
    automargin: false,
  };
}

const translucent = (rgb, alpha) => `rgba(${rgb.join(",")},${alpha})`;

function trace(
  { name, color = "ink", dash = "solid", mode = "lines", x, y, width = 2, opacity = 1, size = 6, text, symbol, place },
  colors,
) {
  const css = colors[color] ?? color;
  return {
    type: "scatter",
    name,
    x,
    y,
    mode,
    text,
    opacity,
    ...(place ? { textposition: place, textfont: { color: css }, cliponaxis: false } : {}),
    connectgaps: false,
    line: { color: css, dash, width },
    marker: { color: css, size, symbol: symbol ?? "circle" },
    hovertemplate: `${name ? `${name}: ` : ""}%{y:.3g} at %{x:.3g}${text ? " · %{text}" : ""}<extra></extra>`,
  };
}

// A polygon; where log axes cannot show a value, plotly leaves it out.
function band({ name, color = "ink", x, low, high }, colors) {
  return {
    type: "scatter",
    x: [...x, ...[...x].reverse()],
    y: [...high, ...[...low].reverse()],
    fill: "toself",
    fillcolor: translucent(colors[`${color}Rgb`] ?? colors.inkRgb, 0.16),
    line: { width: 0 },
    mode: "lines",
    hoverinfo: "skip",
    showlegend: false,
    legendgroup: name,
  };
}

function heatmap({ x, y, z, text, title, log, both, range }, colors) {
  const shown = log ? z.map((row) => row.map((v) => (v > 0 ? Math.log10(v) : null))) : z;
  const one = [
    [0, translucent(colors.dataRgb, 0.06)],
    [1, colors.data],
  ];
  const two = [
    [0, colors.noise],
    [0.5, translucent(colors.inkRgb, 0.03)],
    [1, colors.data],
  ];
  return {
    type: "heatmap",
    x: x.map((_, i) => i),
    y: y.map((_, i) => i),
    z: shown,
    text: text ?? z.map((row) => row.map((v) => (v == null ? "" : Number(v).toPrecision(3)))),
    hovertemplate: "%{text}<extra></extra>",
    texttemplate: z.length * (z[0]?.length ?? 0) <= 150 ? "%{text}" : undefined,
    colorscale: both ? two : one,
    ...(range ? { zmin: range[0], zmax: range[1] } : both ? { zmid: 0 } : {}),
    xgap: 2,
    ygap: 2,
    colorbar: {
      title: { text: title ?? "", side: "right" },
      thickness: 10,
      outlinewidth: 0,
      tickfont: { color: colors.mute },
      ...(log ? { tickprefix: "10<sup>", ticksuffix: "</sup>" } : {}),
    },
  };
}

function addMark(layout, { x, y, text, color = "mute", dash = "dot" }, panel, { xaxis, yaxis }, colors) {
  const css = colors[color] ?? color;
  const line = { color: css, width: 1.2, dash };
  const vertical = x != null;
  const shape = vertical
    ? { x0: x, x1: x, y0: 0, y1: 1, yref: `${yaxis} domain` }
    : { y0: y, y1: y, x0: 0, x1: 1, xref: `${xaxis} domain` };
  layout.shapes.push({ type: "line", xref: xaxis, yref: yaxis, line, ...shape });
  if (!text) return;
  const log = vertical ? panel.x?.log : panel.y?.log;
  const at = log ? Math.log10(vertical ? x : y) : vertical ? x : y;
  const place = vertical
    ? { x: at, y: 1, yref: `${yaxis} domain`, xref: xaxis, yanchor: "top", xanchor: "left" }
    : { y: at, x: 1, xref: `${xaxis} domain`, yref: yaxis, xanchor: "right", yanchor: "bottom" };
  layout.annotations.push({ text, showarrow: false, font: { size: 11, color: css }, ...place });
}
