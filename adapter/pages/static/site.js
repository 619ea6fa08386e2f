// What pages do for a reader that HTML alone cannot: copy a block of code.

const WORDS = {
  en: ["Copy", "Copied"],
  es: ["Copiar", "Copiado"],
  fr: ["Copier", "Copié"],
};
const SHOWN_MS = 1600;

function addCopyButton(block) {
  const [copy, copied] = WORDS[document.documentElement.lang] ?? WORDS.en;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = copy;
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
