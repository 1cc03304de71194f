// Taking the result elsewhere: a dialog with its link, Python and command line.
import { button, dialogHead, element } from "./dom.js";
import { copy } from "./takeaway.js";

/** @typedef {{ link: string, python: string, command: string }} Texts */

export class Share {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {() => Texts} texts  Of what is shown now.
   */
  constructor(dialog, texts) {
    this.dialog = dialog;
    this.texts = texts;
    dialogHead(dialog, "Take it with you");
    this.areas = {
      link: this.#area("link", "Link", "Opens this very picture, also on another machine that runs the explorer."),
      python: this.#area("python", "Python", "Run it in the project's folder; it draws the same picture.", 9),
      command: this.#area(
        "command",
        "Command line",
        "The same from a terminal, with the project's environment active.",
      ),
    };
  }

  /**
   * @param {string} name
   * @param {string} title
   * @param {string} about
   * @param {number} [rows]
   */
  #area(name, title, about, rows = 2) {
    const area = element("textarea", { readonly: true, rows, "aria-label": title, "data-text": name });
    const copier = button({ "data-copy": name }, "Copy");
    copier.addEventListener("click", () => copy(area, copier));
    this.dialog.append(
      element("div", { class: "field" }, element("h3", {}, title), element("p", {}, about), area, copier),
    );
    return area;
  }

  open() {
    const { link, python, command } = this.texts();
    this.areas.link.value = link;
    this.areas.python.value = python;
    this.areas.command.value = command;
    this.dialog.showModal();
  }
}
