/* The page: puts the parts together and answers the user. */

import { Choices } from "./choices.js";
import { $, make, say } from "./dom.js";
import { microphones, readSound } from "./input.js";
import { readInstrument } from "./instrument.js";
import { Level } from "./levels.js";
import { openMidi } from "./midi.js";
import { centsText, midiOf, noteName } from "./notes.js";
import { Piano } from "./piano.js";
import { PitchView } from "./pitchview.js";
import { Player } from "./player.js";
import { ENGINE_FAILED, HELD_BACK, HOWL, INTERRUPTED, missing } from "./problems.js";
import { Take } from "./record.js";
import { readRoom } from "./room.js";
import { FileError } from "./safetensors.js";
import { Problem, Session } from "./session.js";
import { fetchAll, fetchBytes, instruments, rooms } from "./shelf.js";
import { Sliders } from "./sliders.js";
import { SpectrumView } from "./spectrumview.js";
import { METER } from "./stream.js";

const FIRST = "cello.safetensors";
const SOUND_RATE = 48_000; // at which a user's file is kept
const UNLOCK_MS = 1500; // after which a context that does not run is held back

let player, session, sliders, piano, pitch, spectrum, levels, take = null, newest = null, busy = false;
const lists = {};

async function load() {
  let wasm;
  try {
    wasm = await fetchBytes("engine.wasm");
  } catch (error) {
    return say(`The page is not complete: ${error.message}. Load it again, or export it again with \`retimbre serve --export\`.`, "problem");
  }
  const why = missing(wasm);
  if (why) return say(why, "problem");
  player = new Player(wasm);
  session = new Session(player, { said: say, howled: () => say(HOWL, "problem") });
  pitch = new PitchView($("pitch"));
  spectrum = new SpectrumView($("spectrum"));
  levels = { input: new Level($("in-meter"), $("in-level")), output: new Level($("out-meter"), $("out-level")) };
  sliders = new Sliders($("sliders"), (settings) => session.set(settings));
  session.set(sliders.settings());
  piano = new Piano($("piano"), { play: playKey, moved: (low, high) => ($("keys-range").textContent = `${noteName(low)} to ${noteName(high)}`) });
  wire();
  await fillShelves();
}

async function fillShelves() {
  lists.instruments = new Choices($("instruments"), "instrument", chooseInstrument);
  lists.rooms = new Choices($("rooms"), "room", chooseRoom);
  lists.rooms.add({ name: "None: dry", open: async () => null }, true);
  try {
    for (const entry of await instruments()) {
      lists.instruments.add({ ...entry, hint: `${noteName(entry.low)}–${noteName(entry.high)}` }, entry.file === FIRST);
    }
    for (const entry of await rooms()) lists.rooms.add(entry);
    const { items } = lists.instruments;
    const first = items.find(({ radio }) => radio.checked) ?? items[0];
    lists.instruments.check(first);
    await chooseInstrument(first);
  } catch (error) {
    return say(`The instruments cannot be loaded (${error.message}). Load the page again, or open one of your own.`, "problem");
  } finally {
    $("start").disabled = false;
  }
  say("Ready. Press Start, then hum.");
  requestIdleCallback?.(() => fetchAll([...lists.instruments.items, ...lists.rooms.items]));
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
  } finally {
    busy = false;
    $("start").removeAttribute("aria-busy");
    showRunning();
  }
}

async function start() {
  if (session.input === "microphone" && !(await headphonesOn())) return;
  say("Starting …");
  await session.start();
  pitch.clear();
  say({ microphone: "Listening: hum, sing or whistle.", file: "Playing the file.", keyboard: "Play the keys." }[session.input], "good");
  setTimeout(() => player.context?.state === "suspended" && say(HELD_BACK, "problem"), UNLOCK_MS);
  if (session.input === "microphone") listDevices();
  requestAnimationFrame(draw);
}

async function stop() {
  await session.stop();
  newest = null;
  finishTake();
  levels.input.clear();
  levels.output.clear();
  say("Stopped.");
}

/** Ask once whether the microphone can hear the loudspeakers. */
async function headphonesOn() {
  const key = "retimbre headphones";
  try {
    if (localStorage.getItem(key)) return true;
  } catch { /* no storage: ask every time */ }
  const dialog = $("headphones");
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "start") return false;
  try {
    localStorage.setItem(key, "asked");
  } catch { /* as above */ }
  return true;
}

function complain(error) {
  if (error instanceof Problem || error instanceof FileError) say(error.message, "problem");
  else {
    say(`That did not work (${error.message}). Load the page again; if it stays so, use another browser.`, "problem");
    console.warn(error);
  }
}

function showRunning() {
  const { running } = session;
  document.body.classList.toggle("running", running);
  $("start-text").textContent = running ? "Stop" : "Start";
  $("record").disabled = !running;
  showLatency();
}

