// @ts-nocheck
// An instrument of two charts: panels that are `beside` stand at the right, one above the other.
import { Chart } from "../shared/chart.js";
import { element } from "../shared/dom.js";
import { sheet } from "../shared/sheet.js";
import { Instrument } from "./instrument.js";

export default class Beside extends Instrument {
  fill() {
    const halves = [element("div"), element("div")];
    this.stage.append(element("div", { class: "halves" }, ...halves));
    this.charts = halves.map((half) => {
      const box = element("div");
      half.append(box);
      return new Chart(box);
    });
  }

  show({ figure }) {
    const sides = [figure.panels.filter(({ beside }) => !beside), figure.panels.filter(({ beside }) => beside)];
    sides.forEach((panels, k) => panels.length && this.charts[k].show({ ...figure, panels, columns: 1 }, this.colors));
  }

  picture() {
    return sheet(this.stage, this.charts, [], this.colors);
  }
}
