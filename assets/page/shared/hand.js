// What somebody's hand does: whether it holds something, and which of its grips that is. One drag, or one key that is
// held, is one grip.

let grip = 0;
let held = false;

/** @param {boolean} down */
const press = (down) => () => {
  if (down) grip += 1;
  held = down;
};

/** To be called once. */
export function watchHand() {
  window.addEventListener("pointerdown", press(true), true);
  window.addEventListener("keydown", (event) => event.repeat || press(true)(), true);
  for (const name of ["pointerup", "pointercancel", "keyup", "blur"]) window.addEventListener(name, press(false), true);
}

export const hand = () => ({ grip, held });
