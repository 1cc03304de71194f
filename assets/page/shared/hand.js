// What somebody's hand does: whether it holds something, which of its grips that is, and since when it rests. One drag, or
// one key that is held, is one grip.

let grip = 0;
let held = false;
let at = 0; // when something was done last, in ms

const move = () => {
  at = performance.now();
};

/** @param {boolean} down */
const press = (down) => () => {
  move();
  if (down) grip += 1;
  held = down;
};

/** To be called once. */
export function watchHand() {
  window.addEventListener("pointerdown", press(true), true);
  window.addEventListener("keydown", (event) => event.repeat || press(true)(), true);
  for (const name of ["pointerup", "pointercancel", "keyup", "blur"]) window.addEventListener(name, press(false), true);
  for (const name of ["input", "pointermove", "wheel"])
    window.addEventListener(name, move, { capture: true, passive: true });
}

export const hand = () => ({ grip, held, rests: held ? 0 : performance.now() - at });
