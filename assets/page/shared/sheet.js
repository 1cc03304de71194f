// @ts-nocheck
// A picture of what stands on a stage.
import { element } from "./dom.js";

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
