/* The harmonic oscillator: a single cycle of each frame as a table, two neighbouring tables read at one phase and
   cross-faded. That equals a bank of sines with linearly moving amplitudes, at a cost a sample that does not depend on
   the number of harmonics. A table is a matrix product over a quarter of a cycle: odd harmonics mirror there, even ones
   turn their sign. */
#include "internal.h"
#include "synth.h"

#define TABLE 2048
#define QUARTER (TABLE / 4)
#define HALF (TABLE / 2)
#define STRIDE (HALF + 2)  /* one point more to interpolate to: HALF + 1 is never read with weight */
#define ROW ROUND_UP(QUARTER + 1, 8)
#define BLOCK 16

struct Oscillator {
  int sample_rate, harmonics, odd, even;
  float *sine_odd, *sine_even;            /* [harmonic][ROW] */
  float *odd_in, *even_in, *odd_y, *even_y; /* a block of amplitudes, a block of quarter tables */
  float *tables;                          /* BLOCK + 1; the first is the last of the block before */
  float f0_hz;                            /* of the last frame */
  double phase;                           /* cycles, at the last frame */
};

Oscillator *oscillator_new(int sample_rate, int harmonics) {
  Oscillator *o = engine_alloc(sizeof *o);
  int floats = (int)sizeof(float);
  o->sample_rate = sample_rate, o->harmonics = harmonics;
  o->odd = (harmonics + 1) / 2, o->even = harmonics / 2;
  o->sine_odd = engine_alloc((o->odd + o->even) * ROW * floats);
  o->sine_even = o->sine_odd + o->odd * ROW;
  for (int k = 1; k <= harmonics; k++) {
    float *row = (k & 1) ? o->sine_odd + k / 2 * ROW : o->sine_even + (k / 2 - 1) * ROW;
    for (int m = 0; m <= QUARTER; m++) row[m] = (float)sine((double)(k * m % TABLE) / TABLE);
  }
  o->odd_in = engine_alloc(BLOCK * (o->odd + o->even) * floats);
  o->even_in = o->odd_in + BLOCK * o->odd;
  o->odd_y = engine_alloc(2 * BLOCK * ROW * floats);
  o->even_y = o->odd_y + BLOCK * ROW;
  o->tables = engine_alloc((BLOCK + 1) * STRIDE * floats);
  return o;
}

/* Half cycles of n frames into tables 1 .. n: the other half is minus the first, backwards. */
static void make_tables(Oscillator *o, const float *parameters, int stride, int n) {
  int live = 0;
  for (int t = 0; t < n; t++) {
    const float *p = parameters + (long)t * stride;
    float highest = 0, nyquist = 0.5f * (float)o->sample_rate, per_fade = 1 / (0.05f * (float)o->sample_rate);
    for (int k = 1; k <= o->harmonics; k++) {
      float fade = clampf((nyquist - (float)k * p[0]) * per_fade, 0, 1);
      float *to = (k & 1) ? o->odd_in + t * o->odd + k / 2 : o->even_in + t * o->even + (k / 2 - 1);
      *to = fade * p[k];
      highest = maxf(highest, *to);
    }
    for (int k = o->harmonics; k > live; k--) /* upper harmonics 100 dB below the strongest are not worth their time */
      if (((k & 1) ? o->odd_in[t * o->odd + k / 2] : o->even_in[t * o->even + (k / 2 - 1)]) > 1e-5f * highest) live = k;
  }
  memset(o->odd_y, 0, 2 * BLOCK * ROW * sizeof(float));
  matrix_accumulate(o->odd_in, o->odd, (live + 1) / 2, o->sine_odd, o->odd_y, ROW, n);
  matrix_accumulate(o->even_in, o->even, live / 2, o->sine_even, o->even_y, ROW, n);
  for (int t = 0; t < n; t++) {
    const float *odd = o->odd_y + t * ROW, *even = o->even_y + t * ROW;
    float *table = o->tables + (t + 1) * STRIDE;
    for (int m = 0; m < QUARTER; m++) table[m] = odd[m] + even[m];
    for (int m = 0; m <= QUARTER; m++) table[HALF - m] = odd[m] - even[m];
  }
}

/* One interval: from table a to table b. n samples from place w0 (0..1) in steps of dw. */
static void read_interval(Oscillator *o, const float *a, const float *b, float f0_hz, int n, double w0, double dw,
                          float gain, float *audio) {
  double from = o->f0_hz, to = f0_hz, cycles = from / FRAME_RATE, bend = 0.5 * (to - from) / FRAME_RATE;
  for (int i = 0; i < n; i++) {
    double w = w0 + i * dw, phase = o->phase + w * (cycles + w * bend);
    double turn = phase - (double)(int)phase; /* phase >= 0 and below 2^31: at most a hop above the wrapped one */
    int back = turn > 0.5;
    double at = (back ? 1 - turn : turn) * TABLE;
    int m = (int)at;
    float f = (float)(at - m), mix = (float)w, sign = back ? -gain : gain;
    float x = a[m] + f * (a[m + 1] - a[m]), y = b[m] + f * (b[m + 1] - b[m]);
    audio[i] = sign * (x + mix * (y - x));
  }
  o->phase += 0.5 * (from + to) / FRAME_RATE;
  o->phase -= (double)(int)o->phase;
}

int oscillator_process(Oscillator *o, Clock clock, const float *parameters, int stride, int n_frames, float gain,
                       float *audio) {
  int written = 0;
  while (n_frames > 0) {
    int n = mini(n_frames, BLOCK);
    make_tables(o, parameters, stride, n);
    for (int t = 0; t < n; t++) {
      float f0_hz = parameters[(long)t * stride];
      if (clock.frame > 0) {
        double w0, dw;
        int samples = clock_interval(&clock, &w0, &dw);
        float *a = o->tables + t * STRIDE;
        read_interval(o, a, a + STRIDE, f0_hz, samples, w0, dw, gain, audio + written);
        written += samples;
      }
      o->f0_hz = f0_hz;
      clock.frame++;
    }
    memcpy(o->tables, o->tables + n * STRIDE, STRIDE * sizeof(float));
    parameters += (long)n * stride, n_frames -= n;
  }
  return written;
}
