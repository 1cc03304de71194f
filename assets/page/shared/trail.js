// Where somebody has been on the page, in the browser's history: Back and Forward go there without a new page, and the
// address says where that is. What one looks at, a tab, an instrument, a figure, a model, is an entry of its own; a knob
// changes the present one.

const REST = 200; // ms: browsers limit how often the address may change

/** @template State */
export class Trail {
  /** What the address says. */
  #address = "";
  /** The state that the present entry holds, as text. */
  #held = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #visiting = false;

  /**
   * @param {object} page
   * @param {() => string} page.address  As it should be now: "", or "?…".
   * @param {() => State} page.state  All that is to be found again, as plain data.
   * @param {(state: State | null) => Promise<void> | void} page.restore  null: what the address says.
   * @param {() => void} page.noted  The address is that of what is shown.
   */
  constructor({ address, state, restore, noted }) {
    this.address = address;
    this.state = state;
    this.restore = restore;
    this.noted = noted;
    window.addEventListener("popstate", (event) => this.#return(event.state));
  }

  /** What the address says is shown; it stays as it is until something changes. */
  begin() {
    this.#note();
    history.replaceState(this.state(), "");
  }

  /** Something has changed: the address follows when the hand rests. */
  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#write("replaceState"), REST);
  }

  /**
   * Somebody goes elsewhere on the page.
   * @param {() => void} go
   */
  visit(go) {
    if (this.#visiting || !this.#held) return go();
    this.#write("replaceState"); // what was left is found as it was left
    this.#visiting = true;
    try {
      go();
    } finally {
      this.#visiting = false;
      if (JSON.stringify(this.state()) !== this.#held) this.#write("pushState");
    }
  }

  /** @param {"pushState" | "replaceState"} how */
  #write(how) {
    clearTimeout(this.#timer);
    const [address, state] = [this.address(), this.state()];
    if (address === this.#address && JSON.stringify(state) === this.#held) return;
    const place = address === this.#address ? location.href : address || location.pathname;
    history[how](state, "", place);
    this.#note();
  }

  /** @param {State | null} state */
  async #return(state) {
    clearTimeout(this.#timer);
    this.#visiting = true; // nothing of this is another entry
    try {
      await this.restore(state);
    } finally {
      this.#visiting = false;
      this.#note();
    }
  }

  #note() {
    this.#address = this.address();
    this.#held = JSON.stringify(this.state());
    this.noted();
  }
}
