// The ways in: a file that is chosen, dropped or pasted, and the samples.

import { data } from "./data.js";

/** Calls `take(file)` for whatever comes in, and `fail()` where a sample cannot be had. */
export function watchUploads(root, take, fail) {
  const input = root.querySelector("#file");
  input.addEventListener("change", () => {
    if (input.files.length) take(input.files[0]);
    input.value = "";
  });
  watchDrops(root, take);
  document.addEventListener("paste", (event) => {
    const file = firstFile(event.clipboardData);
    if (file) take(file);
  });
  for (const button of root.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", async () => {
      try {
        take(await fetchSample(button.dataset.sample));
      } catch {
        fail();
      }
    });
  }
}

function watchDrops(root, take) {
  const stage = root.querySelector("#stage");
  let depth = 0; // Entering a child comes before leaving its parent.
  const mark = (change) => {
    depth = Math.max(0, depth + change);
    stage.toggleAttribute("data-over", depth > 0);
  };
  stage.addEventListener("dragenter", (event) => {
    event.preventDefault();
    mark(1);
  });
  stage.addEventListener("dragleave", () => mark(-1));
  // Beside the stage too: a file that is let go there would replace the page.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    mark(0);
    const file = firstFile(event.dataTransfer);
    if (file) take(file);
  });
}

function firstFile(transfer) {
  return [...(transfer?.files ?? [])].find((file) => /^(image|video)\//.test(file.type)) ?? transfer?.files?.[0];
}

async function fetchSample(name) {
  const response = await fetch(data.samples[name]);
  if (!response.ok) throw new Error(name);
  return new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" });
}
