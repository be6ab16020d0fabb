/* What the user brings: sounds, instruments, rooms, by a button or dropped anywhere on the page. */

import { $, here, home, say } from "./dom.js";
import { FileError } from "./safetensors.js";

const MAX_BYTES = 64 << 20;

/** A user's own instrument or room joins its list and, if wanted, is chosen; what is wrong with it is said, and nothing changes.
    read(buffer) gives what the list's items open. */
export async function bring(file, list, read, choose, chosen = true) {
  try {
    if (file.size > MAX_BYTES) throw new FileError("it is larger than 64 MB");
    const found = await read(await file.arrayBuffer());
    const name = spoken(found.name ?? file.name.replace(/\.[^.]*$/, "")).slice(0, 40) || "yours";
    const old = list.items.find((item) => item.own && item.name === name);
    if (old) list.remove(old);
    const item = list.add({ name, hint: "yours", own: true, open: async () => found });
    if (!chosen) return;
    list.check(item);
    await choose(item);
    say(`${name} is chosen.`, "good");
  } catch (error) {
    say(`${file.name}: ${error instanceof FileError ? error.message : "it cannot be read; choose another file"}`, "problem");
  }
}

/** A name without the signs of files. */
export const spoken = (name) => name.replaceAll("_", " ").trim();

/** takers: sound, instrument, room: what to do with a file. */
export function wireFiles(takers) {
  for (const [kind, take] of Object.entries(takers)) {
    const field = $(`${kind}-file`);
    $(`open-${kind}`).addEventListener("click", () => field.click());
    field.addEventListener("change", () => {
      if (field.files[0]) take(field.files[0]);
      field.value = ""; // the same file can be chosen again
    });
  }
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const show = (shown) => ($("drop").hidden = !shown);
  addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(true);
  }, here());
  addEventListener("dragleave", (event) => event.relatedTarget || show(false), here());
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(false);
    const [file] = event.dataTransfer.files;
    if (file) take(file, event, takers);
  }, here());
}

/** Files are recognised by their names; a .json is a room, and so is a .wav on the list of rooms. */
function take(file, event, takers) {
  const onRooms = home.elementsFromPoint(event.clientX, event.clientY).includes($("room-panel"));
  if (/\.safetensors$/i.test(file.name)) takers.instrument(file);
  else if (onRooms || /\.json$/i.test(file.name)) takers.room(file);
  else if (/^audio\//.test(file.type) || /\.(wav|flac|mp3|ogg|opus|m4a|aiff?)$/i.test(file.name)) takers.sound(file);
  else say(`${file.name}: this is neither a sound, nor a room (.json), nor an instrument (.safetensors).`, "problem");
}
