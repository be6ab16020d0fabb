/* Shared inside the engine: vectors of four floats, the few functions of <math.h> it needs, and its parts. */
#ifndef RETIMBRE_INTERNAL_H
#define RETIMBRE_INTERNAL_H

#include "engine.h"

/* Four floats, loaded from any address. Compiles to WebAssembly SIMD128, SSE or NEON. */
typedef float f4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int i4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef unsigned u4 __attribute__((vector_size(16), aligned(4), may_alias));

#define LOAD(p) (*(const f4 *)(p))
#define STORE(p, v) (*(f4 *)(p) = (v))
#define SPLAT(x) ((f4){(x), (x), (x), (x)})
#define SPLAT_U(x) ((u4){(x), (x), (x), (x)})
#define LANE(x, i) __builtin_shufflevector(x, x, i, i, i, i)
#define SELECT(mask, a, b) ((f4)(((mask) & (i4)(a)) | (~(mask) & (i4)(b)))) /* mask ? a : b, lane by lane */
#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))
#define PI 3.14159265358979323846

static inline float minf(float a, float b) { return a < b ? a : b; }
static inline float maxf(float a, float b) { return a > b ? a : b; }
static inline float clampf(float x, float low, float high) { return minf(maxf(x, low), high); }
static inline int mini(int a, int b) { return a < b ? a : b; }
static inline int maxi(int a, int b) { return a > b ? a : b; }
static inline int clampi(int x, int low, int high) { return mini(maxi(x, low), high); }
static inline long long maxl(long long a, long long b) { return a > b ? a : b; }

void *memcpy(void *to, const void *from, __SIZE_TYPE__ n);
void *memmove(void *to, const void *from, __SIZE_TYPE__ n);
void *memset(void *to, int value, __SIZE_TYPE__ n);

/* memory.c: between region_begin and region_end engine_alloc takes from the region. */
typedef struct {
  unsigned char *start;
  int bytes, used;
} Region;
Region *region_new(int bytes);
void region_empty(Region *region);
void region_begin(Region *region);
void region_end(void);

/* math.c: double precision for tables and once-a-frame work, four floats at once for the rest. */
double sine(double turns); /* sin(2 pi turns) */
double exponential(double x);
double logarithm(double x);
void exp_sigmoid(float *x, int n); /* in place; n a multiple of 8 */

/* Intervals and levels: of a ratio of frequencies in octaves, the ratio of an interval in semitones, of a power in dB. */
static inline float octaves(double ratio) { return (float)(logarithm(ratio) * 1.4426950408889634); }
static inline double semitones_up(double semitones) { return exponential(semitones * 0.057762265046662105); }
static inline float decibels(double power) { return (float)(logarithm(power) * 4.342944819032518); }
static inline float midi_number(float hz) { return 69 + 12 * octaves(hz / 440.0); }

