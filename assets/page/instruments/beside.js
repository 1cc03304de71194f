// An instrument of two charts: panels that are `beside` stand at the right, one above the other.
import { Chart } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { sheet } from "../shared/sheet.js";
import { Instrument } from "./instrument.js";

export default class Beside extends Instrument {
  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    const boxes = [element("div"), element("div")];
    const halves = boxes.map((box) => element("div", {}, box));
    this.stage.append(element("div", { class: "halves" }, ...halves));
    this.charts = boxes.map((box) => new Chart(box));
  }

  /**
   * @override
   * @param {import("../shared/messages.d.ts").Drawing} body
   */
  show({ figure }) {
    if (!figure) return;
    const sides = [figure.panels.filter(({ beside }) => !beside), figure.panels.filter(({ beside }) => beside)];
    sides.forEach((panels, k) => {
      if (panels.length) this.charts[k].show({ ...figure, panels, columns: 1 }, this.colors);
    });
  }

  /** @override */
  picture() {
    return sheet(this.stage, this.charts, [], this.colors);
  }
}
