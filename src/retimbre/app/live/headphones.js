/* Before the microphone is first opened: a word about loudspeakers. */

import { $ } from "./dom.js";

const KEY = "retimbre headphones";

/** Whether the user wants to go on; asked once. */
export async function headphonesOn() {
  if (stored()) return true;
  const dialog = $("headphones");
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "start") return false;
  try {
    localStorage.setItem(KEY, "asked");
  } catch { /* a browser without storage is asked every time */ }
  return true;
}

function stored() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
