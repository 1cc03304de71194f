// The server, as the page knows it: messages go out under an event's name, and its answers come back as they are
// computed. Each name has one listener.

/** @typedef {import("./messages.d.ts").Requests} Requests */
/** @typedef {import("./messages.d.ts").Answers} Answers */
/**
 * @template {keyof Answers} Name
 * @typedef {import("./messages.d.ts").Reply<Name>} Reply
 */

export class Server {
  /** What tells this page from others, also of the same browser. */
  #visit = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
  /** @type {Map<string, (reply: any) => void>} */
  #listeners = new Map();

  /**
   * @template {keyof Answers} Name
   * @param {Name} event
   * @param {(reply: Reply<Name>) => void} listener
   */
  hear(event, listener) {
    this.#listeners.set(event, listener);
  }

  /**
   * @template {keyof Requests} Name
   * @param {Name} event
   * @param {Requests[Name] & { serial: number }} message
   * @param {() => void} [lost]  The server could not be reached, or has gone before it was finished.
   * @returns {() => void}  Ends it on the server, too; nothing more is heard of it.
   */
  send(event, message, lost) {
    const leaving = new AbortController();
    this.#ask(event, message, leaving.signal, lost);
    return () => leaving.abort();
  }

  /**
   * The one answer to an event that nobody listens to; null: the server cannot be reached.
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
   * @param {string} event
   * @param {{ serial: number }} message
   * @param {AbortSignal} signal
   * @param {() => void} [lost]
   */
  async #ask(event, message, signal, lost) {
    for await (const reply of this.#answers(event, message, signal)) {
      if (signal.aborted) return;
      if (reply) this.#listeners.get(event)?.({ serial: message.serial, ...reply });
      else lost?.();
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
async function* lines(stream) {
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
