// Two films that are played as one: what came in, and what was made of it.

import { say } from "./data.js";

const APART_S = 0.08; // About two frames.

/** `button` holds both, and lets them run; nothing moves by itself for those who want it so. */
export function keepTogether(before, after, button) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const show = () => (button.textContent = say(after.paused ? "stage.play" : "stage.pause"));
  const start = () => {
    before.currentTime = after.currentTime;
    // A browser may refuse to play, as while its window is not seen: then the button does it.
    for (const film of [before, after]) film.play().catch(show);
  };
  const stop = () => {
    for (const film of [before, after]) film.pause();
  };
  after.addEventListener("timeupdate", () => {
    if (Math.abs(before.currentTime - after.currentTime) > APART_S) before.currentTime = after.currentTime;
  });
  for (const event of ["play", "pause"]) after.addEventListener(event, show);
  button.addEventListener("click", () => (after.paused ? start() : stop()));
  return { start: () => (calm.matches ? show() : start()), stop };
}
