// The server, as the page knows it: messages go out as events, and answers come back under the event's name. Each name
// has one listener. What comes before it waits for it: the address is read before the page is built.

/** @type {Map<string, (answer: any) => void>} */
const listeners = new Map();
/** @type {[string, any][]} */
const early = [];

/**
 * What the server has said under that name; app/live.py calls this.
 * @param {string} name
 * @param {any} answer
 */
export function answered(name, answer) {
  const listener = listeners.get(name);
  if (listener) listener(answer);
  else early.push([name, answer]);
}

export class Server {
  /** @param {(event: string, message: object) => void} send */
  constructor(send) {
    this.send = send;
  }

  /**
   * @param {string} name
   * @param {(answer: any) => void} listener
   */
  hear(name, listener) {
    listeners.set(name, listener);
    for (const [of, answer] of early.splice(0)) answered(of, answer);
  }
}
