/* What the network plays at this moment, from the synthesiser's own parameters: harmonics as lines, noise as an area. */

import { Surface } from "./canvas.js";

const LOW_HZ = 40, HIGH_HZ = 20_000, TOP_DB = 0, BOTTOM_DB = -90;
const TICKS = [[100, "100 Hz"], [1000, "1 kHz"], [10_000, "10 kHz"]];
const FALL = 0.82; // of what is shown, from one picture to the next
const FOOT = 18; // room for the names of frequencies

export class SpectrumView {
  constructor(canvas) {
    this.surface = new Surface(canvas);
    this.shown = new Float32Array(0);
    this.f0_hz = 0;
    this.bandHz = [];
    this.harmonics = 0;
  }

  /** The layout of an instrument's parameters. */
  layout(harmonics, bandHz) {
    this.harmonics = harmonics;
    this.bandHz = bandHz;
    this.shown = new Float32Array(harmonics + bandHz.length);
  }

  /** f0_hz, amplitudes of harmonics, magnitudes of noise; gains of both. */
  set(parameters, toneGain, noiseGain) {
    if (parameters.length !== 1 + this.shown.length) return;
    this.f0_hz = parameters[0];
    for (let i = 0; i < this.shown.length; i++) {
      const level = parameters[1 + i] * (i < this.harmonics ? toneGain : noiseGain);
      this.shown[i] = Math.max(level, FALL * this.shown[i]);
    }
  }

  clear() {
    this.shown.fill(0);
  }

  x(hz) {
    return this.surface.width * Math.log(hz / LOW_HZ) / Math.log(HIGH_HZ / LOW_HZ);
  }

  y(amplitude) {
    const db = 20 * Math.log10(amplitude + 1e-9);
    return (this.surface.height - FOOT) * Math.min(1, (TOP_DB - db) / (TOP_DB - BOTTOM_DB));
  }

  draw() {
    this.surface.clear();
    this.drawGrid();
    this.drawNoise();
    this.drawHarmonics();
  }

  drawGrid() {
    const { context, colours, width, height } = this.surface, base = height - FOOT;
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    for (const [hz, name] of TICKS) {
      context.fillStyle = colours.grid;
      context.fillRect(Math.round(this.x(hz)), 0, 1, base);
      context.fillStyle = colours.faint;
      context.fillText(name, this.x(hz), height - 4);
    }
    context.fillStyle = colours.grid;
    for (const db of [-30, -60]) context.fillRect(0, Math.round(base * db / BOTTOM_DB), width, 1);
    context.textAlign = "left";
    context.fillStyle = colours.faint;
    for (const db of [-30, -60]) context.fillText(`−${-db} dB`, 6, Math.round(base * db / BOTTOM_DB) - 4);
    context.fillStyle = colours.grid;
    context.fillRect(0, base, width, 1);
  }

  drawNoise() {
    const { context, colours, height } = this.surface, { bandHz, harmonics, shown } = this;
    const points = [...bandHz].map((hz, b) => [this.x(Math.max(hz, LOW_HZ)), this.y(shown[harmonics + b])]);
    if (!points.length) return;
    context.beginPath();
    context.moveTo(0, points[0][1]);
    for (const point of points) context.lineTo(...point);
    context.strokeStyle = context.fillStyle = colours.second;
    context.lineWidth = 1.2;
    context.globalAlpha = 0.75;
    context.stroke();
    context.lineTo(points.at(-1)[0], height - FOOT);
    context.lineTo(0, height - FOOT);
    context.globalAlpha = 0.16;
    context.fill();
    context.globalAlpha = 1;
  }

  drawHarmonics() {
    const { context, colours, height } = this.surface, base = height - FOOT;
    context.strokeStyle = context.fillStyle = colours.accent;
    for (let k = 1; k <= this.harmonics && k * this.f0_hz < HIGH_HZ; k++) {
      const x = this.x(k * this.f0_hz), y = this.y(this.shown[k - 1]);
      if (!(x > 0) || y >= base - 1) continue;
      const gap = this.x((k + 1) * this.f0_hz) - x; // high harmonics lie close
      context.lineWidth = Math.min(2.5, Math.max(0.8, 0.45 * gap));
      context.beginPath();
      context.moveTo(x, base);
      context.lineTo(x, y);
      context.stroke();
      if (gap < 5) continue;
      context.beginPath();
      context.arc(x, y, 2.6, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
