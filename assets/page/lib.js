// Small things that several parts of the page share.

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const lerp = (a, b, f) => a + (b - a) * f;

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "html") node.innerHTML = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function bytes(base64) {
  const text = atob(base64);
  const array = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) array[i] = text.charCodeAt(i);
  return array;
}
export const uint8 = bytes;
export const float32 = (base64) => new Float32Array(bytes(base64).buffer);

// Rows (weight, std, mean…) of a mixture.
export function mixture(components, dimension) {
  const rows = float32(components.rows);
  const width = dimension + 2;
  return Array.from({ length: components.count }, (_, k) => {
    const row = rows.subarray(k * width, (k + 1) * width);
    return { weight: row[0], std: row[1], mean: Array.from(row.subarray(2)) };
  });
}

// Four significant digits, without trailing zeros.
export function number(value) {
  if (value == null) return "";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return String(Number(value.toPrecision(4)));
}
// Two significant digits of a measured distance; float64 noise is 0.
export function rounded(value) {
  if (value < 1e-12) return "0";
  return value < 0.01 ? value.toExponential(1) : value.toPrecision(2);
}

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

const COLORS = ["bg", "panel", "ink", "mute", "line", "noise", "data", "vp", "ve", "iddpm", "edm", "yours", "c1", "c2", "c3", "c4"];

// The theme's colours as they are now: names of CSS variables -> [r, g, b] and css text.
export function palette(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(`--ex-${name}`).trim();
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const colors = {};
  for (const name of COLORS) {
    colors[name] = read(name);
    colors[`${name}Rgb`] = rgb(colors[name]);
  }
  return colors;
}

// σ at a position u in [0, N] between noise levels: log-linear, linear in the last step to 0.
export function sigmaAt(levels, u) {
  const i = clamp(Math.floor(u), 0, levels.length - 2);
  const f = u - i;
  const [a, b] = [levels[i], levels[i + 1]];
  return b > 0 ? Math.exp(lerp(Math.log(a), Math.log(b), f)) : a * (1 - f);
}

// The position u at which a run is at noise level σ: the inverse of sigmaAt.
export function positionAt(levels, sigma) {
  if (sigma >= levels[0]) return 0;
  for (let i = 0; i + 1 < levels.length; i++) {
    const [a, b] = [levels[i], levels[i + 1]];
    if (sigma <= a && sigma >= b) {
      if (a === b) continue;
      return i + (b > 0 ? Math.log(a / sigma) / Math.log(a / b) : 1 - sigma / a);
    }
  }
  return levels.length - 1;
}

// Between which states that were sent lies u? Returns [index, index + 1, fraction].
export function bracket(run, u) {
  const { index } = run;
  let j = 0;
  if (index.length > 1) {
    j = clamp(index.findIndex((i) => i > u) - 1, 0, index.length - 2);
    if (index[index.length - 1] <= u) j = index.length - 2;
    const f = clamp((u - index[j]) / (index[j + 1] - index[j]), 0, 1);
    return [j, j + 1, f];
  }
  return [0, 0, 0];
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

// 20480 -> "20 k".
export function compact(count) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 2 }).format(count);
}
