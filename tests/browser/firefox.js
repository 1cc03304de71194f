// What a person does in Firefox, through its own WebDriver BiDi: node firefox.js SOCKET ADDRESS, which prints what was seen.
const [socket, address] = process.argv.slice(2);
const PATIENCE = 45_000; // ms

const connection = new WebSocket(`${socket}/session`);
await new Promise((resolve, reject) => {
  connection.onopen = resolve;
  connection.onerror = () => reject(new Error("Firefox does not listen"));
});
const errors = [];
const waiting = new Map();
connection.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.method === "log.entryAdded" && message.params.level === "error") errors.push(message.params.text);
  waiting.get(message.id)?.(message);
};

let serial = 0;
async function ask(method, params = {}) {
  serial += 1;
  const answer = new Promise((resolve) => waiting.set(serial, resolve));
  connection.send(JSON.stringify({ id: serial, method, params }));
  const message = await answer;
  if (message.type === "error") throw new Error(`${method}: ${message.message}`);
  return message.result;
}

await ask("session.new", { capabilities: {} });
await ask("session.subscribe", { events: ["log.entryAdded"] });
const { contexts } = await ask("browsingContext.getTree");
const { context } = contexts[0];

async function find(expression) {
  const { result } = await ask("script.evaluate", { expression, target: { context }, awaitPromise: true });
  return result.value;
}

async function until(expression) {
  for (const end = Date.now() + PATIENCE; !(await find(expression)); await new Promise((r) => setTimeout(r, 100)))
    if (Date.now() > end) throw new Error(`in vain: ${expression}`);
}

async function picture() {
  const found = await find(`JSON.stringify(document.querySelector("canvas[data-lane=main]").getBoundingClientRect())`);
  const { x, y, width, height } = JSON.parse(found);
  const { data } = await ask("browsingContext.captureScreenshot", { context, clip: { type: "box", x, y, width, height } });
  return data;
}

const QUIET = `(({ asked, serial, measured, finished }) => asked === serial && serial === measured && finished === "true")(
  document.querySelector(".explorer").dataset)`;

await ask("browsingContext.navigate", { context, url: address, wait: "complete" });
await until(`Boolean(document.querySelector(".explorer[data-measured]"))`);
await until(QUIET);
const before = await picture();
const slider = JSON.parse(await find(`JSON.stringify(document.querySelector("[data-knob=rho]").getBoundingClientRect())`));
const y = Math.round(slider.y + slider.height / 2);
const at = (share) => Math.round(slider.x + share * slider.width);
const first = await find(`document.querySelector(".explorer").dataset.serial`);
const moves = [0.5, 0.4, 0.3, 0.2, 0.1].map((share) => ({ type: "pointerMove", x: at(share), y, duration: 40 }));
const actions = [{ type: "pointerMove", x: at(0.45), y }, { type: "pointerDown", button: 0 }, ...moves];
await ask("input.performActions", {
  context,
  actions: [{ type: "pointer", id: "mouse", actions: [...actions, { type: "pointerUp", button: 0 }] }],
});
await until(`document.querySelector(".explorer").dataset.serial !== "${first}"`);
await until(QUIET);
const rho = await find(`document.querySelector("[data-knob=rho]").value`);
console.log(JSON.stringify({ errors, moved: before !== (await picture()), rho: Number(rho) }));
connection.close();
