// @ts-nocheck
// The paper's figures as presets: a dialog of pictures, each one click away.
import { element } from "./dom.js";

export class Gallery {
  // figures: {name, title, about, paper, picture}; choose(figure).
  constructor(dialog, figures, choose) {
    this.dialog = dialog;
    const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => dialog.close());
    const cards = figures.map((figure) => {
      const picture =
        figure.picture && element("img", { src: new URL(figure.picture, document.baseURI), alt: "", loading: "lazy" });
      const card = element(
        "button",
        { type: "button", class: "card", "data-figure": figure.name },
        picture || null,
        element("b", {}, figure.title),
        element("em", {}, figure.paper),
        element("span", {}, figure.about),
      );
      card.addEventListener("click", () => {
        dialog.close();
        choose(figure);
      });
      return card;
    });
    dialog.append(element("h2", {}, "Figures of the paper, live"), close, element("div", { class: "cards" }, ...cards));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  open() {
    this.dialog.showModal();
  }
}
