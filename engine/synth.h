/* The two halves of the synthesiser, and the clock that both follow. */
#ifndef RETIMBRE_SYNTH_H
#define RETIMBRE_SYNTH_H

#include "internal.h"

/* Where in the stream the next frame lies: frame i closes the interval of samples ceil((i - 1) sr / 200) .. ceil(i sr / 200). */
typedef struct {
  long long frame;
  int sample_rate;
} Clock;

/* ceil(frame sr / 200), also for frame -1. */
static inline long long clock_start(int sample_rate, long long frame) {
  return ((frame + FRAME_RATE) * sample_rate + FRAME_RATE - 1) / FRAME_RATE - sample_rate;
}

/* Samples of the interval that the next frame closes, the place w of the first and the step. */
static inline int clock_interval(const Clock *clock, double *w0, double *dw) {
  long long start = clock_start(clock->sample_rate, clock->frame - 1), end = clock_start(clock->sample_rate, clock->frame);
  *w0 = (double)(FRAME_RATE * start - (clock->frame - 1) * clock->sample_rate) / clock->sample_rate;
  *dw = (double)FRAME_RATE / clock->sample_rate;
  return (int)(end - start);
}

/* Continue another synthesiser's stream: the next frame is this one, and fades in. */
void synth_begin_at(Synth *synth, Clock clock);

/* From now on amplitudes move `haste` times as fast from one frame to the next, then stay; 1 at first. */
void synth_hurry(Synth *synth, float haste);

typedef struct Oscillator Oscillator;
Oscillator *oscillator_new(int sample_rate, int harmonics);
void oscillator_hurry(Oscillator *oscillator, float haste);
int oscillator_process(Oscillator *oscillator, Clock clock, const float *parameters, int stride, int n_frames,
                       float gain, float *audio);

/* Adds to the audio. */
typedef struct Noise Noise;
Noise *noise_new(int sample_rate, int bands, const float *band_hz);
void noise_process(Noise *noise, Clock clock, const float *magnitudes, int stride, const float *white, unsigned seed,
                   int n_frames, float gain, float *audio);

#endif
