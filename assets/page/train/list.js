// @ts-nocheck
// The list of runs: one row each, kept in place and touched only where something changed.
import { element } from "../shared/dom.js";
import { compact, duration } from "../shared/numbers.js";
import { WORDS } from "./states.js";

export class RunList {
  // choose(name, more): a person clicked a row.
  constructor(box, { choose }) {
    Object.assign(this, { choose, rows: new Map() });
    this.title = element("h3", { class: "split" }, "Runs");
    this.node = element("div", { class: "runs", role: "list", "aria-label": "Runs" });
    this.node.addEventListener("keydown", (event) => this.key(event));
    box.append(this.title, this.node);
  }

  // rows in order; chosen names; tints: name -> colour of its curve.
  show(rows, chosen, tints) {
    const names = rows.map(({ name }) => name);
    for (const [name, row] of this.rows) if (!names.includes(name)) [row.node.remove(), this.rows.delete(name)];
    rows.forEach((run, k) => {
      if (!this.rows.has(run.name)) this.rows.set(run.name, new Row(run.name, this.choose));
      const row = this.rows.get(run.name);
      if (this.node.children[k] !== row.node) this.node.insertBefore(row.node, this.node.children[k] ?? null);
      row.show(run, chosen.includes(run.name), tints[run.name], chosen.length > 1);
    });
    this.title.hidden = !rows.length;
  }

  key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const rows = [...this.node.children];
    const at = rows.findIndex((node) => node.contains(document.activeElement));
    if (!step || at < 0) return;
    event.preventDefault();
    rows[Math.min(Math.max(at + step, 0), rows.length - 1)].querySelector("button").focus();
  }
}

class Row {
  constructor(name, choose) {
    this.known = {};
    this.box = element("input", {
      type: "checkbox",
      "aria-label": `Show ${name} beside the others`,
      title: "Show it beside the others",
    });
    this.box.addEventListener("change", () => choose(name, true));
    this.parts = Object.fromEntries(
      ["name", "state", "left", "loss"].map((part) => [part, element("span", { class: part })]),
    );
    this.dot = element("i", { class: "dot" });
    this.bar = element("i", { class: "bar" });
    const { name: title, state, left, loss } = this.parts;
    title.textContent = name;
    this.button = element(
      "button",
      { type: "button", title: name },
      title,
      element("span", { class: "is" }, this.dot, state),
      left,
      loss,
    );
    this.button.addEventListener("click", (event) => choose(name, event.ctrlKey || event.metaKey));
    this.node = element("div", { class: "run", role: "listitem", "data-run": name }, this.box, this.button, this.bar);
  }

  show(run, chosen, tint, several) {
    const { state, images, total, loss, left } = run;
    const share = total ? Math.min(images / total, 1) : 0;
    const active = state === "running" && left != null;
    this.set("state", WORDS[state] ?? state, (text) => {
      this.parts.state.textContent = text;
      this.node.dataset.state = state;
    });
    this.set(
      "left",
      active ? duration(left) : `${compact(images)} img`,
      (text) => (this.parts.left.textContent = text),
    );
    this.set("loss", loss == null ? "" : loss.toPrecision(3), (text) => (this.parts.loss.textContent = text));
    this.set("share", share.toFixed(3), (text) => this.bar.style.setProperty("--share", text));
    this.set("tint", chosen && several ? tint : "", (color) =>
      this.node.style.setProperty("--tint", color ? `var(--ex-${color})` : "transparent"),
    );
    this.set("chosen", chosen, (on) => {
      this.box.checked = on;
      this.node.classList.toggle("on", on);
      this.button.setAttribute("aria-pressed", String(on));
    });
  }

  set(name, value, write) {
    if (this.known[name] === value) return;
    this.known[name] = value;
    write(value);
  }
}
