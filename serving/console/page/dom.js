// Elements from plain values. Text only ever becomes a text node: what a model or a stranger says cannot become markup.

export const find = (id) => document.getElementById(id);

/** An element with attributes, properties that start with "on" as listeners, and children (text or elements). */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Show options in a select; keep what was chosen if it is still there. Returns whether it is. */
export function fillSelect(select, options) {
  const chosen = select.value;
  const wanted = options.map(({ value, text }) => `${value}\n${text}`).join("\n\n");
  if (select.dataset.options !== wanted) {
    select.replaceChildren(...options.map(({ value, text }) => element("option", { value }, text)));
    select.dataset.options = wanted;
  }
  const isKept = options.some(({ value }) => value === chosen);
  select.value = isKept ? chosen : options[0]?.value ?? "";
  return isKept;
}
