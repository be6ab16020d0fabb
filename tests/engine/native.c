/* Runs every object of the engine natively, with blocks of many sizes, for the sanitizers; and writes what went in and
   what came out, for comparison with engine.wasm: records of name length, name, count, floats (test_build.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static FILE *file;

static void record(const char *name, const float *data, int count) {
  int length = (int)strlen(name);
  fwrite(&length, sizeof length, 1, file), fwrite(name, 1, (size_t)length, file);
  fwrite(&count, sizeof count, 1, file), fwrite(data, sizeof *data, (size_t)count, file);
}

/* Whole numbers only, so that every machine makes the same. */
static unsigned random_state = 1;
static unsigned random_bits(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}
static float uniform(float low, float high) { return low + (high - low) * (float)random_bits() / 16777216.0f; }

/* Blocks of 1, of 5000, and of anything between, exactly as long as they claim: reading beyond is an error. */
static int block_size(int left) {
  static const int sizes[] = {1, 2, 3, 79, 80, 81, 1023, 1024, 1025, 5000, 1, 4096, 4097};
  static int turn;
  int size = random_bits() % 2 ? sizes[turn++ % 13] : (int)(1 + random_bits() % 5000);
  return size < left ? size : left;
}

static float *floats(int count) { return calloc((size_t)count + !count, sizeof(float)); }
static float *copy(const float *from, int count) { return memcpy(floats(count), from, (size_t)count * sizeof(float)); }

/* A gliding sawtooth that starts and stops, breath, full-scale clicks, an offset and digital silence. */
static float *signal_at(int rate, int n) {
  float *audio = floats(n), phase = 0;
  for (int i = 0; i < n; i++) {
    float place = (float)i / (float)n, hz = 90 + 1500 * place * place;
    phase += hz / (float)rate;
    if (phase >= 1) phase -= 1;
    if (place < 0.8f) audio[i] = ((i / (rate / 8)) % 3 ? 0.4f * (2 * phase - 1) : 0) + uniform(-0.01f, 0.01f) + 0.05f;
    if (i % 5003 == 17) audio[i] = i % 2 ? 1.0f : -1.0f;
  }
  return audio;
}

static void run_analyzer(int rate, int lookahead) {
  char name[64];
  int n = rate * 14 / 10, frames = 0;
  float *audio = signal_at(rate, n), *all = floats(3 * 400);
  Analyzer *analyzer = analyzer_new(rate, lookahead);
  for (int at = 0; at < n;) {
    int size = block_size(n - at);
    float *block = copy(audio + at, size), *out = floats(3 * (int)((long long)size * FRAME_RATE / rate + 2));
    int got = analyzer_process(analyzer, block, size, out);
    memcpy(all + 3 * frames, out, (size_t)(3 * got) * sizeof(float));
    frames += got, at += size;
    free(block), free(out);
  }
  snprintf(name, sizeof name, "analyzer %d %d in", rate, lookahead), record(name, audio, n);
  snprintf(name, sizeof name, "analyzer %d %d out", rate, lookahead), record(name, all, 3 * frames);
  free(audio), free(all);
}

enum { CHANNELS = 24, LAYERS = 5, HARMONICS = 37, BANDS = 21, PITCHES = 9, FRAMES = 150, WIDTH = 1 + HARMONICS + BANDS };

static float *run_decoder(void) {
  Decoder *decoder = decoder_new(CHANNELS, LAYERS, HARMONICS, BANDS, PITCHES);
  float *weights = decoder_weights(decoder);
  int n = decoder_n_weights(decoder);
  for (int i = 6; i < n; i++) weights[i] = uniform(-0.25f, 0.25f);
  static const float scales[] = {60, 30, 100, -30, -60, -5};
  memcpy(weights, scales, sizeof scales);
  float *controls = floats(3 * FRAMES), *all = floats(FRAMES * WIDTH);
  for (int i = 0; i < FRAMES; i++) {
    controls[3 * i] = i % 11 == 3 ? 0 : 50 + 20 * (float)i;
    controls[3 * i + 1] = uniform(0, 1);
    controls[3 * i + 2] = i % 50 < 4 ? -100 : uniform(-80, 3);
  }
  for (int at = 0; at < FRAMES;) {
    int left = FRAMES - at, size = 1 + (int)random_bits() % 70;
    if (size > left) size = left;
    float *block = copy(controls + 3 * at, 3 * size), *out = floats(size * WIDTH);
    decoder_process(decoder, block, size, out);
    memcpy(all + at * WIDTH, out, (size_t)(size * WIDTH) * sizeof(float));
    at += size;
    free(block), free(out);
  }
  record("decoder weights", weights, n), record("decoder in", controls, 3 * FRAMES);
  record("decoder out", all, FRAMES * WIDTH);
  free(controls);
  return all;
}

