/* Making and finding elements. Text is always set as text, so names from files cannot become markup. */

/** Where the page lies: the document, or the shadow root that holds it in another page. */
export let home = document;
let leaving = new AbortController();

/** Lie there from now on; listeners with the signal of `here` are gone. */
export function settle(root) {
  leaving.abort();
  leaving = new AbortController();
  home = root;
}

/** For listeners beyond the page's own elements: they end with the page. */
export const here = () => ({ signal: leaving.signal });

export const $ = (id) => home.getElementById(id);

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
