// Elements.

/**
 * An element with attributes; html: its content as HTML, on…: a listener. What is false or null is left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "html") node.innerHTML = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/**
 * @param {Record<string, any>} attributes
 * @param {...(Node | string | null | undefined)} content
 */
export const button = (attributes, ...content) => element("button", { type: "button", ...attributes }, ...content);

/**
 * Count up a number among an element's data: how often it was painted, say, which tests wait for.
 * @param {HTMLElement} node
 * @param {string} name
 */
export function countUp(node, name) {
  node.dataset[name] = String(Number(node.dataset[name] ?? 0) + 1);
}

/**
 * Call a function whenever the size of an element changes, and once at the beginning.
 * @param {Element} node
 * @param {() => void} resized
 */
export function watchSize(node, resized) {
  new ResizeObserver(() => resized()).observe(node);
}

/**
 * The title of a dialog, and what closes it: a button, or a click beside it.
 * @param {HTMLDialogElement} dialog
 * @param {string} title
 */
export function dialogHead(dialog, title) {
  const close = button({ class: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.append(element("h2", {}, title), close);
}

/**
 * Put an element over a place, in pixels of what it stands in.
 * @param {HTMLElement} node
 * @param {{ left: number, top: number, width?: number, height?: number }} place
 */
export function putAt({ style }, { left, top, width, height }) {
  [style.left, style.top] = [`${left}px`, `${top}px`];
  if (width != null) style.width = `${width}px`;
  if (height != null) style.height = `${height}px`;
}
