// @ts-nocheck
// The page: header, tabs, address, theme. What a tab shows is the tab's own.

import { Workbench } from "./instruments/workbench.js";
import { Sampler } from "./sampler/sampler.js";
import { palette } from "./shared/colors.js";
import { frame } from "./shared/frame.js";
import { Gallery } from "./shared/gallery.js";
import { Share } from "./shared/share.js";
import { Train } from "./train/train.js";

export function mount(root, boot, server) {
  return new Explorer(root, boot, server);
}

class Explorer {
  constructor(root, boot, server) {
    Object.assign(this, { root, boot, server });
    this.parts = frame(
      root,
      boot.tabs.map(({ name, title }) => [name, title]),
    );
    const changed = () => this.rememberSoon();
    const yours = () => this.tabs.sampler.accepted;
    const load = (values) => this.toSampler(values);
    const page = {
      server,
      root,
      boot,
      changed,
      models: (news) => this.takeModels(news),
      sample: (run) => this.sampleRun(run),
    };
    const kinds = {
      sampler: (box) => new Sampler(root, box, boot, server, changed),
      instruments: (box, tab) => new Workbench(box, tab, { boot, server, root, changed, yours, load }),
      train: (box, tab) => new Train(box, tab, page),
    };
    this.tabs = {};
    for (const tab of boot.tabs) this.tabs[tab.name] = kinds[tab.kind](this.parts.boxes[tab.name], tab);
    this.share = new Share(this.parts.share, () => this.texts());
    this.gallery = new Gallery(this.parts.gallery, boot.figures, (figure) => this.openFigure(figure));
    this.listen();
    this.recolor();
    this.choose("sampler");
    server.onMessage((message) =>
      message.opened ? this.open(message.opened) : this.tabs.sampler.receive("main", message),
    );
  }

  listen() {
    const { links, figures, link, csv, png, theme } = this.parts;
    for (const [name, node] of Object.entries(links))
      node.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        this.choose(name);
        this.remember();
      });
    figures.addEventListener("click", () => this.gallery.open());
    link.addEventListener("click", () => this.share.open());
    csv.addEventListener("click", () => this.tab.saveCsv());
    png.addEventListener("click", () => this.tab.savePng());
    theme.addEventListener("click", () => {
      const dark = document.body.classList.toggle("dark");
      localStorage.setItem("edm-theme", dark ? "dark" : "light");
    });
    const saved = localStorage.getItem("edm-theme");
    if (saved) document.body.classList.toggle("dark", saved === "dark");
    new MutationObserver(() => this.recolor()).observe(document.body, { attributeFilter: ["class"] });
  }

  get tab() {
    return this.tabs[this.current];
  }

  choose(name) {
    if (this.current === name) return;
    this.current = name;
    this.root.dataset.tab = name;
    for (const [other, node] of Object.entries(this.parts.links)) {
      node.classList.toggle("on", other === name);
      if (other === name) node.setAttribute("aria-current", "page");
      else node.removeAttribute("aria-current");
      this.parts.boxes[other].hidden = other !== name;
    }
    this.parts.csv.hidden = name === "sampler";
    for (const [other, tab] of Object.entries(this.tabs)) tab.active = other === name;
  }

  // Models of runs come and go: what every tab offers follows.
  // One whose name was there before is another model now: pictures of it are asked for anew.
  takeModels({ names, new: fresh, choices }) {
    const { models } = this.boot;
    const replaced = fresh.map(({ name }) => name).filter((name) => models.some((model) => model.name === name));
    const added = new Set(fresh.map(({ name }) => name));
    const kept = models.filter(({ name, run }) => !run || (names.includes(name) && !added.has(name)));
    models.splice(0, models.length, ...kept, ...fresh);
    models.sort((a, b) => (a.family === b.family ? a.images - b.images : 0));
    for (const tab of Object.values(this.tabs)) tab.offer?.(choices, replaced);
  }

  // The youngest checkpoint of a run, in the Sampler tab.
  sampleRun(run) {
    const youngest = this.boot.models.filter((model) => model.run === run).at(-1);
    if (youngest) this.toSampler({ model: youngest.name });
    else this.tab.say("Its first checkpoint is not here yet; try again in a moment.");
  }

  open(opened) {
    const { show } = opened;
    this.takeModels(opened.models);
    this.tabs.train.models = opened.models.clock;
    if (show) {
      this.choose(show.tab);
      this.tab.open(show.name, show.values, opened.notice);
    }
    this.tabs.sampler.open(show ? { ...opened, notice: null } : opened);
    this.written = this.address(); // what the link says stays as it is until something changes
    this.root.dataset.opened = true;
  }

  openFigure(figure) {
    this.choose(figure.tab);
    this.tab.open(figure.show, figure.values);
  }

  // A document of settings, from a cell of a sweep or a lane, into the Sampler tab.
  toSampler(document) {
    this.choose("sampler");
    this.tabs.sampler.load(document);
    scrollTo(0, 0);
  }

  // Not at every move of a slider: browsers limit how often the address may change.
  rememberSoon() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => this.remember(), 200);
  }

  // The whole state in the address, without a new page.
  remember() {
    clearTimeout(this.remembering);
    const text = this.address();
    if (text === this.written) return;
    this.written = text;
    history.replaceState(null, "", text || location.pathname);
  }

  address() {
    const query = new URLSearchParams(this.tabs.sampler.query());
    if (this.current !== "sampler")
      for (const [name, value] of Object.entries(this.tab.query())) query.set(name, value);
    const text = query.toString().replaceAll("%2C", ",").replaceAll("%3B", ";");
    return text && `?${text}`;
  }

  texts() {
    return { link: new URL(this.address() || location.pathname, location.href).href, ...this.tab.texts() };
  }

  // The theme has changed, by our button or by Gradio.
  recolor() {
    const colors = palette(this.root);
    for (const tab of Object.values(this.tabs)) tab.recolor(colors);
  }
}
