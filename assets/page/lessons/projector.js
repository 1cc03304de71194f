// The projector view: large type, and the panel folded away, so that the last row can read. It is of this screen alone, and
// in its address.
import { button } from "../shared/dom.js";

const NAME = "projector";
const TITLE = "Projector view: large type, no panel (Alt+P)";

export class Projector {
  /**
   * @param {HTMLElement} root
   * @param {HTMLButtonElement} node  Of the header.
   * @param {() => void} changed  Type has another size now, and the address follows.
   */
  constructor(root, node, changed) {
    this.root = root;
    this.changed = changed;
    this.nodes = [node];
    node.title = TITLE;
    node.addEventListener("click", () => this.turn());
    // by the key's place: with Alt, some keyboards write another letter
    document.addEventListener("keydown", (event) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyP") return;
      event.preventDefault();
      this.turn();
    });
  }

  get on() {
    return this.root.dataset[NAME] != null;
  }

  turn(on = !this.on) {
    if (on === this.on) return;
    this.root.toggleAttribute(`data-${NAME}`, on);
    for (const node of this.nodes) node.setAttribute("aria-pressed", String(on));
    this.changed();
  }

  /** Another button for it. */
  button() {
    const pressed = { "aria-pressed": String(this.on), "data-way": NAME };
    const node = button({ class: "plain", title: TITLE, "aria-label": "Projector view", ...pressed }, "Aa");
    node.addEventListener("click", () => this.turn());
    this.nodes = [...this.nodes.filter((other) => other.isConnected), node];
    return node;
  }

  /**
   * As an address asks for it; returns the rest of what that says of the view. Links of this page do not end it.
   * @param {Record<string, string>} view
   */
  take({ [NAME]: said, ...view }) {
    if (said === "on") this.turn(true);
    return view;
  }

  /** What the address says of it. @returns {Record<string, string>} */
  query() {
    return this.on ? { [`view.${NAME}`]: "on" } : {};
  }
}
