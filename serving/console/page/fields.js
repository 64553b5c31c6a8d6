// One field for each input of a signature. A field has a node, `json()` (its value as JSON text, or an Error that says what is
// missing) and `clear()`. JSON text and not a value: a 64-bit integer that somebody typed must not pass through a double.
import { drawingField, isDrawable } from "./drawing.js";
import { element } from "./dom.js";
import { pictureField } from "./picture.js";

export function fieldFor(input, isRow) {
  const rest = input.shape === null ? null : input.shape.slice(isRow ? 1 : 0);
  if (isRow && isDrawable(input)) return drawingField(input);
  if (input.kind === "picture" && rest?.length === 0) return pictureField(input);
  if (rest?.length === 0 && input.kind !== "other") return scalarField(input);
  if (rest?.length === 1 && rest[0] === 1 && input.kind !== "other") return wrapped(scalarField(input));
  return jsonField(input.name, example(input, rest), `${input.dtype}, one ${isRow ? "row" : "tensor"} of shape ${shapeText(rest)}, as JSON`);
}

/** A JSON editor; `hint` says what is expected. */
export function jsonField(name, text, hint) {
  const id = `field-${name}`;
  const editor = element("textarea", { id, spellcheck: "false", "aria-describedby": `${id}-hint` });
  editor.value = text;
  return {
    node: element("div", { class: "field" }, element("label", { for: id }, name), editor, element("p", { class: "hint", id: `${id}-hint` }, hint)),
    clear() { editor.value = text; },
    json() {
      try {
        JSON.parse(editor.value);
      } catch (error) {
        // Python's words for what JSON lacks are taken by the server, so they are left to it.
        if (!/\b(NaN|-?Infinity)\b/.test(editor.value)) throw new Error(`${name} is no JSON: ${error.message}`);
      }
      return editor.value;
    },
  };
}

/** A row of one number is a number to whoever types it. */
const wrapped = (field) => ({ ...field, json: () => `[${field.json()}]` });

function scalarField(input) {
  const id = `field-${input.name}`;
  const types = { text: "text", picture: "text", boolean: "checkbox", integer: "text", fraction: "text" };
  const modes = { integer: "numeric", fraction: "decimal" };
  const entry = element("input", { id, type: types[input.kind], inputmode: modes[input.kind] ?? false, "aria-describedby": `${id}-hint` });
  return {
    node: element("div", { class: "field" }, element("label", { for: id }, input.name), entry, element("p", { class: "hint", id: `${id}-hint` }, input.dtype)),
    clear() { entry.value = ""; entry.checked = false; },
    json() {
      if (input.kind === "boolean") return String(entry.checked);
      if (input.kind === "text") return JSON.stringify(entry.value);
      const text = entry.value.trim();
      const pattern = input.kind === "integer" ? /^-?\d+$/ : /^-?(\d+\.?\d*([eE][-+]?\d+)?|Infinity)$|^NaN$/;
      if (!pattern.test(text)) throw new Error(`${input.name} must be ${input.kind === "integer" ? "a whole number" : "a number"}, got "${text}".`);
      return text;
    },
  };
}

function example(input, rest) {
  const leaf = { text: "", picture: "", boolean: false }[input.kind] ?? 0;
  const nest = (sizes) => sizes.length === 0 ? leaf : Array.from({ length: Math.min(sizes[0] ?? 1, 1024) }, () => nest(sizes.slice(1)));
  return JSON.stringify(nest(rest ?? []));
}

export function shapeText(shape) {
  return shape === null ? "any" : `[${shape.map((size) => size ?? "any").join(", ")}]`;
}
