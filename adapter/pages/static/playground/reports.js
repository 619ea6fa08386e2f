// Says how it stands: in the page's state, in words that screen readers hear, in the bar of a job, in an error.

import { count, say } from "./data.js";
import { Refusal, Unusable, WalletError } from "./errors.js";

const KNOWN = [400, 401, 402, 403, 404, 408, 413, 415, 422, 429, 500, 503, 504];

export class Reports {
  #root;
  #status;
  #error;
  #progress;
  #job = false;

  constructor(root) {
    this.#root = root;
    this.#status = root.querySelector("#status");
    this.#error = root.querySelector("#error");
    this.#progress = root.querySelector("#progress");
  }

  rest() {
    this.#set("idle", "");
  }

  wait() {
    this.#set("ready", "");
  }

  /** `steps`: those that begin; none where they go on after a payment. */
  work(steps) {
    this.#job = steps?.some((step) => step.job) ?? this.#job;
    this.#set("working", say(this.#job ? "run.sending" : "run.working"));
    this.#progress.hidden = !this.#job;
    this.#advance(null);
  }

  /** `words`: what the service says of a job. */
  follow(words) {
    if (words.warning) this.#root.querySelector("#warning").textContent = words.warning;
    const percent = words.progress_percentage;
    if (percent === undefined) {
      this.#status.textContent = say("run.queued");
      return;
    }
    this.#advance(percent);
    const frames = words.total_frames;
    this.#status.textContent = frames
      ? say("run.frames", { done: count(words.current_frame), total: count(frames) })
      : say("run.percent", { percent: count(percent) });
  }

  askToPay() {
    this.#set("payment", say("run.payment"));
  }

  finish() {
    this.#set("done", say("run.done"));
  }

  /** An error in words; of the service, with its own sentence below. */
  explain(error) {
    if (error instanceof Unusable) this.fail(say(`errors.${error.message}`));
    else if (error instanceof WalletError) this.fail(say(`wallet.${error.message}`));
    else if (error instanceof Refusal) {
      this.fail(say(KNOWN.includes(error.status) ? `errors.status_${error.status}` : "errors.unknown"), error.message);
    } else this.fail(say(error instanceof TypeError ? "errors.network" : "errors.unknown"));
  }

  fail(title, detail = "") {
    this.#set("error", "");
    this.#error.querySelector("#error-title").textContent = title;
    this.#error.querySelector("#error-detail").textContent = detail;
    this.#error.hidden = false;
    this.#error.scrollIntoView({ block: "nearest" });
  }

  #set(state, status) {
    this.#root.dataset.state = state;
    this.#status.textContent = status;
    this.#error.hidden = true;
    if (state !== "working") this.#progress.hidden = true;
    if (state !== "done") this.#root.querySelector("#warning").textContent = "";
    this.#root.querySelector("#stop").hidden = state !== "working";
  }

  #advance(percent) {
    if (percent === null) this.#progress.removeAttribute("aria-valuenow");
    else this.#progress.setAttribute("aria-valuenow", String(Math.round(percent)));
    this.#progress.style.setProperty("--done", `${percent ?? 0}%`);
  }
}
