// @ts-nocheck
// Taking the result elsewhere: a dialog with its link, Python and command line.
import { element } from "./dom.js";
import { copy } from "./takeaway.js";

export class Share {
  // texts(): {link, python, command} of what is shown now.
  constructor(dialog, texts) {
    Object.assign(this, { dialog, texts });
    this.fields = {};
    const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => dialog.close());
    dialog.append(element("h2", {}, "Take it with you"), close);
    this.field("link", "Link", "Opens this very picture, also on another machine that runs the explorer.");
    this.field("python", "Python", "Run it in the project's folder; it draws the same picture.");
    this.field("command", "Command line", "The same from a terminal, with the project's environment active.");
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  field(name, title, about) {
    const area = element("textarea", {
      readonly: true,
      rows: name === "python" ? 9 : 2,
      "aria-label": title,
      "data-text": name,
    });
    const button = element("button", { type: "button", "data-copy": name }, "Copy");
    button.addEventListener("click", () => copy(area, button));
    this.fields[name] = area;
    this.dialog.append(
      element("div", { class: "field" }, element("h3", {}, title), element("p", {}, about), area, button),
    );
  }

  open() {
    for (const [name, text] of Object.entries(this.texts())) this.fields[name].value = text;
    this.dialog.showModal();
  }
}
