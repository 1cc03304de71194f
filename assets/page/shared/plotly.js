// A figure as Plotly wants it: its traces and its layout, in the page's colours.
import { css, rgbOf, translucent } from "./colors.js";
import { markup } from "./mathematics.js";

/** @typedef {import("./types.d.ts").Colors} Colors */
/** @typedef {import("./types.d.ts").Figure} Figure */
/** @typedef {import("./types.d.ts").Panel} Panel */
/** @typedef {{ xaxis: string, yaxis: string }} Place */
/** @typedef {Record<string, any> & { shapes: object[], annotations: object[] }} Layout */

const GAP = { across: 64, down: 58 }; // pixels between panels: room for axis titles
const NARROW = 560; // pixels below which panels stand one above the other
const LETTER = 6.6; // pixels, about
const SAMPLE = 48; // pixels of a line in the legend
const LEGEND = 20; // pixels of a row of it

/**
 * How many panels stand side by side.
 * @type {(figure: Figure, width: number) => number}
 */
export const columnsIn = ({ columns }, width) => (width < NARROW ? 1 : (columns ?? 1));

/**
 * @param {Figure} figure
 * @param {Colors} colors
 * @param {number} width
 * @param {number} height
 * @returns {{ data: object[], layout: Layout }}
 */
export function translate(figure, colors, width, height) {
  const columns = columnsIn(figure, width);
  const { type } = colors;
  const titled = figure.panels.some(({ title }) => title);
  const crowded = titled && (columns > 2 || width < NARROW * type); // the legend takes lines of its own
  const more = LEGEND * type * (legendRows(figure, width / type) - 1 + (crowded ? 1 : 0));
  const margin = { l: type * (width < NARROW ? 52 : 64), r: 18, t: 30 * type + more, b: 46 * type };
  /** @type {Layout} */
  const layout = {
    width,
    height,
    margin,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12 * type, color: colors.ink },
    hovermode: "closest",
    hoverlabel: { bgcolor: colors.panel, bordercolor: colors.line, font: { color: colors.ink } },
    legend: {
      bgcolor: "rgba(0,0,0,0)",
      orientation: "h",
      itemsizing: figure.panels.some(({ note }) => note) ? "constant" : "trace", // there, widths say what lies above
      x: 1,
      xanchor: "right",
      y: 1 + (crowded ? (LEGEND * type) / (height - margin.t - margin.b) : 0),
      yanchor: "bottom",
    },
    uirevision: figure.key ?? "same",
    shapes: [],
    annotations: [],
    showlegend: false,
  };
  /** @type {object[]} */
  const data = [];
  const named = new Set(); // one legend entry a series, over all panels
  const [inner, tall] = [width - margin.l - margin.r, height - margin.t - margin.b];
  boxes({ ...figure, columns }, inner / type, tall / type).forEach(([x, y], k) => {
    const panel = figure.panels[k];
    const id = k ? String(k + 1) : "";
    const linked = figure.sharedX && k ? { matches: "x" } : {};
    layout[`xaxis${id}`] = { ...axis(panel.x ?? {}, colors), ...linked, domain: x, anchor: `y${id}` };
    layout[`yaxis${id}`] = { ...axis(panel.y ?? {}, colors), domain: y, anchor: `x${id}` };
    const place = { xaxis: `x${id}`, yaxis: `y${id}` };
    if (panel.title)
      layout.annotations.push({
        text: `<b>${markup(panel.title)}</b>`,
        x: x[0],
        y: y[1],
        xref: "paper",
        yref: "paper",
        xanchor: "left",
        yanchor: "bottom",
        yshift: 4,
        showarrow: false,
        font: { size: 12.5 * type },
      });
    if (panel.note)
      layout.annotations.push({
        text: markup(panel.note),
        x: x[1],
        y: y[0] + 0.3 * (y[1] - y[0]),
        xref: "paper",
        yref: "paper",
        xanchor: "right",
        yanchor: "middle",
        showarrow: false,
        bgcolor: translucent(colors.bgRgb, 0.8),
        font: { size: 11 * type, color: colors.mute },
      });
    for (const line of panel.lines ?? []) {
      if (line.low) data.push({ ...band(line, colors), ...place });
      const labelled = line.name != null && !named.has(line.name);
      if (labelled) {
        named.add(line.name);
        layout.showlegend = true;
      }
      data.push({ ...trace(line, colors), ...place, showlegend: labelled, legendgroup: line.name });
    }
    for (const mark of panel.marks ?? []) addMark(layout, mark, panel, place, colors);
  });
  return { data, layout };
}

/**
 * In how many rows the names of a figure's lines stand.
 * @type {(figure: Figure, width: number) => number}
 */
