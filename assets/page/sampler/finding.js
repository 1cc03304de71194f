// What the page finds better than the present settings: the best levels for them, and another method.
import { short } from "../shared/numbers.js";
import { BestLevels } from "./best.js";
import { Rivals } from "./rivals.js";

const LEVELS = "noise levels σᵢ, drag to move";
const DIGITS = 6; // of a level

export class Finding {
  /** @param {import("./sampler.js").Sampler} tab */
  constructor(tab) {
    this.tab = tab;
    this.best = new BestLevels(tab.page.server, {
      values: () => tab.settings.changedValues(),
      preview: (sigmas, error) => this.#preview(sigmas, error),
      found: (sigmas, sentence) => {
        tab.settings.set({ sigmas: sigmas.map((sigma) => Number(sigma.toPrecision(DIGITS))) });
        tab.notice = sentence; // until something else changes
      },
      say: (sentence) => tab.say(sentence),
    });
    this.rivals = new Rivals(tab.page.server, {
      told: () => tab.describe(),
      take: (values) => tab.settings.set(values),
    });
    tab.parts.levels.textContent = LEVELS;
    tab.parts.finding.append(this.best.node);
  }

  /** Something has changed: what is looked for is of other settings. */
  stop() {
    this.best.stop();
    this.rivals.drop();
  }

  /**
   * It is known how good the picture is.
   * @param {number} serial
   */
  measured(serial) {
    const { wanted, measures } = this.tab.main;
    this.best.idle = measures?.stochastic ?? false;
    if (wanted && measures?.error != null) this.rivals.wait({ ...wanted, serial }, measures.error);
  }

  /**
   * @param {number[] | null} sigmas
   * @param {number | null} [error]
   */
  #preview(sigmas, error) {
    this.tab.ladder.preview = sigmas && [...sigmas, 0];
    this.tab.parts.levels.textContent = error == null ? LEVELS : `noise levels σᵢ, error ${short(error)} so far`;
    this.tab.repaint();
  }
}
