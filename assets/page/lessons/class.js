// A class in one room: its pages go where the teacher's is, while that leads, and the teacher sees what was answered. What
// is so, the server says, again and again, as long as the page listens.
import { button, element } from "../shared/dom.js";
import { SILENCE } from "../shared/server.js";
import { tallied } from "./tally.js";

/** @typedef {import("../shared/messages.d.ts").Told} Told */

const REST = 250; // ms for which the teacher's hand rests before the class goes there
const AGAIN = 2000; // ms until the server is asked again after it was lost
const PATIENCE = 10_000; // ms without it after which nobody is led

/**
 * @typedef {object} Around  What a class needs of the page.
 * @property {import("../shared/server.js").Server} server
 * @property {(query: string) => Promise<void>} open
 * @property {() => string} address  Of what is shown.
 * @property {() => any} state  All that is to be found again.
 * @property {(state: any) => void} restore
 */

export class Class {
  /** @type {Told | null} */
  #told = null;
  #serial = 0;
  /** @type {(() => void) | null} */
  #leave = null;
  #sent = ""; // what the server knows of a teacher's page
  #move = ""; // where this page was brought to last
  #alone = false; // somebody follows no longer, though the teacher leads
  /** @type {any} What was shown before the teacher led. */
  #before = null;
  /** @type {Map<string, string>} The round of each question that was open here. */
  #rounds = new Map();
  /** @type {Record<string, ReturnType<typeof setTimeout>>} */
  #timers = {};