function legendRows({ panels }, width) {
  const names = new Set(panels.flatMap(({ lines = [] }) => (lines ?? []).flatMap(({ name }) => name ?? [])));
  const long = [...names].reduce((sum, name) => sum + name.replace(/<.*?>/g, "").length * LETTER + SAMPLE, 0);
  return Math.max(1, Math.ceil(long / (width - 70)));
}

/**
 * The domain of each panel: a grid of `columns`, rows by the share that their first panel asks for.
 * @param {Figure} figure
 * @param {number} width
 * @param {number} height
 * @returns {[number[], number[]][]}
 */
function boxes({ panels, columns: asked, sharedX }, width, height) {
  const columns = asked ?? 1;
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
        const x = [left, Math.min(1, left + free / columns)];
        return /** @type {[number[], number[]]} */ ([x, y]);
      });
    })
    .slice(0, panels.length);
}

/**
 * @param {import("./types.d.ts").ChartAxis} axis
 * @param {Colors} colors
 */
function axis({ title, log, range, hideTicks, counts }, colors) {
  return {
    title: { text: markup(title ?? ""), standoff: 6, font: { size: 12 * colors.type, color: colors.mute } },
    type: log ? "log" : "linear",
    ...(range ? { range: log ? range.map(Math.log10) : range, autorange: false } : { autorange: true }),
    exponentformat: counts ? "SI" : "power",
    ...(log ? { dtick: 1 } : {}),
    gridcolor: colors.line,
    zeroline: false,
    linecolor: colors.line,
    tickcolor: colors.line,
    tickfont: { color: colors.mute, size: (log ? 9 : 11) * colors.type }, // powers of ten are drawn larger by a quarter,
    showticklabels: !hideTicks,
    automargin: false,
  };
}

/**
 * @param {import("./types.d.ts").ChartLine} line
 * @param {Colors} colors
 */
function trace(
  { name, color, dash = "solid", mode = "lines", x, y, width = 2, opacity = 1, size = 6, text, symbol, place },
  colors,
) {
  const shade = css(colors, color ?? "ink");
  return {
    type: "scatter",
    name: name && markup(name),
    x,
    y,
    mode,
    text: text?.map(markup),
    opacity,
    ...(place ? { textposition: place, textfont: { color: colors.ink }, cliponaxis: false } : {}),
    connectgaps: false,
    line: { color: shade, dash, width },
    marker: { color: shade, size, symbol: symbol ?? "circle" },
    hovertemplate: `${name ? `${markup(name)}: ` : ""}%{y:.3g} at %{x:.3g}${text ? " · %{text}" : ""}<extra></extra>`,
  };
}

/**
 * A polygon; where log axes cannot show a value, plotly leaves it out.
 * @param {import("./types.d.ts").ChartLine} line
 * @param {Colors} colors
 */
function band({ name, color, x, low, high }, colors) {
  return {
    type: "scatter",
    x: [...x, ...[...x].reverse()],
    y: [...(high ?? []), ...[...(low ?? [])].reverse()],
    fill: "toself",
    fillcolor: translucent(rgbOf(colors, color ?? "ink"), 0.16),
    line: { width: 0 },
    mode: "lines",
    hoverinfo: "skip",
    showlegend: false,
    legendgroup: name,
  };
}

/**
 * @param {Layout} layout
 * @param {import("./messages.d.ts").Mark} mark
 * @param {Panel} panel
 * @param {Place} place
 * @param {Colors} colors
 */
function addMark(layout, { x, y, text, color }, panel, { xaxis, yaxis }, colors) {
  const shade = css(colors, color ?? "mute");
  const line = { color: shade, width: 1.2, dash: "dot" };
  const vertical = x != null;
  const value = Number(vertical ? x : y);
  const shape = vertical
    ? { x0: x, x1: x, y0: 0, y1: 1, yref: `${yaxis} domain` }
    : { y0: y, y1: y, x0: 0, x1: 1, xref: `${xaxis} domain` };
  layout.shapes.push({ type: "line", xref: xaxis, yref: yaxis, line, ...shape });
  if (!text) return;
  const log = vertical ? panel.x?.log : panel.y?.log;
  const at = log ? Math.log10(value) : value;
  const place = vertical
    ? { x: at, y: 1, yref: `${yaxis} domain`, xref: xaxis, yanchor: "top", xanchor: "left" }
    : { y: at, x: 1, xref: `${xaxis} domain`, yref: yaxis, xanchor: "right", yanchor: "bottom" };
  layout.annotations.push({
    text: markup(text),
    showarrow: false,
    font: { size: 11 * colors.type, color: colors.ink },
    ...place,
  });
}
