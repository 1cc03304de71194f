// Requests of which only the latest counts; and while a knob is dragged, something is always on its way. What was asked
// for last is asked for until it is answered, also where the server goes and comes back.
import { attempt } from "./attempt.js";

const PATIENCE = 3000; // ms without any answer, before a look whether the server is there
const PAUSES = [500, 500, 1000, 2000]; // ms before asking once more where the server could not be reached

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
  /** How often the server could not be reached, one time after the other. */
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
   * @param {() => void} parts.silent  The server is not there. It is asked on, and what is shown then is news again.
   * @param {(serial: number) => void} [parts.sent]
   * @param {(reply: Reply<Name>) => void} [parts.rested]  It was shown, and nothing newer is asked for.
   */
  constructor(server, event, parts) {
    this.#server = server;
    this.#event = event;
    this.#parts = parts;
  }

  /** Ask for what the page shows now. The running request is overtaken once it has shown something. */
  ask() {
    this.waiting = !this.answered;
    if (!this.waiting) this.#send();
  }

  /** What is on its way is not wanted any more: it ends, and nothing of it is shown. */
  drop() {
    this.#end();
    this.serial += 1;
    this.shown = this.serial;
    this.answered = true;
    this.waiting = false;
    this.lost = 0;
    clearTimeout(this.#timer);
  }

  #send() {
    this.payload = this.#parts.build();
    this.waiting = false;
    this.answered = false;
    this.serial += 1;
    const { serial } = this;
    this.#parts.sent?.(serial);
    /** @type {(reply: Reply<Name>) => void} */
    const hears = (reply) => this.#receive(reply);
    this.#end = this.#server.send(this.#event, { ...this.payload, serial }, hears, () => this.#lose(serial));
    this.#wait(serial);
  }

  /** @param {Reply<Name>} reply */
  #receive(reply) {
    if (reply.serial === this.serial) {
      this.answered = true;
      this.lost = 0;
      clearTimeout(this.#timer);
    }
    if (reply.serial < this.shown) return; // older than what is shown
    this.shown = reply.serial;
    attempt(() => this.#parts.show(reply));
    if (!this.answered) return;
    if (this.waiting) this.ask();
    else attempt(() => this.#parts.rested?.(reply));
  }

  /**
   * Until there is an answer: a server that is there may take its time.
   * @param {number} serial
   */
  #wait(serial) {
    const open = () => serial === this.serial && !this.answered;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const there = await this.#server.there();
      if (!open()) return;
      if (there) this.#wait(serial);
      else {
        this.#end();
        this.#lose(serial, true);
      }
    }, PATIENCE);
  }

  /**
   * The server could not be reached, or has gone: it is asked again, with what is wanted then.
   * @param {number} serial
   * @param {boolean} [away]  It is known not to be there.
   */
  async #lose(serial, away = false) {
    if (serial !== this.serial) return;
    this.answered = false;
    this.lost += 1;
    clearTimeout(this.#timer);
    const pause = PAUSES[Math.min(this.lost, PAUSES.length) - 1];
    this.#timer = setTimeout(() => this.#send(), pause);
    if (!away && (this.lost < 2 || (await this.#server.there()))) return;
    if (this.lost) this.#parts.silent(); // it was not answered meanwhile
  }
}
