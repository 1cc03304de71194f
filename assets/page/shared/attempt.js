// One part that fails takes no other with it.

/**
 * Do something. If it throws, the browser is told so, as of any error, and whoever called goes on.
 * @param {() => void} does
 */
export function attempt(does) {
  try {
    does();
  } catch (error) {
    reportError(error);
  }
}
