// The page: header, tabs, address, theme. What a tab shows is the tab's own.
import { Workbench } from "./instruments/workbench.js";
import { explain } from "./lessons/explain.js";
import { Teaching } from "./lessons/teaching.js";
import { ofRun } from "./sampler/guides.js";
import { Sampler } from "./sampler/sampler.js";
import { attempt } from "./shared/attempt.js";
import { Away } from "./shared/away.js";
import { palette } from "./shared/colors.js";
import { PageDevice } from "./shared/device.js";
import { Dropping } from "./shared/dropping.js";
import { frame } from "./shared/frame.js";
import { Gallery } from "./shared/gallery.js";
import { renewed } from "./shared/offered.js";
import { SILENCE } from "./shared/server.js";
import { Share } from "./shared/share.js";
import { showTab, watchTabs } from "./shared/tabs.js";
import { downloads } from "./shared/takeaway.js";
import { switchTheme } from "./shared/theme.js";
import { Trail } from "./shared/trail.js";
import { Undoing } from "./shared/undoing.js";
import { queryText } from "./shared/values.js";
import { Train } from "./train/train.js";

/** @typedef {import("./shared/messages.d.ts").Address} Address */
/** @typedef {import("./shared/messages.d.ts").Boot} Boot */
/** @typedef {import("./shared/server.js").Server} Server */
/** @typedef {import("./shared/types.d.ts").Page} Page */
/** @typedef {import("./shared/types.d.ts").Tab} Tab */
/** @typedef {import("./shared/types.d.ts").Saved} Saved */
/** @typedef {import("./shared/types.d.ts").Values} Values */

/**
 * The kinds of tabs. Which of them there are, in which order, the server says; to add one, write it as a `Tab` of
 * types.d.ts, and put its kind into this list.
 * @type {Record<string, new (page: Page, tab: any, box: HTMLElement) => Tab>}
 */
const KINDS = { sampler: Sampler, instruments: Workbench, train: Train };

/**
 * @param {HTMLElement} root
 * @param {Boot} boot
 * @param {Server} server
 * @param {Promise<import("./shared/messages.d.ts").Address>} address  What it says.
 */
export async function mount(root, boot, server, address) {
  const explorer = new Explorer(root, boot, server);
  explorer.open(await address);
}

/** All that is found again by Back, Forward. @typedef {{ sampler: Saved, tab: string, shown: Saved, controls: import("./shared/messages.d.ts").Controls, lesson: import("./shared/messages.d.ts").LessonPlace | null }} State */

class Explorer {
  current = "";
  trail = new Trail({
    address: () => this.address(),
    state: () => this.state(),
    restore: (/** @type {State | null} */ state) => this.restore(state),
    noted: () => this.teaching?.class?.moved(),
  });

  /**
   * @param {HTMLElement} root
   * @param {Boot} boot
   * @param {Server} server
   */
  constructor(root, boot, server) {
    this.root = root;
    this.boot = boot;
    this.parts = frame(root, boot.tabs);
    /** @type {Page} */
    this.page = {
      root,
      boot,
      server,
      clock: "",
      changed: () => {
        this.trail.changed();
        this.undoing?.refresh();
        this.lessons?.moved();
      },
      visit: (go) => this.trail.visit(go),
      yours: () => this.sampler.accepted,
      load: (document) => this.toSampler(document),
      sample: (run) => this.sampleRun(run),
      takeModels: (news) => this.takeModels(news),
      takeDevice: (device, move) => this.device.show(device, move),
      say: (sentence) => this.tab.say(sentence),
    };
    /** @type {Map<string, Tab>} */
    this.tabs = new Map();
    boot.tabs.forEach((tab, k) => {
      this.tabs.set(tab.name, new KINDS[tab.kind](this.page, tab, this.parts.tabs[k].box));
    });
    this.sampler = /** @type {Sampler} */ ([...this.tabs.values()].find((tab) => tab instanceof Sampler));
    this.away = new Away(root, () => this.page.changed());
    this.teaching = new Teaching(this.parts, {
      server,
      root,
      open: (query) => this.openQuery(query),
      settings: this.sampler.settings,
      free: () => this.away.all(),
      boot,
      shown: () => this.#query(),
      controls: () => this.away.names(),
      address: () => this.address(),
      state: () => this.state(),
      restore: (state) => this.trail.visit(() => this.restore(state)),
      resized: () => {
        this.recolor();
        this.page.changed();
      },
    });
    this.lessons = this.teaching.lessons;
    this.device = new PageDevice(this.parts.device);
    this.share = new Share(this.parts.share, () => this.texts());
    this.gallery = new Gallery(this.parts.gallery, boot.figures, (figure) => this.openFigure(figure));
    explain(this.page, this.parts, this.lessons, (query) => this.openQuery(query));
    this.undoing = new Undoing(this.parts, () => this.tab.past);
    new Dropping(root, {
      server,
      open: (shown) => this.openDropped(shown),
      learning: () => Boolean(this.tab.bring),
      learn: (files) => this.learning().bring?.(files),
      paste: (picture) => this.learning().paste?.(picture),
      lesson: (file) => this.lessons.author.read(file),
      say: (sentence) => this.tab.say(sentence),
    });
    this.listen();
    this.recolor();
    this.choose(boot.tabs[0].name);
  }

