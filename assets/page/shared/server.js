// The server, as the page knows it: messages go out as events, and answers come back under the event's name. Each name
// has one listener. What comes before it waits for it: the address is read before the page is built.

/** @typedef {import("./messages.d.ts").Requests} Requests */
/** @typedef {import("./messages.d.ts").Answers} Answers */
/**
 * @template {keyof Answers} Name
 * @typedef {import("./messages.d.ts").Reply<Name>} Reply
 */

/** @type {Map<string, (answer: any) => void>} */
const listeners = new Map();
/** @type {[string, any][]} */
const early = [];

/**
 * What the server has said under that name; the live component of Python calls this.
 * @param {string} name
 * @param {any} answer
 */
export function answered(name, answer) {
  const listener = listeners.get(name);
  if (listener) listener(answer);
  else early.push([name, answer]);
}

/**
 * @param {string} name
 * @param {(answer: any) => void} listener
 */
function listen(name, listener) {
  listeners.set(name, listener);
  for (const [of, answer] of early.splice(0)) answered(of, answer);
}

export class Server {
  #send;

  /** @param {(event: string, message: object) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @template {keyof Requests} Name
   * @param {Name} event
   * @param {Requests[Name]} message
   */
  send(event, message) {
    this.#send(event, message);
  }

  /**
   * @template {keyof Answers} Name
   * @param {Name} event
   * @param {(reply: Reply<Name>) => void} listener
   */
  hear(event, listener) {
    listen(event, listener);
  }

  /** @param {(opened: import("./messages.d.ts").Address) => void} listener  To what the address says. */
  opened(listener) {
    listen("opened", ({ opened }) => listener(opened));
  }
}
