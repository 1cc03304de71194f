// An instrument of one chart.
import { Chart } from "../shared/chart.js";
import { Instrument } from "./instrument.js";

/**
 * @template {import("../shared/messages.d.ts").Drawing} [Drawn=import("../shared/messages.d.ts").Drawing]
 * @extends {Instrument<Drawn>}
 */
export default class OneChart extends Instrument {
  /** @param {ConstructorParameters<typeof Instrument>} parts */
  constructor(...parts) {
    super(...parts);
    this.chart = new Chart(this.stage);
  }

  /**
   * @override
   * @param {Drawn} body
   */
  show(body) {
    return body.figure ? this.chart.show(body.figure, this.colors) : undefined;
  }

  /** @override */
  picture() {
    return this.chart.picture();
  }
}
