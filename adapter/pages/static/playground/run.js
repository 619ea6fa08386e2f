// Sends requests and brings back results: with a key, for nothing, or paid for; at once, or when a job is done.

import { Refusal } from "./errors.js";
import { awaitEnd } from "./jobs.js";
import { writeForm } from "./request.js";
import { pause } from "./waiting.js";

const MOST_TRIES = 20;
const HEADERS = ["X-Width", "X-Height", "X-Model", "X-Matting", "X-Video-Warning", "Server-Timing"];

/**
 * Runs the requests of a plan, each on the result before it.
 * `pay(response)` → headers of a payment for a 402; `progress(words)` is told what is known of a job.
 */
export async function run(requests, { access, pay, progress, signal }) {
  let result = null;
  const facts = [];
  const began = performance.now();
  for (const request of requests) {
    const send = (url, options = {}) => exchange(url, options, { request, access, pay, signal });
    let response = await send(request.path, { method: "POST", body: writeForm(request, result) });
    let receipt = response.headers.get("PAYMENT-RESPONSE");
    if (request.job) {
      response = await fetchResult(await response.json(), request, { send, access, progress, signal });
      receipt = response.headers.get("PAYMENT-RESPONSE") ?? receipt;
    }
    result = await readBody(response);
    facts.push(Object.fromEntries(HEADERS.map((name) => [name, response.headers.get(name)])));
    facts.at(-1).receipt = receipt;
  }
  return { blob: result, facts: facts.at(-1), receipts: facts.map((fact) => fact.receipt).filter(Boolean), tookMs: performance.now() - began };
}

async function fetchResult(job, request, { send, access, progress, signal }) {
  progress(job);
  const watched = access.key ? null : `/jobs/${job.uuid}/events`; // An EventSource sends no key.
  return awaitEnd(watched, () => send(request.result + job.uuid), progress, signal);
}

/** One request, and again with a payment where that is asked for; the same payment until its outcome is known. */
async function exchange(url, options, { request, access, pay, signal }) {
  let headers = access.headersFor(request);
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const response = await fetch(url, { ...options, headers, signal });
    if (response.ok) return response;
    const after = Number(response.headers.get("Retry-After"));
    const paid = "PAYMENT-SIGNATURE" in headers;
    if (response.status === 402 && !paid) headers = await pay(response);
    else if (response.status === 503 && paid && after) await pause(after * 1000, signal);
    else throw await refuse(response);
  }
  throw new Refusal(503, "");
}

/** The bytes; of a video that was uploaded elsewhere, its address. */
async function readBody(response) {
  if (!response.headers.get("Content-Type").startsWith("application/json")) return response.blob();
  return (await response.json()).upload_link;
}

async function refuse(response) {
  const body = await response.json().catch(() => ({}));
  const fields = Object.entries(body.fields ?? {}).map(([name, reason]) => `${name} ${reason}`);
  const text = body.message ?? body.detail ?? body.error ?? "";
  return new Refusal(response.status, [text, ...fields].join(" · "));
}
