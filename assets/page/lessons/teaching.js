// All that teaches: lessons, the class that goes through them together, and its projector.
import { Class } from "./class.js";
import { Lessons } from "./lessons.js";
import { Projector } from "./projector.js";

export class Teaching {
  /**
   * @param {{ strip: HTMLElement, list: HTMLDialogElement, line: HTMLElement, projector: HTMLButtonElement }} parts
   * @param {import("./lessons.js").Around & import("./class.js").Around & { resized: () => void }} around
   */
  constructor({ strip, list, line, projector }, around) {
    this.projector = new Projector(around.root, projector, around.resized);
    this.lessons = new Lessons(strip, list, {
      ...around,
      drawn: () => {
        strip.querySelector(".ways")?.append(this.projector.button());
        this.class?.drawn();
      },
      answered: (answer) => this.class?.answered(answer),
    });
    this.class = around.boot.classroom ? new Class(line, this.lessons, around) : null;
  }
}
