/* The instruments and rooms that come with the page. Each is fetched once; all are, in the end, so that the page needs
   its server no longer. */

import { readInstrument } from "./instrument.js";
import { readRoom } from "./room.js";

/** A file beside this one. */
export async function fetchBytes(path) {
  const answer = await fetch(new URL(path, import.meta.url));
  if (!answer.ok) throw new Error(`${path} is not there (${answer.status})`);
  return answer.arrayBuffer();
}

async function list(folder, read) {
  const entries = JSON.parse(new TextDecoder().decode(await fetchBytes(`${folder}/index.json`)));
  return entries.map((entry) => {
    let opened = null;
    const open = () => {
      opened ??= fetchBytes(`${folder}/${entry.file}`).then(read);
      opened.catch(() => (opened = null)); // the next try may do better
      return opened;
    };
    return { ...entry, open };
  });
}

/** What retimbre ships: entries of index.json, each with open(). */
export const instruments = () => list("instruments", readInstrument);
export const rooms = () => list("rooms", (bytes) => readRoom(bytes));

/** Fetch the rest, one by one, without hurry. */
export async function fetchAll(items) {
  for (const item of items) await item.open?.().catch(() => {});
}
