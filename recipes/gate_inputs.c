/* What the gate would see of a sound at 16 kHz, for recipes/gate.py: rows of GATE_INPUTS numbers, then the pitch and the
   clarity of the best candidate, one before the first hop and one after each. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void gate_rows(const float *audio, int hops, float *rows) {
  Pitch *pitch = pitch_new(0);
  Gate *gate = gate_new();
  for (int i = 0; i <= hops; i++, rows += GATE_INPUTS + 2) {
    PitchFrame frame;
    if (i) pitch_push(pitch, audio + (i - 1) * HOP);
    pitch_frame(pitch, &frame);
    gate_push(gate, pitch, &frame);
    memcpy(rows, gate_inputs(gate), GATE_INPUTS * sizeof(float));
    rows[GATE_INPUTS] = frame.best.f0_hz, rows[GATE_INPUTS + 1] = frame.best.clarity;
  }
  free(pitch), free(gate);
}
