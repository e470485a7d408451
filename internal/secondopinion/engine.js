// Answers the questions on standard input, {resources: [text], questions: [{expression, resource}]}, with a list of
// {failed: reason} and {values: [text]} on standard output. Package secondopinion says what the texts are.
"use strict";
const fhirpath = require("fhirpath");
const r4 = require("fhirpath/fhir-context/r4");

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const out = {};
  for (const name of Object.keys(value).sort()) out[name] = sorted(value[name]);
  return out;
}

function answer(item) {
  if (item === null || item === undefined) return { kind: "null", text: "" };
  const name = item.constructor ? item.constructor.name : "";
  if (name === "ResourceNode") {
    item = item.data;
    if (item === null || item === undefined) return { kind: "null", text: "" };
    if (item.constructor && item.constructor.name.startsWith("FP_")) return answer(item);
    if (typeof item === "object") return { kind: "json", text: JSON.stringify(sorted(item)) };
    return answer(item);
  }
  if (typeof item === "number" || typeof item === "bigint" || name === "FP_Decimal_Precise") return { kind: "number", text: item.toString() };
  if (name === "FP_Quantity" || name === "FP_Quantity_Precise") return { kind: "quantity", text: item.toString() };
  if (typeof item === "object" && !name.startsWith("FP_") && name !== "TypeInfo" && !(item instanceof String)) {
    return { kind: "json", text: JSON.stringify(sorted(item)) };
  }
  return { kind: "text", text: item.toString() };
}

let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => (input += part));
process.stdin.on("end", () => {
  const { resources, questions } = JSON.parse(input);
  const parsed = resources.map((text) => JSON.parse(text));
  const compiled = new Map();
  const answers = questions.map(({ expression, resource }) => {
    try {
      if (!compiled.has(expression)) {
        compiled.set(expression, fhirpath.compile(expression, r4, { resolveInternalTypes: false, preciseMath: true, traceFn: () => {} }));
      }
      const focus = parsed[resource];
      return { values: compiled.get(expression)(focus, { resource: focus, rootResource: focus }).map(answer) };
    } catch (e) {
      return { failed: String(e && e.message ? e.message : e) || "failed" };
    }
  });
  process.stdout.write(JSON.stringify(answers));
});
