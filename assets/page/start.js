// The first script. It asks the server what the page needs while all others are on their way, shows the page, and lets
// Gradio's frontend begin once there is a picture: what that draws is the frame into which the page is put then.
import { fetchAhead } from "./shared/chart.js";
import { element } from "./shared/dom.js";
import { hand, watchHand } from "./shared/hand.js";
import { Server, SILENCE } from "./shared/server.js";
import { followTheme, showTheme } from "./shared/theme.js";

const AGAIN = 1500; // ms until a server that does not answer is asked again
const PATIENCE = 1500; // ms for which Gradio's frontend waits for a picture

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const root = element("div", { class: "explorer" });
const alone = element("main", { class: "alone" }, root); // until Gradio's frame is there, which has one of its own
const server = new Server();

/**
 * @template {"boot" | "open"} Name
 * @param {Name} event
 * @param {import("./shared/messages.d.ts").Requests[Name]} message
 * @returns {Promise<import("./shared/messages.d.ts").Answers[Name]>}  When there is one.
 */
async function asked(event, message) {
  for (;;) {
    const reply = await server.reply(event, message);
    if (reply && reply.error == null) return reply.body;
    if (reply) root.textContent = reply.error;
    else if (!(await server.there())) root.textContent = SILENCE;
    await pause(AGAIN);
  }
}

/** Until there is a picture. */
async function painted() {
  const end = performance.now() + PATIENCE;
  while (!root.dataset.serial && performance.now() < end) await pause(20);
  await new Promise(requestAnimationFrame);
}

/** Gradio's own scripts, which the server has kept from beginning. */
function begin() {
  /** @type {{ root: string } | undefined} */
  const config = Reflect.get(window, "gradio_config");
  if (config) config.root = new URL(".", document.baseURI).href.slice(0, -1); // the server can only guess where it is
  for (const held of document.querySelectorAll('script[type="explorer/later"]'))
    held.replaceWith(element("script", { type: "module", crossorigin: "", src: held.getAttribute("src") ?? "" }));
}

/** Put the page into Gradio's frame, as it is. */
async function settle() {
  const place = document.querySelector(".explorer-place");
  // what somebody drags would be let go of by a move of the page
  while (hand().held) await pause(50);
  if (!place || place.contains(root)) return;
  const held = document.activeElement;
  try {
    place.moveBefore(root, null);
  } catch {
    place.append(root); // in a browser that does not know how to move what is there
    if (held instanceof HTMLElement && root.contains(held)) held.focus();
  }
  alone.remove();
  showTheme(); // Gradio's frontend has set its own
}

watchHand();
showTheme();
followTheme();
document.body.prepend(alone);
document.title ||= "EDM Explorer";
document.addEventListener("explorer-place", settle);
const charts = new URLSearchParams(location.search).get("tab") === "train"; // at once
if (charts) fetchAhead();
const boot = asked("boot", {});
const address = asked("open", { query: location.search });
const { mount } = await import("./main.js");
mount(root, await boot, server, address);
await painted();
begin();
settle(); // where it was there before
if (!charts) fetchAhead();
