/* A hummed tune to try the page with: nobody's recording, made when it is asked for. */

const TUNE = [ // MIDI number, beats, slurred
  [55, 1], [60, 1.5], [62, 0.5, true], [64, 1.5], [62, 0.5, true], [60, 2], [0, 0.5], [64, 1], [67, 1.5], [65, 0.5, true], [64, 1, true],
  [62, 1], [57, 1.5], [59, 0.5, true], [60, 2.5], [0, 1],
];
const BEAT_S = 0.42, GLIDE_S = 0.035, FORMANTS = [[320, 110], [900, 160], [2500, 300]]; // Hz, width in Hz

/** The tune in an AudioBuffer. */
export function hummedTune(sampleRate) {
  const seconds = BEAT_S * TUNE.reduce((sum, [, beats]) => sum + beats, 0);
  const sound = new Float32Array(Math.round(seconds * sampleRate));
  let start = 0, pitch = TUNE[0][0], level = 0, phase = 0, at = 0;
  TUNE.forEach(([key, beats, slurred], index) => {
    const length = beats * BEAT_S, held = TUNE[index + 1]?.[2];
    if (key && !slurred) pitch = key - 0.6; // scooped from below
    for (; at < Math.round((start + length) * sampleRate) && at < sound.length; at++) {
      const time = at / sampleRate - start, ending = held ? 0 : Math.max(0, time - (length - 0.09)) / 0.09;
      pitch += (key ? key - pitch : 0) / (GLIDE_S * sampleRate);
      const wanted = key ? (0.75 + 0.25 * Math.sin(Math.PI * time / length)) * (1 - ending) : 0;
      level += (wanted - level) / (0.02 * sampleRate);
      const depth = 0.25 * Math.min(1, Math.max(0, time - 0.3) / 0.4);
      const hz = 440 * 2 ** ((pitch + depth * Math.sin(2 * Math.PI * 5.3 * time) - 69) / 12);
      phase += hz / sampleRate;
      sound[at] = 0.22 * level * hum(phase, hz);
    }
    start += length;
  });
  const buffer = new AudioBuffer({ length: sound.length, sampleRate, numberOfChannels: 1 });
  buffer.copyToChannel(sound, 0);
  return buffer;
}

/** A voice with its mouth almost closed: a few harmonics under formants. */
function hum(phase, hz) {
  let sum = 0;
  for (let k = 1; k <= 14 && k * hz < 4000; k++) {
    let gain = 0.08;
    for (const [formant, width] of FORMANTS) gain += Math.exp(-0.5 * ((k * hz - formant) / width) ** 2);
    sum += gain / k * Math.sin(2 * Math.PI * k * phase);
  }
  return sum;
}
