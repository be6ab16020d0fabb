/* controls -> synthesiser parameters: the instrument's network, a stack of causal dilated convolutions, each a filter
   over time for every channel and a matrix across the channels.
   Many frames go through each layer at once; a layer remembers the frames that its kernel reaches back to. */
#include "internal.h"

#define KERNEL 3
#define BLOCK 32 /* frames at once */

struct Decoder {
  int channels, layers, harmonics, bands, outputs; /* outputs is padded to a multiple of 8 */
  int n_weights, ready, started;
  float *weights;             /* as the host wrote them */
  float *output_w, *output_b; /* the last layer, padded */
  float **past;               /* inputs of each layer: 2 * dilation past frames, then the block */
  float *h, *y, *out;
};


static int layer_size(int channels) { return (KERNEL + channels + 1) * channels; }

EXPORT(decoder_new) Decoder *decoder_new(int channels, int layers, int harmonics, int bands) {
  Decoder *d = engine_alloc(sizeof *d);
  int floats = (int)sizeof(float), c = channels;
  d->channels = c, d->layers = layers, d->harmonics = harmonics, d->bands = bands;
  d->outputs = ROUND_UP(harmonics + bands, 8);
  d->n_weights = 6 + 3 * c + layers * layer_size(c) + (c + 1) * (harmonics + bands);
  d->weights = engine_alloc(d->n_weights * floats);
  d->output_w = engine_alloc((c + 1) * d->outputs * floats);
  d->output_b = d->output_w + c * d->outputs;
  d->past = engine_alloc(layers * (int)sizeof(float *));
  for (int l = 0; l < layers; l++) d->past[l] = engine_alloc(((KERNEL - 1 << l) + BLOCK) * c * floats);
  d->h = engine_alloc(BLOCK * c * floats);
  d->y = engine_alloc(BLOCK * c * floats);
  d->out = engine_alloc(BLOCK * d->outputs * floats);
  return d;
}

EXPORT(decoder_weights) float *decoder_weights(Decoder *d) { return d->weights; }
EXPORT(decoder_n_weights) int decoder_n_weights(Decoder *d) { return d->n_weights; }

static void leaky_relu(float *x, int n) {
  for (int i = 0; i < n; i += 4) {
    f4 v = LOAD(x + i);
    STORE(x + i, SELECT(v > SPLAT(0.0f), v, SPLAT(0.2f) * v));
  }
}

/* controls -> first features; gain and weight of the harmonics by the way. */
static void enter(const Decoder *d, const float *controls, int n, float *gain, float *voiced) {
  const float *ranges = d->weights, *w = ranges + 6, *b = w + 2 * d->channels;
  for (int t = 0; t < n; t++, controls += CONTROL_SIZE) {
    float midi = 69 + 12 * (float)(logarithm(maxf(controls[0], 1) / 440.0) * 1.4426950408889634);
    float pitch = (clampf(midi, ranges[1], ranges[2]) - ranges[0]) / 12;
    float level = (clampf(controls[2], ranges[4], ranges[5]) - ranges[3]) / 10;
    gain[t] = (float)exponential(minf(controls[2] - ranges[4], 0) * 0.11512925464970229);
    voiced[t] = controls[0] > 0 ? clampf((controls[1] - 0.4f) / 0.2f, 0, 1) : 0;
    float *h = d->h + t * d->channels;
    for (int c = 0; c < d->channels; c++) h[c] = b[c] + pitch * w[c] + level * w[d->channels + c];
  }
  leaky_relu(d->h, n * d->channels);
}

/* h += leaky_relu(matrix of the filtered past of h) */
static void layer(Decoder *d, int l, int n) {
  int c = d->channels, dilation = 1 << l, reach = (KERNEL - 1) * dilation, row = c * (int)sizeof(float);
  const float *w = d->weights + 6 + 3 * c + l * layer_size(c), *b = w + KERNEL * c + c * c;
  float *past = d->past[l];
  if (!d->started) /* the first frame has been there for ever */
    for (int t = 0; t < reach; t++) memcpy(past + t * c, d->h, (unsigned long)row);
  memcpy(past + reach * c, d->h, (unsigned long)(n * row));
  float *y = d->y;
  for (int t = 0; t < n; t++) memcpy(y + t * c, b, (unsigned long)row);
  for (int t = 0; t < n; t++) /* d->h now holds what the filters make of the past; the way back is in past */
    for (int i = 0; i < c; i += 4) {
      const float *x = past + t * c + i;
      STORE(d->h + t * c + i, LOAD(x) * LOAD(w + i) + LOAD(x + dilation * c) * LOAD(w + c + i) +
                                  LOAD(x + 2 * dilation * c) * LOAD(w + 2 * c + i));
    }
  matrix_accumulate(d->h, c, c, w + KERNEL * c, y, c, n);
  leaky_relu(y, n * c);
  for (int i = 0; i < n * c; i += 4) STORE(d->h + i, LOAD(past + reach * c + i) + LOAD(y + i));
  memmove(past, past + n * c, (unsigned long)(reach * row));
}

EXPORT(decoder_process) void decoder_process(Decoder *d, const float *controls, int n_frames, float *parameters) {
  int c = d->channels, wide = d->harmonics + d->bands;
  if (!d->ready) { /* lay the last layer out in rows of full vectors */
    const float *w = d->weights + d->n_weights - (c + 1) * wide;
    for (int i = 0; i <= c; i++) memcpy(d->output_w + i * d->outputs, w + i * wide, (unsigned long)wide * sizeof(float));
    d->ready = 1;
  }
  while (n_frames > 0) {
    int n = mini(n_frames, BLOCK);
    float gain[BLOCK], voiced[BLOCK];
    enter(d, controls, n, gain, voiced);
    for (int l = 0; l < d->layers; l++) layer(d, l, n);
    d->started = 1;
    for (int t = 0; t < n; t++) memcpy(d->out + t * d->outputs, d->output_b, (unsigned long)d->outputs * sizeof(float));
    matrix_accumulate(d->h, c, c, d->output_w, d->out, d->outputs, n);
    for (int t = 0; t < n; t++, parameters += 1 + wide, controls += CONTROL_SIZE) {
      float *out = d->out + t * d->outputs;
      for (int i = 0; i < d->outputs; i += 4) STORE(out + i, exp_sigmoid4(LOAD(out + i)));
      parameters[0] = controls[0];
      for (int k = 0; k < d->harmonics; k++) parameters[1 + k] = gain[t] * voiced[t] * out[k];
      for (int k = d->harmonics; k < wide; k++) parameters[1 + k] = gain[t] * out[k];
    }
    n_frames -= n;
  }
}
