// The text of a lesson: paragraphs, lists, **bold**, *italic*, `names`, links to states of this page, and symbols set as the
// paper sets them. What else a text holds is text: no HTML.
import { element } from "../shared/dom.js";
import { typeset } from "../shared/mathematics.js";
import { explained } from "../shared/terms.js";

const MARKS = /\*\*(.+?)\*\*|\*(.+?)\*|`(.+?)`|\[([^\]]+)\]\((\?[^)\s]*)\)/gs;

/**
 * @param {string} text
 * @returns {HTMLElement[]}
 */
export function markdown(text) {
  const seen = new Set();
  return text
    .trim()
    .split(/\n\s*\n/)
    .filter(Boolean)
    .map((block) => {
      const lines = block.split("\n");
      if (/^\s*- /.test(lines[0])) {
        const items = block
          .trim()
          .split(/\n\s*- /)
          .map((item) => item.replace(/^- /, "").replace(/\s*\n\s*/g, " "));
        return element("ul", {}, ...items.map((item) => element("li", {}, ...inline(item, seen))));
      }
      return element("p", {}, ...inline(lines.map((line) => line.trim()).join(" "), seen));
    });
}

/**
 * @param {string} text
 * @param {Set<string> | null} [seen]  Symbols that were explained already; null: none shall be, in what is pressed.
 * @returns {(Node | string)[]}
 */
export function inline(text, seen = new Set()) {
  /** @type {(Node | string)[]} */
  const parts = [];
  const set = (/** @type {string} */ plain) => (seen ? explained(plain, seen) : typeset(plain));
  let end = 0;
  for (const found of text.matchAll(MARKS)) {
    const [all, bold, italic, name, title, query] = found;
    parts.push(...set(text.slice(end, found.index)));
    if (bold) parts.push(element("b", {}, ...set(bold)));
    else if (italic) parts.push(element("i", {}, ...set(italic)));
    else if (name) parts.push(element("code", {}, name));
    else parts.push(element("a", { href: query, "data-state": "" }, ...typeset(title)));
    end = found.index + all.length;
  }
  return [...parts, ...set(text.slice(end))];
}

/**
 * Links in texts open their states without the page being loaded anew, so that Back leads to what was left, as it was.
 * @param {HTMLElement} root
 * @param {(query: string) => void} open  Show what an address says.
 */
export function follow(root, open) {
  root.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-state]") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link.getAttribute("href") ?? "");
  });
}
