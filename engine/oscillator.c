/* The harmonic oscillator: a single cycle of each frame as a table, two neighbouring tables read at one phase and
   cross-faded. That equals a bank of sines with linearly moving amplitudes, at a cost a sample that does not depend on
   the number of harmonics.
   Tables of N points are read with a cubic B-spline, whose four weights suppress images by (k / (N - k))^4 and weaken
   harmonic k by sinc(k / N)^4; the sines that tables are made of make up for the latter, so only the images are an error
   (Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing Magazine 16(6), 1999).
   A table is a matrix product over as little of a cycle as symmetry asks for: odd harmonics mirror at a quarter, even
   ones are harmonics of half the cycle, and again odd or even there. */
#include "internal.h"
#include "synth.h"

#define BEFORE 1 /* points kept before the half cycle, for the spline */
#define AFTER 2  /* and from its end on */
#define BLOCK 16
#define GROUPS 3
#define BEGUN 0.35f /* of the peak to come: less is what the frame heard that the sound began in */
#define JUMP 1.03f /* half a semitone from one frame to the next */

/* Harmonics with the same symmetry, and the part of a cycle that tells the rest. */
typedef struct {
  int first, step;  /* harmonics first, first + step, ... */
  int rows;
  Matrix *sines;
  float *in, *wave; /* a block of amplitudes [BLOCK][rows], and what they sound like [BLOCK][matrix_width] */
} Group;

struct Oscillator {
  int sample_rate, harmonics;
  int bits, half; /* a cycle has 2^bits points */
  int stride;
  Group groups[GROUPS];
  float *faded, *even; /* of one frame: amplitudes [harmonics], the even ones' half cycle [half / 2 + 1] */
  float *tables;       /* BLOCK + 1; the first is the last of the block before */
  float haste;   /* 1: amplitudes arrive at the end of an interval; 4: after a quarter of it */
  float f0_hz;   /* of the last frame */
  double phase;  /* cycles, at the last frame */
};

Oscillator *oscillator_new(int sample_rate, int harmonics) {
  static const int first[GROUPS] = {1, 2, 4}, step[GROUPS] = {2, 4, 4}, part[GROUPS] = {4, 8, 8};
  Oscillator *o = engine_alloc(sizeof *o);
  int floats = (int)sizeof(float);
  o->sample_rate = sample_rate, o->harmonics = harmonics, o->haste = 1, o->bits = 8;
  while (1 << o->bits < 5 * harmonics) o->bits++;
  int table = 1 << o->bits;
  o->half = table / 2, o->stride = BEFORE + o->half + AFTER;
  for (int i = 0; i < GROUPS; i++) {
    Group *g = &o->groups[i];
    g->first = first[i], g->step = step[i];
    g->rows = ROUND_UP(maxi(0, harmonics - g->first + g->step) / g->step, 4);
    g->sines = matrix_new(g->rows, table / part[i] + 1);
    g->in = engine_alloc(BLOCK * g->rows * floats);
    g->wave = engine_alloc(BLOCK * matrix_width(g->sines) * floats);
    for (int k = g->first, row = 0; k <= harmonics; k += g->step, row++) {
      double x = PI * k / table, sinc = sine(0.5 * k / table) / x, gain = 1 / (sinc * sinc * sinc * sinc);
      for (int m = 0; m <= table / part[i]; m++)
        matrix_set(g->sines, row, m, (float)(gain * sine((double)(k * m % table) / table)));
    }
  }
  o->faded = engine_alloc(ROUND_UP(harmonics, 4) * floats);
  o->even = engine_alloc((o->half / 2 + 1) * floats);
  o->tables = engine_alloc((BLOCK + 1) * o->stride * floats + 16); /* vectors may be read from the last point */
  return o;
}

/* The amplitudes of n frames, faded at Nyquist, sorted into the groups. Returns the highest harmonic worth its time:
   those above are 110 dB below the strongest. */
