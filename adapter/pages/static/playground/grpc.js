// The request as grpcurl sends it to the image service behind the adapter; videos come as a stream of pieces there.

import { data, say } from "./data.js";
import { quote } from "./snippets.js";

const FORMATS = { png: "IMAGE_FORMAT_PNG", webp: "IMAGE_FORMAT_WEBP", jpg: "IMAGE_FORMAT_JPEG" };

export function writeGrpcurl(steps) {
  const step = steps.at(-1);
  if (step.operation === "video") return `# ${say("code.no_grpcurl")}`;
  return steps.map((each, index) => writeEdit(each, steps[index + 1]?.files[0].file)).join("\n\n");
}

function writeEdit(step, next) {
  const { options } = step;
  const behind = options.background === "picture";
  const edit = Object.fromEntries(Object.entries(describe(step)).filter(([, value]) => Object.keys(value).length));
  const picture = `{image: .${behind ? ", composition: {picture: {image: $background}}" : ""}}`;
  const program = Object.keys(edit).length ? `${picture} * ${JSON.stringify(edit)}` : picture;
  const more = behind ? `--rawfile background <(base64 --wrap=0 ${quote(step.files[1].file)}) ` : "";
  return [
    `base64 --wrap=0 ${quote(step.files[0].file)}`,
    `jq --raw-input ${more}${quote(program)}`,
    `grpcurl -plaintext -d @ ${data.grpc} clearcanvas.v1.ImageService/Edit`,
    `jq --raw-output '.chunk // empty'`,
    `while read -r chunk; do base64 --decode <<<"$chunk"; done > ${next ?? `result.${options.format}`}`,
  ].join(" |\n  ");
}

function describe({ options, files }) {
  const edit = { composition: { ...describeBackground(options), ...describeShadow(options) }, output: {} };
  if (options.crop) {
    const side = { percent: Number(options.margin) };
    edit.output.crop = options.margin === "0" ? {} : { margin: { top: side, right: side, bottom: side, left: side } };
  }
  if (options.output === "mask") edit.output.kind = "OUTPUT_KIND_MASK";
  if (options.format !== "png") edit.output.format = FORMATS[options.format];
  if (options.background === "generate" && files[0].name === "image") edit.subject = "SUBJECT_SOURCE_OWN_ALPHA";
  return edit;
}

function describeBackground(options) {
  switch (options.background) {
    case "color":
      return { color: color(options.bgcolor) };
    case "gradient": {
      const shape = options.gradient === "radial" ? { kind: "GRADIENT_KIND_RADIAL" } : { angle: Number(options.angle) };
      return { gradient: { start: color(options.hexColor1), end: color(options.hexColor2), ...shape } };
    }
    case "blur":
      return { blur: { radius: Number(options.radius), ...(options.blur === "lens" ? { kind: "BLUR_KIND_LENS" } : {}) } };
    case "picture":
      return options.fit === "contain" ? { picture: { fit: "FIT_CONTAIN" } } : {};
    case "generate":
      return { generated: { prompt: options.prompt } };
    default:
      return {};
  }
}

function describeShadow({ shadow, strength }) {
  if (shadow === "none") return {};
  return { [shadow === "drop" ? "dropShadow" : "contactShadow"]: { color: { alpha: Number(strength) } } };
}

/** #rrggbb */
function color(hex) {
  const [red, green, blue] = [1, 3, 5].map((index) => parseInt(hex.slice(index, index + 2), 16));
  return { red, green, blue };
}
