/* MIDI keyboards: every input's channel messages, also of those that are plugged in later. */

/** Listen. hear(status, data1, data2) gets the messages, changed(names) the inputs; rejects where MIDI is not allowed,
    and returns false where the browser has none. */
export async function openMidi(hear, changed) {
  if (!navigator.requestMIDIAccess) return false;
  const access = await navigator.requestMIDIAccess({ sysex: false });
  const listen = () => {
    const inputs = [...access.inputs.values()].filter(({ state }) => state !== "disconnected");
    for (const input of inputs) {
      input.onmidimessage = ({ data }) => {
        if (data[0] >= 0x80 && data[0] < 0xf0) hear(data[0], data[1] ?? 0, data[2] ?? 0);
      };
    }
    changed(inputs.map(({ name }) => name || "a keyboard"));
  };
  access.onstatechange = listen;
  listen();
  return true;
}
