// The text of a lesson: paragraphs, lists, **bold**, *italic*, `names`, links to states of this page, and symbols set as the
// paper sets them. What else a text holds is text: no HTML.
import { element } from "../shared/dom.js";
import { typeset } from "../shared/mathematics.js";

const MARKS = /\*\*(.+?)\*\*|\*(.+?)\*|`(.+?)`|\[([^\]]+)\]\((\?[^)\s]*)\)/gs;

/**
 * @param {string} text
 * @returns {HTMLElement[]}
 */
export function markdown(text) {
  return text
    .trim()
    .split(/\n\s*\n/)
    .filter(Boolean)
    .map((block) => {
      const lines = block.split("\n");
      if (lines.every((line) => /^\s*- /.test(line)))
        return element("ul", {}, ...lines.map((line) => element("li", {}, ...inline(line.replace(/^\s*- /, "")))));
      return element("p", {}, ...inline(lines.map((line) => line.trim()).join(" ")));
    });
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function inline(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(MARKS)) {
    const [all, bold, italic, name, title, query] = found;
    parts.push(...typeset(text.slice(end, found.index)));
    if (bold) parts.push(element("b", {}, ...typeset(bold)));
    else if (italic) parts.push(element("i", {}, ...typeset(italic)));
    else if (name) parts.push(element("code", {}, name));
    else parts.push(element("a", { href: query, "data-state": "" }, ...typeset(title)));
    end = found.index + all.length;
  }
  return [...parts, ...typeset(text.slice(end))];
}
