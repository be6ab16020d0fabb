/* Making and finding elements. Text is always set as text, so names from files cannot become markup. */

export const $ = (id) => document.getElementById(id);

/** An element with properties and children (elements or text). */
export function make(tag, properties = {}, ...children) {
  const { data = {}, aria = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(name === "role" ? name : `aria-${name}`, value);
  element.append(...children);
  return element;
}

/** Say something in the line that screen readers follow; kind: "", "good" or "problem". */
export function say(text, kind = "") {
  const line = $("status");
  if (line.textContent !== text) line.textContent = text;
  line.dataset.kind = kind;
}
