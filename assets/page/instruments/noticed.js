// What to notice in a figure of the paper: its claim, and whether what is drawn bears it out.
import { element } from "../shared/dom.js";
import { typeset } from "../shared/mathematics.js";

const SAID = { true: "So it is here.", false: "Not so here.", null: "" };

/**
 * @param {HTMLElement} node
 * @param {import("../shared/messages.d.ts").Noticed | null | undefined} notice  null: of settings that are no figure's.
 */
export function tell(node, notice) {
  node.hidden = !notice;
  if (!notice) return;
  const { claim, holds, told } = notice;
  node.dataset.holds = String(holds);
  const verdict = element("b", {}, SAID[`${holds}`]);
  node.replaceChildren(
    element("em", {}, "What to notice"),
    " ",
    ...typeset(`${claim}.`),
    " ",
    verdict,
    " ",
    ...typeset(told && `${told}.`),
  );
}
