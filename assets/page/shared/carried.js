// Settings in a picture of ours, as it carries them: see edm/files/render.py.

export const MOST_BYTES = 64 << 20; // of a picture that is read
const KEY = "edm";
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const GIF = [0x47, 0x49, 0x46, 0x38];

/**
 * The text that a picture carries; null: none; undefined: it is no PNG, GIF or SVG.
 * @param {Uint8Array} bytes
 */
export function carriedBy(bytes) {
  /** @param {number[]} head */
  const begins = (head) => head.every((byte, k) => bytes[k] === byte);
  if (begins(PNG)) return ofPng(bytes);
  if (begins(GIF)) return ofGif(bytes);
  const head = text(bytes.subarray(0, 64)).trimStart();
  return head.startsWith("<svg") || head.startsWith("<?xml") ? ofSvg(text(bytes)) : undefined;
}

/** @param {Uint8Array} bytes */
const text = (bytes) => new TextDecoder().decode(bytes);

/**
 * Of its iTXt chunks the one under our key: keyword, 0, not compressed, method, language, 0, translated keyword, 0, text.
 * @param {Uint8Array} bytes
 */
function ofPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = PNG.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (text(bytes.subarray(at + 4, at + 8)) === "iTXt" && text(data.subarray(0, 5)) === `${KEY}\0\0`) {
      const language = data.indexOf(0, 6);
      return text(data.subarray(data.indexOf(0, language + 1) + 1));
    }
    at += 12 + length;
  }
  return null;
}

/**
 * Of the extensions before its first picture, the comment that begins with our key.
 * @param {Uint8Array} bytes
 */
function ofGif(bytes) {
  /** @param {number} packed  Whose last bits say how large a table of colours is. */
  const table = (packed) => (packed & 0x80 ? 3 << ((packed & 7) + 1) : 0);
  for (let at = 13 + table(bytes[10]); bytes[at] === 0x21; ) {
    const comment = bytes[at + 1] === 0xfe;
    /** @type {number[]} */
    const data = [];
    for (at += 2; bytes[at]; at += bytes[at] + 1) if (comment) data.push(...bytes.subarray(at + 1, at + 1 + bytes[at]));
    at += 1;
    const said = text(Uint8Array.from(data));
    if (comment && said.startsWith(`${KEY} `)) return said.slice(KEY.length + 1);
  }
  return null;
}

/**
 * It is read, not shown: nothing in it runs.
 * @param {string} source
 */
function ofSvg(source) {
  return new DOMParser().parseFromString(source, "image/svg+xml").querySelector(`metadata#${KEY}`)?.textContent ?? null;
}
