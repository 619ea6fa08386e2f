// What is known of a result: size, weight, model, and where the time went.

import { bytes, count, say, seconds } from "./data.js";

const EXTENSIONS = {
  "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "video/webm": "webm", "video/mp4": "mp4",
};

export function showFacts(root, source, outcome, address) {
  const { blob, facts, tookMs, receipts } = outcome;
  const rows = [["took", seconds(tookMs)]];
  if (facts["X-Width"]) rows.push(["pixels", `${count(facts["X-Width"])} × ${count(facts["X-Height"])}`]);
  if (blob instanceof Blob) rows.push(["weight", bytes(blob.size)]);
  if (facts["X-Model"]) rows.push(["model", facts["X-Model"]]);
  if (facts["X-Video-Warning"]) rows.push(["warning", facts["X-Video-Warning"]]);
  root.querySelector("#facts").replaceChildren(...rows.map(([name, value]) => describe(name, value)));
  showTiming(root.querySelector("#timing"), facts["Server-Timing"]);
  showReceipt(root.querySelector("#receipt"), receipts);
  const link = root.querySelector("#download");
  link.href = address;
  const extension = EXTENSIONS[blob.type] ?? "mp4";
  link.download = `${source.name.replace(/\.\w+$/, "")}-clearcanvas.${extension}`;
  root.querySelector("#outcome").hidden = false;
}

function describe(name, value) {
  const pair = document.createElement("div");
  const term = document.createElement("dt");
  const detail = document.createElement("dd");
  term.textContent = say(`facts.${name}`);
  detail.textContent = value;
  detail.dataset.fact = name;
  pair.append(term, detail);
  return pair;
}

/** The stages of Server-Timing, each as long as its share of the total. */
function showTiming(list, header) {
  const stages = (header ?? "").split(", ").map((part) => /^([\w-]+);dur=([\d.]+)$/.exec(part)).filter(Boolean);
  const total = Number(stages.find(([, name]) => name === "total")?.[2] ?? 0);
  const parts = stages.filter(([, name, duration]) => name !== "total" && Number(duration) > 0);
  list.hidden = !total || !parts.length;
  list.replaceChildren(...parts.map(([, name, duration]) => {
    const item = document.createElement("li");
    item.dataset.stage = name;
    item.style.setProperty("--share", `${(100 * Number(duration)) / total}%`);
    const label = document.createElement("span");
    label.textContent = name;
    const time = document.createElement("span");
    time.textContent = `${count(Math.round(Number(duration)))} ms`;
    item.append(label, time);
    return item;
  }));
}

/** The transaction of a settled payment, from the PAYMENT-RESPONSE header. */
function readReceipt(header) {
  return JSON.parse(atob(header)).transaction;
}

function showReceipt(line, receipts) {
  line.hidden = !receipts.length;
  line.textContent = receipts.map((header) => say("pay.receipt", { transaction: readReceipt(header) })).join(" ");
}
