// A model or dataset in 80 × 80 pixels.
import { contextOf, pixels } from "./canvas.js";
import { float32, uint8 } from "./packed.js";

const SIDE = 80;

/**
 * An image, points in the plane or on a line, or, where there is nothing yet, a pen.
 * @param {HTMLCanvasElement} canvas
 * @param {{ shape: number[], thumbnail?: string | null }} dataset
 * @param {string} color
 */
export function paintThumbnail(canvas, { shape, thumbnail }, color) {
  const context = contextOf(canvas);
  context.clearRect(0, 0, SIDE, SIDE);
  context.fillStyle = context.strokeStyle = color;
  if (!thumbnail) {
    context.lineWidth = 4;
    context.lineCap = context.lineJoin = "round";
    context.stroke(new Path2D("M18 62 L22 47 L52 17 L63 28 L33 58 Z M46 23 L57 34"));
  } else if (shape.length === 3) {
    context.imageSmoothingEnabled = false;
    context.drawImage(pixels(uint8(thumbnail), shape), 0, 0, SIDE, SIDE);
  } else {
    const points = float32(thumbnail);
    const flat = shape[0] === 1;
    for (let i = 0; i < points.length; i += shape[0]) {
      const y = flat ? 40 + ((i * 7919) % 23) - 11 : 40 - points[i + 1] * 27;
      context.globalAlpha = 0.75;
      context.fillRect(40 + points[i] * 27 - 1, y - 1, 2.2, 2.2);
    }
  }
}
