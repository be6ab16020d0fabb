/* The page as a part of another one: in a shadow root, so that neither style reaches into the other. */

import { bringInstrument, close, open } from "./page.js";

const beside = (path) => new URL(path, import.meta.url).href;

const FITTED = `:host { display: block; background: transparent; font-family: var(--st-font, inherit); } .page { padding: 0; max-width: none; } .top { display: none; }`;

/** Fill a shadow root with the page; what it returns takes the page out again.
    own: { name, data: a .safetensors in base64, chosen: whether it plays }, or null. */
export async function embed(root, own = null) {
  const answer = await fetch(beside("index.html"));
  const { body } = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const image of body.querySelectorAll("img")) image.src = beside(image.getAttribute("src"));
  const page = document.createElement("div"), style = document.createElement("link"), fitted = document.createElement("style");
  Object.assign(page, { id: body.id, className: body.className });
  page.append(...body.childNodes);
  fitted.textContent = FITTED;
  const styled = new Promise((resolve) => Object.assign(style, { rel: "stylesheet", href: beside("style.css"), onload: resolve }));
  root.append(style, fitted);
  await styled; // canvases read their colours from it
  root.append(page);
  await open(root);
  if (own) await bringInstrument(new File([Uint8Array.from(atob(own.data), (c) => c.charCodeAt(0))], own.name), own.chosen);
  return async () => {
    await close();
    for (const element of [style, fitted, page]) element.remove();
  };
}
