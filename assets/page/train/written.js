// What was written last, so that only what differs is written again: what one reads or selects stays as it is.

export class Written {
  /** @type {Map<string, string>} */
  #known = new Map();

  /**
   * @template Value
   * @param {string} name
   * @param {Value} value  As JSON it is what is compared.
   * @param {(value: Value) => void} write
   */
  set(name, value, write) {
    const key = JSON.stringify(value);
    if (this.#known.get(name) === key) return;
    this.#known.set(name, key);
    write(value);
  }

  /**
   * @param {string} name
   * @param {HTMLElement} node
   * @param {string} text
   */
  text(name, node, text) {
    this.set(name, text, () => {
      node.textContent = text;
    });
  }
}
