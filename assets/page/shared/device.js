// Where the page computes, in its head: nothing where there is only a CPU, else a choice, and what trains there, too.
import { element } from "./dom.js";
import { offer } from "./widgets.js";

export class PageDevice {
  /** @type {(device: string) => Promise<void>} */
  #move = async () => {};
  #moving = false;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.select = element("select", { "data-page-device": true });
    this.sharing = element("span", { "aria-live": "polite" });
    this.select.addEventListener("change", () => this.#choose());
    box.append(element("span", { "aria-hidden": "true" }, "on"), this.select, this.sharing);
  }

  async #choose() {
    this.#moving = true; // what is told meanwhile may be older
    await this.#move(this.select.value).finally(() => {
      this.#moving = false;
    });
  }

  /**
   * @param {import("./messages.d.ts").PageDevice} told
   * @param {(device: string) => Promise<void>} move
   */
  show({ device, choices, titles, about, sharing, choosing }, move) {
    this.#move = move;
    offer(
      this.select,
      choices.map((choice, i) => [choice, titles[i]]),
    );
    if (!this.#moving) this.select.value = device;
    this.select.disabled = !choosing;
    if (this.select.title !== about) {
      this.select.title = about;
      this.select.setAttribute("aria-label", about);
    }
    if (this.sharing.textContent !== (sharing ?? "")) this.sharing.textContent = this.sharing.title = sharing ?? "";
    this.box.hidden = false;
  }
}
