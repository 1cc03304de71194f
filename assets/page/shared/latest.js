// @ts-nocheck
// Requests of which only the latest counts; and while a knob is dragged, something is always on its way.

const PATIENCE = [3000, 9000]; // ms without any answer: before asking once more, and before saying so

export class Latest {
  // send(serial, payload); build(): the payload as it is when the request leaves; silent(): no answer came.
  constructor({ send, build, silent }) {
    Object.assign(this, { send, build, silent, serial: 0, shown: 0, waiting: false, answered: true, lost: 0 });
  }

  // Ask for what the page shows now. The running request is overtaken once it has shown something.
  ask() {
    if (!this.answered) {
      this.waiting = true;
      return;
    }
    this.waiting = false;
    this.answered = false;
    this.serial += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lose(), PATIENCE[this.lost]);
    this.send(this.serial, this.build());
  }

  // An answer has come. Returns whether it is news: not older than what is shown.
  accept(serial) {
    if (serial === this.serial) {
      this.answered = true;
      this.lost = 0;
      clearTimeout(this.timer);
    }
    const news = serial >= this.shown;
    if (news) this.shown = serial;
    return news;
  }

  // To be called after an answer was painted.
  settle() {
    if (this.waiting && this.answered) this.ask();
  }

  lose() {
    this.answered = true;
    this.lost += 1;
    if (this.lost < PATIENCE.length) return this.ask();
    this.lost = 0;
    this.waiting = false;
    this.silent();
  }
}
