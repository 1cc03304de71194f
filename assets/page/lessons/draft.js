// A lesson in the making: its document, which step of it is being edited, and what has been done to it, to be taken back.

/** @typedef {Omit<import("../shared/messages.d.ts").Lesson, "name">} Document */
/** @typedef {Document["steps"][0]} Step */
/** @typedef {{ document: Document, chosen: number }} Moment  chosen: a step, from 0 on; -1: none. */

const MOST = 200; // moments that can be gone back to

/** @returns {Document} */
export const empty = () => ({ title: "", about: "", paper: "", order: 99, steps: [] });

/** A lesson without the name that it has here. @type {(lesson: import("../shared/messages.d.ts").Lesson) => Document} */
export const documentOf = ({ name: _, ...document }) => document;

/** @type {(open: string, only: string[]) => Step} */
const begun = (open, only) => ({ ...BLANK, open, only });
const BLANK = { text: "", open: "", only: [], control: "", states: {}, ask: null, reveal: "", claims: [] };

export class Draft {
  /** @type {Moment} */
  #now = { document: empty(), chosen: -1 };
  /** @type {Moment[]} */
  #past = [];
  /** @type {Moment[]} */
  #future = [];
  #typed = "";

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  get document() {
    return this.#now.document;
  }

  get chosen() {
    return this.#now.chosen;
  }

  /** The step that is being edited. @returns {Step | null} */
  get step() {
    return this.document.steps[this.chosen] ?? null;
  }

  get next() {
    return { undo: this.#past.length > 0, redo: this.#future.length > 0 };
  }

  /**
   * Another document. typed: the field in which somebody types: all that is typed there at once is taken back at once.
   * @param {Document} document
   * @param {{ chosen?: number, typed?: string }} [how]
   */
  replace(document, { chosen = this.chosen, typed = "" } = {}) {
    if (!typed || typed !== this.#typed) this.#past = [...this.#past, this.#now].slice(-MOST);
    this.#future = [];
    this.#typed = typed;
    this.#now = { document, chosen: Math.min(chosen, document.steps.length - 1) };
    this.changed();
  }

  /**
   * Edit the step that is chosen.
   * @param {Partial<Step>} changes
   * @param {string} [typed]
   */
  edit(changes, typed) {
    const { steps } = this.document;
    const edited = steps.map((step, k) => (k === this.chosen ? { ...step, ...changes } : step));
    this.replace({ ...this.document, steps: edited }, { typed: typed && `${this.chosen} ${typed}` });
  }

  /**
   * A new step after the one that is chosen.
   * @param {string} open
   * @param {string[]} only
   */
  add(open, only) {
    this.#insert(this.chosen < 0 ? this.document.steps.length : this.chosen + 1, begun(open, only));
  }

  /** @param {number} k */
  copy(k) {
    this.#insert(k + 1, structuredClone(this.document.steps[k]));
  }

  /** @type {(at: number, step: Step) => void} */
  #insert(at, step) {
    this.replace({ ...this.document, steps: this.document.steps.toSpliced(at, 0, step) }, { chosen: at });
  }

  /** @param {number} k */
  remove(k) {
    this.replace({ ...this.document, steps: this.document.steps.toSpliced(k, 1) }, { chosen: -1 });
  }

  /**
   * Let a step change places. Returns where it is then.
   * @param {number} k
   * @param {number} by  1: with the one after it, −1: with the one before.
   */
  move(k, by) {
    const { steps } = this.document;
    const to = k + by;
    if (to < 0 || to >= steps.length) return k;
    const moved = steps.toSpliced(k, 1).toSpliced(to, 0, steps[k]);
    this.replace({ ...this.document, steps: moved }, { chosen: this.chosen === k ? to : this.chosen });
    return to;
  }

  /** @param {number} k */
  choose(k) {
    this.#now = { ...this.#now, chosen: k };
    this.#typed = "";
    this.changed();
  }

  undo() {
    this.#go(this.#past, this.#future);
  }

  redo() {
    this.#go(this.#future, this.#past);
  }

  /** @type {(from: Moment[], to: Moment[]) => void} */
  #go(from, to) {
    const moment = from.pop();
    if (!moment) return;
    to.push(this.#now);
    this.#now = moment;
    this.#typed = "";
    this.changed();
  }

  /** For a later visit. */
  toJSON() {
    return this.#now;
  }

  /**
   * As another visit has left it; of what is no such thing, nothing is taken.
   * @param {any} kept
   */
  restore(kept) {
    const steps = kept?.document?.steps;
    if (!Array.isArray(steps) || !steps.every((step) => step && typeof step === "object")) return;
    const whole = steps.map((step) => ({ ...BLANK, ...step }));
    const chosen = Number.isInteger(kept.chosen) && kept.chosen < whole.length ? kept.chosen : -1;
    this.#now = { document: { ...empty(), ...kept.document, steps: whole }, chosen };
  }
}

/** What another visit has left. @type {(text: string | null) => { mode?: string, draft?: any }} */
export function parsed(text) {
  try {
    return JSON.parse(text ?? "{}") ?? {};
  } catch {
    return {}; // it is not ours
  }
}
