// What pages do for a reader that HTML alone cannot: copy a block of code, and show which section is being read.

const SHOWN_MS = 1600;

function addCopyButton(block) {
  const { copy, copied } = document.body.dataset;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = copy;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent.trimEnd());
    button.textContent = copied;
    setTimeout(() => {
      button.textContent = copy;
    }, SHOWN_MS);
  });
  block.append(button);
}

if (navigator.clipboard) {
  document.querySelectorAll("figure.code").forEach(addCopyButton);
}

function followSections(links) {
  const shown = new Set();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        shown[isIntersecting ? "add" : "delete"](target.id);
      }
      const first = links.find((link) => shown.has(link.hash.slice(1)));
      if (first) {
        for (const link of links) {
          if (link === first) {
            link.setAttribute("aria-current", "true");
          } else {
            link.removeAttribute("aria-current");
          }
        }
      }
    },
    { rootMargin: "-10% 0px -55%" },
  );
  links.forEach((link) => observer.observe(document.getElementById(link.hash.slice(1))));
}

followSections([...document.querySelectorAll(".outline ul a")]);
