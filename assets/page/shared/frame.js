// The frame of the page: its header, and an empty box for each tab. No behaviour.
import { button, element } from "./dom.js";

/**
 * @param {HTMLElement} root
 * @param {{ name: string, title: string }[]} tabs
 */
export function frame(root, tabs) {
  const figures = button({ class: "plain", title: "The paper's figures, live, in one click" }, "Figures");
  const lessons = button({ class: "plain", title: "Lessons: what this is, step by step" }, "Lessons");
  const link = button({ class: "plain", title: "Link, Python and command line of what you see" }, "Share");
  const csv = button({ class: "plain", title: "Download the numbers of the figure", hidden: true }, "CSV");
  const png = button({ class: "plain", title: "Download the picture; its settings travel inside" }, "PNG");
  const gif = button(
    { class: "plain", title: "Download a film from noise to data; its settings travel inside" },
    "GIF",
  );
  const svg = button(
    { class: "plain", title: "Download the trajectories as lines; their settings travel inside" },
    "SVG",
  );
  const undo = button({ class: "plain", title: "Undo", hidden: true }, "↶");
  const redo = button({ class: "plain", title: "Redo", hidden: true }, "↷");
  const said = element("p", { class: "said", role: "status", hidden: true });
  const device = element("div", { class: "device", hidden: true });
  const theme = button({ class: "plain", "aria-label": "Light or dark", title: "Light or dark" }, "◐");
  const projector = button({ class: "plain", "aria-label": "Projector view", "aria-pressed": "false" }, "Aa");
  const parts = tabs.map(({ name, title }) => ({
    name,
    link: element("a", { href: `?tab=${name}`, "data-tab": name }, title),
    box: element("div", { class: "tab", "data-tab": name, hidden: true }),
  }));
  const header = element(
    "header",
    {},
    element("h1", { html: "EDM <i>Explorer</i>" }),
    element("nav", {}, ...parts.map((part) => part.link)),
    element(
      "div",
      { class: "right" },
      undo,
      redo,
      device,
      lessons,
      figures,
      link,
      csv,
      gif,
      svg,
      png,
      projector,
      theme,
    ),
  );
  const share = element("dialog", { class: "share" });
  const gallery = element("dialog", { class: "gallery" });
  const list = element("dialog", { class: "gallery lessons" });
  const glossary = element("dialog", { class: "glossary" });
  const strip = element("div", { class: "strip", role: "region", "aria-label": "Lesson", hidden: true });
  const line = element("div", { class: "class", role: "region", "aria-label": "Class", hidden: true });
  const dialogs = [share, gallery, list, glossary];
  root.replaceChildren(header, line, strip, ...parts.map((part) => part.box), said, ...dialogs);
  return {
    tabs: parts,
    undo,
    redo,
    said,
    device,
    lessons,
    figures,
    link,
    csv,
    gif,
    svg,
    png,
    projector,
    theme,
    share,
    gallery,
    list,
    glossary,
    strip,
    line,
  };
}
