// What is what on a stage: in the picture itself, so that it travels with it.
import { translucent } from "../colors.js";
import { write } from "../mathematics.js";
import { number } from "../numbers.js";
import { FOLLOW_WINDOW, WINDOW } from "./window.js";

/** @typedef {import("../types.d.ts").Colors} Colors */
/** @typedef {"sample" | "path" | "density" | "one" | "arrow"} Sign */
/** @typedef {{ sign: Sign, text: string }} Entry */
/** @typedef {CanvasRenderingContext2D} Context */

const [LETTERS, LINE, ICON, BETWEEN, EDGE] = [11, 17, 22, 14, 8]; // pixels, of type as it is

/** How each sign is drawn around a point. @type {Record<Sign, (context: Context, x: number, y: number, colors: Colors) => void>} */
const SIGNS = {
  sample: (context, x, y, { noise }) => disc(context, x, y, 2.6, noise),
  path: (context, x, y, { noise }) => {
    context.strokeStyle = noise;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x - 8, y + 3);
    context.quadraticCurveTo(x, y + 3, x + 8, y - 3);
    context.stroke();
  },
  density: (context, x, y, { dataRgb }) => {
    const shade = context.createRadialGradient(x, y, 0, x, y, 8);
    shade.addColorStop(0, translucent(dataRgb, 0.7));
    shade.addColorStop(1, translucent(dataRgb, 0));
    disc(context, x, y, 8, shade);
  },
  one: (context, x, y, { noise, ink }) => {
    disc(context, x, y, 4.5, noise);
    context.strokeStyle = ink;
    context.lineWidth = 2;
    context.stroke();
  },
  arrow: (context, x, y, { mute }) => {
    context.strokeStyle = mute;
    context.lineWidth = 1.2;
    context.beginPath();
    context.moveTo(x - 7, y);
    context.lineTo(x + 7, y);
    context.moveTo(x + 3, y - 3);
    context.lineTo(x + 7, y);
    context.lineTo(x + 3, y + 3);
    context.stroke();
  },
};

/** @type {(context: Context, x: number, y: number, radius: number, fill: string | CanvasGradient) => void} */
function disc(context, x, y, radius, fill) {
  context.fillStyle = fill;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}

/** What is written in a picture. @param {Colors} colors */
export const fontOf = ({ type }) => `${LETTERS * type}px system-ui, sans-serif`;

/**
 * At the lower left of a box, in as many lines as its width takes.
 * @param {Context} context
 * @param {Entry[]} entries
 * @param {{ left: number, bottom: number, width: number }} box
 * @param {Colors} colors
 */
export function paintLegend(context, entries, { left, bottom, width }, colors) {
  const line = LINE * colors.type;
  context.save();
  context.font = fontOf(colors);
  context.textAlign = "left";
  /** @type {(Entry & { wide: number })[][]} */
  const lines = [[]];
  let used = 0;
  for (const entry of entries) {
    const wide = ICON + context.measureText(entry.text).width + BETWEEN;
    if (used && used + wide > width) [used] = [0, lines.push([])];
    lines[lines.length - 1].push({ ...entry, wide });
    used += wide;
  }
  const widest = Math.max(...lines.map((row) => row.reduce((sum, { wide }) => sum + wide, 0)));
  const top = bottom - EDGE - line * lines.length;
  context.fillStyle = translucent(colors.bgRgb, 0.82);
  context.fillRect(left, top, Math.min(widest, width), line * lines.length);
  lines.forEach((row, k) => {
    let x = left;
    const y = top + line * (k + 0.5);
    for (const { sign, text, wide } of row) {
      SIGNS[sign](context, x + ICON / 2 - 1, y, colors);
      context.fillStyle = colors.mute;
      write(context, text, x + ICON, y + 4 * colors.type);
      x += wide;
    }
  });
  context.restore();
}

/**
 * Of points and their paths; what is not there is not named.
 * @param {{ density: string | number, draggable?: boolean, arrows?: unknown }} there
 * @returns {Entry[]}
 */
export function entriesOf({ density, draggable, arrows }) {
  /** @type {[Sign, unknown][]} */
  const all = [
    ["sample", "samples"],
    ["path", "their paths"],
    ["density", density],
    ["one", draggable == null ? "" : draggable ? "drag this one" : "one of them"],
    ["arrow", arrows && "where the flow points"],
  ];
  return all.flatMap(([sign, text]) => (text ? { sign, text: String(text) } : []));
}

/**
 * The legend of a plane, and how long a unit is: where its window follows σ, √(σ² + σ_data²).
 * @param {Context} context
 * @param {Entry[]} entries
 * @param {{ width: number, height: number, sigma: number | null, sigmaData: number }} plane
 * @param {Colors} colors
 */
export function paintKey(context, entries, { width, height, sigma, sigmaData }, colors) {
  const unit = height / 2 / (sigma == null ? WINDOW : FOLLOW_WINDOW);
  const text = sigma == null ? "1" : `√(σ² + σ_data²) = ${number(Number(Math.hypot(sigma, sigmaData).toPrecision(2)))}`;
  context.save();
  const [x, y] = [width - EDGE, height - EDGE];
  context.strokeStyle = context.fillStyle = colors.mute;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x - unit, y - 4);
  context.lineTo(x - unit, y);
  context.lineTo(x, y);
  context.lineTo(x, y - 4);
  context.stroke();
  context.font = fontOf(colors);
  context.textAlign = "right";
  write(context, text, x, y - 8);
  const beside = Math.max(unit, context.measureText(text).width) + EDGE;
  context.restore();
  paintLegend(context, entries, { left: 4, bottom: height, width: width - beside - 4 }, colors);
}
