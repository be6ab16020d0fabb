/* Where the sound comes from: a microphone, or a file. (Keys need no sound: piano.js, midi.js.) */

import { FileError } from "./safetensors.js";

const MAX_BYTES = 200 << 20, MAX_S = 1800;

/** Open a microphone as it is, without the filters meant for telephone calls, which cut notes off. Rejects with what
    getUserMedia says. */
export function openMicrophone(deviceId = "") {
  return navigator.mediaDevices.getUserMedia({
    audio: {
      echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 1 },
      latency: { ideal: 0 }, ...(deviceId && { deviceId: { exact: deviceId } }),
    },
  });
}

/** Microphones, as { id, name }; names are known once one was allowed. */
export async function microphones() {
  const devices = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
  const found = devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId && deviceId !== "default");
  return found.map(({ deviceId, label }, place) => ({ id: deviceId, name: label || `Microphone ${place + 1}` }));
}

/** A sound file as an AudioBuffer at a sample rate. Throws FileError. */
export async function readSound(file, sampleRate) {
  if (file.size > MAX_BYTES) throw new FileError("it is larger than 200 MB; cut it first");
  let sound;
  try {
    sound = await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new FileError("this browser cannot read it as sound; convert it to WAV first");
  }
  if (sound.duration > MAX_S) throw new FileError("it is longer than half an hour; cut it first");
  return sound;
}
