// A canvas, and what is shown on it: the result of some settings, on the stage that fits it.
import { Images } from "./images.js";
import { Line } from "./line.js";
import { Plane } from "./plane.js";
import { DENSITY } from "./shade.js";

/** @typedef {typeof Images | typeof Line | typeof Plane} Kind */
/** @typedef {import("../types.d.ts").Result} Result */

const SPREAD = 0.5; // σ_data of what somebody has drawn, about

/** All kinds of stages. @type {Kind[]} */
export const KINDS = [Plane, Line, Images];

/**
 * The stage for samples of a shape.
 * @param {number[]} shape
 * @returns {Kind}
 */
const kindOf = (shape) => (shape.length > 1 ? Images : shape[0] === 1 ? Line : Plane);

export class Picture {
  /** @type {Result | null} */
  result = null;
  /** @type {Images | Line | Plane | null} */
  stage = null;
  /** @type {Kind | null} */
  kind = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("../types.d.ts").StageOptions} options
   */
  constructor(canvas, options) {
    this.canvas = canvas;
    this.options = options;
  }

  /**
   * @param {string} id  Another one for each that is painted differently.
   * @param {import("../messages.d.ts").Picture} body
   * @param {import("../messages.d.ts").Model | undefined} model
   */
  show(id, body, model) {
    if (this.result?.id === id) return;
    const components = body.components ?? model?.components;
    const sigmaData = body.sigmaData ?? SPREAD;
    this.result = { ...body, id, components, sigmaData, range: model?.range ?? [null, null] };
    const Kind = kindOf(body.run.shape);
    if (!this.stage || this.kind !== Kind) {
      // on a canvas of its own: no listener of another kind, nor its strokes, stay behind
      const fresh = /** @type {HTMLCanvasElement} */ (this.canvas.cloneNode());
      this.canvas.replaceWith(fresh);
      this.canvas = fresh;
      this.kind = Kind;
      this.stage = new Kind(fresh, this.options);
    }
    this.stage.setResult(this.result);
  }

  /** What can be chosen of it: of the density behind only where there are two. */
  get switches() {
    const led = this.result?.density?.weight != null;
    return (this.kind?.switches ?? []).filter((one) => one !== DENSITY || led);
  }

  /** There is nothing to be shown; the stage stays as it is. */
  clear() {
    this.result = null;
  }

  /**
   * @param {number} u
   * @param {import("../types.d.ts").Colors} colors
   */
  draw(u, colors) {
    if (this.result) this.stage?.draw(u, colors);
  }
}
