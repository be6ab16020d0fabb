/* Convolution with an impulse response as the sound comes: no delay, blocks of any size, an even load.

   The response is cut into three parts (Gardner, "Efficient convolution without input-output delay", JAES 43(3), 1995):
   its head is a direct sum; what follows is overlap-save in partitions of 128 samples, whose work falls when such a block
   is complete; the rest is overlap-save in partitions of 2048, which start one long block late, so that their work can be
   spread over the 16 short blocks in between.
   A new response is prepared a little with every block, then the two cross-fade. */
#include "internal.h"

#define SHORT 128
#define LONG 2048
#define STEPS (LONG / SHORT)
#define NEAR (2 * LONG) /* taps before the long partitions */
#define NEAR_PARTS (NEAR / SHORT - 1)

/* Overlap-save with partitions of one size. Spectra are rows of `bins` real parts, then as many imaginary ones. */
typedef struct {
  int size, bins, parts; /* bins: size + 1, rounded up to vectors */
  RealFft *fft;
  float *past;           /* spectra of the last `parts` windows, a ring */
  int newest;
  float *window;         /* the last block, and the one that fills */
} Partitions;

typedef struct {
  float head[SHORT];         /* the first taps, backwards as the sum wants them */
  float *near, *far;         /* spectra of the partitions */
  int near_parts, far_parts; /* that are not empty */
  float near_out[SHORT];     /* what past blocks add to the short block that fills */
  float *far_sum;            /* spectrum that grows for the long block after the next */
  float *far_next, *far_out; /* what past blocks add to the next long block, and to this one */
} Response;

/* WAITING for a long block to begin, WARMING until the first long sum is complete. */
enum { IDLE, PREPARING, WAITING, WARMING, FADING };

struct Convolver {
  int max_taps;
  float *written; /* by the host */
  Response responses[2];
  int active, state, prepared, n_written, fade, faded; /* faded of fade samples */
  float recent[2 * SHORT]; /* the last short block, and the one that fills */
  int filled, step;        /* samples in it; short blocks in the long one that fills */
  Partitions near, far;
  float *re, *im, *sound;  /* scratch of one long transform */
};

static Partitions partitions_new(int size, int parts) {
  int floats = (int)sizeof(float);
  Partitions p = {size, ROUND_UP(size + 1, 4), maxi(parts, 1), real_fft_new(2 * size), 0, 0, 0};
  p.past = engine_alloc(p.parts * 2 * p.bins * floats);
  p.window = engine_alloc(2 * size * floats);
  return p;
}

EXPORT(convolver_new) Convolver *convolver_new(int max_taps) {
  Convolver *c = engine_alloc(sizeof *c);
  int floats = (int)sizeof(float), far = maxi(0, (max_taps - NEAR + LONG - 1) / LONG);
  c->max_taps = max_taps;
  c->written = engine_alloc(maxi(max_taps, 1) * floats);
  c->near = partitions_new(SHORT, NEAR_PARTS), c->far = partitions_new(LONG, far);
  for (int i = 0; i < 2; i++) {
    Response *r = &c->responses[i];
    r->near = engine_alloc(NEAR_PARTS * 2 * c->near.bins * floats);
    r->far = engine_alloc(far * 2 * c->far.bins * floats);
    r->far_sum = engine_alloc(2 * c->far.bins * floats);
    r->far_next = engine_alloc(LONG * floats), r->far_out = engine_alloc(LONG * floats);
  }
  c->responses[0].head[SHORT - 1] = 1; /* a room that does nothing */
  c->re = engine_alloc(2 * c->far.bins * floats), c->im = c->re + c->far.bins;
  c->sound = engine_alloc(2 * LONG * floats);
  return c;
}

EXPORT(convolver_response) float *convolver_response(Convolver *c) { return c->written; }

static float tap(const Convolver *c, int k) { return k < c->n_written ? c->written[k] : 0; }

/* The spectrum of one partition, whose taps begin at `first`. */
static void partition_spectrum(Convolver *c, const Partitions *p, int first, float *to) {
  for (int k = 0; k < p->size; k++) c->sound[k] = tap(c, first + k), c->sound[p->size + k] = 0;
  real_fft(p->fft, c->sound, to, to + p->bins);
}

/* One share of the work on the next response. */
static void prepare(Convolver *c) {
  Response *r = &c->responses[!c->active];
  int n = c->n_written, unit = c->prepared++;
  if (unit == 0) {
    r->near_parts = clampi((n - 1) / SHORT, 0, NEAR_PARTS);
    r->far_parts = maxi(0, (n - NEAR + LONG - 1) / LONG);
    for (int k = 0; k < SHORT; k++) r->head[SHORT - 1 - k] = tap(c, k);
    memset(r->near_out, 0, sizeof r->near_out);
    memset(r->far_sum, 0, (unsigned long)(2 * c->far.bins) * sizeof(float));
    memset(r->far_next, 0, LONG * sizeof(float)), memset(r->far_out, 0, LONG * sizeof(float));
  } else if (unit <= r->near_parts) {
    partition_spectrum(c, &c->near, unit * SHORT, r->near + (unit - 1) * 2 * c->near.bins);
  } else if (unit <= r->near_parts + r->far_parts) {
    int part = unit - 1 - r->near_parts;
    partition_spectrum(c, &c->far, NEAR + part * LONG, r->far + part * 2 * c->far.bins);
  } else {
    c->state = WAITING;
  }
}

