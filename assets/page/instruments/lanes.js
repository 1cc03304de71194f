// @ts-nocheck
// Pictures side by side under one time slider: the lanes of a comparison, or the steps of a walk.
import { element } from "../shared/dom.js";
import { positionAt } from "../shared/levels.js";
import { Player, timeline } from "../shared/player.js";
import { stageOf } from "../shared/stages/kinds.js";
import { isView, viewControls } from "../shared/stages/switches.js";
import { Instrument } from "./instrument.js";

export default class Lanes extends Instrument {
  fill() {
    this.view = {};
    this.lanes = [];
    this.row = element("div", { class: "lanes" });
    this.views = element("div", { class: "views" });
    const line = timeline("Time: from noise to data");
    this.player = new Player(line, { run: () => this.slowest, moved: () => (this.dirty = true) });
    this.table = element("table", { class: "differences" });
    this.stage.append(this.row);
    this.stage.previousSibling.append(this.views);
    this.stage.after(line.node, this.table);
    new ResizeObserver(() => (this.dirty = true)).observe(this.stage);
    this.animate();
  }

  // The lane that starts at the highest noise: the slider runs over its levels.
  get slowest() {
    const results = this.lanes.map(({ result }) => result).filter(Boolean);
    return results.length ? results.reduce((a, b) => (b.levels[0] > a.levels[0] ? b : a)) : null;
  }

  show({ lanes, rows }) {
    const first = this.lanes.length === 0;
    while (this.lanes.length > lanes.length) this.lanes.pop().box.remove();
    lanes.forEach((lane, k) => this.showLane(lane, k));
    const kind = this.lanes[0]?.stage.constructor.name;
    if (kind) viewControls(this.views, kind, this.view, (changes) => this.setView(changes), ["field"]);
    this.showTable(lanes, rows);
    if (lanes.every(({ picture, error }) => picture || error)) this.node.dataset.complete = this.requests.shown;
    if (first) this.player.start();
    this.dirty = true;
  }

  showLane({ title, color, note, error, picture }, k) {
    this.lanes[k] ??= this.newLane();
    const lane = this.lanes[k];
    lane.caption = [title, note].filter(Boolean).join("  ");
    lane.head.replaceChildren(
      element("span", { class: "dot", style: `background: var(--ex-${color})` }),
      element("b", {}, title),
      element("span", {}, note ?? ""),
    );
    lane.box.style.setProperty("--lane", `var(--ex-${color})`);
    lane.failed.textContent = error ?? "";
    lane.failed.hidden = !error;
    lane.document = picture ? JSON.parse(picture.document) : null;
    lane.load.hidden = !picture;
    if (!picture) {
      lane.result = null;
      return;
    }
    const model = this.bench.page.boot.models.find(({ name }) => name === picture.model);
    const Kind = stageOf(picture.run.shape);
    if (!(lane.stage instanceof Kind)) {
      const fresh = lane.canvas.cloneNode();
      lane.canvas.replaceWith(fresh);
      lane.canvas = fresh;
      const nothing = () => {};
      const select = (selected) => this.setView({ selected });
      lane.stage = new Kind(fresh, {
        view: this.view,
        contain: true,
        onProbe: nothing,
        onDrawn: nothing,
        onSelect: select,
        repaint: () => (this.dirty = true),
      });
    }
    const key = `${k}${picture.document}${picture.run.index.length}`;
    if (lane.result?.id === key) return;
    lane.result = { id: key, ...picture, components: picture.components ?? model.components };
    lane.stage.setResult(lane.result);
  }

  newLane() {
    const canvas = element("canvas", { tabindex: 0, "aria-label": "The picture of a lane; a summary follows below" });
    const head = element("div", { class: "lanehead" });
    const failed = element("p", { class: "failed", hidden: true });
    const load = element(
      "button",
      { type: "button", class: "plain", title: "Open these settings in the Sampler tab" },
      "open ↗",
    );
    const box = element(
      "div",
      { class: "lane" },
      element("div", { class: "lanetop" }, head, load),
      element("div", { class: "canvas" }, canvas),
      failed,
    );
    const lane = { box, canvas, head, failed, load };
    load.addEventListener("click", () => this.bench.page.load(lane.document));
    this.row.append(box);
    return lane;
  }

  // Only the rows of Table 1 in which the lanes differ.
  showTable(lanes, rows = []) {
    this.table.hidden = rows.length === 0;
    const head = element("tr", {}, element("th", {}), ...lanes.map(({ title }) => element("th", {}, title)));
    const body = rows.map(([title, cells]) =>
      element("tr", {}, element("th", {}, title), ...cells.map((cell) => element("td", { html: cell }))),
    );
    this.table.replaceChildren(element("tbody", {}, head, ...body));
  }

  setView(changes) {
    Object.assign(this.view, changes);
    for (const [name, value] of Object.entries(this.view))
      if (value == null || (name !== "selected" && !isView(name, value))) delete this.view[name];
    if (this.body) this.show(this.body);
  }

  paint() {
    this.dirty = false;
    if (!this.slowest) return;
    const [, sigma] = this.player.show();
    for (const { stage, result } of this.lanes) if (result) stage.draw(positionAt(result.levels, sigma), this.colors);
    this.node.dataset.paints = Number(this.node.dataset.paints ?? 0) + 1;
  }

  picture() {
    const ratio = window.devicePixelRatio || 1;
    const shown = this.lanes.filter(({ result }) => result);
    const top = 26 * ratio;
    const width = shown.reduce((sum, { canvas }) => sum + canvas.width, 0);
    const sheet = element("canvas", { width, height: top + Math.max(...shown.map(({ canvas }) => canvas.height)) });
    const context = sheet.getContext("2d");
    context.fillStyle = this.colors.bg;
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.fillStyle = this.colors.ink;
    context.font = `${13 * ratio}px system-ui, sans-serif`;
    let x = 0;
    for (const { canvas, caption } of shown) {
      context.fillText(caption, x + 6 * ratio, 17 * ratio);
      context.drawImage(canvas, x, top);
      x += canvas.width;
    }
    return sheet;
  }
}
