/* controls -> synthesiser parameters: the instrument's network, a stack of causal dilated convolutions, each a filter
   over time for every channel and a matrix across the channels.
   Many frames go through each layer at once; a layer remembers the frames that its kernel reaches back to. */
#include "internal.h"

#define KERNEL 3
#define BLOCK 32 /* frames at once */

struct Decoder {
  int channels, layers, harmonics, bands, pitches;
  int n_weights, ready, started;
  float *weights;   /* as the host wrote them */
  Matrix **across;  /* of each layer, and of the output */
  float *output_b;  /* as wide as its matrix */
  float **past;     /* inputs of each layer: 2 * dilation past frames, then the block */
  float *h, *y, *out;
};


static int entry_size(const Decoder *d) { return 6 + (3 + d->pitches) * d->channels; }
static int layer_size(int channels) { return (KERNEL + channels + 1) * channels; }

EXPORT(decoder_new) Decoder *decoder_new(int channels, int layers, int harmonics, int bands, int pitches) {
  Decoder *d = engine_alloc(sizeof *d);
  int floats = (int)sizeof(float), c = channels;
  d->channels = c, d->layers = layers, d->harmonics = harmonics, d->bands = bands, d->pitches = pitches;
  d->n_weights = entry_size(d) + layers * layer_size(c) + (c + 1) * (harmonics + bands);
  d->weights = engine_alloc(d->n_weights * floats);
  d->past = engine_alloc(layers * (int)sizeof(float *));
  d->across = engine_alloc((layers + 1) * (int)sizeof(Matrix *));
  for (int l = 0; l < layers; l++) {
    d->past[l] = engine_alloc(((KERNEL - 1 << l) + BLOCK) * c * floats);
    d->across[l] = matrix_new(c, c);
  }
  d->across[layers] = matrix_new(c, harmonics + bands);
  int wide = matrix_width(d->across[layers]);
  d->output_b = engine_alloc(wide * floats);
  d->h = engine_alloc(BLOCK * c * floats);
  d->y = engine_alloc(BLOCK * c * floats);
  d->out = engine_alloc(BLOCK * wide * floats);
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
  int width = d->channels;
  const float *ranges = d->weights, *w = ranges + 6, *b = w + 2 * width, *pitches = b + width;
  float per_row = (float)(d->pitches - 1) / (ranges[2] - ranges[1]);
  for (int t = 0; t < n; t++, controls += CONTROL_SIZE) {
    float midi = midi_number(maxf(controls[0], 1));
    midi = clampf(midi, ranges[1], ranges[2]);
    float pitch = (midi - ranges[0]) / 12, place = (midi - ranges[1]) * per_row;
    int row = mini((int)place, d->pitches - 2);
    const float *e = pitches + row * width;
    float part = place - (float)row;
    float level = (clampf(controls[2], ranges[4], ranges[5]) - ranges[3]) / 10;
    gain[t] = (float)exponential(minf(controls[2] - ranges[4], 0) * 0.11512925464970229);
    voiced[t] = controls[0] > 0 ? clampf((controls[1] - 0.4f) / 0.2f, 0, 1) : 0;
    float *h = d->h + t * width;
    for (int c = 0; c < width; c++)
      h[c] = b[c] + pitch * w[c] + level * w[width + c] + (e[c] + part * (e[width + c] - e[c]));
  }
  leaky_relu(d->h, n * width);
}

/* h += leaky_relu(matrix of the filtered past of h) */
static void layer(Decoder *d, int l, int n) {
  int c = d->channels, dilation = 1 << l, reach = (KERNEL - 1) * dilation, row = c * (int)sizeof(float);
  const float *w = d->weights + entry_size(d) + l * layer_size(c), *b = w + KERNEL * c + c * c;
  float *past = d->past[l];
  if (!d->started) /* the first frame has been there for ever */
    for (int t = 0; t < reach; t++) memcpy(past + t * c, d->h, (unsigned long)row);
  memcpy(past + reach * c, d->h, (unsigned long)(n * row));
  float *y = d->y;
  for (int t = 0; t < n; t++) /* d->h now holds what the filters make of the past; the way back is in past */
    for (int i = 0; i < c; i += 4) {
      const float *x = past + t * c + i;
      STORE(d->h + t * c + i, LOAD(x) * LOAD(w + i) + LOAD(x + dilation * c) * LOAD(w + c + i) +
                                  LOAD(x + 2 * dilation * c) * LOAD(w + 2 * c + i));
    }
  matrix_apply(d->across[l], d->h, c, c, b, y, n);
  leaky_relu(y, n * c);
  for (int i = 0; i < n * c; i += 4) STORE(d->h + i, LOAD(past + reach * c + i) + LOAD(y + i));
  memmove(past, past + n * c, (unsigned long)(reach * row));
}

/* The weights as matrices; they are complete when the first frame comes. */
static void prepare(Decoder *d) {
  int c = d->channels, out = d->harmonics + d->bands;
  for (int l = 0; l <= d->layers; l++) {
    int wide = l < d->layers ? c : out;
    const float *w = d->weights + entry_size(d) + l * layer_size(c) + (l < d->layers ? KERNEL * c : 0);
    for (int i = 0; i < c; i++)
      for (int o = 0; o < wide; o++) matrix_set(d->across[l], i, o, w[i * wide + o]);
  }
  memcpy(d->output_b, d->weights + d->n_weights - out, (unsigned long)out * sizeof(float));
  d->ready = 1;
}

void decoder_restart(Decoder *d) { d->started = 0; }

EXPORT(decoder_process) void decoder_process(Decoder *d, const float *controls, int n_frames, float *parameters) {
  int c = d->channels, harmonics = d->harmonics, out = harmonics + d->bands;
  Matrix *last = d->across[d->layers];
  if (!d->ready) prepare(d);
  while (n_frames > 0) {
    int n = mini(n_frames, BLOCK), wide = matrix_width(last);
    float gain[BLOCK], voiced[BLOCK];
    enter(d, controls, n, gain, voiced);
    for (int l = 0; l < d->layers; l++) layer(d, l, n);
    d->started = 1;
    matrix_apply(last, d->h, c, c, d->output_b, d->out, n);
    exp_sigmoid(d->out, n * wide);
    for (int t = 0; t < n; t++, parameters += 1 + out, controls += CONTROL_SIZE) {
      const float *row = d->out + t * wide;
      float tone = gain[t] * voiced[t], noise = gain[t], *to = parameters + 1;
      to[-1] = controls[0];
      for (int k = 0; k < harmonics; k++) to[k] = tone * row[k];
      for (int k = harmonics; k < out; k++) to[k] = noise * row[k];
    }
    n_frames -= n;
  }
}