  listen() {
    const { tabs, figures, lessons, link, theme } = this.parts;
    watchTabs(tabs, (name) => this.trail.visit(() => this.choose(name)));
    figures.addEventListener("click", () => this.gallery.open());
    lessons.addEventListener("click", () => this.lessons.list());
    link.addEventListener("click", () => this.share.open());
    downloads(this.parts, { server: this.page.server, sampler: this.sampler, shown: () => this.tab });
    theme.addEventListener("click", switchTheme);
    new MutationObserver(() => this.recolor()).observe(document.body, { attributeFilter: ["class"] });
  }

  /** @returns {Tab} The one that is shown. */
  get tab() {
    return this.tabs.get(this.current) ?? this.sampler;
  }

  /** @param {string} name */
  choose(name) {
    if (this.current === name) return;
    this.current = name;
    this.root.dataset.tab = name;
    showTab(this.parts.tabs, name);
    this.parts.csv.hidden = !this.tab.saveCsv;
    this.parts.gif.hidden = this.parts.svg.hidden = this.tab !== this.sampler;
    for (const [other, tab] of this.tabs)
      attempt(() => {
        tab.active = other === name;
      });
    this.undoing?.refresh();
  }

  /**
   * Models of runs come and go: what every tab offers follows.
   * One whose name was there before is another model now: pictures of it are asked for anew.
   * @param {import("./shared/messages.d.ts").Models} news
   */
  takeModels(news) {
    const replaced = renewed(this.boot, news);
    this.page.clock = news.clock;
    for (const tab of this.tabs.values()) attempt(() => tab.offer(news.choices, replaced));
  }

  /**
   * The youngest checkpoint of a run, in the Sampler tab; of a classifier with what it can guide.
   * @param {string} run
   */
  sampleRun(run) {
    const { document, sentence } = ofRun(this.boot, run);
    if (document) this.toSampler(document);
    else this.tab.say(sentence ?? null);
  }

  /** What the address said. @param {Address} opened */
  open(opened) {
    this.#take(opened);
    this.trail.begin();
    this.teaching.class?.begin();
    this.root.dataset.opened = "true";
  }

  /** @param {Address} opened */
  #take({ models, show, values, pinned, view, controls, lesson, notice }) {
    this.away.show(controls);
    if (models) this.takeModels(models);
    if (show) {
      this.choose(show.tab);
      this.tab.open({ show: show.name, values: show.values, notice });
    } else this.choose(this.boot.tabs[0].name);
    this.sampler.open({ values, pinned, view: this.teaching.projector.take(view), notice: show ? null : notice });
    this.lessons.show(lesson, this.#query()).then(() => lesson && this.page.changed());
  }

  /**
   * What an address of this page says, as if it had been opened; Back leads from there to here.
   * @param {string} query
   */
  async openQuery(query) {
    const reply = await this.page.server.reply("open", { serial: 0, query });
    if (reply == null || reply.error != null) this.tab.say(reply?.error ?? SILENCE);
    else this.trail.visit(() => this.#take(reply.body));
  }

  /** What a picture shows that was dropped onto the page. @param {Address} shown */
  openDropped(shown) {
    for (const dialog of this.root.querySelectorAll("dialog")) dialog.close();
    this.trail.visit(() => {
      this.choose(shown.show?.tab ?? this.boot.tabs[0].name);
      this.#take(shown);
    });
  }

  /** The tab where data are brought, which is shown now. */
  learning() {
    const [name, tab] = [...this.tabs].find(([, { bring }]) => bring) ?? [this.current, this.tab];
    if (name !== this.current) this.trail.visit(() => this.choose(name));
    return tab;
  }

  /** @param {import("./shared/messages.d.ts").Figure} figure */
  openFigure({ tab, show, values }) {
    this.trail.visit(() => {
      this.choose(tab);
      this.tab.open({ show, values, notice: null });
    });
  }

  /**
   * A document of settings, from a cell of a sweep or a lane, into the Sampler tab.
   * @param {Values} document
   */
  toSampler(document) {
    this.trail.visit(() => {
      this.choose(this.boot.tabs[0].name);
      this.sampler.load(document);
      scrollTo(0, 0);
    });
  }

  /** @returns {State} */
  state() {
    const { sampler, tab, away, lessons } = this;
    const found = { sampler: sampler.state(), tab: this.current, shown: tab.state() };
    return { ...found, controls: away.shown, lesson: lessons.place };
  }

  /**
   * As it was, by Back or Forward; of an entry that another page has made, what its address says.
   * @param {State | null} state
   */
  async restore(state) {
    for (const dialog of this.root.querySelectorAll("dialog")) dialog.close();
    if (!state) {
      const reply = await this.page.server.reply("open", { query: location.search });
      if (reply?.error == null && reply) this.open(reply.body);
      return;
    }
    /** @type {(tab: Tab, saved: Saved) => void} */
    const back = (tab, saved) =>
      JSON.stringify(tab.state()) !== JSON.stringify(saved) && tab.open({ ...saved, notice: null });
    back(this.sampler, state.sampler);
    this.away.show(state.controls);
    this.lessons.show(state.lesson);
    this.choose(state.tab);
    if (this.tab !== this.sampler) back(this.tab, state.shown);
  }

  address() {
    const text = queryText({ ...this.lessons.address(this.#query()), ...this.teaching.projector.query() });
    return text && `?${text}`;
  }

  #query() {
    const { sampler, tab } = this;
    return { ...sampler.query(), ...(tab === sampler ? {} : tab.query()), ...this.away.query() };
  }

  texts() {
    return { link: new URL(this.address() || location.pathname, location.href).href, ...this.tab.texts() };
  }

  recolor() {
    const colors = palette(this.root);
    for (const tab of this.tabs.values()) attempt(() => tab.recolor(colors));
  }
}
