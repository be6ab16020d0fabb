/* One player for two sounds of one length in time: both run, one is heard, and changing sides keeps the place. */

const PLAY = "M7 4.5v15l13-7.5z", PAUSE = "M6 4.5h4.2v15H6zM13.8 4.5H18v15h-4.2z";
const APART_S = 0.015; // more than this is put right when sides are changed

const players = new WeakMap();

export function mount({ parentElement: root, data }) {
  if (!players.has(root)) players.set(root, new Player(root));
  players.get(root).take(data);
}

export function leave({ parentElement: root }) {
  players.get(root)?.leave();
  players.delete(root);
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

class Player {
  constructor(root) {
    this.root = root;
    this.sounds = { before: new Audio(), after: new Audio() };
    this.$("play").onclick = () => (this.playing ? this.pause() : this.play());
    this.$("place").oninput = ({ target }) => this.seek((target.value / 1000) * this.seconds);
    for (const radio of root.querySelectorAll("[name=side]")) radio.onchange = () => this.change();
    root.querySelector(".player").onkeydown = (event) => this.#key(event);
    for (const sound of Object.values(this.sounds)) {
      sound.preload = "metadata";
      sound.ondurationchange = () => this.#show();
      sound.onended = () => sound === this.longest && this.rest();
    }
    this.#other = ({ target }) => target instanceof HTMLAudioElement && this.pause();
    document.addEventListener("play", this.#other, true); // another player of the page has been started
  }

  #other;

  $(id) {
    return this.root.getElementById(id);
  }

  get side() {
    return this.root.querySelector("[name=side]:checked").value;
  }

  get playing() {
    return Object.values(this.sounds).some((sound) => !sound.paused);
  }

  get longest() {
    const { before, after } = this.sounds;
    return (before.duration || 0) > (after.duration || 0) ? before : after;
  }

  get seconds() {
    return this.longest.duration || 0;
  }

  /** New sounds, which go on where the last ones were. */
  take({ of, sounds }) {
    if (sounds.join() === this.taken) return;
    const { playing } = this, at = this.longest.currentTime;
    this.pause();
    [this.of, this.taken] = [of, sounds.join()];
    this.#load();
    if (at) this.sounds.after.addEventListener("loadedmetadata", () => {
      this.seek(Math.min(at, this.seconds));
      if (playing) this.play();
    }, { once: true });
  }

  /** The page's own players know where the sounds lie. */
  #load() {
    for (const [side, sound] of Object.entries(this.sounds)) {
      const source = document.querySelector(`.st-key-${this.of}-${side} audio`)?.src;
      if (source && sound.src !== source) sound.src = source;
    }
  }

  async play() {
    this.#load();
    document.querySelectorAll("audio").forEach((one) => one.pause());
    if (this.longest.ended) this.seek(0);
    this.change();
    await Promise.all(Object.values(this.sounds).filter((sound) => !sound.ended).map((sound) => sound.play().catch(() => {})));
    this.change();
    this.#tick();
  }

  pause() {
    Object.values(this.sounds).forEach((sound) => sound.pause());
    this.#show();
  }

  rest() {
    this.pause();
    dispatchEvent(new CustomEvent("retimbre-time", { detail: null }));
  }

  seek(seconds) {
    for (const sound of Object.values(this.sounds)) sound.currentTime = Math.min(seconds, sound.duration || 0);
    this.#show();
    dispatchEvent(new CustomEvent("retimbre-time", { detail: seconds }));
  }

  /** Hear the side that is chosen, where the other one is. */
  change() {
    const heard = this.sounds[this.side], other = this.sounds[this.side === "before" ? "after" : "before"];
    if (!other.paused && Math.abs(heard.currentTime - other.currentTime) > APART_S) heard.currentTime = Math.min(other.currentTime, heard.duration || 0);
    Object.assign(other, { muted: true });
    Object.assign(heard, { muted: false });
  }

  #key(event) {
    const key = event.key.toLowerCase(), onButton = event.target.id === "play";
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (key === "x") {
      this.root.querySelector("[name=side]:not(:checked)").checked = true;
      this.change();
    } else if (key === " " && !onButton) this.$("play").click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #tick() {
    if (!this.playing) return;
    this.#show();
    dispatchEvent(new CustomEvent("retimbre-time", { detail: this.longest.currentTime }));
    requestAnimationFrame(() => this.#tick());
  }

  #show() {
    const { playing, seconds } = this, at = this.longest.currentTime || 0, button = this.$("play"), range = this.$("place");
    button.querySelector("path").setAttribute("d", playing ? PAUSE : PLAY);
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
    range.value = seconds ? (1000 * at) / seconds : 0;
    range.setAttribute("aria-valuetext", `${clock(at)} of ${clock(seconds)}`);
    this.$("clock").textContent = `${clock(at)} / ${clock(seconds)}`;
  }

  leave() {
    this.pause();
    document.removeEventListener("play", this.#other, true);
    Object.values(this.sounds).forEach((sound) => sound.removeAttribute("src"));
    dispatchEvent(new CustomEvent("retimbre-time", { detail: null }));
  }
}
