/* The page: puts its parts together and answers the user. */

import { Choices } from "./choices.js";
import { $, here, home, make, say, settle } from "./dom.js";
import { engineBytes } from "./engine.js";
import { bring, spoken, wireFiles } from "./files.js";
import { headphonesOn } from "./headphones.js";
import { microphones, readSound } from "./input.js";
import { readInstrument } from "./instrument.js";
import { Keys } from "./keys.js";
import { noteName } from "./notes.js";
import { Player } from "./player.js";
import { ENGINE_FAILED, HELD_BACK, HOWL, INTERRUPTED, missing } from "./problems.js";
import { Recorder } from "./recorder.js";
import { readRoom } from "./room.js";
import { FileError } from "./safetensors.js";
import { Problem, Session } from "./session.js";
import { fetchAll, instruments, rooms } from "./shelf.js";
import { Sliders } from "./sliders.js";
import { Stage } from "./stage.js";

const asked = new URLSearchParams(location.search); // ?instrument=flute&room=hall
const FIRST = "cello.safetensors";
const SOUND_RATE = 48_000; // at which a user's file is kept
const HELD_BACK_MS = 1500; // after which a context that does not run is not going to
const PLAYING = { microphone: "Listening: hum, sing or whistle.", file: "Playing the file.", keyboard: "Play the keys." };

let player, session, sliders, stage, keys, instrumentList, roomList;
let busy = false; // starting or stopping

async function load() {
  let wasm;
  try {
    wasm = await engineBytes();
  } catch (error) {
    return say(`The page is not complete: ${error.message}. Load it again, or export it anew with \`retimbre serve\`.`, "problem");
  }
  const why = missing(wasm);
  if (why) return say(why, "problem");
  player = new Player(wasm);
  session = new Session(player, { said: say, howled: () => say(HOWL, "problem") });
  sliders = new Sliders($("sliders"), (settings) => session.set(settings));
  session.set(sliders.settings());
  stage = new Stage(session, player, sliders);
  keys = new Keys(session, toggle);
  new Recorder(player);
  wire();
  await fillShelves();
}

async function fillShelves() {
  instrumentList = new Choices($("instruments"), "instrument", chooseInstrument);
  roomList = new Choices($("rooms"), "room", chooseRoom);
  roomList.add({ name: "none", hint: "as dry as the instrument", open: async () => null }, true);
  try {
    const entries = await instruments(), named = `${asked.get("instrument")}.safetensors`;
    const wished = entries.some(({ file }) => file === named) ? named : FIRST;
    for (const entry of entries) {
      const hint = `${noteName(entry.low)}–${noteName(entry.high)}`;
      instrumentList.add({ ...entry, name: spoken(entry.name), hint }, entry.file === wished);
    }
    for (const entry of await rooms()) {
      const about = `Fitted to the ${entry.fitted_to}; ${entry.author}, ${entry.license}.`;
      const item = roomList.add({ ...entry, name: spoken(entry.name), hint: entry.description, about });
      if (entry.file === `${asked.get("room")}.wav`) roomList.check(item);
    }
    const first = instrumentList.items.find(({ radio }) => radio.checked) ?? instrumentList.items[0];
    instrumentList.check(first);
    await chooseInstrument(first);
    await chooseRoom(roomList.items.find(({ radio }) => radio.checked));
    await player.prepare().catch(() => {}); // starting tries again, and says why
    say("Ready. Press Start, then hum.");
  } catch (error) {
    say(`The instruments cannot be loaded (${error.message}). Load the page again, or open one of your own.`, "problem");
  }
  $("start").disabled = $("example").disabled = false;
  setTimeout(() => fetchAll([...instrumentList.items, ...roomList.items]), 1000);
}

/* ---- starting and stopping ---- */

async function toggle() {
  if (busy) return;
  busy = true;
  $("start").setAttribute("aria-busy", "true");
  try {
    if (session.running) await stop();
    else await start();
  } catch (error) {
    complain(error);
  }
  busy = false;
  $("start").removeAttribute("aria-busy");
  showRunning();
}

async function start() {
  if (session.input === "microphone" && !(await headphonesOn())) return;
  say("Starting …");
  await session.start();
  stage.pitch.clear();
  say(PLAYING[session.input], "good");
  setTimeout(() => session.running && player.context.state === "suspended" && say(HELD_BACK, "problem"), HELD_BACK_MS);
  if (session.input === "microphone") listDevices();
}

async function stop() {
  await session.stop();
  say("Stopped.");
}

