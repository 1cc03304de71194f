// What somebody has changed of some settings, step by step, to be undone and done again. One drag is one step.
import { hand } from "./hand.js";

const TOGETHER = 200; // ms between two changes of one step where no hand is seen to hold anything
const MOST = 200; // steps

/** @typedef {import("./types.d.ts").Values} Values */
/** Some settings before and after. @typedef {{ before: Values, after: Values, grip: number, at: number }} Step */

export class Past {
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];

  /**
   * @param {object} settings
   * @param {(name: string) => any} settings.get
   * @param {(changes: Values) => void} settings.set
   * @param {(before: Values, after: Values) => string} settings.tell  What has changed, in words: "ρ 7 → 3".
   */
  constructor({ get, set, tell }) {
    this.get = get;
    this.set = set;
    this.tell = tell;
  }

  /**
   * Somebody is about to change these.
   * @param {Values} changes
   */
  note(changes) {
    const before = Object.fromEntries(Object.keys(changes).map((name) => [name, this.get(name) ?? null]));
    const after = Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value ?? null]));
    if (same(before, after)) return;
    const last = this.#done.at(-1);
    const { grip, held } = hand();
    const at = performance.now();
    this.#undone = [];
    if (last && last.grip === grip && (held || at - last.at < TOGETHER) && alike(last.after, after)) {
      last.after = after;
      last.at = at;
      if (same(last.before, after)) this.#done.pop();
    } else this.#done = [...this.#done, { before, after, grip, at }].slice(-MOST);
  }

  /** What would be undone, and what done again, in words; null: nothing. */
  get next() {
    const [done, undone] = [this.#done.at(-1), this.#undone.at(-1)];
    return {
      undo: done ? this.tell(done.before, done.after) : null,
      redo: undone ? this.tell(undone.before, undone.after) : null,
    };
  }

  /** @returns {string | null} What has changed. */
  undo() {
    return this.#go(this.#done, this.#undone, "before");
  }

  /** @returns {string | null} What has changed. */
  redo() {
    return this.#go(this.#undone, this.#done, "after");
  }

  /**
   * The last step that makes a difference still.
   * @param {Step[]} from
   * @param {Step[]} to
   * @param {"before" | "after"} wanted
   */
  #go(from, to, wanted) {
    for (let step = from.pop(); step; step = from.pop()) {
      const goal = step[wanted];
      const now = Object.fromEntries(Object.keys(goal).map((name) => [name, this.get(name) ?? null]));
      if (same(now, goal)) continue;
      to.push({ ...step, grip: -1 });
      this.set(goal);
      return this.tell(now, goal);
    }
    return null;
  }
}

/** @type {(a: Values, b: Values) => boolean} */
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether they are values of the same settings. @type {(a: Values, b: Values) => boolean} */
const alike = (a, b) => Object.keys(a).join() === Object.keys(b).join();