static int sort_harmonics(Oscillator *o, const float *parameters, int stride, int n) {
  int live = 0, harmonics = o->harmonics;
  float nyquist = 0.5f * (float)o->sample_rate, per_fade = 1 / (0.05f * (float)o->sample_rate), *faded = o->faded;
  for (int t = 0; t < n; t++) {
    const float *p = parameters + (long)t * stride;
    for (int k = 0; k < harmonics; k++) faded[k] = p[k + 1] * clampf((nyquist - (float)(k + 1) * p[0]) * per_fade, 0, 1);
    f4 most = SPLAT(0.0f);
    for (int k = 0; k < harmonics; k += 4) most = SELECT(LOAD(faded + k) > most, LOAD(faded + k), most);
    float audible = 3e-6f * maxf(maxf(most[0], most[1]), maxf(most[2], most[3]));
    int top = harmonics;
    while (top > 0 && !(faded[top - 1] > audible)) top--;
    for (int i = 0; i < GROUPS; i++) {
      Group *g = &o->groups[i];
      float *to = g->in + t * g->rows;
      int row = 0;
      for (int k = g->first; k <= top; k += g->step) to[row++] = faded[k - 1];
      while (row < g->rows) to[row++] = 0; /* so that it does not matter which frames share a block */
    }
    live = maxi(live, top);
  }
  return live;
}

/* Half cycles of n frames into tables 1 .. n; the other half is minus the first, backwards. */
static void make_tables(Oscillator *o, const float *parameters, int stride, int n) {
  int live = sort_harmonics(o, parameters, stride, n), half = o->half;
  for (int i = 0; i < GROUPS; i++) {
    Group *g = &o->groups[i];
    matrix_apply(g->sines, g->in, g->rows, maxi(0, live - g->first + g->step) / g->step, 0, g->wave, n);
  }
  for (int t = 0; t < n; t++) {
    const Group *g = o->groups;
    const float *odd = g[0].wave + t * matrix_width(g[0].sines);  /* mirrored at a quarter */
    const float *two = g[1].wave + t * matrix_width(g[1].sines);  /* mirrored at an eighth */
    const float *four = g[2].wave + t * matrix_width(g[2].sines); /* mirrored there with the other sign */
    float *even = o->even, *table = o->tables + (t + 1) * o->stride + BEFORE;
    for (int m = 0; m < half / 4; m++) even[m] = two[m] + four[m];
    for (int m = 0; m <= half / 4; m++) even[half / 2 - m] = two[m] - four[m];
    for (int m = 0; m < half / 2; m++) table[m] = odd[m] + even[m];
    for (int m = 0; m <= half / 2; m++) table[half - m] = odd[m] - even[m];
    table[-1] = -table[1], table[half + 1] = -table[half - 1];
  }
}

/* Whole and broken cycles as a 32-bit fraction of one: adding wraps. */
static unsigned cycles(double x) { return (unsigned)(long long)((x - __builtin_floor(x)) * 4294967296.0); }

