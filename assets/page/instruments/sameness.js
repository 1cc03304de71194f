// Same or different? The verdict, the chart of what differs, and both settings as rows of Table 1.
import { element } from "../shared/dom.js";
import { explained } from "../shared/terms.js";
import OneChart from "./chart.js";

/** @typedef {import("../shared/messages.d.ts").Sameness} Body */
/** @typedef {Body["rows"][number]} Row */

const SAID = { identical: "identical", same: "the same", different: "different" };

/** @extends {OneChart<Body>} */
export default class Sameness extends OneChart {
  /** @param {ConstructorParameters<typeof OneChart>} parts */
  constructor(...parts) {
    super(...parts);
    this.verdict = element("p", { class: "verdict", role: "status" });
    this.table = element("table", { class: "differences both" });
    this.stage.before(this.verdict);
    this.stage.after(this.table);
  }

  /**
   * @override
   * @param {Body} body
   */
  show(body) {
    const { same, verdict, titles, rows } = body;
    this.node.dataset.same = String(same);
    this.stage.classList.toggle("tall", (body.figure?.panels.length ?? 0) > 3);
    this.verdict.replaceChildren(...explained(verdict));
    const [a, b] = titles.map((title, k) => `${"AB"[k]}: ${title}`);
    const heads = [a, b, "so they are"].map((text) => element("th", { scope: "col" }, ...explained(text)));
    const seen = new Set();
    const lines = rows.map((row) => this.#line(row, a, b, seen));
    this.table.replaceChildren(element("tbody", {}, element("tr", {}, element("td", {}), ...heads), ...lines));
    return super.show(body);
  }

  /**
   * @param {Row} row
   * @param {string} a
   * @param {string} b
   * @param {Set<string>} seen
   */
  #line({ title, a: first, b: second, verdict, proof }, a, b, seen) {
    const set = (/** @type {string} */ text) => explained(text, seen);
    const one = verdict === "identical";
    const cells = one
      ? [element("td", { colspan: 2, "data-lane": "both" }, ...set(first))]
      : [element("td", { "data-lane": a }, ...set(first)), element("td", { "data-lane": b }, ...set(second))];
    const said = element(
      "td",
      { class: "outcome", "data-lane": "" },
      element("b", {}, SAID[verdict]),
      ...set(proof && ` ${proof}`),
    );
    const name = element("th", { scope: "row" }, ...set(title));
    return element("tr", { "data-verdict": verdict, "data-row": title }, name, ...cells, said);
  }
}
