// A particle that is dragged to another place at the present noise level: where it would have gone from there.
import { Latest } from "../shared/latest.js";
import { sigmaAt } from "../shared/levels.js";
import { SILENCE } from "../shared/server.js";
import { Plane } from "../shared/stages/plane.js";

/** @typedef {import("../shared/messages.d.ts").ProbeRequest} Wanted */

export class Particle {
  /** @type {Wanted} What is asked for. */
  #wanted = { values: {}, position: [], level: 0 };
  /** Whether the particle is where it was dragged to. */
  #held = false;
  #silent = false; // it is said that the server is away

  /**
   * @param {import("../shared/types.d.ts").Page} page
   * @param {object} parts
   * @param {import("../shared/stages/picture.js").Picture} parts.picture
   * @param {import("../shared/player.js").NoisePlayer} parts.player
   * @param {() => import("./asked.js").Wanted} parts.build
   * @param {() => void} parts.repaint
   * @param {(sentence: string | null) => void} parts.say
   */
  constructor(page, { picture, player, build, repaint, say }) {
    this.picture = picture;
    this.player = player;
    this.build = build;
    this.repaint = repaint;
    this.say = say;
    /** @type {Latest<"probe">} */
    this.requests = new Latest(page.server, "probe", {
      build: () => this.#wanted,
      show: (reply) => {
        if (this.#silent) say(null);
        this.#silent = false;
        if (reply.error != null) say(reply.error);
        else if (this.#held && picture.stage instanceof Plane) {
          picture.stage.probe = reply.body;
          page.root.dataset.probe = String(reply.serial);
          repaint();
        }
      },
      silent: () => {
        this.#silent = true;
        say(SILENCE);
      },
    });
  }

  /** @param {[number, number] | null} position  In data units; null: it is let go. */
  drag(position) {
    if (!position) this.letGo();
    const { result } = this.picture;
    if (!position || !result) return;
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
    this.#held = true;
    this.requests.ask();
  }

  /** It goes its own way again. */
  letGo() {
    if (!this.#held) return;
    this.#held = false;
    this.requests.drop();
    if (this.picture.stage instanceof Plane) this.picture.stage.probe = null;
    this.repaint();
  }
}
