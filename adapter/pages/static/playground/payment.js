// The panel that a 402 opens: what it costs, on which network, and the button that has the wallet sign.

import { data, money, say } from "./data.js";
import { WalletError } from "./errors.js";
import { findWallet, readOffer, sign } from "./wallet.js";

export class Payments {
  #panel;
  #button;
  #price;
  #settle = null;

  constructor(root) {
    this.#panel = root.querySelector("#payment");
    this.#button = root.querySelector("#pay");
    this.#price = root.querySelector("#payment-price");
    this.#button.addEventListener("click", () => this.#settle?.accept());
    root.querySelector("#pay-later").addEventListener("click", () => this.#settle?.decline());
  }

  /** Headers that pay a 402, once the visitor has agreed; rejects with WalletError where that does not come about. */
  async pay(response, signal) {
    const asked = readOffer(response);
    if (!asked) throw new WalletError("no_offer");
    this.#show(asked.offer);
    try {
      await new Promise((accept, reject) => {
        this.#settle = { accept, decline: () => reject(new WalletError("declined")) };
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      this.#button.disabled = true;
      return await sign(asked);
    } finally {
      this.#settle = null;
      this.#panel.hidden = true;
    }
  }

  #show(offer) {
    this.#price.textContent = money(Number(offer.amount));
    const network = data.networks[offer.network] ?? offer.network;
    this.#panel.querySelector("#payment-network").textContent = say("pay.network", { token: offer.extra.name, network });
    const wallet = findWallet();
    this.#panel.querySelector("#payment-hint").textContent = say(wallet ? "pay.hint" : "pay.no_wallet");
    this.#button.disabled = !wallet;
    this.#panel.hidden = false;
    (wallet ? this.#button : this.#panel.querySelector("a, button")).focus({ preventScroll: true });
    this.#panel.scrollIntoView({ block: "nearest" });
  }
}
