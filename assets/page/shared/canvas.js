// @ts-nocheck
// Canvases: their size on the screen, and pictures from 8-bit images.

// Size a canvas to its box and the screen's pixels; returns its context and size in CSS pixels.
export function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}

// Image k among 8-bit images [C, H, W] that follow each other, on a canvas of its own size.
export function pixels(source, [channels, rows, columns], k = 0, canvas = document.createElement("canvas")) {
  const from = k * channels * rows * columns;
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let p = 0; p < rows * columns; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = source[from + (channels === 3 ? c * rows * columns : 0) + p];
    image.data[4 * p + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
