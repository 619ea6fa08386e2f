// The stage: before and after behind one slider, or the result alone where the two do not lie over each other.

import { say } from "./data.js";

export class Stage {
  #root;
  #figure;
  #slider;
  #shown = null;

  constructor(root) {
    this.#root = root;
    this.#figure = root.querySelector("#compare");
    this.#slider = root.querySelector("#slider");
    this.#slider.addEventListener("input", () => this.#move());
  }

  /** Shows what came in. */
  showSource(source) {
    this.#forget();
    this.#root.querySelector("#drop").hidden = true;
    this.#figure.hidden = false;
    this.#figure.dataset.view = "source";
    this.#element("before", source.video).src = source.url;
    if (!source.video) this.#fit(source.width, source.height);
    this.#pick(source.video ? "video-before" : "before");
  }

  /** Shows a result: a blob, or the address of one. */
  async showResult(source, result, { comparable }) {
    this.#forget();
    this.#shown = result instanceof Blob ? URL.createObjectURL(result) : result;
    const after = this.#element("after", source.video);
    after.src = this.#shown;
    if (source.video) {
      this.#figure.dataset.view = "video";
      this.#pick("video-before", "video-after");
      return;
    }
    await after.decode();
    after.alt = say("stage.after");
    this.#fit(after.naturalWidth, after.naturalHeight);
    this.#figure.dataset.view = comparable ? "compare" : "single";
    this.#pick(...(comparable ? ["before", "after", "slider"] : ["after"]));
    this.#slider.value = 50;
    this.#move();
  }

  clear() {
    this.#forget();
    this.#figure.hidden = true;
    this.#root.querySelector("#drop").hidden = false;
  }

  get address() {
    return this.#shown;
  }

  #move() {
    this.#figure.style.setProperty("--at", `${this.#slider.value}%`);
    this.#slider.setAttribute("aria-valuetext", say("stage.slider_value", { value: this.#slider.value }));
  }

  #fit(width, height) {
    this.#figure.style.setProperty("--ratio", `${width} / ${height}`);
    this.#figure.style.setProperty("--width", `${width}px`);
  }

  #element(name, video) {
    return this.#root.querySelector(video ? `#video-${name}` : `#${name}`);
  }

  #pick(...names) {
    for (const part of this.#figure.querySelectorAll("img, video, input")) part.hidden = !names.includes(part.id);
    this.#root.querySelector("#slider-line").hidden = !names.includes("slider");
  }

  #forget() {
    if (this.#shown?.startsWith("blob:")) URL.revokeObjectURL(this.#shown);
    this.#shown = null;
    for (const name of ["video-before", "video-after"]) {
      const video = this.#root.querySelector(`#${name}`);
      if (name === "video-after" || this.#figure.dataset.view === "source") video.removeAttribute("src");
    }
  }
}
