// What is worked on: a picture or a video, read far enough to know its size, and whether it has transparency.

import { data } from "./data.js";
import { Unusable } from "./errors.js";

const PICTURES = ["image/png", "image/jpeg", "image/webp"];
const PROBE_SIDE = 64;

export async function readSource(file, mode) {
  return mode === "video" ? readVideo(file) : readPicture(file);
}

async function readPicture(file) {
  if (!PICTURES.includes(file.type)) throw new Unusable("not_picture");
  if (file.size > data.limits.image_bytes) throw new Unusable("too_heavy");
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    throw new Unusable("broken_picture");
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  if (Math.max(width, height) > data.limits.side) {
    URL.revokeObjectURL(url);
    throw new Unusable("too_wide");
  }
  const transparent = file.type !== "image/jpeg" && isTransparent(image);
  return { blob: file, name: file.name || "photo.png", url, width, height, transparent, video: false };
}

async function readVideo(file) {
  if (!file.type.startsWith("video/")) throw new Unusable("not_video");
  if (file.size > data.limits.video_bytes) throw new Unusable("video_too_heavy");
  return { blob: file, name: file.name || "clip.mp4", url: URL.createObjectURL(file), transparent: false, video: true };
}

function isTransparent(image) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = PROBE_SIDE;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, PROBE_SIDE, PROBE_SIDE);
  const pixels = context.getImageData(0, 0, PROBE_SIDE, PROBE_SIDE).data;
  for (let index = 3; index < pixels.length; index += 4) if (pixels[index] < 250) return true;
  return false;
}
