// Controls that a link puts away: only=rho,steps shows just these of a panel, hide=seed all but these. What they do stays as
// it is. One button brings all of them back.
import { button, element } from "./dom.js";

const CONTROLS = "[data-row], [data-choice], [data-knob]";

/** @typedef {import("./messages.d.ts").Controls} Controls */

export class Away {
  /** @type {Controls} */
  shown = { only: null, hide: null };

  /**
   * @param {HTMLElement} root
   * @param {() => void} changed
   */
  constructor(root, changed) {
    this.changed = changed;
    this.panels = [...root.querySelectorAll("aside")];
    for (const panel of this.panels) {
      const all = button(
        { class: "plain show-all", title: "This link shows some of the controls only" },
        "Show all controls",
      );
      all.addEventListener("click", () => this.all());
      panel.append(element("div", { class: "put-away", hidden: true }, all));
      // panels build controls anew, of another instrument or another model
      new MutationObserver(() => this.#apply()).observe(panel, { childList: true, subtree: true });
    }
  }

  /** None is put away. */
  all() {
    this.show({ only: null, hide: null });
    this.changed();
  }

  /** @param {Controls} shown */
  show(shown) {
    this.shown = shown;
    this.#apply();
  }

  /** The controls of the panel that is shown, by name: those that make room for others now are left out. */
  names() {
    const panel = this.panels.find((each) => each.offsetParent);
    return [
      ...new Set(
        panel
          ? controls(panel)
              .filter(([node]) => !node.closest("[hidden]"))
              .map(([, name]) => name)
          : [],
      ),
    ];
  }

  /** What the address says of it. @returns {Record<string, string>} */
  query() {
    return Object.fromEntries(
      Object.entries(this.shown).flatMap(([name, controls]) => (controls ? [[name, controls.join(",")]] : [])),
    );
  }

  #apply() {
    const { only, hide } = this.shown;
    for (const panel of this.panels) {
      for (const [node, name] of controls(panel)) {
        node.classList.toggle("away", only ? !only.includes(name) : Boolean(hide?.includes(name)));
      }
      for (const pair of panel.querySelectorAll(".pair"))
        pair.classList.toggle("away", pair.querySelector(":scope > :not(.away)") == null);
      panel.querySelector(".put-away")?.toggleAttribute("hidden", !only && !hide);
    }
  }
}

/** What of a panel is put away as a whole, and under which name. @type {(panel: HTMLElement) => [HTMLElement, string][]} */
function controls(panel) {
  const all = /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll(CONTROLS));
  return [...all]
    .filter((node) => !node.parentElement?.closest("[data-row], [data-choice]"))
    .map((node) => [node, node.dataset.row ?? node.dataset.choice ?? node.dataset.knob ?? ""]);
}
