// What is taken away: text that is copied, and files that are downloaded.
import { element } from "./dom.js";
import { uint8 } from "./packed.js";
import { SILENCE } from "./server.js";

/**
 * The clipboard API is missing on plain http in a LAN: there, the old command does it, and says whether it did.
 * @param {HTMLTextAreaElement} area
 * @param {HTMLButtonElement} button  That was pressed: it says so.
 */
export async function copy(area, button) {
  const label = button.textContent;
  let done = false;
  try {
    await navigator.clipboard.writeText(area.value);
    done = true;
  } catch {
    area.focus();
    area.select();
    done = document.execCommand("copy");
  }
  button.textContent = done ? "Copied" : "Press Ctrl+C";
  setTimeout(() => {
    button.textContent = label;
  }, 1600);
}

/**
 * A canvas as a PNG file with `text` in an iTXt chunk named "edm".
 * @param {HTMLCanvasElement} canvas
 * @param {string} text
 */
export async function pngWithText(canvas, text) {
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("the picture is too large for this browser");
  const png = new Uint8Array(await blob.arrayBuffer());
  const encoder = new TextEncoder();
  // keyword, 0; not compressed, method 0; no language, no translated keyword
  const data = new Uint8Array([...encoder.encode("iTXtedm"), 0, 0, 0, 0, 0, ...encoder.encode(text)]);
  const chunk = new Uint8Array(data.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length - 4);
  chunk.set(data, 4);
  view.setUint32(data.length + 4, crc32(data));
  const header = 33; // signature and IHDR
  return new Blob([png.subarray(0, header), chunk, png.subarray(header)], { type: "image/png" });
}

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const TYPES = { gif: "image/gif", svg: "image/svg+xml" };

/**
 * The Sampler tab's stage as a film or a drawing, as the command line writes it.
 * @param {import("./server.js").Server} server
 * @param {Record<string, string>} values
 * @param {"gif" | "svg"} form
 * @returns {Promise<string | null>}  A sentence, where there is none.
 */
async function take(server, values, form) {
  const look = document.body.classList.contains("dark") ? "dark" : "light";
  const reply = await server.reply("take", { values, form, look });
  if (!reply) return SILENCE;
  if (reply.error != null) return reply.error;
  download(new Blob([uint8(reply.body.content)], { type: TYPES[form] }), reply.body.name);
  return null;
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * The buttons of the header that give files of what is shown.
 * @param {Record<"csv" | "png" | "gif" | "svg", HTMLButtonElement>} buttons
 * @param {object} page
 * @param {import("./server.js").Server} page.server
 * @param {import("../sampler/sampler.js").Sampler} page.sampler
 * @param {() => import("./types.d.ts").Tab} page.shown
 */
export function downloads({ csv, png, gif, svg }, { server, sampler, shown }) {
  csv.addEventListener("click", () => shown().saveCsv?.());
  png.addEventListener("click", () => shown().savePng());
  for (const [form, node] of /** @type {["gif" | "svg", HTMLButtonElement][]} */ (Object.entries({ gif, svg })))
    node.addEventListener("click", async () => {
      node.disabled = true; // it takes a moment
      const sentence = await take(server, sampler.accepted, form);
      node.disabled = false;
      if (sentence) sampler.say(sentence);
    });
}
