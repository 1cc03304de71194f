// A distribution that somebody draws, on a pad in a dialog.
import { button, element } from "../shared/dom.js";
import { Pad } from "../shared/stages/pad.js";

/**
 * @param {HTMLElement} root  Where the dialog stands.
 * @param {() => import("../shared/types.d.ts").Colors | null} colors
 * @param {(points: [number, number][]) => void} use  These, in the end.
 */
export function draw(root, colors, use) {
  const canvas = element("canvas", {
    tabindex: 0,
    "aria-label": "Draw: with the mouse or a finger, or arrows to move and space to set points",
  });
  const done = button({ class: "primary" }, "Use these points");
  const clear = button({ class: "pin" }, "Clear");
  const dialog = element(
    "dialog",
    { class: "drawing" },
    element("h2", {}, "Draw a distribution"),
    element("div", { class: "pad" }, canvas),
    element("div", { class: "row" }, clear, done),
  );
  root.append(dialog);
  const paint = () => {
    const now = colors();
    if (now) pad.draw(now);
    done.disabled = pad.points.length < 2; // of one there is nothing to learn
  };
  const pad = new Pad(canvas, { points: [], repaint: paint, onDrawn: paint });
  clear.addEventListener("click", () => {
    pad.points = [];
    paint();
  });
  done.addEventListener("click", () => {
    dialog.close();
    use(pad.points);
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  paint();
  canvas.focus();
}