/* ---- what is chosen ---- */

async function chooseInput(input) {
  for (const part of document.querySelectorAll("[data-input]")) part.hidden = part.dataset.input !== input;
  $("keys").hidden = input !== "keyboard";
  piano.wake(input === "keyboard");
  try {
    if (input === "microphone" && session.running && !(await headphonesOn())) {
      await session.choose(input);
      await stop();
    } else {
      await session.choose(input);
    }
    if (session.running) say({ microphone: "Listening.", file: "Playing the file.", keyboard: "Play the keys." }[input], "good");
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
    spectrum.layout(instrument.harmonics, instrument.noiseBandHz);
    if (!session.running) pitch.look(Math.min(Math.max(60, instrument.low + 12), instrument.high - 12));
    $("promise").textContent = instrument.name.replaceAll("_", " ");
    $("article").textContent = /^[aeiou]/i.test(instrument.name) ? "an" : "a";
    $("about").textContent = [instrument.description, instrument.license].filter(Boolean).join(". ");
    draw();
  } catch (error) {
    complain(new FileError(`${item.name}: ${error.message}`));
  }
}

async function chooseRoom(item) {
  try {
    const room = await item.open();
    if (item.radio.checked) await session.setRoom(room);
  } catch (error) {
    complain(new FileError(`${item.name}: ${error.message}`));
  }
}

/** A user's own instrument or room joins its list and is chosen; what is wrong with it is said, and nothing changes. */
async function bring(file, list, read, choose) {
  const before = list.items.find(({ radio }) => radio.checked);
  try {
    if (file.size > 64 << 20) throw new FileError("it is larger than 64 MB");
    const found = await read(await file.arrayBuffer());
    const name = (found.name ?? file.name.replace(/\.[^.]*$/, "")).replaceAll("_", " ").slice(0, 40) || "yours";
    const old = list.items.find((item) => item.own && item.name === name);
    if (old) list.remove(old);
    const item = list.add({ name, hint: "yours", own: true, open: async () => found });
    list.check(item);
    await choose(item);
    say(`${name} is chosen.`, "good");
  } catch (error) {
    if (before) list.check(before);
    complain(new FileError(`${file.name}: ${error instanceof FileError ? error.message : "it cannot be read"}`));
  }
}

const bringInstrument = (file) => bring(file, lists.instruments, readInstrument, chooseInstrument);
const bringRoom = (file) => bring(file, lists.rooms, (bytes) => readRoom(bytes, { own: true }), chooseRoom);

async function bringSound(file) {
  try {
    say(`Opening ${file.name} …`);
    session.sound = await readSound(file, SOUND_RATE);
    $("sound-name").textContent = file.name;
    document.querySelector("[name=input][value=file]").checked = true;
    await chooseInput("file");
    if (!session.running) say(`${file.name}: press Start.`, "good");
  } catch (error) {
    complain(new FileError(`${file.name}: ${error.message}`));
  }
}

/* ---- keys ---- */

async function playKey(key, down) {
  if (down && !session.running) {
    await toggle();
    if (![...piano.holders.values()].includes(key)) return; // let go meanwhile
  }
  session.midi(down ? 0x90 : 0x80, key, down ? $("touch").valueAsNumber : 0);
}

async function connectMidi() {
  const hear = (status, data1, data2) => {
    if (session.input !== "keyboard") return;
    session.midi(status, data1, data2);
    if (status >> 4 === 9 || status >> 4 === 8) piano.show(data1, status >> 4 === 9 && data2 > 0);
  };
  try {
    const there = await openMidi(hear, (names) => ($("midi").textContent = names.length ? `MIDI: ${names.join(", ")}.` : "No MIDI keyboard is plugged in."));
    if (!there) $("midi").textContent = "This browser has no MIDI; Chrome, Edge and Firefox have.";
  } catch {
    $("midi").textContent = "MIDI is not allowed; click the sign beside the address and allow it.";
  }
  $("connect-midi").disabled = true;
}

/* ---- recording ---- */

function toggleRecord() {
  if (take) player.send({ record: false });
  else {
    take = new Take(player.context.sampleRate);
    $("download").hidden = true;
    player.send({ record: true });
  }
  showTake();
}

function showTake() {
  $("record").classList.toggle("on", Boolean(take));
  $("record-text").textContent = take ? `Stop recording ${clock(take.seconds)}` : "Record";
}

