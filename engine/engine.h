/* The retimbre engine: everything a user runs, as one freestanding C library.

   It has no dependencies, makes no system calls, and allocates only in the *_new functions, from one arena.
   Anything with memory is an object whose zeroed state is its beginning; any split of the input into blocks gives
   the same numbers. docs/definitions.md defines every quantity.

   The same functions are the exports of engine.wasm (see the hosts: src/retimbre/engine.py). */
#ifndef RETIMBRE_ENGINE_H
#define RETIMBRE_ENGINE_H

#define FRAME_RATE 200       /* control frames a second, at every sample rate */
#define ANALYSIS_RATE 16000  /* pitch and loudness are measured at this rate */
#define CONTROL_SIZE 3       /* floats a frame of controls: f0_hz, periodicity, loudness_db */

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif

typedef struct Analyzer Analyzer;
typedef struct Decoder Decoder;
typedef struct Synth Synth;
typedef struct Resampler Resampler;
typedef struct Convolver Convolver;
typedef struct Live Live;
typedef struct Keyboard Keyboard;

/* Zeroed memory that lives as long as the engine; 0 when there is no more. For the host's buffers too. */
void *engine_alloc(int bytes);

/* audio -> controls. With lookahead the windows are centred on the frame and the pitch path is chosen over time
   (offline), and unvoiced frames read 0 Hz; without it everything is causal (live), and they carry the last pitch. analyzer_process writes the frames that became certain and
   returns their number (at most n * 200 / sample_rate + 2); feed zeros to flush. */
Analyzer *analyzer_new(int sample_rate, int lookahead);
int analyzer_process(Analyzer *analyzer, const float *audio, int n, float *controls);

/* controls -> synthesiser parameters, rows of 1 + harmonics + bands floats: f0_hz, harmonic amplitudes, noise
   magnitudes. decoder_weights: where the host writes the weights, decoder_n_weights floats in this order: pitch and
   level {centre, low, high} each, then W_in [2][C], b_in [C], pitches [P][C]; per layer taps [3][C] (oldest first), W [C][C] (in, out),
   b [C]; W_out [C][H + B], b_out [H + B]. */
Decoder *decoder_new(int channels, int layers, int harmonics, int bands, int pitches);
float *decoder_weights(Decoder *decoder);
int decoder_n_weights(Decoder *decoder);
void decoder_process(Decoder *decoder, const float *controls, int n_frames, float *parameters);

/* synthesiser parameters + white noise -> audio. noise: n_frames rows of synth_noise_length(sample_rate) numbers of
   unit variance, or 0 for what noise_fill makes of the seed. Returns the number of samples written. */
Synth *synth_new(int sample_rate, int harmonics, int bands, const float *noise_band_hz);
int synth_noise_length(int sample_rate);
int synth_process(Synth *synth, const float *parameters, const float *noise, unsigned seed, int n_frames,
                  float harmonic_gain, float noise_gain, float *audio);

/* White noise of unit variance as a pure function of seed and frame: the same in every host and for any block size.
   length: a multiple of 4. */
void noise_fill(unsigned seed, unsigned first_frame, int n_frames, int length, float *noise);

/* MIDI messages -> controls: a player with one voice (docs/definitions.md, Keyboard). keyboard_event takes any channel
   message (status 0x80..0xef; the rest is ignored), which holds from the next frame on. keyboard_process writes frames:
   f0_hz carries the last pitch (0 before the first), silence is periodicity 0 at -100 dB. keyboard_settings: where the
   host may change, at any time, the KEYBOARD_SETTINGS numbers that say how the player plays. */
enum {
  LOUDNESS_SOFT, LOUDNESS_MIDDLE, LOUDNESS_LOUD, /* dB of a note at velocity 1, 64 and 127, straight lines between */
  ATTACK_S, RELEASE_S, /* a note's amplitude from -20 to -3 dB at velocity 64, and back */
  GLIDE_S,             /* from one pitch to the next, slurred */
  VIBRATO_HZ, VIBRATO_CENTS, VIBRATO_DELAY_S, /* of long notes: rate, depth to one side, when it sets in */
  MODULATION_CENTS,    /* what the modulation wheel (CC 1) adds to the depth */
  BEND_SEMITONES,      /* range of the pitch bend, until RPN 0 sets another */
  MPE,                 /* 1: one zone of all channels, until an MPE configuration (RPN 6) says otherwise */
  IRREGULARITY,        /* 0..1: how human */
  SEED,                /* of the irregularity, whole; read at the first frame */
  KEYBOARD_SETTINGS
};
Keyboard *keyboard_new(void);
float *keyboard_settings(Keyboard *keyboard);
int keyboard_n_settings(const Keyboard *keyboard);
void keyboard_event(Keyboard *keyboard, int status, int data1, int data2);
void keyboard_frame(Keyboard *keyboard, float *controls);
void keyboard_process(Keyboard *keyboard, int n_frames, float *controls);

/* Band-limited resampling between any two rates. Returns the number of samples written; the output is not delayed,
   so the last zero_crossings * max(1, in / out) input samples are held back: feed zeros to flush. */
Resampler *resampler_new(int rate_in, int rate_out, int zero_crossings);
int resampler_process(Resampler *resampler, const float *in, int n, float *out);

/* Convolution with a response of up to max_taps as the sound comes, without delay. The host writes the taps, then
   changes to them: with a fade of so many samples, prepared little by little, or (0) at once, for the beginning of a
   stream. While the last change is under way the convolver is busy, and the taps must not be touched. At first the
   response is a click. */
Convolver *convolver_new(int max_taps);
float *convolver_response(Convolver *convolver);
int convolver_busy(const Convolver *convolver);
int convolver_change(Convolver *convolver, int n_taps, int fade);
void convolver_process(Convolver *convolver, const float *in, int n, float *out);

/* The whole line as it comes: live_process takes n samples and gives n, live_latency samples later, in blocks of any
   size. Without an instrument it is silent. */
Live *live_new(int sample_rate, unsigned seed, int max_room_taps);
void live_process(Live *live, const float *in, int n, float *out);
int live_latency(Live *live);

/* Written by the host at any time between blocks, live_n_settings floats: 1 to play from the keyboard
   instead of the sound that comes in, octave (NaN: automatic), semitones, automatic
   loudness fit (1 or 0), loudness in dB added to what the instrument plays, gate in dB (NaN: automatic), then the gains
   of harmonics, noise, instrument, dry input, and output. */
float *live_settings(Live *live);
int live_n_settings(void);

/* Of the last frame, live_n_meters floats: input peak, input loudness_db, f0_hz, periodicity; f0_hz, periodicity,
   loudness_db as played; output peak; octave, fit in dB, gate in dB, noise floor in dB, gate open, limiter gain, frames
   so far, samples that were no numbers, of the input and of the instrument. And the synthesiser parameters of the instrument that plays. */
const float *live_meters(Live *live);
int live_n_meters(void);
const float *live_parameters(Live *live);

/* Change the instrument: the host writes noise_band_hz [bands], the loudness that a fifth and a 25th of the instrument's
   training exceed, and the decoder's weights to where live_instrument points (0: a change is still under way), then
   calls live_change: the two cross-fade. */
float *live_instrument(Live *live, int channels, int layers, int harmonics, int bands, int pitches);
void live_change(Live *live);

/* The player of MIDI messages, and the room that the instrument is heard in. */
Keyboard *live_keyboard(Live *live);
Convolver *live_room(Live *live);

#endif
