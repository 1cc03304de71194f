// Files on their way to the server: in pieces, so that many or large ones are no giant request; then they are read there.
import { lines, SILENCE } from "../shared/server.js";

/** @typedef {import("../shared/gathered.js").Given} Given */
/** @typedef {import("../shared/messages.d.ts").Became} Became */
/** @typedef {import("../shared/messages.d.ts").NotTaken} NotTaken */
/** @typedef {{ more: boolean, parts: { path: string, data: Blob }[] }} Piece */

export const INTERRUPTED = "The upload was interrupted; send it again.";
const BYTES = 4 << 20; // of a piece
const FILES = 400;
const BREATH = 200; // files between two moments in which the page can be painted
const BUSY = { status: 429, tries: 12, wait: 300 }; // ms: while what was cancelled is not over yet

/** Why it has come to nothing: a sentence for people. */
export class Unsent extends Error {}

/**
 * Files in pieces: many small ones together, a large one in several. more: its first part goes on with the last file.
 * @param {Given[]} files
 * @param {{ bytes?: number, most?: number }} [limits]
 * @returns {Generator<Piece>}
 */
export function* pieces(files, { bytes = BYTES, most = FILES } = {}) {
  /** @type {Piece["parts"]} */
  let parts = [];
  let size = 0;
  for (const { file, path } of files) {
    if (parts.length && (size + file.size > bytes || parts.length === most)) {
      yield { more: false, parts };
      [parts, size] = [[], 0];
    }
    if (file.size <= bytes) {
      parts.push({ path, data: file });
      size += file.size;
    } else
      for (let at = 0; at < file.size; at += bytes)
        yield { more: at > 0, parts: [{ path, data: file.slice(at, at + bytes) }] };
  }
  if (parts.length) yield { more: false, parts };
}

/** One upload: files that the server has, or gets, and that it reads as often as there are other choices. */
export class Sending {
  #parcel = "";

  /**
   * @param {import("../shared/server.js").Server} server
   * @param {Given[]} files
   * @param {string} title
   */
  constructor(server, files, title) {
    this.server = server;
    this.files = files;
    this.title = title;
    this.size = 0;
    this.leaving = new AbortController();
  }

  /** Nobody wants it any more. */
  cancel() {
    this.leaving.abort();
    if (this.#parcel) this.#fetch(this.#parcel, { method: "DELETE" }, false).catch(() => {});
  }

  /**
   * Send all of it. Throws Unsent with a sentence.
   * @param {(sent: number, all: number) => void} told  How many bytes are there.
   */
  async send(told) {
    told(0, 0);
    for (let k = 0; k < this.files.length; k++) {
      if (k % BREATH === 0) await new Promise((resolve) => setTimeout(resolve)); // the browser looks at each on the disk
      this.size += this.files[k].file.size;
    }
    if (this.leaving.signal.aborted) throw await this.#lost();
    const about = new URLSearchParams({
      files: String(this.files.length),
      bytes: String(this.size),
      title: this.title,
    });
    const begun = await this.#ask(`?${about}`, { method: "POST" });
    this.#parcel = `/${begun.parcel}`;
    let sent = 0;
    told(sent, this.size);
    for (const { more, parts } of pieces(this.files)) {
      const body = new FormData();
      body.append("names", JSON.stringify(parts.map(({ path }) => path)));
      for (const { data } of parts) body.append("files", data, "file");
      await this.#ask(`${this.#parcel}${more ? "?more=1" : ""}`, { method: "POST", body });
      sent += parts.reduce((sum, { data }) => sum + data.size, 0);
      told(sent, this.size);
    }
  }

  /**
   * Have it read. Throws Unsent where the connection is lost, or it was cancelled.
   * @param {Record<string, string[]>} options
   * @param {(done: number, total: number) => void} told  How many images are decoded.
   * @returns {Promise<Became | NotTaken>}
   */
  async read(options, told) {
    this.leaving = new AbortController();
    const query = new URLSearchParams({ title: this.title });
    for (const [name, values] of Object.entries(options)) for (const value of values) query.append(name, value);
    const answer = await this.#patient(() => this.#fetch(`${this.#parcel}/set?${query}`, { method: "POST" }));
    if (!answer.ok || !answer.body) throw new Unsent((await answer.json()).sentence);
    try {
      for await (const line of lines(answer.body)) {
        const said = JSON.parse(line);
        if ("ok" in said) return said;
        if (said.total) told(said.done, said.total);
      }
    } catch {
      // the connection is lost, or it was cancelled
    }
    throw await this.#lost();
  }

  /**
   * @param {string} address
   * @param {RequestInit} request
   * @returns {Promise<any>}
   */
  async #ask(address, request) {
    const answer = await this.#patient(() => this.#fetch(address, request));
    const said = await answer.json().catch(() => null);
    if (said?.ok) return said;
    throw said?.sentence ? new Unsent(said.sentence) : await this.#lost();
  }

  /**
   * Again, while something that was cancelled holds its place.
   * @param {() => Promise<Response>} request
   */
  async #patient(request) {
    for (let tries = 0; ; tries++) {
      const answer = await request().catch(async () => {
        throw await this.#lost();
      });
      if (answer.status !== BUSY.status || tries >= BUSY.tries) return answer;
      await new Promise((resolve) => setTimeout(resolve, BUSY.wait));
    }
  }

  /**
   * @param {string} address
   * @param {RequestInit} request
   * @param {boolean} [leaves]
   */
  #fetch(address, request, leaves = true) {
    const signal = leaves ? this.leaving.signal : undefined;
    const headers = { Accept: "text/event-stream" }; // which proxies pass on as it comes
    return fetch(new URL(`explorer-parcels${address}`, document.baseURI), { ...request, headers, signal });
  }

  async #lost() {
    if (this.leaving.signal.aborted) return new Unsent("");
    return new Unsent((await this.server.there()) ? INTERRUPTED : SILENCE);
  }
}
