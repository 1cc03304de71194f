// Runs are started: pressed again before there is an answer, or after none came, it is the same start, by its token.

export class Starting {
  #under = false;
  /** @type {{ wanted: string, token: string } | null} A start of which it is not known whether it happened. */
  #unanswered = null;

  /** @param {import("./asking.js").Asking} asking */
  constructor(asking) {
    this.asking = asking;
  }

  /**
   * @param {boolean} contrast
   * @param {Record<string, string>} values
   * @param {(on: boolean) => void} busy
   * @returns {Promise<{ body: import("../shared/messages.d.ts").Answers["act"] | null, error: string | null } | null>} null: one is under
   *   way.
   */
  async start(contrast, values, busy) {
    if (this.#under) return null;
    const action = contrast ? "contrast" : "start";
    const wanted = JSON.stringify([action, values]);
    const fresh = { wanted, token: String(Math.random()) + Date.now() };
    const asked = this.#unanswered?.wanted === wanted ? this.#unanswered : fresh;
    this.#unanswered = asked;
    this.#under = true;
    busy(true);
    try {
      const answer = await this.asking.ask("act", { do: action, values, token: asked.token });
      if (!answer.silent) this.#unanswered = null;
      return answer;
    } finally {
      this.#under = false;
      busy(false);
    }
  }
}
