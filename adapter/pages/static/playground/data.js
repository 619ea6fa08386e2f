// What the page brings along: prices, limits and words, as JSON in a block of its own.

export const data = JSON.parse(document.getElementById("playground-data").textContent);

const number = new Intl.NumberFormat(data.language);

/** The words of the page's language for "section.name", with {name} filled in. */
export function say(key, values = {}) {
  const [section, name] = key.split(".");
  const text = data.strings[section]?.[name] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, word) => values[word] ?? "");
}

export function count(value) {
  return number.format(value);
}

export function seconds(milliseconds) {
  const maximumFractionDigits = milliseconds < 9950 ? 2 : 1;
  return `${new Intl.NumberFormat(data.language, { maximumFractionDigits }).format(milliseconds / 1000)}\u00a0s`;
}

export function bytes(value) {
  const [amount, unit] = value < 1e6 ? [value / 1e3, "kilobyte"] : [value / 1e6, "megabyte"];
  return new Intl.NumberFormat(data.language, { style: "unit", unit, maximumFractionDigits: 1 }).format(amount);
}

/** An amount in millionths of a dollar. */
export function money(amount) {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 6 };
  return data.dollars.replace("{}", new Intl.NumberFormat(data.language, digits).format(amount / 1e6));
}
