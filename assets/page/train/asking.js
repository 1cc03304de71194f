// Questions that each want their answer, one after the other; and a dialog that asks people.
import { button, element } from "../shared/dom.js";
import { SILENCE } from "../shared/server.js";
import { Store } from "../shared/store.js";
import { changedText } from "../shared/values.js";
import { widget } from "../shared/widgets.js";

/** @typedef {"act" | "film"} Event */
/** @typedef {import("../shared/messages.d.ts").Answers} Answers */
/** @typedef {import("../shared/messages.d.ts").Requests} Requests */
/**
 * What has come of a question: a body, or a sentence; silent: nobody answered.
 * @template {Event} Name
 * @typedef {{ body: Answers[Name] | null, error: string | null, silent: boolean }} Outcome
 */

const PATIENCE = 20_000; // ms between two looks whether the server is there
const INTERRUPTED = "The connection was interrupted; try again.";

export class Asking {
  /** @type {Record<Event, Promise<unknown>>} The last question of each kind, until it is over. */
  #last = { act: Promise.resolve(), film: Promise.resolve() };
  #serial = 0;

  /**
   * @param {HTMLElement} box
   * @param {import("../shared/server.js").Server} server
   */
  constructor(box, server) {
    this.box = box;
    this.server = server;
  }

  /**
   * Of each kind one at a time: a newer question would overtake an older one.
   * @template {Event} Name
   * @param {Name} event
   * @param {Requests[Name]} message
   * @returns {Promise<Outcome<Name>>}
   */
  ask(event, message) {
    const answer = this.#last[event].then(() => this.#send(event, message));
    this.#last[event] = answer.catch(() => {}); // whoever asked hears of it; the next question is asked
    return answer;
  }

  /**
   * @template {Event} Name
   * @param {Name} event
   * @param {Requests[Name]} message
   * @returns {Promise<Outcome<Name>>}
   */
  #send(event, message) {
    this.#serial += 1;
    const asked = { ...message, serial: this.#serial };
    return new Promise((resolve) => {
      let over = false;
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      /** @param {Outcome<Name>} outcome */
      const end = (outcome) => {
        clearTimeout(timer);
        over = true;
        leave();
        resolve(outcome);
      };
      /** @param {boolean} there */
      const fail = (there) => end({ body: null, error: there ? INTERRUPTED : SILENCE, silent: true });
      /** @param {import("../shared/messages.d.ts").Reply<Name>} reply */
      const hears = (reply) => {
        if (reply.error != null) end({ body: null, error: reply.error, silent: false });
        else end({ body: reply.body, error: null, silent: false });
      };
      const leave = this.server.send(event, asked, hears, async () => fail(await this.server.there()));
      const look = async () => {
        if (!(await this.server.there())) fail(false);
        else if (!over) timer = setTimeout(look, PATIENCE);
      };
      timer = setTimeout(look, PATIENCE);
    });
  }

  /**
   * Whether somebody says yes.
   * @param {string} question
   * @param {string} yes
   */
  async confirm(question, yes) {
    return (await this.#open(question, yes, null)) != null;
  }

  /**
   * What somebody enters, or null.
   * @param {string} question
   * @param {string} yes
   * @param {{ title: string, value: number }} number
   */
  enter(question, yes, { title, value }) {
    return this.#open(
      question,
      yes,
      element("input", { type: "text", value, "aria-label": title, inputmode: "numeric" }),
    );
  }

  /**
   * Some settings, as text by their names, of those that were set. The dialog stays until they are taken, or it is
   * cancelled.
   * @param {string} title
   * @param {Record<string, import("../shared/messages.d.ts").Knob>} knobs
   * @param {(values: Record<string, string>) => Promise<string | null>} take  Why they are refused; null: they are not.
   */
  async fill(title, knobs, take) {
    /** @type {Store<import("../shared/types.d.ts").Values>} */
    const store = new Store({});
    const rows = Object.entries(knobs).map(([name, knob]) =>
      widget(knob, {
        name,
        get: () => store.state[name] ?? knob.default,
        set: (value) => store.set({ [name]: value }),
        follow: (refresh) => store.follow(refresh),
        placeholder: () => "automatic",
      }),
    );
    const more = element("div", { class: "rows" }, ...rows);
    await this.#open(title, "Start", null, more, () => take(changedText(store.state, {})));
  }

  /**
   * @param {string} question
   * @param {string} yes
   * @param {HTMLInputElement | null} input
   * @param {HTMLElement | null} [more]
   * @param {() => Promise<string | null>} [take]  Asked before it closes; a sentence keeps it open.
   * @returns {Promise<string | null>} What was entered; null: it was cancelled.
   */
  #open(question, yes, input, more = null, take = undefined) {
    const dialog = element("dialog", { class: "asking" });
    this.box.append(dialog);
    const go = element("button", { type: "submit", class: "primary" }, yes);
    const no = button({ class: "pin" }, "Cancel");
    const refusal = element("p", { class: "blame", role: "alert", hidden: true });
    const form = element(
      "form",
      { method: "dialog" },
      element("p", {}, question),
      input,
      more,
      refusal,
      element("div", {}, no, go),
    );
    dialog.replaceChildren(form);
    return new Promise((resolve) => {
      /** @type {string | null} */
      let entered = null;
      form.addEventListener("submit", async (event) => {
        entered = input?.value.trim() ?? "";
        if (!take) return;
        event.preventDefault();
        go.disabled = true; // nothing is asked for twice
        try {
          refusal.textContent = await take();
        } finally {
          go.disabled = false;
        }
        refusal.hidden = !refusal.textContent;
        if (refusal.hidden) dialog.close();
      });
      no.addEventListener("click", () => dialog.close());
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(entered);
      });
      dialog.showModal();
      (input ?? go).focus();
    });
  }
}