static void run_synth(int rate, const float *parameters) {
  char name[64];
  float band_hz[BANDS];
  for (int b = 0; b < BANDS; b++) band_hz[b] = 30.0f * (float)((b + 1) * (b + 1));
  int length = synth_noise_length(rate), written = 0, hop = (rate + FRAME_RATE - 1) / FRAME_RATE;
  Synth *synth = synth_new(rate, HARMONICS, BANDS, band_hz);
  float *all = floats(FRAMES * hop);
  for (int at = 0; at < FRAMES;) {
    int left = FRAMES - at, size = random_bits() % 3 ? 1 + (int)random_bits() % 40 : 1;
    if (size > left) size = left;
    float *block = copy(parameters + at * WIDTH, size * WIDTH), *noise = floats(size * length), *out = floats(size * hop);
    noise_fill(9u, (unsigned)at, size, length, noise);
    int got = synth_process(synth, block, at % 2 ? noise : 0, 9u, size, 0.8f, 0.6f, out);
    memcpy(all + written, out, (size_t)got * sizeof(float));
    written += got, at += size;
    free(block), free(noise), free(out);
  }
  record("synth bands", band_hz, BANDS);
  snprintf(name, sizeof name, "synth %d out", rate), record(name, all, written);
  free(all);
}

static void run_resampler(int from, int to) {
  char name[64];
  int n = from / 4, written = 0;
  float *audio = signal_at(from, n), *all = floats((int)((long long)n * to / from) + 8);
  Resampler *resampler = resampler_new(from, to, 64);
  for (int at = 0; at < n;) {
    int size = block_size(n - at);
    float *block = copy(audio + at, size), *out = floats((int)((long long)size * to / from) + 2);
    int got = resampler_process(resampler, block, size, out);
    memcpy(all + written, out, (size_t)got * sizeof(float));
    written += got, at += size;
    free(block), free(out);
  }
  snprintf(name, sizeof name, "resampler %d %d in", from, to), record(name, audio, n);
  snprintf(name, sizeof name, "resampler %d %d out", from, to), record(name, all, written);
  free(audio), free(all);
}

/* Messages of every kind, most of them sense, from a table of what matters and at random; a few frames after each. */
static void run_keyboard(void) {
  enum { MESSAGES = 4000 };
  static const int controllers[] = {1, 6, 7, 11, 38, 64, 98, 100, 101, 120, 121, 123, 127};
  float *messages = floats(4 * MESSAGES), *all = floats(3 * 8 * MESSAGES);
  int frames = 0;
  Keyboard *keyboard = keyboard_new();
  keyboard_settings(keyboard)[SEED] = 5;
  for (int i = 0; i < MESSAGES; i++) {
    int kind = (int)random_bits() % 8, channel = random_bits() % 2 ? 0 : (int)random_bits() % 16, n = (int)random_bits() % 8;
    int message[3] = {0x80 + (kind << 4 & 0x70) + channel, (int)random_bits() % 128, (int)random_bits() % 128};
    if (kind == 3) message[1] = controllers[random_bits() % 13];
    if (kind == 3 && message[1] >= 98 && message[1] <= 101) message[2] = random_bits() % 2 ? 0 : 6;
    if (kind == 7) message[0] = (int)random_bits() % 512 - 128, message[1] -= 2, message[2] += 2;
    keyboard_event(keyboard, message[0], message[1], message[2]);
    float *out = floats(3 * n);
    keyboard_process(keyboard, n, out);
    memcpy(all + 3 * frames, out, (size_t)(3 * n) * sizeof(float));
    for (int j = 0; j < 3; j++) messages[4 * i + j] = (float)message[j];
    messages[4 * i + 3] = (float)n, frames += n;
    free(out);
  }
  record("keyboard in", messages, 4 * MESSAGES), record("keyboard out", all, 3 * frames);
  free(messages), free(all);
}

int main(int count, char **arguments) {
  file = count == 2 ? fopen(arguments[1], "wb") : 0;
  if (!file) return 2;
  static const int analysed[] = {8000, 16000, 44100, 48000, 192000}, played[] = {16000, 22050, 44100, 48000, 96000, 192000};
  for (int i = 0; i < 5; i++) run_analyzer(analysed[i], 0), run_analyzer(analysed[i], 1);
  float *parameters = run_decoder();
  for (int i = 0; i < 6; i++) run_synth(played[i], parameters);
  free(parameters);
  run_keyboard();
  run_resampler(44100, 48000), run_resampler(48000, 16000), run_resampler(8000, 48000);
  run_resampler(47999, 48000), run_resampler(192000, 8000), run_resampler(48000, 48000);
  return fclose(file) ? 1 : 0;
}
