// The frame of author mode: its head, the list of steps, what can be done with the lesson. No behaviour.
import { button, element } from "../shared/dom.js";

/** @type {Record<string, string>} */
const WAYS = { preview: "Preview", share: "Share", save: "Save", file: "Open", new: "New" };
/** @type {Record<string, string>} */
const ABOUT = {
  preview: "As a learner sees it",
  share: "A link, a short address and its QR code",
  save: "As a YAML file, such as those of presets/lessons",
  file: "A lesson in a YAML file",
  new: "Begin another one; Undo brings this one back",
};
/** @type {[string, string, string][]} What can be done with a step: a name, its title, its sign. */
const TOOLS = [
  ["up", "Move up step", "↑"],
  ["down", "Move down step", "↓"],
  ["copy", "Duplicate step", "+"],
  ["remove", "Delete step", "×"],
];

/** @param {HTMLElement} root */
export function frame(root) {
  const undo = button({ class: "plain", title: "Undo", "aria-label": "Undo" }, "↶");
  const redo = button({ class: "plain", title: "Redo", "aria-label": "Redo" }, "↷");
  const close = button({ class: "plain", "aria-label": "Close", title: "What you have written is kept" }, "×");
  const about = element("div", { class: "about" });
  const list = element("ol", { class: "written", "aria-label": "Steps" });
  const add = button({ class: "primary", "data-do": "add" }, "Add as a step");
  const steps = element("div", { class: "put", "data-field": "steps" }, list, add, element("p", { class: "wrong" }));
  const step = element("div", { class: "step" });
  const said = element("p", { class: "wrong", role: "alert", hidden: true });
  const file = element("input", { type: "file", accept: ".yaml,.yml", hidden: true });
  const ways = Object.entries(WAYS).map(([name, title]) =>
    button({ class: "pin", title: ABOUT[name], "data-do": name }, title),
  );
  const node = element(
    "div",
    { class: "author", role: "region", "aria-label": "Your lesson", hidden: true },
    element("div", { class: "line" }, element("h2", {}, "Your lesson"), undo, redo, close),
    element("div", { class: "page" }, about, steps, step),
    said,
    element("div", { class: "line ways" }, ...ways, file),
  );
  const edit = button({ class: "primary", "data-do": "edit" }, "Back to editing");
  const bar = element("div", { class: "previewing", hidden: true }, "Your lesson is kept while you look.", edit);
  root.append(node, bar);
  return { node, undo, redo, close, about, list, add, step, said, file, ways, edit, bar };
}

/**
 * A step in the list.
 * @param {import("./draft.js").Step} step
 * @param {number} k
 * @param {boolean} chosen
 */
export function row({ text, ask }, k, chosen) {
  const words =
    text
      .replace(/[*`\n]/g, " ")
      .trim()
      .slice(0, 60) || "no text yet";
  const one = button({ class: "one", "data-step": k, "aria-current": chosen ? "step" : null }, `${k + 1}. ${words}`);
  if (ask) one.append(element("em", {}, ask.kind));
  const tools = TOOLS.map(([name, title, sign]) =>
    button({ class: "plain", "data-do": name, "aria-label": `${title} ${k + 1}`, title }, sign),
  );
  return element("li", {}, one, ...(chosen ? tools : []));
}
