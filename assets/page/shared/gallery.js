// The paper's figures as presets: a dialog of pictures, each one click away.
import { button, dialogHead, element } from "./dom.js";
import { typeset } from "./mathematics.js";

/** @typedef {import("./messages.d.ts").Figure} Preset */

export class Gallery {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {Preset[]} figures
   * @param {(figure: Preset) => void} choose
   */
  constructor(dialog, figures, choose) {
    this.dialog = dialog;
    const cards = figures.map((figure) => {
      const source = figure.picture && new URL(figure.picture, document.baseURI);
      const card = button(
        { class: "card", "data-figure": figure.name },
        source ? element("img", { src: source, alt: "", loading: "lazy" }) : null,
        element("b", {}, figure.title),
        element("em", {}, figure.paper),
        element("span", {}, figure.about),
        figure.claim ? element("span", { class: "claim" }, ...typeset(figure.claim)) : null,
      );
      card.addEventListener("click", () => {
        dialog.close();
        choose(figure);
      });
      return card;
    });
    dialogHead(dialog, "Figures of the paper, live");
    dialog.append(element("div", { class: "cards" }, ...cards));
  }

  open() {
    this.dialog.showModal();
  }
}
