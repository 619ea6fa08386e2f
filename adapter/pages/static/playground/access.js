// How a visitor may use the service: open on this machine, the day's free pictures, a key, or a payment.

import { count, data, say } from "./data.js";

export class Access {
  #told = { open: false, free: null };
  #key;
  #root;

  constructor(root) {
    this.#root = root.querySelector("#access");
    this.#key = root.querySelector("#api-key"); // Its value is never stored.
    this.#key.addEventListener("input", () => this.show());
  }

  async refresh() {
    const response = await fetch("/playground/access");
    if (response.ok) this.#told = await response.json();
    this.show();
  }

  get key() {
    return this.#key.value.trim();
  }

  get open() {
    return this.#told.open && !this.key;
  }

  /** The way by which a request would be served: open, key, free, pay or none. */
  wayOf(request) {
    if (this.key) return "key";
    if (this.#told.open) return "open";
    const free = this.#told.free;
    if (free && request.free && free.left > 0 && free.left_for_you > 0) return "free";
    return data.payable ? "pay" : "none";
  }

  headersFor(request) {
    const way = this.wayOf(request);
    if (way === "key") return { "X-API-Key": this.key };
    return way === "free" ? { "X-Playground": "free" } : {};
  }

  show() {
    const way = this.wayOf({ free: true });
    this.#root.dataset.way = way;
    const free = this.#told.free ?? {};
    const usedUp = free.left_for_you === 0 && (way === "pay" || way === "none");
    const values = { left: count(free.left_for_you ?? 0), most: count(free.per_client ?? 0), day: count(free.left ?? 0) };
    this.#root.querySelector("#access-text").textContent = say(`access.${usedUp ? "used_up" : way}`, values);
    if (way === "none") this.#root.querySelector("#key-box").open = true;
    this.#root.dispatchEvent(new CustomEvent("accesschange", { bubbles: true }));
  }
}
