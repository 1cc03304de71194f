// @ts-nocheck
// A model or dataset in 80 × 80 pixels.
import { pixels } from "./canvas.js";
import { float32, uint8 } from "./packed.js";

export function paintThumbnail(canvas, model, color) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, 80, 80);
  context.fillStyle = context.strokeStyle = color;
  if (model.shape.length === 3) {
    context.imageSmoothingEnabled = false;
    context.drawImage(pixels(uint8(model.thumbnail), model.shape), 0, 0, 80, 80);
  } else if (model.thumbnail) {
    const points = float32(model.thumbnail);
    const flat = model.shape[0] === 1;
    for (let i = 0; i < points.length; i += model.shape[0]) {
      const y = flat ? 40 + ((i * 7919) % 23) - 11 : 40 - points[i + 1] * 27;
      context.globalAlpha = 0.75;
      context.fillRect(40 + points[i] * 27 - 1, y - 1, 2.2, 2.2);
    }
  } else {
    context.lineWidth = 4;
    context.lineCap = context.lineJoin = "round";
    context.stroke(new Path2D("M18 62 L22 47 L52 17 L63 28 L33 58 Z M46 23 L57 34"));
  }
}
