// Pictures side by side under one time slider: the lanes of a comparison, or the steps of a walk.
import { fit } from "../shared/canvas.js";
import { button, countUp, element, watchSize } from "../shared/dom.js";
import { positionAt } from "../shared/levels.js";
import { typeset } from "../shared/mathematics.js";
import { NoisePlayer, timeline } from "../shared/player.js";
import { row } from "../shared/sheet.js";
import { paintLegend } from "../shared/stages/legend.js";
import { Picture } from "../shared/stages/picture.js";
import { changeView, showSwitches } from "../shared/stages/switches.js";
import { explained } from "../shared/terms.js";
import { Instrument } from "./instrument.js";

/** @typedef {import("../shared/messages.d.ts").Lane} Described */
/** @typedef {import("../shared/messages.d.ts").Lanes} Body */

const CAPTIONS = 26; // CSS pixels above the pictures that are taken away
/** Whether there is such a switch here: arrows are not computed. @param {import("../shared/types.d.ts").Switch} one */
const known = ([name]) => name !== "field";

/** @extends {Instrument<Body>} */
export default class Lanes extends Instrument {
  /** @type {import("../shared/types.d.ts").View} */
  view = {};
  /** @type {Lane[]} */
  lanes = [];

  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.row = element("div", { class: "lanes" });
    this.views = element("div", { class: "views" });
    this.table = element("table", { class: "differences" });
    const line = timeline("Time: from noise to data");
    this.player = new NoisePlayer(line, { run: () => this.slowest, moved: () => this.repaint() });
    this.stage.append(this.row);
    this.heading.append(this.views);
    this.legend = element("canvas", { class: "legend", "aria-hidden": "true" });
    this.stage.after(this.legend, line.node, this.table);
    watchSize(this.stage, () => this.repaint());
    this.animate(this.player);
  }

  /** What starts at the highest noise: the slider runs over its levels. */
  get slowest() {
    const results = this.lanes.flatMap(({ picture }) => picture.result ?? []);
    return results.length ? results.reduce((a, b) => (b.levels[0] > a.levels[0] ? b : a)) : null;
  }

  /**
   * @override
   * @param {Body} body
   */
  show({ lanes, rows }) {
    const first = this.lanes.length === 0;
    for (const lane of this.lanes.splice(lanes.length)) lane.box.remove();
    lanes.forEach((described, k) => {
      if (!this.lanes[k]) this.#add();
      const model = this.bench.page.boot.models.find(({ name }) => name === described.picture?.model);
      this.lanes[k].show(described, k, model);
    });
    const switches = new Set(this.lanes.flatMap(({ picture }) => picture.switches.filter(known)));
    if (switches.size) showSwitches(this.views, [...switches], this.view, (changes) => this.setView(changes));
    this.#showTable(lanes, rows);
    if (lanes.every(({ picture, error }) => picture || error)) this.node.dataset.complete = String(this.requests.shown);
    if (first) this.player.start();
    this.repaint();
  }

  #add() {
    const options = {
      view: this.view,
      contain: true,
      repaint: () => this.repaint(),
      onSelect: (/** @type {number | null} */ selected) => this.setView({ selected }),
    };
    const lane = new Lane(options, (document) => this.bench.page.load(document));
    this.lanes.push(lane);
    this.row.append(lane.box);
  }

  /**
   * Only the rows of Table 1 in which the lanes differ.
   * @param {Described[]} lanes
   * @param {[string, string[]][]} [rows]
   */
  #showTable(lanes, rows = []) {
    this.table.hidden = rows.length === 0;
    const seen = new Set();
    const columns = lanes.map(({ title }) => element("th", { scope: "col" }, ...typeset(title)));
    const body = rows.map(([title, cells]) => {
      const values = runs(cells).map(([k, span]) => {
        const lane = span > 1 ? `${lanes[k].title} …` : lanes[k].title;
        return element("td", { colspan: span, "data-lane": lane }, ...explained(cells[k], seen));
      });
      return element("tr", {}, element("th", { scope: "row" }, ...explained(title, seen)), ...values);
    });
    this.table.replaceChildren(element("tbody", {}, element("tr", {}, element("td", {}), ...columns), ...body));
  }

  /** @param {import("../shared/types.d.ts").ViewChanges} changes */
  setView(changes) {
    changeView(this.view, changes);
    if (this.body) this.show(this.body);
  }

  /** @override */
  paint() {
    const { slowest, colors } = this;
    if (!slowest) return;
    const [, sigma] = this.player.show(slowest.levels);
    for (const { picture } of this.lanes)
      if (picture.result) picture.draw(positionAt(picture.result.levels, sigma), colors);
    const entries = this.lanes[0].picture.stage?.legend() ?? [];
    this.legend.hidden = !entries.length;
    if (entries.length) {
      const { context, width, height } = fit(this.legend);
      paintLegend(context, entries, { left: 0, bottom: height + 6, width }, colors);
    }
    countUp(this.node, "paints");
  }

  /** @override */
  picture() {
    const shown = this.lanes.filter(({ picture }) => picture.result);
    const pictures = shown.map(({ picture, caption }) => ({ canvas: picture.canvas, caption }));
    return row(pictures, this.colors, CAPTIONS);
  }
}

/**
 * Where each run of equal cells begins, and how long it is: a walk changes one row at a time.
 * @param {string[]} cells
 * @returns {[number, number][]}
 */
function runs(cells) {
  const starts = cells.flatMap((cell, k) => (k && cell === cells[k - 1] ? [] : [k]));
  return starts.map((k, i) => [k, (starts[i + 1] ?? cells.length) - k]);
}

class Lane {
  caption = "";
  /** @type {import("../shared/types.d.ts").Values} Settings of what is shown. */
  document = {};

  /**
   * @param {import("../shared/types.d.ts").StageOptions} options
   * @param {(document: import("../shared/types.d.ts").Values) => void} load
   */
  constructor(options, load) {
    const canvas = element("canvas", { tabindex: 0, "aria-label": "The picture of a lane; a summary follows below" });
    this.picture = new Picture(canvas, options);
    this.head = element("div", { class: "lanehead" });
    this.failed = element("p", { class: "failed", hidden: true });
    this.load = button({ class: "plain", title: "Open these settings in the Sampler tab" }, "open ↗");
    this.load.addEventListener("click", () => load(this.document));
    const top = element("div", { class: "lanetop" }, this.head, this.load);
    this.box = element("div", { class: "lane" }, top, element("div", { class: "canvas" }, canvas), this.failed);
  }

  /**
   * @param {Described} described
   * @param {number} k
   * @param {import("../shared/messages.d.ts").Model | undefined} model
   */
  show({ title, color, note, error, picture }, k, model) {
    this.caption = [title, note].filter(Boolean).join("  ");
    const dot = element("span", { class: "dot", style: `background: var(--ex-${color})` });
    this.head.replaceChildren(
      dot,
      element("b", { title }, ...typeset(title)),
      element("span", {}, ...typeset(note ?? "")),
    );
    this.box.style.setProperty("--lane", `var(--ex-${color})`);
    this.failed.textContent = error ?? "";
    this.failed.hidden = !error;
    this.load.hidden = !picture;
    if (!picture) {
      this.picture.clear();
      return;
    }
    this.document = JSON.parse(picture.document);
    this.picture.show(`${k}${picture.document}${picture.run.index.length}`, picture, model);
  }
}
