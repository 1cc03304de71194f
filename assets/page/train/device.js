// What a run trains on: a list of what this machine has, and beneath it in words what of that is free and what is busy.
import { element } from "../shared/dom.js";
import { choice } from "../shared/widgets.js";

/** @typedef {import("../shared/types.d.ts").Knob} Knob */
/** @typedef {import("../shared/widgets.js").Binding} Binding */
/** @typedef {Pick<import("../shared/messages.d.ts").Devices, "choices" | "titles" | "helps">} Offer */

export class Device {
  /** @type {(() => void)[]} What shows the choices, or the one that is chosen. */
  #refreshed = [];

  /**
   * @param {Knob} knob
   * @param {Binding} binding
   */
  constructor(knob, binding) {
    this.knob = knob;
    const follow = (/** @type {() => void} */ refresh) => {
      this.#refreshed.push(refresh);
      binding.follow(refresh);
    };
    this.node = choice(knob, { ...binding, follow });
    this.about = element("p", { class: "note", id: "ex-device" });
    this.node.querySelector("select")?.setAttribute("aria-describedby", "ex-device");
    follow(() => {
      const words = knob.helps?.[knob.choices?.indexOf(binding.get()) ?? -1] ?? "";
      if (this.about.textContent !== words) this.about.textContent = words;
    });
  }

  /** Whether there is anything but the CPU. */
  get several() {
    return (this.knob.choices ?? []).length > 2;
  }

  /** @param {Offer} offer  What there is now. */
  offer({ choices, titles, helps }) {
    this.knob.choices = choices;
    this.knob.titles = titles;
    this.knob.helps = helps;
    for (const refresh of this.#refreshed) refresh();
  }
}
