// @ts-nocheck
// Arrays as they travel: base64 of float32 or of bytes.

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
