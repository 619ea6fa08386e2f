// The request that the choices make, to be copied.

import { say } from "./data.js";
import { writeGrpcurl } from "./grpc.js";
import { writeCurl, writePython, writeTypeScript } from "./snippets.js";
import { makeTabs } from "./tabs.js";

const WRITERS = { curl: writeCurl, python: writePython, typescript: writeTypeScript, grpcurl: writeGrpcurl };
const TOLD_MS = 2000;

export class Code {
  #root;
  #language = "curl";
  #steps = null;
  #way = "open";

  constructor(root) {
    this.#root = root.querySelector("#request");
    makeTabs(this.#root.querySelector("#code-tabs"), (tab) => {
      this.#language = tab.id.replace("code-", "");
      this.#root.querySelector("#code").setAttribute("aria-labelledby", tab.id);
      this.#show();
    });
    this.#root.querySelector("#copy").addEventListener("click", (event) => this.#copy(event.currentTarget));
  }

  show(steps, way) {
    this.#steps = steps;
    this.#way = way;
    this.#show();
  }

  #show() {
    if (this.#steps) this.#root.querySelector("#code code").textContent = WRITERS[this.#language](this.#steps, this.#way);
  }

  async #copy(button) {
    try {
      await navigator.clipboard.writeText(this.#root.querySelector("#code code").textContent);
      button.textContent = say("code.copied");
    } catch {
      button.textContent = say("code.not_copied"); // Without leave, or without TLS.
    }
    setTimeout(() => (button.textContent = say("code.copy")), TOLD_MS);
  }
}
