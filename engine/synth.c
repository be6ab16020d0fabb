/* synthesiser parameters -> audio: the harmonic oscillator plus the filtered noise. */
#include "synth.h"

struct Synth {
  int harmonics, bands;
  Clock clock;
  Oscillator *oscillator;
  Noise *noise;
};

EXPORT(synth_new) Synth *synth_new(int sample_rate, int harmonics, int bands, const float *noise_band_hz) {
  Synth *s = engine_alloc(sizeof *s);
  s->harmonics = harmonics, s->bands = bands;
  s->clock.sample_rate = sample_rate;
  s->oscillator = oscillator_new(sample_rate, harmonics);
  s->noise = noise_new(sample_rate, bands, noise_band_hz);
  return s;
}

void synth_begin_at(Synth *s, Clock clock) { s->clock = clock; }

void synth_hurry(Synth *s, float haste) { oscillator_hurry(s->oscillator, haste); }

EXPORT(synth_process) int synth_process(Synth *s, const float *parameters, const float *noise, unsigned seed,
                                        int n_frames, float harmonic_gain, float noise_gain, float *audio) {
  int stride = 1 + s->harmonics + s->bands;
  int written = oscillator_process(s->oscillator, s->clock, parameters, stride, n_frames, harmonic_gain, audio);
  noise_process(s->noise, s->clock, parameters + 1 + s->harmonics, stride, noise, seed, n_frames, noise_gain, audio);
  s->clock.frame += n_frames;
  return written;
}