  /**
   * @param {HTMLElement} bar
   * @param {import("./lessons.js").Lessons} lessons
   * @param {Around} around
   */
  constructor(bar, lessons, around) {
    this.bar = bar;
    this.lessons = lessons;
    this.around = around;
    /** @type {(text: string, title: string, name: string, act: () => void) => HTMLButtonElement} */
    const make = (text, title, name, act) => {
      const node = button({ class: "plain", title, "data-class": name }, text);
      node.addEventListener("click", act);
      return node;
    };
    const [all, show] = ["Pages of the class go where this one goes", "The class sees these bars, too"];
    this.lead = make("Follow me", all, "lead", () => this.#send(!this.#told?.mine));
    this.text = element("span", { role: "status" });
    this.show = make("Show to all", show, "show", () => this.#teach(this.#told?.shown ? "hide" : "show"));
    this.reveal = element("input", { type: "checkbox", "data-class": "reveal" });
    this.with = element("label", {}, this.reveal, "with what comes of it");
    this.anew = make("Ask again", "Forget these answers, and ask anew", "again", () => this.#teach("again"));
    this.stop = make("Stop following", "The teacher's page leads this one", "stop", () => this.#turn());
    this.back = make("Back to where you were", "What this page showed before", "back", () => this.#return());
    this.stay = make("Stay here", "Close this line", "stay", () => this.#forget());
    this.said = element("span", { class: "wrong", role: "alert" });
    bar.append(this.lead, this.text, this.stop, this.back, this.stay);
    bar.append(element("div", { class: "answering" }, this.show, this.with, this.anew), this.said);
    this.box = element("div", { class: "tally", role: "group", "aria-label": "What the class has answered" });
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** The page shows what its address says: from now on it may be led. */
  begin() {
    if (!this.#leave) this.#listen();
  }

  /** Something else is shown here: the class follows a teacher's page when the hand rests. */
  moved() {
    clearTimeout(this.#timers.rest);
    if (this.#told?.teacher) this.#timers.rest = setTimeout(() => this.#send(Boolean(this.#told?.mine), true), REST);
  }

  /** A step of a lesson stands there, or none any more. */
  drawn() {
    this.#open();
    this.moved();
  }

  /** Somebody answers the step's question. @param {number} answer */
  async answered(answer) {
    const { place } = this.lessons;
    if (!place || this.#told?.teacher) return;
    const message = { serial: 0, lesson: place.name, step: place.step, answer };
    this.#say(await this.around.server.reply("predict", message));
  }

  // the server

  #listen() {
    this.#serial += 1;
    const { server } = this.around;
    this.#leave = server.send(
      "class",
      { serial: this.#serial },
      (reply) => {
        if (reply.error == null) this.#hear(reply.body);
        else this.#lost();
      },
      () => this.#lost(),
    );
  }

  #lost() {
    clearTimeout(this.#timers.again);
    this.#timers.again = setTimeout(() => this.#look(), AGAIN * (0.5 + Math.random()));
    this.#timers.patience ??= setTimeout(() => this.#hear(null), PATIENCE);
    this.#leave = null;
  }

  /** A student's page that nobody looks at holds no connection. */
  #look() {
    if (document.hidden && !this.#told?.teacher) {
      this.#leave?.();
      this.#leave = null;
    } else if (!this.#leave) this.#listen();
  }

  /** @param {Told | null} told  null: the server is away. */
  #hear(told) {
    const led = Boolean(this.#told?.led);
    clearTimeout(this.#timers.patience);
    delete this.#timers.patience;
    this.#told = told;
    if (told?.teacher) {
      if (led && !told.led) this.#sent = ""; // whoever led does not: this page's question is open again
      this.#send(told.mine, true);
    } else this.#follow();
    this.#open();
    this.#draw();
  }

  // a teacher's page

  /**
   * @param {boolean} on
   * @param {boolean} [quietly]  Only if it is news to the server.
   */
  async #send(on, quietly = false) {
    const { place, asked: ask } = this.lessons;
    const step = place ? { lesson: place.name, step: place.step } : {};
    const message = { serial: 0, on, query: on ? this.#query() : "", ...step, ask: /** @type {any} */ (ask) };
    const text = JSON.stringify(message);
    if (quietly && text === this.#sent) return;
    this.#sent = text;
    this.#say(await this.around.server.reply("lead", message));
  }

  /** @param {"show" | "hide" | "again"} what */
  async #teach(what) {
    this.#say(await this.around.server.reply("show", { serial: 0, do: what, reveal: this.reveal.checked }));
  }

  /** The place: of a lesson its step, in which everybody has their own knobs. */
  #query() {
    const { place } = this.lessons;
    const query = new URLSearchParams(this.around.address());
    query.delete("view.projector"); // which is of this screen alone
    if (place) return `?${new URLSearchParams({ lesson: place.name, step: String(place.step) })}`;
    return `?${query}`;
  }

  // a student's page

  #follow() {
    const led = this.#told?.led;
    if (!led) {
      this.#move = "";
      this.#alone = false;
      return;
    }
    if (led.move === this.#move) return;
    this.#move = led.move;
    if (!this.#alone) this.#go(led.query);
  }

  /** @param {string} query */
  #go(query) {
    if (query === this.#query()) return; // and what is typed there stays
    this.#before ??= this.around.state();
    this.around.open(query);
  }

  /** Follow no longer, or again. */
  #turn() {
    this.#alone = !this.#alone;
    const led = this.#told?.led;
    if (!this.#alone && led) {
      this.#before = null;
      this.#go(led.query);
    }
    this.#draw();
  }

  #return() {
    const before = this.#before;
    this.#alone = true;
    this.#forget();
    this.around.restore(before);
  }

  #forget() {
    this.#before = null;
    this.#draw();
  }

  // what is seen

  /** The question that is open, where it is the one that is shown here. */
  #open() {
    const open = this.#told?.open;
    const { place, asked } = this.lessons;
    const here = open && place && asked && open.lesson === place.name && open.step === place.step;
    this.box.hidden = true;
    if (!here) return;
    const key = `${place.step} ${place.name}`;
    if (open.round !== (this.#rounds.get(key) ?? "")) {
      this.#rounds.set(key, open.round);
      this.lessons.anew(); // which draws it, and comes here
      return;
    }
    const { tally, shown, reveal } = /** @type {Told} */ (this.#told);
    if (shown && reveal) this.lessons.uncover();
    if (!tally) return;
    this.box.hidden = false;
    this.box.classList.toggle("shown", shown);
    this.box.replaceChildren(tallied(asked, tally));
    this.lessons.strip.querySelector(".asked")?.append(this.box);
  }

  #draw() {
    const { teacher = false, mine, here, open, tally, shown, led } = this.#told ?? {};
    this.lead.hidden = !teacher;
    this.lead.setAttribute("aria-pressed", String(Boolean(mine)));
    this.stop.hidden = teacher || !led;
    this.stop.textContent = this.#alone ? "Follow again" : "Stop following";
    this.back.hidden = teacher || !this.#before || Boolean(led && !this.#alone);
    this.stay.hidden = teacher || !this.#before || Boolean(led);
    for (const node of [this.show, this.with, this.anew]) node.hidden = !teacher || !open;
    this.with.hidden ||= Boolean(shown);
    this.show.textContent = shown ? "Hide from all" : "Show to all";
    const count = here ? `${here} ${here === 1 ? "student is" : "students are"} here` : "No student is here yet";
    const others = led && !mine ? "; another page leads the class" : "";
    const answers = tally ? ` · ${tally.answered} of ${tally.of} have answered` : "";
    const following = this.#alone ? "The teacher leads the class." : "Following the teacher";
    const text = teacher ? count + others + answers : led ? following : "The teacher leads no longer.";
    if (this.text.textContent !== text) this.text.textContent = text;
    this.bar.hidden = !teacher && !led && !this.#before;
  }

  /** What the server has not taken. @param {{ error?: string } | null} reply */
  #say(reply) {
    this.said.textContent = reply ? (reply.error ?? "") : SILENCE;
  }
}
