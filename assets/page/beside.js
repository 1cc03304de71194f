// An instrument of two charts: panels that are `beside` stand at the right, one above the other.
import { Chart } from "./chart.js";
import { Instrument } from "./instrument.js";
import { element } from "./lib.js";

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

// Charts and canvases as they stand on a stage, on one canvas.
export async function sheet(stage, charts, canvases, colors, ratio = 2) {
  const frame = stage.getBoundingClientRect();
  const page = element("canvas", { width: Math.round(frame.width * ratio), height: Math.round(frame.height * ratio) });
  const context = page.getContext("2d");
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, page.width, page.height);
  const put = (node, image) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    context.drawImage(image, (x - frame.x) * ratio, (y - frame.y) * ratio, width * ratio, height * ratio);
  };
  for (const canvas of canvases) if (canvas.offsetParent) put(canvas, canvas);
  for (const chart of charts) if (chart.figure && chart.node.offsetParent) put(chart.node, await chart.picture(ratio));
  return page;
}
