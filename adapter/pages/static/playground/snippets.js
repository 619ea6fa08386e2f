// The requests of a plan as programs that can be copied: curl, Python, TypeScript.

const ORIGIN = location.origin;
const CREDENTIALS = {
  key: ["X-API-Key", "CLEARCANVAS_API_KEY"],
  pay: ["PAYMENT-SIGNATURE", "PAYMENT"],
  none: ["X-API-Key", "CLEARCANVAS_API_KEY"],
  free: ["X-Playground", null],
};

export function writeCurl(steps, way) {
  return steps.map((step, index) => (step.job ? curlJob(step, way, names(steps, index)) : curlCall(step, way, names(steps, index)))).join("\n\n");
}

function curlCall(step, way, { output }) {
  return ["curl", ...curlForm(step, way), `--output ${output}`, ORIGIN + step.path].join(" \\\n  ");
}

function curlJob(step, way, { output }) {
  const submit = ["curl --silent", ...curlForm(step, way), `${ORIGIN}${step.path} | jq --raw-output .uuid)`].join(" \\\n  ");
  const header = way === "key" || way === "none" ? `${curlHeader(way)} ` : "";
  return [
    `uuid=$(${submit}`,
    `curl --no-buffer ${header}"${ORIGIN}/jobs/$uuid/events"`,
    `curl ${header}--output ${output} "${ORIGIN}${step.result}$uuid"`,
  ].join("\n");
}

function curlForm(step, way) {
  const header = curlHeader(way);
  return [
    ...(header ? [header] : []),
    ...step.files.map(({ name, file }) => `--form ${quote(`${name}=@${file}`)}`),
    ...step.fields.map(([name, value]) => `--form-string ${quote(`${name}=${value}`)}`),
  ];
}

function curlHeader(way) {
  const [name, variable] = CREDENTIALS[way] ?? [];
  return name ? `--header "${name}: ${variable ? `$${variable}` : "free"}"` : "";
}

export function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function writePython(steps, way) {
  const [header, variable] = CREDENTIALS[way] ?? [];
  const modules = [...(variable ? ["import os"] : []), ...(steps.some(({ job }) => job) ? ["import time"] : [])];
  const lines = [...modules, "from pathlib import Path", "", "import requests", "", "session = requests.Session()"];
  if (header) lines.push(`session.headers["${header}"] = ${variable ? `os.environ["${variable}"]` : '"free"'}`);
  steps.forEach((step, index) => lines.push(...pythonStep(step, names(steps, index))));
  return lines.join("\n");
}

function pythonStep(step, { output }) {
  const files = step.files.map(({ name, file }) => `${text(name)}: Path(${text(file)}).open("rb")`);
  const fields = step.fields.map(([name, value]) => `${text(name)}: ${text(value)}`);
  const lines = [
    "",
    "answer = session.post(",
    `    ${text(ORIGIN + step.path)},`,
    `    files={${files.join(", ")}},`,
    ...(fields.length ? [`    data={${fields.join(", ")}},`] : []),
    "    timeout=120,",
    ")",
    "answer.raise_for_status()",
  ];
  if (step.job) {
    lines.push(
      `result = ${text(ORIGIN + step.result)} + answer.json()["uuid"]`,
      "while (answer := session.get(result, timeout=60)).status_code == 202:",
      "    time.sleep(1)",
      "answer.raise_for_status()",
    );
  }
  return [...lines, `Path(${text(output)}).write_bytes(answer.content)`];
}

export function writeTypeScript(steps, way) {
  const [header, variable] = CREDENTIALS[way] ?? [];
  const lines = ['import { openAsBlob } from "node:fs";', 'import { writeFile } from "node:fs/promises";'];
  if (steps.some(({ job }) => job)) lines.push('import { setTimeout } from "node:timers/promises";');
  lines.push("", `const service = "${ORIGIN}";`);
  lines.push(header ? `const headers = { ${text(header)}: ${variable ? `process.env.${variable}!` : '"free"'} };` : "const headers = {};");
  steps.forEach((step, index) => lines.push(...typeScriptStep(step, names(steps, index), index)));
  return lines.join("\n");
}

function typeScriptStep(step, { output }, index) {
  const [form, answer] = index ? [`form${index + 1}`, `answer${index + 1}`] : ["form", "answer"];
  const lines = [
    "",
    `const ${form} = new FormData();`,
    ...step.files.map(({ name, file }) => `${form}.append(${text(name)}, await openAsBlob(${text(file)}), ${text(file)});`),
    ...step.fields.map(([name, value]) => `${form}.append(${text(name)}, ${text(value)});`),
    `${step.job ? "let" : "const"} ${answer} = await fetch(service + ${text(step.path)}, { method: "POST", headers, body: ${form} });`,
    `if (!${answer}.ok) throw new Error(await ${answer}.text());`,
  ];
  if (step.job) {
    lines.push(
      `const result = service + ${text(step.result)} + (await ${answer}.json()).uuid;`,
      `while ((${answer} = await fetch(result, { headers })).status === 202) await setTimeout(1000);`,
      `if (!${answer}.ok) throw new Error(await ${answer}.text());`,
    );
  }
  return [...lines, `await writeFile(${text(output)}, Buffer.from(await ${answer}.arrayBuffer()));`];
}

/** What a step writes: the next one's picture, or the result. */
function names(steps, index) {
  const step = steps[index];
  if (index + 1 < steps.length) return { output: steps[index + 1].files[0].file };
  return { output: `result.${step.options.format ?? "png"}` };
}

function text(value) {
  return JSON.stringify(value);
}
