/* Players: a button beside each picture, and the picture itself to move about in. One plays at a time; pressed while its
   counterpart plays, a player goes on where that one was. A classic script, so that it also runs from a folder.

   Sounds are fetched whole once they come into view: from servers that give no parts of files, such as Python's own,
   browsers cannot play from the middle. */

(() => {
  "use strict";
  const players = [];

  function make(name, attributes) {
    return Object.assign(document.createElement(name), attributes);
  }

  class Player {
    constructor(side) {
      this.sound = side.querySelector("audio");
      this.card = side.closest("article");
      this.seconds = Number(side.dataset.seconds);
      const name = this.sound.getAttribute("aria-label");
      this.button = make("button", { type: "button", ariaLabel: `Play: ${name}`, ariaPressed: "false" });
      this.place = make("input", { type: "range", min: 0, max: this.seconds, step: 0.01, value: 0, ariaLabel: `Position: ${name}` });
      this.show();
      this.button.addEventListener("click", () => (this.sound.paused ? this.play() : this.sound.pause()));
      this.place.addEventListener("input", () => this.seek(Number(this.place.value)));
      this.place.addEventListener("keydown", (event) => this.step(event));
      for (const type of ["play", "pause", "ended"]) this.sound.addEventListener(type, () => this.changed());
      this.sound.addEventListener("error", () => this.button.setAttribute("aria-label", `Cannot be played: ${name}`));
      this.sound.controls = false;
      side.querySelector("figure").append(this.place);
      side.prepend(this.button);
      side.classList.add("ready");
    }

    async load() {
      const answer = await fetch(this.sound.src), sound = answer.ok && (await answer.blob());
      if (!sound || this.sound.currentTime || !this.sound.paused) return; // it has been faster
      const place = Number(this.place.value);
      this.sound.src = URL.createObjectURL(sound);
      if (place) this.seek(place);
    }

    play() {
      const before = players.find((other) => other !== this && !other.sound.paused);
      before?.sound.pause();
      if (before?.card === this.card) this.seek(before.sound.currentTime);
      this.sound.play().catch(() => {});
    }

    seek(time) {
      const end = Number.isFinite(this.sound.duration) ? this.sound.duration : this.seconds;
      this.sound.currentTime = Math.min(time, Math.max(0, end - 0.05));
      this.show();
    }

    /** The step of the arrows: a second; that of the mouse is finer. */
    step(event) {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.seek(Math.max(0, this.sound.currentTime + by));
    }

    changed() {
      const plays = !this.sound.paused && !this.sound.ended;
      this.button.setAttribute("aria-pressed", String(plays));
      if (plays) requestAnimationFrame(() => this.follow());
      this.show();
    }

    follow() {
      this.show();
      if (!this.sound.paused) requestAnimationFrame(() => this.follow());
    }

    show() {
      const time = this.sound.currentTime;
      this.place.value = time;
      this.place.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${this.seconds.toFixed(1)} seconds`);
    }
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      for (const player of players) if (player.card === target) player.load().catch(() => {}); // it plays all the same
    }
  }, { rootMargin: "200px" });
  for (const side of document.querySelectorAll(".side")) players.push(new Player(side));
  if (location.protocol !== "file:") for (const { card } of players) seen.observe(card);
})();
