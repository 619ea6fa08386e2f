// The form: which of its parts can be seen, what goes with what, and what it says.

import { say } from "./data.js";

const OPAQUE = ["color", "gradient", "blur", "picture", "generate"];

/** Shows what belongs to the choices made, and takes back what does not go with them. */
export function arrange(form, mode) {
  if (mode === "video" && form.elements.background.value === "generate") form.elements.background.value = "none";
  const chosen = new FormData(form);
  for (const part of form.querySelectorAll("[data-for], [data-mode]")) {
    const [name, ...values] = (part.dataset.for ?? "").split(" ");
    const meant = !name || values.includes(chosen.get(name) ?? "");
    part.hidden = !meant || (part.dataset.mode ?? mode) !== mode;
  }
  for (const output of form.querySelectorAll("output")) {
    output.value = form.elements[output.htmlFor].value + output.dataset.unit;
  }
  offerFormats(form, mode);
}

/** Colours to begin with. */
export function watchPresets(form) {
  form.addEventListener("click", (event) => {
    const color = event.target.closest("[data-color]")?.dataset.color;
    if (!color) return;
    form.elements.bgcolor.value = color;
    form.elements.bgcolor.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** JPEG and MP4 have no transparency. */
function offerFormats(form, mode) {
  const select = form.elements.format;
  const names = mode === "video" ? ["webm", "mp4", "webp"] : ["png", "webp", "jpg"];
  if (select.options[0]?.value !== names[0]) {
    select.replaceChildren(...names.map((name) => new Option(say(`formats.${name}`), name)));
  }
  const background = form.elements.background.value;
  const mask = mode === "photo" && form.elements.output.value === "mask";
  const solid = mask || OPAQUE.includes(background);
  for (const option of select.options) {
    option.disabled = !solid && (option.value === "jpg" || option.value === "mp4");
  }
  if (select.selectedOptions[0]?.disabled) select.selectedIndex = 0;
}

/** The choices, by name. */
export function readOptions(form, mode) {
  const value = (name) => form.elements[name].value;
  return {
    background: value("background"),
    shadow: value("shadow"),
    strength: value("strength"),
    bgcolor: value("bgcolor"),
    hexColor1: value("hexColor1"),
    hexColor2: value("hexColor2"),
    angle: value("angle"),
    gradient: value("kind-gradient"),
    radius: value("radius"),
    blur: value("kind-blur"),
    picture: form.elements["background-file"].files[0] ?? null,
    fit: value("fit"),
    prompt: value("prompt").trim(),
    crop: mode === "photo" && form.elements.crop.checked,
    margin: value("crop-margin"),
    output: mode === "photo" ? value("output") : "rgba",
    format: value("format"),
  };
}

/** The word for what is still missing, or null. */
export function findGap(options) {
  if (options.background === "picture" && !options.picture) return "need_picture";
  if (options.background === "generate" && !options.prompt) return "need_prompt";
  return null;
}
