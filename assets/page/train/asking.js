// @ts-nocheck
// Questions that each want their answer, one after the other; and a dialog that asks people.
import { element } from "../shared/dom.js";

const PATIENCE = 20_000; // ms

export class Asking {
  constructor(box, server) {
    Object.assign(this, { box, server, serials: {}, waiting: {}, last: {} });
    for (const event of ["act", "film"]) {
      this.serials[event] = 0;
      addEventListener(`edm-${event}`, ({ detail }) => this.waiting[`${event}${detail.serial}`]?.(detail));
    }
  }

  // The answer {body} or {error}, silent if none came. Of each kind one at a time: a newer question would overtake an older one.
  ask(event, payload) {
    const before = this.last[event] ?? Promise.resolve();
    this.last[event] = before.then(() => this.send(event, payload));
    return this.last[event];
  }

  send(event, payload) {
    this.serials[event] += 1;
    const serial = this.serials[event];
    return new Promise((resolve) => {
      const answer = (detail) => {
        clearTimeout(timer);
        delete this.waiting[`${event}${serial}`];
        resolve(detail);
      };
      const timer = setTimeout(
        () => answer({ error: "The server does not answer. Is it still running?", silent: true }),
        PATIENCE,
      );
      this.waiting[`${event}${serial}`] = answer;
      this.server[event]({ serial, ...payload });
    });
  }

  // Resolves with what was entered (true without a field), or null.
  confirm(question, yes, field = null) {
    const dialog = element("dialog", { class: "asking" });
    this.box.append(dialog);
    const input =
      field && element("input", { type: "text", value: field.value, "aria-label": field.title, inputmode: "numeric" });
    const go = element("button", { type: "submit", class: "primary" }, yes);
    const no = element("button", { type: "button", class: "pin" }, "Cancel");
    const form = element("form", { method: "dialog" }, element("p", {}, question), input, element("div", {}, no, go));
    dialog.replaceChildren(form);
    return new Promise((resolve) => {
      let entered = null;
      form.addEventListener("submit", () => (entered = input ? input.value.trim() : true));
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
