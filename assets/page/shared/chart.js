// @ts-nocheck
// Figures as data -> Plotly, in the page's colours, drawn in place.
//
// A figure is {columns, panels}; a panel is {title, x, y, lines, marks, heat, legend, share} with axes {title, log, range, counts},
// lines {name, color, dash, mode, x, y, low, high}, marks {x or y, text} and heat {x, y, z, title, log}.
import { element } from "./dom.js";
import { translate } from "./plotly.js";

let loading = null;

export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = element("script", { src: new URL("explorer-plotly/plotly.min.js", document.baseURI) });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.min.js could not be loaded"));
    document.head.append(script);
  });
  return loading;
}

export class Chart {
  constructor(box) {
    this.node = element("div", { class: "chart" });
    box.append(this.node);
    this.resizing = new ResizeObserver(() => this.figure && this.show(this.figure, this.colors));
    this.resizing.observe(box);
  }

  async show(figure, colors) {
    Object.assign(this, { figure, colors });
    const { width, height } = this.node.parentElement.getBoundingClientRect();
    if (width < 40 || height < 40) return;
    const Plotly = await plotly();
    if (this.figure !== figure) return; // a newer one came while Plotly was loading
    const { data, layout } = translate(figure, colors, width, height);
    await Plotly.react(this.node, data, layout, {
      displayModeBar: false,
      responsive: false,
      scrollZoom: false,
      doubleClick: "reset",
    });
    this.node.dataset.drawn = Number(this.node.dataset.drawn ?? 0) + 1;
    this.onDrawn?.();
  }

  async picture(scale = 2) {
    const Plotly = await plotly();
    const { width, height } = this.node.getBoundingClientRect();
    const image = new Image();
    image.src = await Plotly.toImage(this.node, { format: "png", width, height, scale });
    await image.decode();
    const canvas = element("canvas", { width: image.width, height: image.height });
    const context = canvas.getContext("2d");
    context.fillStyle = this.colors.bg;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    return canvas;
  }
}

// The numbers of all panels as a table.
export function csv({ panels }) {
  const rows = [["panel", "series", "x", "y", "low", "high"]];
  for (const panel of panels) {
    const title = panel.title ?? panel.y?.title ?? "";
    for (const line of panel.lines ?? [])
      line.y.forEach((y, i) => rows.push([title, line.name ?? "", line.x[i], y, line.low?.[i], line.high?.[i]]));
    const { heat } = panel;
    if (heat)
      heat.z.forEach((row, i) =>
        row.forEach((z, j) => rows.push([title, heat.y[i], heat.x[j], z, heat.low?.[i][j], heat.high?.[i][j]])),
      );
  }
  const cell = (value) =>
    value == null ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : value;
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

// Where a panel of a chart lies in its box, and which pixel is which value: for what is drawn over a chart.
export function panelOf(chart, k) {
  const layout = chart.node._fullLayout;
  const id = k ? String(k + 1) : "";
  const [x, y] = [layout?.[`xaxis${id}`], layout?.[`yaxis${id}`]];
  if (!x || !y) return null;
  return {
    left: x._offset,
    top: y._offset,
    width: x._length,
    height: y._length,
    across: (value) => x.d2p(value),
    down: (value) => y.d2p(value),
    valueAt: (pixel) => x.p2d(pixel),
  };
}
