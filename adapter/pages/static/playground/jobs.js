// Waits for the end of a job: told by server-sent events where they can be heard, by asking again where not.

import { pause } from "./waiting.js";

const PAUSE_MS = 1000;

/** `fetchResult()` answers 202 until the result is there, and raises what ends the job without one. */
export async function awaitEnd(events, fetchResult, progress, signal) {
  if (events) await listen(events, progress, signal);
  for (;;) {
    const response = await fetchResult();
    if (response.status !== 202) return response;
    progress(await response.json());
    await pause(PAUSE_MS, signal);
  }
}

/** Returns when the job has ended, or the events cannot be had. */
function listen(address, progress, signal) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(address);
    const close = (settle) => {
      source.close();
      settle();
    };
    source.addEventListener("processing", (event) => progress(JSON.parse(event.data)));
    for (const end of ["success", "failed", "cancelled"]) source.addEventListener(end, () => close(resolve));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) close(resolve);
    });
    signal.addEventListener("abort", () => close(() => reject(signal.reason)));
  });
}