EXPORT(convolver_busy) int convolver_busy(const Convolver *c) { return c->state != IDLE; }

EXPORT(convolver_change) int convolver_change(Convolver *c, int n_taps, int fade) {
  if (c->state != IDLE || n_taps < 1 || n_taps > c->max_taps) return 0;
  c->n_written = n_taps, c->fade = fade, c->faded = 0, c->prepared = 0, c->state = PREPARING;
  if (fade > 0) return 1;
  while (c->state == PREPARING) prepare(c);
  c->active = !c->active, c->state = IDLE;
  return 1;
}

/* sum += spectrum of a past window times spectrum of a partition */
static void multiply_add(const float *x, const float *h, float *sum, int bins) {
  for (int k = 0; k < bins; k += 4) {
    f4 xr = LOAD(x + k), xi = LOAD(x + bins + k), hr = LOAD(h + k), hi = LOAD(h + bins + k);
    STORE(sum + k, LOAD(sum + k) + (xr * hr - xi * hi));
    STORE(sum + bins + k, LOAD(sum + bins + k) + (xr * hi + xi * hr));
  }
}

/* Parts first .. last - 1 of a response, each times the window that many blocks ago. */
static void accumulate(const Partitions *p, const float *response, int first, int last, float *sum) {
  for (int part = first; part < last; part++) {
    int at = (p->newest + p->parts - part) % p->parts;
    multiply_add(p->past + at * 2 * p->bins, response + part * 2 * p->bins, sum, p->bins);
  }
}

/* A block is complete: its window becomes the newest. */
static void remember(Partitions *p) {
  p->newest = (p->newest + 1) % p->parts;
  float *to = p->past + p->newest * 2 * p->bins;
  real_fft(p->fft, p->window, to, to + p->bins);
  memcpy(p->window, p->window + p->size, (unsigned long)p->size * sizeof(float));
}

static int sounding(const Convolver *c, int i) { return i == c->active || c->state >= WARMING; }

/* One of the 16 shares of the work on long partitions, each at the end of a short block. */
static void long_share(Convolver *c, int share) {
  Partitions *p = &c->far;
  if (share == 0) remember(p);
  for (int i = 0; i < 2; i++) {
    Response *r = &c->responses[i];
    if (!sounding(c, i) || !r->far_parts) continue;
    if (share == 0) memset(r->far_sum, 0, (unsigned long)(2 * p->bins) * sizeof(float));
    else if (share < STEPS - 2)
      accumulate(p, r->far, r->far_parts * (share - 1) / (STEPS - 3), r->far_parts * share / (STEPS - 3), r->far_sum);
    else if (share == STEPS - 2) {
      real_fft_inverse(p->fft, r->far_sum, r->far_sum + p->bins, c->sound);
      memcpy(r->far_next, c->sound + LONG, LONG * sizeof(float));
    }
  }
}

static void short_block_ends(Convolver *c) {
  Partitions *p = &c->near;
  memcpy(p->window + SHORT, c->recent + SHORT, SHORT * sizeof(float));
  memcpy(c->far.window + LONG + c->step * SHORT, c->recent + SHORT, SHORT * sizeof(float));
  memcpy(c->recent, c->recent + SHORT, SHORT * sizeof(float));
  remember(p);
  for (int i = 0; i < 2; i++) {
    Response *r = &c->responses[i];
    if (!sounding(c, i) || !r->near_parts) continue;
    memset(c->re, 0, (unsigned long)(2 * p->bins) * sizeof(float));
    accumulate(p, r->near, 0, r->near_parts, c->re);
    real_fft_inverse(p->fft, c->re, c->re + p->bins, c->sound);
    memcpy(r->near_out, c->sound + SHORT, SHORT * sizeof(float));
  }
  long_share(c, (c->step + 1) % STEPS);
  if (c->state == PREPARING) prepare(c);
  if (++c->step < STEPS) return;
  c->step = 0;
  if (c->state == WARMING) c->state = FADING; /* its long sums are of sound that came before */
  else if (c->state == WAITING) c->state = WARMING;
  for (int i = 0; i < 2; i++) {
    Response *r = &c->responses[i];
    float *swap = r->far_out;
    r->far_out = r->far_next, r->far_next = swap;
  }
}

static float answer(const Convolver *c, const Response *r) {
  float y = dot(c->recent + c->filled + 1, r->head, SHORT);
  if (r->near_parts) y += r->near_out[c->filled];
  if (r->far_parts) y += r->far_out[c->step * SHORT + c->filled];
  return y;
}

EXPORT(convolver_process) void convolver_process(Convolver *c, const float *in, int n, float *out) {
  for (int i = 0; i < n; i++) {
    c->recent[SHORT + c->filled] = in[i];
    float y = answer(c, &c->responses[c->active]);
    if (c->state == FADING) {
      float part = (float)++c->faded / (float)c->fade;
      y += part * (answer(c, &c->responses[!c->active]) - y);
      if (c->faded >= c->fade) c->active = !c->active, c->state = IDLE;
    }
    out[i] = y;
    if (++c->filled == SHORT) c->filled = 0, short_block_ends(c);
  }
}
