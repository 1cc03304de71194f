// A particle that is dragged to another place at the present noise level: where it would have gone from there.
import { Latest, SILENCE } from "../shared/latest.js";
import { sigmaAt } from "../shared/levels.js";
import { Plane } from "../shared/stages/plane.js";

/** @typedef {import("./asked.js").Wanted & { position: [number, number], level: number }} Wanted */

export class Particle {
  /** @type {Wanted | null} What was asked for, while the particle is where it was dragged to. */
  #wanted = null;

  /**
   * @param {import("../shared/types.d.ts").Page} page
   * @param {object} parts
   * @param {import("../shared/stages/picture.js").Picture} parts.picture
   * @param {import("../shared/player.js").NoisePlayer} parts.player
   * @param {() => import("./asked.js").Wanted} parts.build
   * @param {() => void} parts.repaint
   * @param {(sentence: string) => void} parts.say
   */
  constructor(page, { picture, player, build, repaint, say }) {
    this.picture = picture;
    this.player = player;
    this.build = build;
    this.repaint = repaint;
    this.say = say;
    /** @type {Latest<object, import("../shared/types.d.ts").Probe>} */
    this.requests = new Latest(page.server, "probe", {
      build: () => this.#wanted ?? {},
      show: ({ serial, body, error }) => {
        if (error) say(error);
        else if (this.#wanted && picture.stage instanceof Plane) {
          picture.stage.probe = body;
          page.root.dataset.probe = String(serial);
          repaint();
        }
      },
      silent: () => say(SILENCE),
    });
  }

  /** @param {[number, number]} position  In data units. */
  drag(position) {
    const { result } = this.picture;
    if (!result) return;
    this.player.play(false);
    const last = result.levels.length - 1;
    const u = this.player.fraction * last;
    if (sigmaAt(result.levels, u) === 0) {
      this.say("At σ = 0 nothing is left to solve: move the time slider back, then drag a particle.");
      return;
    }
    const level = Math.floor(u + 1e-9);
    this.player.fraction = level / last;
    this.#wanted = { ...this.build(), position, level };
    this.requests.ask();
  }

  /** It goes its own way again. */
  letGo() {
    if (!this.#wanted) return;
    this.#wanted = null;
    this.requests.drop();
    if (this.picture.stage instanceof Plane) this.picture.stage.probe = null;
    this.repaint();
  }
}
