/* The harmonic oscillator: a single cycle of each frame as a table, two neighbouring tables read at one phase and
   cross-faded. That equals a bank of sines with linearly moving amplitudes, at a cost a sample that does not depend on
   the number of harmonics. A table is a matrix product over as little of a cycle as symmetry asks for: odd harmonics
   mirror at a quarter, even ones are harmonics of half the cycle, and again odd or even there. */
#include "internal.h"
#include "synth.h"

#define TABLE 2048
#define HALF (TABLE / 2)
#define STRIDE (HALF + 2) /* a half cycle, and a point beyond it that is only read with weight 0 */
#define BLOCK 16
#define GROUPS 3

/* Harmonics with the same symmetry, and the part of a cycle that tells the rest. */
typedef struct {
  int first, step; /* harmonics first, first + step, ... */
  int rows, points;
  float *sine;       /* [rows][points] */
  float *in, *wave;  /* a block of amplitudes [BLOCK][rows], and what they sound like [BLOCK][points] */
} Group;

struct Oscillator {
  int sample_rate, harmonics;
  Group groups[GROUPS];
  float *tables; /* BLOCK + 1; the first is the last of the block before */
  float f0_hz;   /* of the last frame */
  double phase;  /* cycles, at the last frame */
};

Oscillator *oscillator_new(int sample_rate, int harmonics) {
  static const int first[GROUPS] = {1, 2, 4}, step[GROUPS] = {2, 4, 4}, part[GROUPS] = {4, 8, 8};
  Oscillator *o = engine_alloc(sizeof *o);
  int floats = (int)sizeof(float);
  o->sample_rate = sample_rate, o->harmonics = harmonics;
  for (int i = 0; i < GROUPS; i++) {
    Group *g = &o->groups[i];
    g->first = first[i], g->step = step[i];
    g->rows = ROUND_UP(maxi(0, harmonics - g->first + g->step) / g->step, 4);
    g->points = ROUND_UP(TABLE / part[i] + 1, 8);
    g->sine = engine_alloc(g->rows * g->points * floats);
    g->in = engine_alloc(BLOCK * g->rows * floats);
    g->wave = engine_alloc(BLOCK * g->points * floats);
    for (int k = g->first, row = 0; k <= harmonics; k += g->step, row++)
      for (int m = 0; m <= TABLE / part[i]; m++)
        g->sine[row * g->points + m] = (float)sine((double)(k * m % TABLE) / TABLE);
  }
  o->tables = engine_alloc((BLOCK + 1) * STRIDE * floats);
  return o;
}

/* The amplitudes of n frames, faded at Nyquist, sorted into the groups. Returns the highest harmonic worth its time:
   those above are 110 dB below the strongest. */
static int sort_harmonics(Oscillator *o, const float *parameters, int stride, int n) {
  int live = 0;
  float nyquist = 0.5f * (float)o->sample_rate, per_fade = 1 / (0.05f * (float)o->sample_rate);
  for (int t = 0; t < n; t++) {
    const float *p = parameters + (long)t * stride;
    float highest = 0;
    for (int i = 0; i < GROUPS; i++) {
      Group *g = &o->groups[i];
      float *to = g->in + t * g->rows;
      for (int k = g->first; k <= o->harmonics; k += g->step) {
        *to = p[k] * clampf((nyquist - (float)k * p[0]) * per_fade, 0, 1);
        highest = maxf(highest, *to++);
      }
    }
    float audible = 3e-6f * highest;
    int top = p[0] * (float)o->harmonics > nyquist ? (int)(nyquist / p[0]) : o->harmonics;
    while (top > 0 && !(p[top] > audible)) top--;
    for (int i = 0; i < GROUPS; i++) { /* silent, so that it does not matter which frames share a block */
      Group *g = &o->groups[i];
      int rows = maxi(0, top - g->first + g->step) / g->step;
      memset(g->in + t * g->rows + rows, 0, (unsigned long)(g->rows - rows) * sizeof(float));
    }
    live = maxi(live, top);
  }
  return live;
}

/* Half cycles of n frames into tables 1 .. n; the other half is minus the first, backwards. */
static void make_tables(Oscillator *o, const float *parameters, int stride, int n) {
  int live = sort_harmonics(o, parameters, stride, n);
  for (int i = 0; i < GROUPS; i++) {
    Group *g = &o->groups[i];
    int rows = ROUND_UP(maxi(0, live - g->first + g->step) / g->step, 4);
    memset(g->wave, 0, (unsigned long)(n * g->points) * sizeof(float));
    matrix_accumulate(g->in, g->rows, rows, g->sine, g->wave, g->points, n);
  }
  for (int t = 0; t < n; t++) {
    const float *odd = o->groups[0].wave + t * o->groups[0].points; /* mirrored at a quarter */
    const float *two = o->groups[1].wave + t * o->groups[1].points;       /* mirrored at an eighth */
    const float *four = o->groups[2].wave + t * o->groups[2].points; /* mirrored there with the other sign */
    float *table = o->tables + (t + 1) * STRIDE;
    float even[HALF / 2 + 1];
    for (int m = 0; m < HALF / 4; m++) even[m] = two[m] + four[m];
    for (int m = 0; m <= HALF / 4; m++) even[HALF / 2 - m] = two[m] - four[m];
    for (int m = 0; m < HALF / 2; m++) table[m] = odd[m] + even[m];
    for (int m = 0; m <= HALF / 2; m++) table[HALF - m] = odd[m] - even[m];
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
