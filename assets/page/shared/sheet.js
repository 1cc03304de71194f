// A picture of what stands on a stage.
import { paper } from "./canvas.js";

/**
 * Charts and canvases as they stand on a stage, on one canvas.
 * @param {Element} stage
 * @param {import("./chart.js").Chart[]} charts
 * @param {HTMLCanvasElement[]} canvases
 * @param {import("./types.d.ts").Colors} colors
 * @param {number} [ratio]
 */
export async function sheet(stage, charts, canvases, colors, ratio = 2) {
  const frame = stage.getBoundingClientRect();
  const { canvas: page, context } = paper(Math.round(frame.width * ratio), Math.round(frame.height * ratio), colors);
  /** @type {(node: Element, image: HTMLCanvasElement) => void} */
  const put = (node, image) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    context.drawImage(image, (x - frame.x) * ratio, (y - frame.y) * ratio, width * ratio, height * ratio);
  };
  for (const canvas of canvases) if (canvas.offsetParent) put(canvas, canvas);
  for (const chart of charts) if (chart.figure && chart.node.offsetParent) put(chart.node, await chart.picture(ratio));
  return page;
}

/**
 * Canvases side by side, on one; a caption above each where there are captions.
 * @param {{ canvas: HTMLCanvasElement, caption?: string }[]} pictures
 * @param {import("./types.d.ts").Colors} colors
 * @param {number} [above]  CSS pixels for the captions.
 */
export function row(pictures, colors, above = 0) {
  const ratio = window.devicePixelRatio || 1;
  const top = above * ratio;
  const width = pictures.reduce((sum, { canvas }) => sum + canvas.width, 0);
  const height = top + Math.max(...pictures.map(({ canvas }) => canvas.height));
  const { canvas: page, context } = paper(width, height, colors);
  context.fillStyle = colors.ink;
  context.font = `${13 * ratio}px system-ui, sans-serif`;
  let x = 0;
  for (const { canvas, caption } of pictures) {
    if (caption) context.fillText(caption, x + 6 * ratio, 17 * ratio);
    context.drawImage(canvas, x, top);
    x += canvas.width;
  }
  return page;
}