/* One interval: from table a to table b. n samples from place w0 (0..1) in steps of dw. */
static void read_interval(Oscillator *o, const float *a, const float *b, float f0_hz, int n, double w0, double dw,
                          float gain, float *audio) {
  int jump = f0_hz > JUMP * o->f0_hz || o->f0_hz > JUMP * f0_hz; /* another note, not a glide: at its pitch from here */
  double from = jump ? f0_hz : o->f0_hz, to = f0_hz, along = from / FRAME_RATE, bend = 0.5 * (to - from) / FRAME_RATE;
  /* The phase of sample i is start + i step + i^2 curve: exact in 32-bit cycles, but for the curve, which is small. */
  unsigned start = cycles(o->phase + w0 * (along + w0 * bend)), step = cycles(dw * (along + 2 * w0 * bend));
  u4 straight = {start, start + step, start + 2 * step, start + 3 * step}, four_steps = SPLAT_U(4 * step);
  f4 curve = SPLAT((float)(bend * dw * dw)), i = {0, 1, 2, 3};
  f4 mix0 = SPLAT(o->haste * (float)w0), mix1 = SPLAT(o->haste * (float)dw);
  int bits = o->bits;
  gain /= 6;
  for (int at = 0; at < n; at += 4, straight += four_steps, i += SPLAT(4.0f)) {
    f4 curved = curve * i * i;
    curved -= (curved + SPLAT(12582912.0f)) - SPLAT(12582912.0f); /* -0.5 .. 0.5 cycles */
    u4 phase = straight + ((u4)__builtin_convertvector(curved * SPLAT(2147483648.0f), i4) << 1);
    u4 back = (u4)((i4)phase >> 31); /* in the second half of a cycle: mirrored, with the other sign */
    phase ^= back;
    u4 m = phase >> (32 - bits);
    f4 f = (f4)(phase << bits >> 9 | SPLAT_U(0x3f800000U)) - SPLAT(1.0f), mix = mix0 + mix1 * i;
    mix = SELECT(mix < SPLAT(1.0f), mix, SPLAT(1.0f));
    f4 x[4] = {LOAD(a + m[0]), LOAD(a + m[1]), LOAD(a + m[2]), LOAD(a + m[3])};
    x[0] += LANE(mix, 0) * (LOAD(b + m[0]) - x[0]), x[1] += LANE(mix, 1) * (LOAD(b + m[1]) - x[1]);
    x[2] += LANE(mix, 2) * (LOAD(b + m[2]) - x[2]), x[3] += LANE(mix, 3) * (LOAD(b + m[3]) - x[3]);
    transpose4(x);
    f4 g = SPLAT(1.0f) - f, ff = f * f, h0 = g * g * g, h3 = ff * f, h1 = SPLAT(4.0f) + SPLAT(3.0f) * h3 - SPLAT(6.0f) * ff;
    f4 y = SPLAT(gain) * (h0 * x[0] + h1 * x[1] + (SPLAT(6.0f) - h0 - h1 - h3) * x[2] + h3 * x[3]);
    y = (f4)((u4)y ^ (back & SPLAT_U(0x80000000U)));
    if (at + 4 <= n) STORE(audio + at, y);
    else for (int k = 0; at + k < n; k++) audio[at + k] = y[k];
  }
  o->phase += 0.5 * (from + to) / FRAME_RATE;
  o->phase -= __builtin_floor(o->phase);
}

/* The highest point of a half cycle. */
static float peak(const Oscillator *o, const float *table, int *at) {
  float most = 0;
  for (int m = 0; m <= o->half; m++)
    if (__builtin_fabsf(table[m]) > most) most = __builtin_fabsf(table[m]), *at = m;
  return most;
}

/* A sound that begins in a hurry, after silence or little of itself, begins at the place of its cycle from where its peak is reached when
   half its amplitude is there: a low note would else be waited for until the next pulse. */
static void begin_at_peak(Oscillator *o, const float *a, const float *b, float f0_hz) {
  int at = 0;
  float before = peak(o, a + BEFORE, &at), now = peak(o, b + BEFORE, &at);
  if (before > BEGUN * now) return;
  double place = (double)at / (2 * o->half) - 0.5 * f0_hz / (o->haste * FRAME_RATE);
  o->phase = place - __builtin_floor(place);
  o->f0_hz = f0_hz;
}

void oscillator_hurry(Oscillator *o, float haste) { o->haste = haste; }

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
        float *a = o->tables + t * o->stride;
        if (o->haste > 1) begin_at_peak(o, a, a + o->stride, f0_hz);
        read_interval(o, a, a + o->stride, f0_hz, samples, w0, dw, gain, audio + written);
        written += samples;
      }
      o->f0_hz = f0_hz;
      clock.frame++;
    }
    memcpy(o->tables, o->tables + n * o->stride, o->stride * sizeof(float));
    parameters += (long)n * stride, n_frames -= n;
  }
  return written;
}
