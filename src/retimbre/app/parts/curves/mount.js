/* How Streamlit puts the editor into a page: once, and then it is given new curves with every answer. */

import { Editor } from "./editor.js";

const editors = new WeakMap();

export function mount({ parentElement: root, data, setStateValue }) {
  if (!editors.has(root)) editors.set(root, new Editor(root, (text) => editors.get(root).send(text)));
  const editor = editors.get(root);
  editor.send = (text) => setStateValue("drawn", text);
  editor.lay(data);
}

export function leave({ parentElement: root }) {
  editors.get(root)?.leave();
  editors.delete(root);
}
