// Arrays as they travel: base64 of float32 or of bytes.

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** @type {((base64: string) => Bytes) | undefined} Which browsers have had since 2025. */
const native = /** @type {any} */ (Uint8Array).fromBase64?.bind(Uint8Array);

/**
 * @param {string} base64
 * @returns {Bytes}
 */
export function uint8(base64) {
  if (native) return native(base64);
  const text = atob(base64);
  const array = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) array[i] = text.charCodeAt(i);
  return array;
}

/** @param {string} base64 */
export const float32 = (base64) => new Float32Array(uint8(base64).buffer);

/**
 * The first so many of some numbers, and what follows them.
 * @param {Bytes} before
 * @param {number} known
 * @param {Bytes} more
 * @returns {Bytes}
 */
export function continued(before, known, more) {
  if (known === 0) return more;
  const all = new Uint8Array(known + more.length);
  all.set(before.subarray(0, known));
  all.set(more, known);
  return all;
}

/**
 * Where arrows are, and where they point.
 * @param {import("./messages.d.ts").Arrows} field
 * @returns {import("./types.d.ts").Field}
 */
export const arrowsOf = ({ positions, arrows }) => ({ positions: float32(positions), arrows: float32(arrows) });

/**
 * Rows (weight, std, mean…) of a mixture.
 * @param {import("./messages.d.ts").Components} components
 * @param {number} dimension
 * @returns {import("./types.d.ts").Component[]}
 */
export function mixture(components, dimension) {
  const rows = float32(components.rows);
  const width = dimension + 2;
  const { labels } = components;
  return Array.from({ length: components.count }, (_, k) => {
    const row = rows.subarray(k * width, (k + 1) * width);
    return { weight: row[0], std: row[1], mean: Array.from(row.subarray(2)), label: labels?.[k] ?? null };
  });
}
