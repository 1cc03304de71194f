// One of the tab's pictures: the requests that fill it, and how good what it shows is.
import { Latest, SILENCE } from "../shared/latest.js";
import { Picture } from "../shared/stages/picture.js";

/** @typedef {import("../shared/types.d.ts").Answer<import("../shared/types.d.ts").Picture>} Answer */
/** @typedef {{ values: Record<string, string>, field: { aspect: number, follow: boolean } | null }} Wanted */

export class Asked {
  /** @type {import("../shared/types.d.ts").Measures | null} */
  measures = null;

  /**
   * @param {import("../shared/types.d.ts").Page} page
   * @param {object} parts
   * @param {[string, string]} parts.events  For the picture and for its measures.
   * @param {HTMLCanvasElement} parts.canvas
   * @param {import("../shared/types.d.ts").StageOptions} parts.options
   * @param {() => Wanted} parts.build
   * @param {(serial: number) => void} parts.sent
   * @param {(answer: Answer, wanted: Wanted) => void} parts.shown  There is another picture.
   * @param {(serial: number) => void} parts.measured
   * @param {(sentence: string) => void} parts.say
   */
  constructor(page, { events: [event, measuring], canvas, options, build, sent, shown, measured, say }) {
    this.page = page;
    this.picture = new Picture(canvas, options);
    this.shown = shown;
    this.say = say;
    /** @type {Latest<Wanted, import("../shared/types.d.ts").Picture>} */
    this.requests = new Latest(page.server, event, {
      build,
      sent,
      show: (answer) => this.#show(answer),
      silent: () => say(SILENCE),
      rested: ({ serial, finished, error }) => {
        if (finished && !error) page.server.send(measuring, { serial, ...this.requests.payload });
      },
    });
    page.server.hear(measuring, ({ serial, body, error }) => {
      if (serial !== this.requests.shown) return;
      if (error) {
        say(error);
        return;
      }
      this.measures = body;
      measured(serial);
    });
  }

  /** @param {Answer} answer */
  #show(answer) {
    const { serial, body, finished, error } = answer;
    const { dataset } = this.page.root;
    if (error) {
      this.say(error);
      dataset.asked = dataset.serial;
      return;
    }
    const model = this.page.boot.models.find(({ name }) => name === body.model);
    this.picture.show(`${serial}${finished}${body.run.index.length}`, body, model);
    const wanted = this.requests.payload;
    if (wanted) this.shown(answer, wanted);
    dataset.serial = String(serial);
    dataset.finished = String(finished);
  }
}
