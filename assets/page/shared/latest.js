// Requests of which only the latest counts; and while a knob is dragged, something is always on its way.

const PATIENCE = [3000, 9000]; // ms without any answer: before asking once more, and before saying so
const PAUSE = 500; // ms before asking once more where the server could not be reached
export const SILENCE = "The server does not answer. Is it still running?";

/** @typedef {import("./messages.d.ts").Requests} Requests */
/** @typedef {import("./messages.d.ts").Answers} Answers */
/**
 * @template {keyof Answers} Name
 * @typedef {import("./messages.d.ts").Reply<Name>} Reply
 */

/** @template {keyof Answers} Name  Of the event. */
export class Latest {
  serial = 0;
  /** The serial of what is shown. */
  shown = 0;
  waiting = false;
  answered = true;
  lost = 0;
  /** @type {Requests[Name] | null} What the latest request asked for. */
  payload = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Ends what was asked for last. */
  #end = () => {};
  #server;
  #event;
  #parts;

  /**
   * @param {import("./server.js").Server} server
   * @param {Name} event
   * @param {object} parts
   * @param {() => Requests[Name]} parts.build  The payload as it is when a request leaves.
   * @param {(reply: Reply<Name>) => void} parts.show  There is news.
   * @param {() => void} parts.silent  No answer came.
   * @param {(serial: number) => void} [parts.sent]
   * @param {(reply: Reply<Name>) => void} [parts.rested]  It was shown, and nothing newer is asked for.
   */
  constructor(server, event, parts) {
    this.#server = server;
    this.#event = event;
    this.#parts = parts;
    server.hear(event, (reply) => this.receive(reply));
  }

  /** Ask for what the page shows now. The running request is overtaken once it has shown something. */
  ask() {
    if (!this.answered) {
      this.waiting = true;
      return;
    }
    this.waiting = false;
    this.answered = false;
    this.serial += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(), PATIENCE[this.lost]);
    this.payload = this.#parts.build();
    this.#parts.sent?.(this.serial);
    const { serial } = this;
    this.#end = this.#server.send(this.#event, { ...this.payload, serial }, () => this.#fail(serial));
  }

  /** What is on its way is not wanted any more: it ends. */
  drop() {
    this.#end();
    this.serial += 1;
    this.answered = true;
    this.waiting = false;
    clearTimeout(this.#timer);
  }

  /** @param {Reply<Name>} reply */
  receive(reply) {
    if (reply.serial === this.serial) {
      this.answered = true;
      this.lost = 0;
      clearTimeout(this.#timer);
    }
    if (reply.serial < this.shown) return; // older than what is shown
    this.shown = reply.serial;
    this.#parts.show(reply);
    if (!this.answered) return;
    if (this.waiting) this.ask();
    else this.#parts.rested?.(reply);
  }

  /**
   * The server cannot be reached, or has gone: no answer will come.
   * @param {number} serial
   */
  #fail(serial) {
    if (serial !== this.serial) return;
    this.answered = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(), PAUSE);
  }

  #lose() {
    this.#end();
    this.answered = true;
    this.lost += 1;
    if (this.lost < PATIENCE.length) {
      this.ask();
      return;
    }
    this.lost = 0;
    this.waiting = false;
    this.#parts.silent();
  }
}
