// The connections that all pages of one browser share: to one host it has six, and a question that takes its time holds
// one. Where too many are held, the oldest gives its own back, of a page that nobody looks at first, and is asked again
// once there is room; so a knob's question finds one free, however many pages there are.

const MOST = 4; // questions of all pages that may take their time at once
const LONG = 300; // ms after which a question takes its time
const ROUND = 60; // ms in which other pages say what they hold
const AGAIN = 2000; // ms until somebody who waits looks again, if no page says that it has ended

/**
 * One question that is under way. patient: it takes nobody's place, since it has given way before, say. lasting: it has a
 * place of its own, and gives way to nobody.
 * @typedef {{ id: string, since: number, patient: boolean, lasting: boolean, hidden: boolean, long: boolean }} Held
 */

export class Connections {
  /** @type {Map<string, { held: Held, leave: () => void }>} Of this page. */
  #mine = new Map();
  /** @type {Map<string, Held>} Of all pages, as they were told last. */
  #known = new Map();
  /** @type {Set<() => void>} Who waits for room. */
  #waiting = new Set();
  #channel = channel();
  #count = 0;
  #page = Math.random().toString(36).slice(2);

  constructor() {
    this.#channel?.addEventListener("message", ({ data }) => this.#hear(data));
  }

  /**
   * A question begins. leave: called when it has to give its connection back.
   * @param {() => void} leave
   * @param {boolean} patient
   * @param {boolean} [lasting]
   * @returns {() => void}  To be called when it has ended.
   */
  begin(leave, patient, lasting = false) {
    if (!this.#channel) return () => {};
    this.#count += 1;
    const id = `${this.#page}-${this.#count}`;
    const held = { id, since: Date.now(), patient, lasting, hidden: document.hidden, long: patient || lasting };
    this.#mine.set(id, { held, leave });
    const timer = lasting ? undefined : setTimeout(() => this.#settle(held), LONG);
    return () => {
      clearTimeout(timer);
      if (this.#mine.delete(id) && held.long) this.#say({ ended: id });
    };
  }

  /**
   * Until there is room for one more.
   * @param {AbortSignal} signal  Nobody waits any more.
   */
  async room(signal) {
    while (!signal.aborted) {
      await this.#next(signal);
      await this.#ask();
      if (this.#all().length < MOST) return;
    }
  }

  /** It takes its time: if there are too many of these, one gives way. @param {Held} held */
  async #settle(held) {
    held.long = true;
    await this.#ask();
    const all = this.#all();
    const many = all.length - MOST;
    if (many <= 0 || !this.#mine.has(held.id)) return;
    if (held.patient) {
      const younger = all.filter(({ patient, since }) => patient && since > held.since);
      if (younger.length < many) this.#leave(held.id);
      return;
    }
    const others = all.filter(({ id, lasting }) => id !== held.id && !lasting).sort(byTurn);
    for (const { id } of others.slice(0, many)) {
      this.#leave(id);
      this.#say({ leave: id });
    }
  }

  /** What other pages hold. */
  async #ask() {
    this.#known.clear();
    this.#say({ what: true });
    await new Promise((resolve) => setTimeout(resolve, ROUND));
  }

  /** All questions that take their time. */
  #all() {
    const mine = [...this.#mine.values()].map(({ held }) => ({ ...held, hidden: document.hidden }));
    return [...mine, ...this.#known.values()].filter(({ long }) => long);
  }

  /** @param {string} id */
  #leave(id) {
    this.#mine.get(id)?.leave();
  }

  /**
   * One has ended somewhere, or some time has passed: those who wait do not all look at once.
   * @param {AbortSignal} signal
   */
  async #next(signal) {
    await new Promise((resolve) => {
      const look = () => resolve(null);
      this.#waiting.add(look);
      signal.addEventListener("abort", look, { once: true });
      setTimeout(look, AGAIN * (0.5 + Math.random()));
    });
    await new Promise((resolve) => setTimeout(resolve, 4 * ROUND * Math.random()));
  }

  /** @param {{ what?: true, held?: Held[], ended?: string, leave?: string }} message */
  #hear({ what, held = [], ended, leave }) {
    if (what) this.#say({ held: [...this.#mine.values()].map((one) => ({ ...one.held, hidden: document.hidden })) });
    for (const one of held) this.#known.set(one.id, one);
    if (leave) this.#leave(leave);
    if (!ended) return;
    this.#known.delete(ended);
    this.#wake();
  }

  /** @param {{ what?: true, held?: Held[], ended?: string, leave?: string }} message */
  #say(message) {
    this.#channel?.postMessage(message);
    if (message.ended) this.#wake();
  }

  #wake() {
    for (const look of this.#waiting) look();
    this.#waiting.clear();
  }
}

/**
 * Who gives way first: those that nobody looks at, then those that take nobody's place, then those asked the longest ago.
 * @type {(a: Held, b: Held) => number}
 */
const byTurn = (a, b) =>
  Number(b.hidden) - Number(a.hidden) || Number(b.patient) - Number(a.patient) || a.since - b.since;

/** Between the pages of this browser; null where it has none. */
function channel() {
  try {
    return new BroadcastChannel("edm-connections");
  } catch {
    return null; // in a frame that may not
  }
}
