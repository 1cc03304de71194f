// The list of runs: one row each, kept in place and touched only where something changed.
import { button, element } from "../shared/dom.js";
import { compact, duration } from "../shared/numbers.js";
import { inWords } from "./states.js";
import { Written } from "./written.js";

/** @typedef {import("../shared/messages.d.ts").Row} Run */
/** @typedef {(name: string, more: boolean) => void} Choose  A person clicked a row; more: beside the others. */

export class RunList {
  /** @type {Map<string, Row>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} box
   * @param {Choose} choose
   */
  constructor(box, choose) {
    this.choose = choose;
    this.title = element("h2", { class: "split" }, "Runs");
    this.node = element("div", { class: "runs", role: "list", "aria-label": "Runs" });
    this.node.addEventListener("keydown", (event) => this.#key(event));
    box.append(this.title, this.node);
  }

  /**
   * @param {Run[]} runs  In their order.
   * @param {string[]} chosen
   * @param {Record<string, string>} tints  Of their curves.
   */
  show(runs, chosen, tints) {
    const names = runs.map(({ name }) => name);
    for (const [name, row] of this.#rows) {
      if (names.includes(name)) continue;
      row.node.remove();
      this.#rows.delete(name);
    }
    runs.forEach((run, k) => {
      const row = this.#rows.get(run.name) ?? new Row(run.name, this.choose);
      this.#rows.set(run.name, row);
      if (this.node.children[k] !== row.node) this.node.insertBefore(row.node, this.node.children[k] ?? null);
      row.show(run, chosen.includes(run.name), tints[run.name], chosen.length > 1);
    });
    this.title.hidden = !runs.length;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const rows = [...this.node.children];
    const at = rows.findIndex((node) => node.contains(document.activeElement));
    if (!step || at < 0) return;
    event.preventDefault();
    rows[Math.min(Math.max(at + step, 0), rows.length - 1)].querySelector("button")?.focus();
  }
}

class Row {
  #written = new Written();

  /**
   * @param {string} name
   * @param {Choose} choose
   */
  constructor(name, choose) {
    const title = "Show it beside the others";
    this.box = element("input", { type: "checkbox", "aria-label": `Show ${name} beside the others`, title });
    this.box.addEventListener("change", () => choose(name, true));
    this.state = element("span", { class: "state" });
    this.left = element("span", { class: "left" });
    this.loss = element("span", { class: "loss" });
    this.bar = element("i", { class: "bar" });
    const is = element("span", { class: "is" }, element("i", { class: "dot" }), this.state);
    this.button = button({ title: name }, element("span", { class: "name" }, name), is, this.left, this.loss);
    this.button.addEventListener("click", (event) => choose(name, event.ctrlKey || event.metaKey));
    this.node = element("div", { class: "run", role: "listitem", "data-run": name }, this.box, this.button, this.bar);
  }

  /** @type {(run: Run, chosen: boolean, tint: string | undefined, several: boolean) => void} */
  show(run, chosen, tint, several) {
    const { state, images, total, loss, left } = run;
    const share = total ? Math.min((images ?? 0) / total, 1) : 0;
    const written = this.#written;
    written.set("state", inWords(run), (words) => {
      this.state.textContent = words;
      this.node.dataset.state = state;
    });
    const remaining = state === "running" && left != null ? duration(left) : `${compact(images ?? 0)} img`;
    written.text("left", this.left, remaining);
    written.text("loss", this.loss, loss == null ? "" : loss.toPrecision(3));
    written.set("share", share.toFixed(3), (text) => this.bar.style.setProperty("--share", text));
    const color = chosen && several && tint ? `var(--ex-${tint})` : "transparent";
    written.set("tint", color, () => this.node.style.setProperty("--tint", color));
    written.set("chosen", chosen, () => {
      this.box.checked = chosen;
      this.node.classList.toggle("on", chosen);
      this.button.setAttribute("aria-pressed", String(chosen));
    });
  }
}
