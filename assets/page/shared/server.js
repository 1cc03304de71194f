// The server, as the page knows it: each question is a request, and its answers come back, as they are computed, to
// whoever has asked. At rest nothing is open.
import { attempt } from "./attempt.js";
import { Connections } from "./connections.js";

const SECONDS = 5; // in which a server that is there says so
const BRIEF = ["poll", "act", "plan", "film"]; // questions that hold no connection for long
const PATIENT = ["measure", "measurePinned", "rivals", "thumbnails"]; // and those that never take another's
const LASTING = ["class"]; // and those that last as long as the page is looked at
export const SILENCE = "The server does not answer. Is it still running?";

/** @typedef {import("./messages.d.ts").Requests} Requests */
/** @typedef {import("./messages.d.ts").Answers} Answers */
/**
 * @template {keyof Answers} Name
 * @typedef {import("./messages.d.ts").Reply<Name>} Reply
 */

export class Server {
  /** What tells this page from others, also of the same browser. */
  #visit = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
  #connections = new Connections();
  /** @type {Promise<boolean> | null} A look that is under way. */
  #looking = null;
  /** @type {Promise<unknown> | null} The page is left; it may be come back to. */
  #left = null;

  constructor() {
    window.addEventListener("pagehide", () => {
      this.#left = new Promise((back) => window.addEventListener("pageshow", back, { once: true }));
    });
  }

  /**
   * @template {keyof Requests} Name
   * @param {Name} event
   * @param {Requests[Name] & { serial: number }} message
   * @param {(reply: Reply<Name>) => void} hears  Called at each answer.
   * @param {() => void} [lost]  The server could not be reached, or has gone before it was finished. A newer question
   *   about the same may have overtaken this one, too.
   * @returns {() => void}  Ends it on the server, too; nothing more is heard of it.
   */
  send(event, message, hears, lost) {
    const leaving = new AbortController();
    this.#ask(event, message, leaving.signal, hears, lost);
    return () => leaving.abort();
  }

  /**
   * The one answer to a question; null: the server cannot be reached.
   * @template {keyof Requests} Name
   * @param {Name} event
   * @param {Requests[Name]} message
   * @returns {Promise<Reply<Name> | null>}
   */
  async reply(event, message) {
    const { value } = await this.#answers(event, { ...message, serial: 0 }, new AbortController().signal).next();
    return value ?? null;
  }

  /**
   * Whether it is there, and only takes its time: before somebody is told that it is not.
   * @returns {Promise<boolean>}
   */
  there() {
    const signal = AbortSignal.timeout(1000 * SECONDS);
    // of this very script; a proxy in front of a server that is away says 502 to 504
    this.#looking ??= fetch(import.meta.url, { method: "HEAD", cache: "no-store", signal })
      .then(({ status }) => status < 500)
      .catch(() => false)
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }

  /**
   * @param {string} event
   * @param {{ serial: number }} message
   * @param {AbortSignal} signal
   * @param {(reply: any) => void} hears
   * @param {() => void} [lost]
   */
  async #ask(event, message, signal, hears, lost) {
    for (let patient = PATIENT.includes(event); !signal.aborted; patient = true) {
      const going = new AbortController();
      const go = () => going.abort();
      let gone = false; // others need its connection
      const leave = () => {
        gone = true;
        go();
      };
      const ended = BRIEF.includes(event) ? () => {} : this.#connections.begin(leave, patient, LASTING.includes(event));
      signal.addEventListener("abort", go, { once: true });
      let whole = false;
      for await (const reply of this.#answers(event, message, going.signal)) {
        whole = reply != null;
        if (going.signal.aborted) break;
        if (reply) attempt(() => hears({ serial: message.serial, ...reply }));
      }
      ended();
      signal.removeEventListener("abort", go);
      await this.#left;
      if (gone) await this.#connections.room(signal);
      else {
        if (lost && !whole && !signal.aborted) attempt(lost);
        return;
      }
    }
  }

  /**
   * @param {string} event
   * @param {object} message
   * @param {AbortSignal} signal
   */
  #answers(event, message, signal) {
    return answers(event, JSON.stringify({ visit: this.#visit, ...message }), signal);
  }
}

/**
 * The server's answers; null at the end if there should have been more. A request that a newer one has overtaken has
 * none, and that is all right.
 * @param {string} event
 * @param {string} body
 * @param {AbortSignal} signal
 */
async function* answers(event, body, signal) {
  // Jupyter's proxy passes an answer on as it comes to whom asks for a stream of events, and to others when it is over
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
  try {
    const answer = await fetch(new URL(`explorer-ask/${event}`, document.baseURI), {
      method: "POST",
      headers,
      body,
      signal,
    });
    if (!answer.ok || !answer.body) {
      const { sentence } = await answer.json(); // anything else is not of our server
      yield { finished: true, error: String(sentence) };
    } else for await (const line of lines(answer.body)) yield JSON.parse(line);
  } catch {
    yield null;
  }
}

/**
 * @param {ReadableStream<Uint8Array>} stream  Of text.
 */
export async function* lines(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  /** @type {string[]} */
  let begun = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const [first, ...others] = decoder.decode(value, { stream: true }).split("\n");
    begun.push(first);
    for (const next of others) {
      yield begun.join("");
      begun = [next];
    }
  }
}
