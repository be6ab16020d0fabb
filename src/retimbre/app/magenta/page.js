/* The page: what to play, with what, and three players to compare. */

import { Choices } from "./choices.js";
import { $, make, say } from "./dom.js";
import { decode, features, SAMPLE_RATE } from "./features.js";
import { HOSTED, library, longest, open, play } from "./magenta.js";
import { Take } from "./record.js";

const LONGEST_S = 30; // Magenta.js needs memory for all of it at once

const asked = new URLSearchParams(location.search);
const spoken = (name) => name.replaceAll("_", " ");
let bundle, wasm, clip, chosen;

async function fetched(path, what) {
  const answer = await fetch(path).catch(() => null);
  if (!answer?.ok) throw new Error(`${what} is not there`);
  return answer;
}

async function load() {
  document.documentElement.classList.toggle("framed", window.parent !== window);
  if (!asked.get("clip")) return say("Which clip? This page is opened with one, as index.html?clip=…&instrument=….", "problem");
  bundle = await (await fetched("bundle.json", "bundle.json")).json();
  wasm = await (await fetched("engine.wasm", "the engine")).arrayBuffer();
  clip = await decode(await (await fetched(asked.get("clip"), "the clip")).arrayBuffer());
  $("clip").src = asked.get("clip");
  if (asked.get("ours")) {
    $("engine").src = asked.get("ours");
    $("engine-row").hidden = false;
  }
  $("package").textContent = bundle.package;
  const { host } = new URL(bundle.src, location.href);
  if (host !== location.host) $("fetches").textContent = `Fetches Magenta.js (2.5 MB) from ${host}; until then no other host is asked for anything.`;
  await fillChoices();
  $("play").addEventListener("click", render);
  $("play").disabled = !chosen;
  say("Ready.");
}

async function fillChoices() {
  const choose = (item) => (chosen = item);
  const ours = new Choices($("ours"), "instrument", choose), theirs = new Choices($("theirs"), "instrument", choose);
  const octave = asked.has("octave") ? Number(asked.get("octave")) : null;
  for (const folder of asked.getAll("instrument").map((path) => path.replace(/\/$/, ""))) {
    const about = await (await fetched(`${folder}/about.json`, "the instrument")).json();
    ours.add({ name: spoken(about.name), hint: "of retimbre, exported", description: about.license, folder, octave });
  }
  for (const { name, folder } of HOSTED) theirs.add({ name: spoken(name), hint: "of Magenta", folder });
  $("ours").hidden = !ours.items.length;
  chosen = ours.items[0] ?? theirs.items[0];
  (ours.items.length ? ours : theirs).check(chosen);
}

async function render() {
  const item = chosen;
  $("play").disabled = true;
  let instrument;
  try {
    say("Fetching Magenta.js …");
    const mm = await library(bundle);
    say(`Magenta.js learns the ${item.name} …`);
    instrument = await open(mm, item.folder);
    const sounding = clip.subarray(0, Math.min(longest(instrument), LONGEST_S * SAMPLE_RATE));
    const heard = features(wasm, sounding);
    if (!heard) throw new Error("no note is heard in the clip");
    say("Magenta.js plays. This takes some seconds, in which the page stands still …");
    await new Promise((resolve) => setTimeout(resolve, 50)); // so that the line is seen
    show(item, await play(instrument, heard, item.octave), sounding.length < clip.length);
  } catch (error) {
    say(`That did not work: ${error.message}.`, "problem");
    console.warn(error);
  }
  instrument?.dispose();
  $("play").disabled = false;
}

function show(item, { samples, sampleRate, seconds, spent }, cut) {
  const take = new Take(sampleRate);
  take.add(samples);
  for (const old of $("played").children) delete old.dataset.fresh;
  const hint = `${seconds.toFixed(1)} s in ${spent.toFixed(1)} s${cut ? ", the beginning" : ""}`;
  const src = URL.createObjectURL(take.wav()), player = make("audio", { controls: true, src });
  const save = make("a", { href: src, download: `${item.name}, Magenta.js.wav` }, "save");
  const title = make("span", {}, `Magenta.js, ${item.name}`, make("small", {}, hint, ", ", save));
  $("played").prepend(make("label", { className: "heard", data: { fresh: "" } }, title, player));
  say(`The ${item.name} is ready to be heard.`, "good");
}

load().catch((error) => say(`The page cannot be used: ${error.message}.`, "problem"));