/* Four vectors as the rows of a square, to its columns. */
static inline void transpose4(f4 *x) {
  f4 a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5);
  f4 c = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
  x[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5), x[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  x[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5), x[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

/* sum of x h; n a multiple of 4. Four sums at once: one alone would wait for itself. */
static inline float dot(const float *x, const float *h, int n) {
  f4 a = SPLAT(0.0f), b = a, c = a, d = a;
  int k = 0;
  for (; k + 16 <= n; k += 16) {
    a += LOAD(x + k) * LOAD(h + k), b += LOAD(x + k + 4) * LOAD(h + k + 4);
    c += LOAD(x + k + 8) * LOAD(h + k + 8), d += LOAD(x + k + 12) * LOAD(h + k + 12);
  }
  for (; k < n; k += 4) a += LOAD(x + k) * LOAD(h + k);
  a = (a + b) + (c + d);
  return (a[0] + a[1]) + (a[2] + a[3]);
}

/* matrix.c: n rows, out[t][o] = bias[o] + sum_i in[t * stride + i] w[i][o], of which only the first n_in inputs count
   (the inputs up to the next multiple of 4 are read). bias may be 0; bias and out are matrix_width wide, n_out rounded
   up to a multiple of 8. A new matrix is zero. */
typedef struct Matrix Matrix;
Matrix *matrix_new(int n_in, int n_out);
int matrix_width(const Matrix *matrix);
void matrix_set(Matrix *matrix, int i, int o, float weight);
void matrix_apply(Matrix *matrix, const float *in, int stride, int n_in, const float *bias, float *out, int n);

/* fft.c: FFT of a real signal of length 2^k >= 64, through a complex one of half the length.
   re, im: length / 2 + 1 bins, the first and last real. The inverse is scaled by 1 / length. */
typedef struct RealFft RealFft;
RealFft *real_fft_new(int length);
void real_fft(RealFft *fft, const float *in, float *re, float *im);
void real_fft_inverse(RealFft *fft, const float *re, const float *im, float *out);

/* decoder.c: as if the next frame had been there for ever. */
void decoder_restart(Decoder *decoder);

/* analyzer.c: samples that must follow a frame's instant before a live frame is complete. */
int analyzer_delay(int sample_rate);

/* resample.c */
int resampler_reach(int rate_in, int rate_out, int zero_crossings);
Resampler *resampler_design(int rate_in, int rate_out, int zero_crossings, double cutoff);

/* loudness.c: feed 80 samples at 16 kHz, get the A-weighted energy of that hop. */
typedef struct Weighting Weighting;
Weighting *weighting_new(void);
double weighting_energy(Weighting *weighting, const float *hop);

/* pitch.c: candidates of one frame, from up to PITCH_LEVELS windows. */
#define HOP 80           /* ANALYSIS_RATE / FRAME_RATE */
#define PITCH_LEVELS 4   /* windows of 16, 32, 64 and 128 ms */
#define PITCH_WINDOW 256 /* samples of each, at 16, 8, 4 and 2 kHz */
#define PITCH_CANDIDATES 12
#define VOICING_THRESHOLD 0.6f /* offline: clarity that a voiced frame must show if the gate is undecided; periodicity 0.5 */

typedef struct {
  float f0_hz, clarity;
} Candidate;

typedef struct {
  Candidate best; /* the first clear peak of the shortest window that shows one */
  int n;
  Candidate candidates[PITCH_CANDIDATES];
  int levels;                /* windows looked at, from the shortest */
  float top[PITCH_LEVELS];   /* clarity in each */
  float tilt[4];             /* autocorrelation of the shortest at lags 1, 2, 4 and 8, over that at 0 */
} PitchFrame;

typedef struct Pitch Pitch;
Pitch *pitch_new(int centred);
int pitch_lookahead(const Pitch *pitch); /* samples at 16 kHz that must follow a frame */
void pitch_push(Pitch *pitch, const float *hop);
void pitch_frame(Pitch *pitch, PitchFrame *frame); /* the frame that the newest pushed hop completes */
Candidate pitch_newest(const Pitch *pitch); /* of the newest 8 ms */
const float *pitch_samples(const Pitch *pitch, int level, int n); /* about or, live, before the frame; rate 16 kHz / 2^level; without rumble */

/* gate.c: how sure it is that a frame has a pitch, 0 to 1. Push every frame, in order. */
#define GATE_INPUTS 24
typedef struct Gate Gate;
Gate *gate_new(void);
float gate_push(Gate *gate, const Pitch *pitch, const PitchFrame *frame);
float gate_level_db(const Gate *gate); /* mean power of the last 20 ms, re full scale */
const float *gate_inputs(const Gate *gate); /* of the newest frame: what recipes/gate.py trains on */

/* follow.c: the pitch in Hz to play now, 0 as long as none was ever known. Push every frame, in order. */
typedef struct Follow Follow;
Follow *follow_new(void);
float follow_push(Follow *follow, const Candidate *best, const Candidate *newest, float level_db, float sure);

/* path.c: the most plausible path through the candidates, decided PATH_DELAY frames later. */
#define PATH_DELAY 80
typedef struct Path Path;
Path *path_new(void);
int path_push(Path *path, const PitchFrame *frame, float sure, float *f0_hz, float *periodicity); /* 1: wrote a frame */

#endif
