// Figures as data -> Plotly, in the page's colours, drawn in place.
//
// What a figure is made of is in types.d.ts.
import { paper } from "./canvas.js";
import { countUp, element, watchSize } from "./dom.js";
import { marked, withMarks } from "./marked.js";
import { columnsIn, translate } from "./plotly.js";

/** @typedef {import("./types.d.ts").Colors} Colors */
/** @typedef {import("./types.d.ts").Figure} Figure */

const TALL = 190; // pixels of a panel, where panels stand one above the other that were meant to stand side by side

/** @type {Promise<any> | null} */
let loading = null;

const script = () => new URL("explorer-plotly/plotly.min.js", document.baseURI);

/** Let the browser fetch Plotly while it has nothing else to do. */
export function fetchAhead() {
  const fetch = () => document.head.append(element("link", { rel: "prefetch", as: "script", href: script() }));
  if ("requestIdleCallback" in window) requestIdleCallback(fetch);
  else setTimeout(fetch, 2000); // in Safari
}

/** Plotly, loaded when it is first needed, or somebody knows that it will be. */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const node = element("script", { src: script() });
    node.onload = () => resolve(/** @type {any} */ (window).Plotly);
    node.onerror = () => {
      loading = null; // the next figure tries again
      node.remove();
      reject(new Error("plotly.min.js could not be loaded"));
    };
    document.head.append(node);
  });
  return loading;
}

export class Chart {
  /** @type {Figure | null} */
  figure = null;
  /** @type {(() => void) | null} It was painted. */
  onDrawn = null;
  /** @type {number | null} What is marked of a prediction. */
  #truth = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.node = element("div", { class: "chart" });
    box.append(this.node);
    const again = () => this.figure && this.colors && this.show(this.figure, this.colors);
    watchSize(box, again);
    marked.follow(() => {
      if (this.#truth !== marked.state.truth) again();
    });
  }

  /**
   * @param {Figure} figure
   * @param {Colors} colors
   */
  async show(figure, colors) {
    this.figure = figure;
    this.colors = colors;
    const { width } = this.box.getBoundingClientRect();
    const stacked = columnsIn(figure, width) < (figure.columns ?? 1);
    this.box.style.minHeight = stacked && width > 0 ? `${TALL * figure.panels.length + 40}px` : "";
    const { height } = this.box.getBoundingClientRect();
    if (width < 40 || height < 40) return;
    const Plotly = await plotly();
    if (this.figure !== figure || !this.node.isConnected) return; // a newer one came, or this was left meanwhile
    this.#truth = marked.state.truth;
    const { data, layout } = translate(withMarks(figure), colors, width, height);
    await Plotly.react(this.node, data, layout, {
      displayModeBar: false,
      responsive: false,
      scrollZoom: false,
      doubleClick: "reset",
    });
    countUp(this.node, "drawn");
    this.onDrawn?.();
  }

  /**
   * After it was shown: call this when somebody zooms.
   * @param {() => void} zoomed
   */
  onZoomed(zoomed) {
    /** @type {any} */ (this.node).on("plotly_relayout", zoomed);
  }

  /** As it stands, on a canvas; after it was shown. */
  async picture(scale = 2) {
    const Plotly = await plotly();
    const { width, height } = this.node.getBoundingClientRect();
    const image = new Image();
    image.src = await Plotly.toImage(this.node, { format: "png", width, height, scale });
    await image.decode();
    const { canvas, context } = paper(image.width, image.height, /** @type {Colors} */ (this.colors));
    context.drawImage(image, 0, 0);
    return canvas;
  }
}

/**
 * The numbers of all panels as a table.
 * @param {Figure} figure
 */
export function csv({ panels }) {
  /** @type {any[][]} */
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
  /** @param {any} value */
  const cell = (value) =>
    value == null ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : value;
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/**
 * Where a panel of a chart lies in its box, and which pixel is which value: for what is drawn over a chart.
 * @param {Chart} chart
 * @param {number} k
 */
export function panelOf(chart, k) {
  const layout = /** @type {any} */ (chart.node)._fullLayout;
  const id = k ? String(k + 1) : "";
  const [x, y] = [layout?.[`xaxis${id}`], layout?.[`yaxis${id}`]];
  if (!x || !y) return null;
  return {
    left: x._offset,
    top: y._offset,
    width: x._length,
    height: y._length,
    /** @type {(value: number) => number} */
    across: (value) => x.d2p(value),
    /** @type {(value: number) => number} */
    down: (value) => y.d2p(value),
    /** @type {(pixel: number) => number} */
    valueAt: (pixel) => x.p2d(pixel),
  };
}
