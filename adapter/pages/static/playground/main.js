// Puts the playground together: what is chosen goes in, a request goes out, its result is shown. What a visitor may
// never need is loaded when it is needed.

import { Access } from "./access.js";
import { Code } from "./code.js";
import { Stage } from "./compare.js";
import { data, money, say } from "./data.js";
import { arrange, findGap, readOptions, watchPresets } from "./options.js";
import { Reports } from "./reports.js";
import { plan } from "./request.js";
import { makeTabs } from "./tabs.js";
import { watchUploads } from "./upload.js";

const SETTLED_MS = 350; // Of a slider that is being dragged.

const root = document.getElementById("playground");
const form = root.querySelector("#options");
const stage = new Stage(root);
const reports = new Reports(root);
const code = new Code(root);
const access = new Access(root);

let payments = null;
let source = null;
let running = null;
let timer = 0;

function mode() {
  return root.dataset.mode;
}

/** What would be sent now: for the code, the price and the way, also before there is a picture. */
function draft() {
  const stand = mode() === "video" ? { name: "clip.mp4", video: true } : { name: "photo.jpg", width: 1, height: 1 };
  return plan(source ?? { blob: null, ...stand }, readOptions(form, mode()));
}

function refresh() {
  arrange(form, mode());
  const steps = draft();
  const way = access.wayOf(steps.at(-1));
  root.dataset.operation = steps.at(-1).operation;
  code.show(steps, way);
  const total = steps.reduce((sum, step) => sum + (access.wayOf(step) === "pay" ? step.price : 0), 0);
  root.querySelector("#price").textContent = total ? money(total) : "";
  root.querySelector("#run").disabled = !source;
}

async function start() {
  clearTimeout(timer);
  if (!source) return;
  const options = readOptions(form, mode());
  const gap = findGap(options);
  if (gap) {
    reports.fail(say(`errors.${gap}`));
    return;
  }
  running?.abort();
  const call = new AbortController();
  running = call;
  const job = source;
  const steps = plan(job, options);
  const hands = { access, pay: (response) => ask(response, call.signal), progress: (words) => reports.follow(words), signal: call.signal };
  reports.work(steps);
  try {
    const { run } = await import("./run.js");
    const outcome = await run(steps, hands);
    if (call.signal.aborted) return;
    if (outcome.blob instanceof Blob) await stage.showResult(job, outcome.blob, { comparable: !options.crop });
    const { showFacts } = await import("./facts.js");
    showFacts(root, job, outcome, stage.address ?? outcome.blob);
    reports.finish();
  } catch (error) {
    if (!call.signal.aborted) reports.explain(error);
  } finally {
    if (running === call) running = null;
    access.refresh();
  }
}

async function ask(response, signal) {
  const { Payments } = await import("./payment.js");
  payments ??= new Payments(root);
  reports.askToPay();
  const headers = await payments.pay(response, signal);
  reports.work();
  return headers;
}

/** Where nothing is to be paid and nothing is counted, what is chosen is done at once. */
function startSoon(milliseconds) {
  clearTimeout(timer);
  if (source && access.open && !source.video && !findGap(readOptions(form, mode()))) timer = setTimeout(start, milliseconds);
}

async function take(file) {
  running?.abort();
  try {
    if (file.type.startsWith("video/") !== (mode() === "video")) setMode(file.type.startsWith("video/") ? "video" : "photo");
    const { readSource } = await import("./source.js");
    const found = await readSource(file, mode());
    forget();
    source = found;
    stage.showSource(source);
    reports.wait();
    refresh();
    startSoon(0);
  } catch (error) {
    reports.explain(error);
  }
}

function forget() {
  if (source) URL.revokeObjectURL(source.url);
  source = null;
  stage.clear();
  root.querySelector("#outcome").hidden = true;
}

function setMode(name) {
  if (mode() === name) return;
  root.querySelector(`#mode-${name}`).click();
}

makeTabs(root.querySelector("#modes"), (tab) => {
  const name = tab.id.replace("mode-", "");
  if (name === mode()) return;
  running?.abort();
  forget();
  root.dataset.mode = name;
  root.querySelector("#canvas").setAttribute("aria-labelledby", tab.id);
  root.querySelector("#file").accept = name === "video" ? "video/*" : "image/png,image/jpeg,image/webp";
  reports.rest();
  refresh();
});
watchPresets(form);
watchUploads(root, take, () => reports.fail(say("errors.sample")));
form.addEventListener("input", () => {
  refresh();
  startSoon(SETTLED_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  root.querySelector("#canvas").scrollIntoView({ block: "nearest" }); // On a phone it is above what was touched.
  start();
});
root.addEventListener("accesschange", refresh);
root.querySelector("#again").addEventListener("click", () => {
  running?.abort();
  forget();
  reports.rest();
  refresh();
  root.querySelector("#file").focus();
});
root.querySelector("#stop").addEventListener("click", () => {
  running?.abort();
  reports.wait();
});
refresh();
access.refresh().finally(() => (root.dataset.ready = data.language));