function showRunning() {
  $("start-text").textContent = session.running ? "Stop" : "Start";
  $("record").disabled = !session.running;
  stage.refresh();
}

function complain(error) {
  if (error instanceof Problem || error instanceof FileError) return say(error.message, "problem");
  say(`That did not work (${error.message}). Load the page again; if it stays so, use another browser.`, "problem");
  console.warn(error);
}

/* ---- what is chosen ---- */

async function chooseInput(input) {
  home.querySelector(`[name=input][value=${input}]`).checked = true;
  for (const part of home.querySelectorAll("[data-input]")) part.hidden = part.dataset.input !== input;
  keys.wake(input === "keyboard");
  try {
    if (input === "microphone" && session.running && !(await headphonesOn())) await stop();
    await session.choose(input);
    if (session.running) say(PLAYING[input], "good");
  } catch (error) {
    complain(error);
  }
  showRunning();
}

async function chooseInstrument(item) {
  try {
    const instrument = await item.open();
    if (!item.radio.checked) return; // the user was faster
    session.setInstrument(instrument);
    stage.layout(instrument);
    keys.piano.suit(instrument.low, instrument.high);
    $("promise").textContent = item.name;
    $("article").textContent = /^[aeiou]/i.test(item.name) ? "an" : "a";
    const { description, authors, license } = instrument, by = authors && `Recordings: ${authors}`;
    $("about").textContent = [description, by, license].filter(Boolean).join(". ");
  } catch (error) {
    complain(new FileError(`${item.name}: ${error.message}`));
  }
}

async function chooseRoom(item) {
  try {
    const room = await item.open();
    if (!item.radio.checked) return;
    $("room-about").textContent = item.about ?? "";
    await session.setRoom(room);
  } catch (error) {
    complain(new FileError(`${item.name}: ${error.message}`));
  }
}

async function bringSound(file) {
  try {
    say(`Opening ${file.name} …`);
    session.sound = await readSound(file, SOUND_RATE);
    $("sound-name").textContent = file.name;
    await chooseInput("file");
    if (!session.running) say(`${file.name}: press Start.`, "good");
  } catch (error) {
    complain(new FileError(`${file.name}: ${error.message}`));
  }
}

async function listDevices() {
  const select = $("device"), found = await microphones();
  const options = found.map(({ id, name }) => make("option", { value: id }, name));
  select.replaceChildren(make("option", { value: "" }, "The usual one"), ...options);
  select.value = found.some(({ id }) => id === session.device) ? session.device : "";
}

/* ---- events ---- */

function wire() {
  player.addEventListener("report", ({ detail }) => {
    if (!session.running) return;
    stage.hear(detail);
    session.watch(detail.meters, player.context.currentTime);
  });
  player.addEventListener("failed", () => say(ENGINE_FAILED, "problem"));
  player.addEventListener("state", ({ detail }) => detail === "interrupted" && say(INTERRUPTED, "problem"));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && session.running && player.context.state !== "running") player.context.resume();
  }, here());
  $("start").addEventListener("click", toggle);
  $("example").addEventListener("click", async () => {
    await chooseInput("file");
    if (!session.running) await toggle();
    $("start").focus();
  });
  $("inputs").addEventListener("change", ({ target }) => target.name === "input" && chooseInput(target.value));
  $("device").addEventListener("change", ({ target }) => {
    session.device = target.value;
    chooseInput("microphone");
  });
  navigator.mediaDevices?.addEventListener("devicechange", listDevices, here());
  $("loop").addEventListener("change", ({ target }) => session.repeat(target.checked));
  $("fit").addEventListener("change", ({ target }) => session.set({ fit: target.checked ? 1 : 0 }));
  $("reset").addEventListener("click", () => {
    $("fit").checked = true;
    session.set({ fit: 1 });
    sliders.reset();
  });
  wireFiles({
    sound: bringSound,
    instrument: bringInstrument,
    room: (file) => bring(file, roomList, (bytes) => readRoom(bytes, { own: true }), chooseRoom),
  });
}

/** An instrument of the user's joins the list; it plays, unless it shall only be there. */
export function bringInstrument(file, chosen = true) {
  return bring(file, instrumentList, readInstrument, chooseInstrument, chosen);
}

/** Bring a page to life that lies in the document, or in a shadow root. */
export function open(root) {
  settle(root);
  return load();
}

/** Fall silent, and let go of all but the elements. */
export async function close() {
  const root = home, closing = player;
  await session?.stop();
  await closing?.context?.close();
  if (home === root) settle(document); // unless it was opened anew meanwhile
}
