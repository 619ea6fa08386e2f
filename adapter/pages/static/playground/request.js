// Makes of the choices the requests that are sent, and that are shown for copying: one, or a cut-out before it.

import { data } from "./data.js";

const SHADE = 150; // The service's own strength of a shadow.

/**
 * The requests, in order. Each: `operation`, `path`, `price` (millionths of a dollar), `fields` and `files` of its
 * form, whether it is a `job` and whether the free budget is for it. A file whose blob is null is the result before.
 */
export function plan(source, options) {
  if (source.video) return [planVideo(source, options)];
  const large = source.width * source.height > data.limits.pixels;
  const image = { name: "image", blob: source.blob, file: source.name };
  if (options.background !== "generate" || source.transparent) return [planPicture(image, options, large)];
  const cut = planPicture(image, { background: "none", shadow: "none", format: "png", output: "rgba" }, large);
  return [cut, planPicture({ name: "image", blob: null, file: "cutout.png" }, options, large)];
}

function planPicture(image, options, large) {
  const operation = nameOperation(options);
  const fields = [...describeBackground(options), ...describeShadow(options, operation === "shadow" ? "mode" : "shadow")];
  if (options.crop) {
    fields.push(["crop", "true"]);
    if (options.margin !== "0") fields.push(["crop_margin", `${options.margin}%`]);
  }
  if (options.output === "mask") fields.push(["output", "mask"]);
  if (options.format !== "png") fields.push(["format", options.format]);
  const files = [image, ...pictureBehind(options)];
  if (!large) {
    const { path, price } = data.operations[operation];
    return { operation, path, price, fields, files, options, job: false, free: operation !== "generate" };
  }
  const named = operation === "matte" ? fields : [["operation", operation], ...fields];
  return { operation: "hd", ...data.hd, fields: named, files, options, job: true, free: false };
}

function planVideo(source, options) {
  const operation = options.background === "none" ? "matte" : options.background;
  const fields = [...describeBackground(options), ...describeShadow(options, "shadow")];
  if (operation !== "matte") fields.unshift(["operation", operation]);
  fields.push(["format", options.format]);
  const files = [{ name: "video", blob: source.blob, file: source.name }, ...pictureBehind(options)];
  return { operation: "video", ...data.video, fields, files, options, job: true, free: false };
}

function nameOperation(options) {
  if (options.background !== "none") return options.background;
  return options.shadow === "none" ? "matte" : "shadow";
}

function describeBackground(options) {
  switch (options.background) {
    case "color":
      return [["bgcolor", options.bgcolor]];
    case "gradient": {
      const colors = [["hexColor1", options.hexColor1], ["hexColor2", options.hexColor2]];
      return options.gradient === "radial" ? [...colors, ["kind", "radial"]] : [...colors, ["angle", options.angle]];
    }
    case "blur":
      return [["radius", options.radius], ...(options.blur === "lens" ? [["kind", "lens"]] : [])];
    case "picture":
      return options.fit === "contain" ? [["fit", "contain"]] : [];
    case "generate":
      return [["prompt", options.prompt]];
    default:
      return [];
  }
}

function describeShadow(options, name) {
  if (options.shadow === "none") return [];
  const strength = Number(options.strength);
  return [[name, options.shadow], ...(strength === SHADE ? [] : [["shadow_color", `0,0,0,${strength}`]])];
}

function pictureBehind(options) {
  if (options.background !== "picture") return [];
  return [{ name: "background", blob: options.picture, file: options.picture?.name ?? "background.jpg" }];
}

/** The form as it is sent; `before` is the result of the request before. */
export function writeForm(request, before) {
  const form = new FormData();
  for (const [name, value] of request.fields) form.append(name, value);
  for (const { name, blob, file } of request.files) form.append(name, blob ?? before, file);
  return form;
}
