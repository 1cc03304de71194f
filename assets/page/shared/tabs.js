// The tabs in the header.

/** @typedef {{ name: string, link: HTMLElement, box: HTMLElement }} Part */

/**
 * Call a function with the name of the tab that somebody chooses; who wants it in another window gets that.
 * @param {Part[]} tabs
 * @param {(name: string) => void} chosen
 */
export function watchTabs(tabs, chosen) {
  for (const { name, link } of tabs)
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      chosen(name);
    });
}

/**
 * Show the box of one of them, and none of the others.
 * @param {Part[]} tabs
 * @param {string} name
 */
export function showTab(tabs, name) {
  for (const { name: other, link, box } of tabs) {
    link.classList.toggle("on", other === name);
    if (other === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    box.hidden = other !== name;
  }
}
