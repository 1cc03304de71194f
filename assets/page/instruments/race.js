// The race: a chart, and of solvers a table of who is best at which budget; a row opens in the Sampler.
import { button, element } from "../shared/dom.js";
import { typeset } from "../shared/mathematics.js";
import OneChart from "./chart.js";

/** @typedef {import("../shared/messages.d.ts").Race} Body */

const HEADS = ["best at", "solver", "its value", "it takes", "Heun in EDM's coordinates", ""];

/** @param {number} value */
const short = (value) => String(Number(value.toPrecision(2)));

/** @extends {OneChart<Body>} */
export default class Race extends OneChart {
  /** @param {ConstructorParameters<typeof OneChart>} parts */
  constructor(...parts) {
    super(...parts);
    this.table = element("table", { class: "differences best", hidden: true });
    this.stage.after(this.table);
  }

  /**
   * @override
   * @param {Body} body
   */
  show(body) {
    this.table.hidden = !body.best.length;
    const heads = HEADS.map((text) => element("th", { scope: "col" }, text));
    const rows = body.best.map((row) => this.#row(row));
    this.table.replaceChildren(element("tbody", {}, element("tr", {}, ...heads), ...rows));
    return super.show(body);
  }

  /** @param {Body["best"][number]} row */
  #row({ evaluations, lane, color, value, used, heun, document }) {
    const dot = element("span", { class: "dot", style: `background: var(--ex-${color})` });
    const open = button({ class: "plain", title: "Open these settings in the Sampler tab" }, "open ↗");
    open.addEventListener("click", () => this.bench.page.load(JSON.parse(document)));
    const times = heun && value > 0 ? ` (× ${short(heun / value)})` : "";
    const cells = [
      element("td", { "data-lane": HEADS[1] }, dot, ...typeset(lane)),
      element("td", { "data-lane": HEADS[2] }, short(value)),
      element("td", { "data-lane": HEADS[3] }, `${used} NFE`),
      element("td", { "data-lane": "Heun, EDM" }, heun == null ? "" : `${short(heun)}${times}`),
      element("td", { "data-lane": "" }, open),
    ];
    return element("tr", { "data-at": evaluations }, element("th", { scope: "row" }, `${evaluations} NFE`), ...cells);
  }
}