function finishTake() {
  if (take?.samples) {
    const link = $("download"), stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    if (link.href) URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(take.wav());
    link.download = `retimbre-${stamp}.wav`;
    link.textContent = `Save again (${clock(take.seconds)})`;
    link.hidden = false;
    link.click();
  }
  take = null;
  showTake();
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/* ---- what is heard and played ---- */

function hearReport(report) {
  newest = report;
  pitch.add(report.frames, report.count);
  session.watch(report.meters, player.context.currentTime);
}

function draw() {
  if (newest && session.running) showReport(newest);
  pitch.draw();
  spectrum.draw();
  if (session.running) requestAnimationFrame(draw);
}

function showReport({ meters, parameters, load }) {
  const { settings } = session.wishes, time = player.context.currentTime;
  levels.input.set(meters[METER.input_peak], time);
  levels.output.set(meters[METER.output_peak], time);
  if (parameters) spectrum.set(parameters, settings.harmonic_gain, settings.noise_gain);
  const sounds = !Number.isNaN(pitch.last), midi = midiOf(meters[METER.f0_hz]);
  $("note").textContent = sounds ? noteName(midi) : "–";
  $("cents").textContent = sounds ? centsText(midi) : "";
  const octave = meters[METER.octave], keys = session.input === "keyboard";
  sliders.tell({ octave: keys ? "" : `: ${octave > 0 ? "+" : octave < 0 ? "−" : ""}${Math.abs(octave)}`, gate: keys ? "" : `: ${Math.round(meters[METER.gate_db])} dB`.replace("-", "−") });
  if (Math.floor(time) !== draw.second) {
    draw.second = Math.floor(time);
    showLatency();
    $("load").textContent = `Work: ${(100 * load).toFixed(0)} % of the time there is.`;
  }
  newest = null;
}

function showLatency() {
  if (!session.running) {
    $("latency").textContent = "Your sound stays on this device: nothing is sent anywhere.";
    $("load").textContent = "";
    return;
  }
  const { engine, block, output, total } = player.latency(), ms = (value) => value.toFixed(0);
  $("latency").textContent = `Delay ${ms(total)} ms: engine ${ms(engine)}, block ${ms(block)}, output ${ms(output)} (as the browser says); `
    + "the microphone's own comes on top.";
}

async function listDevices() {
  const select = $("device"), found = await microphones();
  select.replaceChildren(make("option", { value: "" }, "The usual one"), ...found.map(({ id, name }) => make("option", { value: id }, name)));
  select.value = found.some(({ id }) => id === session.device) ? session.device : "";
}

/* ---- events ---- */

function wire() {
  player.addEventListener("report", ({ detail }) => session.running && hearReport(detail));
  player.addEventListener("failed", () => say(ENGINE_FAILED, "problem"));
  player.addEventListener("state", ({ detail }) => {
    if (detail === "interrupted") say(INTERRUPTED, "problem");
  });
  player.addEventListener("recorded", ({ detail: { samples, last } }) => {
    take?.add(samples);
    showTake();
    if (last) finishTake();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && session.running && player.context.state !== "running") player.context.resume();
  });
  $("start").addEventListener("click", toggle);
  $("record").addEventListener("click", toggleRecord);
  $("inputs").addEventListener("change", ({ target }) => target.name === "input" && chooseInput(target.value));
  $("device").addEventListener("change", ({ target }) => {
    session.device = target.value;
    chooseInput("microphone");
  });
  navigator.mediaDevices?.addEventListener("devicechange", listDevices);
  $("loop").addEventListener("change", ({ target }) => {
    session.loop = target.checked;
    if (player.source && "loop" in player.source) player.source.loop = target.checked;
  });
  $("fit").addEventListener("change", ({ target }) => session.set({ fit: target.checked ? 1 : 0 }));
  $("reset").addEventListener("click", () => {
    $("fit").checked = true;
    session.set({ fit: 1 });
    sliders.reset();
  });
  $("lower").addEventListener("click", () => piano.shift(-1));
  $("higher").addEventListener("click", () => piano.shift(1));
  $("connect-midi").addEventListener("click", connectMidi);
  for (const [button, field, take] of [["open-sound", "sound-file", bringSound], ["open-instrument", "instrument-file", bringInstrument], ["open-room", "room-file", bringRoom]]) {
    $(button).addEventListener("click", () => $(field).click());
    $(field).addEventListener("change", ({ target }) => {
      if (target.files[0]) take(target.files[0]);
      target.value = "";
    });
  }
  wireDrop();
}

/** Files are recognised by their names; a .wav on the list of rooms is a room. */
function wireDrop() {
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (shown) => ($("drop").hidden = !shown);
  addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    show(true);
  });
  addEventListener("dragleave", (event) => !event.relatedTarget && show(false));
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    show(false);
    const [file] = event.dataTransfer.files, under = document.elementsFromPoint(event.clientX, event.clientY);
    if (!file) return;
    if (/\.safetensors$/i.test(file.name)) bringInstrument(file);
    else if (under.includes($("rooms").closest("fieldset"))) bringRoom(file);
    else if (/^audio\//.test(file.type) || /\.(wav|flac|mp3|ogg|m4a|aiff?)$/i.test(file.name)) bringSound(file);
    else say(`${file.name}: this is neither a sound nor an instrument (.safetensors).`, "problem");
  });
}

load();
