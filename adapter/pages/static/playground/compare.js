// The stage: before and after behind one slider, or the result alone where the two do not lie over each other.

import { say } from "./data.js";

export class Stage {
  #root;
  #figure;
  #slider;
  #films = null;
  #shown = null;

  constructor(root) {
    this.#root = root;
    this.#figure = root.querySelector("#compare");
    this.#slider = root.querySelector("#slider");
    this.#slider.addEventListener("input", () => this.#move());
  }

  /** Shows what came in. */
  async showSource(source) {
    this.clear();
    this.#root.querySelector("#drop").hidden = true;
    this.#figure.hidden = false;
    this.#figure.dataset.view = "source";
    if (!source.video) {
      this.#part("before").src = source.url;
      this.#fit(source.width, source.height);
      this.#pick("before");
      return;
    }
    this.#pick("video-before");
    const film = this.#part("video-before");
    film.controls = true;
    film.src = source.url;
    await this.#fitFilm(film);
  }

  /** Shows a result, a blob; `comparable`: it has the place and the size of what came in. */
  async showResult(source, result, { comparable }) {
    this.#forget();
    this.#shown = URL.createObjectURL(result);
    if (source.video && result.type.startsWith("video/")) await this.#showFilm();
    else await this.#showPicture(comparable && !source.video);
    this.#slider.value = 50;
    this.#move();
  }

  clear() {
    this.#forget();
    this.#films?.stop();
    this.#part("video-before").removeAttribute("src");
    this.#figure.hidden = true;
    this.#root.querySelector("#drop").hidden = false;
  }

  /** Where the result can be had from. */
  get address() {
    return this.#shown;
  }

  async #showPicture(comparable) {
    const after = this.#part("after");
    after.src = this.#shown;
    await after.decode();
    this.#fit(after.naturalWidth, after.naturalHeight);
    this.#figure.dataset.view = comparable ? "compare" : "single";
    this.#pick(...(comparable ? ["before", "after", "slider"] : ["after"]));
  }

  async #showFilm() {
    const after = this.#part("video-after");
    after.src = this.#shown;
    await this.#fitFilm(after);
    this.#part("video-before").controls = false;
    this.#figure.dataset.view = "compare";
    this.#pick("video-before", "video-after", "slider", "play");
    const { keepTogether } = await import("./films.js");
    this.#films ??= keepTogether(this.#part("video-before"), after, this.#part("play"));
    this.#films.start();
  }

  async #fitFilm(film) {
    await new Promise((resolve) => {
      // A film that this browser cannot play is still one that the service can read, or the visitor's to download.
      for (const event of ["loadedmetadata", "error"]) film.addEventListener(event, resolve, { once: true });
    });
    if (film.videoWidth) this.#fit(film.videoWidth, film.videoHeight);
  }

  #move() {
    this.#figure.style.setProperty("--at", `${this.#slider.value}%`);
    this.#slider.setAttribute("aria-valuetext", say("stage.slider_value", { value: this.#slider.value }));
  }

  #fit(width, height) {
    this.#figure.style.setProperty("--ratio", width / height);
  }

  #part(name) {
    return this.#figure.querySelector(`#${name}`);
  }

  #pick(...names) {
    for (const part of this.#figure.querySelectorAll("img, video, input, button")) part.hidden = !names.includes(part.id);
    this.#part("slider-line").hidden = !names.includes("slider");
  }

  #forget() {
    if (this.#shown) URL.revokeObjectURL(this.#shown);
    this.#shown = null;
    this.#part("video-after").removeAttribute("src");
  }
}
