/* The live adjustment: a gate that knows the noise of the place, an octave and a loudness that settle within a second or
   two of playing and then hardly move, so that dynamics stay the player's. */
#include "adjust.h"

#define FRAME_S (1.0f / FRAME_RATE)
#define SILENCE_DB -85.0f
#define ABOVE_FLOOR_DB 10.0f /* where the gate stands over the noise */
#define BELOW_LOUD_DB 45.0f  /* and at most so far below the notes */
#define HYSTERESIS_DB 3.0f   /* each way */
#define RELEASE_S 0.04f      /* in which the harmonics of an ended note fade */
#define RISE_S 0.02f         /* in which those of one that no onset announced come */
#define LEARN_S 1.5f         /* of playing, in which the fit moves quickly */
#define USUAL_DB -28.0f      /* a microphone at a usual level, before anything was heard */
#define DEAD_DB 2.0f         /* the fit does not follow smaller changes */
#define ONSET_DB 9.0f        /* a frame so much louder than the last begins a sound */
#define ONSET_FRAMES 4       /* that a sound is new */
#define TRUST_FRAMES 6       /* of a first note, before its octave is believed */

static int unknown(float x) { return x != x; }

static float toward(float x, float to, float up, float down) { return x + clampf(to - x, -down, up); }

static void follow_levels(Listener *l, float loudness_db, int voiced) {
  /* Noise is what is there between notes: its level is found from above at once, and from below slowly. */
  float rise = voiced ? 0.3f : 6.0f;
  l->floor_db = loudness_db < l->floor_db ? l->floor_db + 0.2f * (loudness_db - l->floor_db) : minf(loudness_db, l->floor_db + rise * FRAME_S);
  l->floor_db = clampf(l->floor_db, -100, -30);
  if (voiced) l->loud_db = toward(l->loud_db, loudness_db, 0.5f, 0.5f * FRAME_S);
}

static void follow_playing(Listener *l, float loudness_db, float midi) {
  int learning = l->voiced_s < LEARN_S;
  float up = learning ? 80.0f : 1.2f, down = learning ? 20.0f : 0.3f; /* four to one: the level a fifth exceeds */
  l->level_db += loudness_db > l->level_db ? minf(up * FRAME_S, loudness_db - l->level_db) : maxf(-down * FRAME_S, loudness_db - l->level_db);
  if (l->note_frames == TRUST_FRAMES && l->voiced_s < 2 * TRUST_FRAMES * FRAME_S) l->midi = midi;
  float step = (learning ? 24.0f : 6.0f) * FRAME_S;
  l->midi += clampf(midi - l->midi, -step, step);
  l->voiced_s += FRAME_S;
}

void listener_hear(Listener *l, const float *controls, float gate_db) {
  if (!l->started) {
    l->floor_db = -70, l->loud_db = USUAL_DB, l->level_db = USUAL_DB;
    l->started = 1;
  }
  float f0_hz = controls[0], loudness_db = controls[2];
  int voiced = controls[1] >= 0.5f;
  follow_levels(l, loudness_db, voiced);
  if (unknown(gate_db)) {
    l->gate_db = maxf(l->floor_db + ABOVE_FLOOR_DB, l->loud_db - BELOW_LOUD_DB);
    l->gate_db = maxf(minf(l->gate_db, l->loud_db - 15), SILENCE_DB);
    l->open = loudness_db > l->gate_db + (l->open ? -HYSTERESIS_DB : HYSTERESIS_DB);
    l->slope = l->open ? 2 : 4;
  } else {
    l->gate_db = gate_db, l->open = loudness_db > gate_db, l->slope = 2;
  }
  l->onset = loudness_db > l->last_db + ONSET_DB ? ONSET_FRAMES : maxi(0, l->onset - 1);
  l->last_db = loudness_db;
  l->voicing = clampf(l->voicing + (voiced ? FRAME_S / RISE_S : -FRAME_S / RELEASE_S), 0, 1);
  /* The gate has heard a millisecond or two by then: 0.05 of breath, hiss and clicks, 0.25 and more of tones. */
  if (l->onset) l->voicing = maxf(l->voicing, voiced ? 1 : clampf(4 * controls[1] - 0.2f, 0, 1));
  l->note_frames = voiced && l->open ? l->note_frames + 1 : 0;
  if (l->note_frames && f0_hz > 0) follow_playing(l, loudness_db, midi_number(f0_hz));
}

/* The octave moves between notes, and only when the playing has left the instrument's range. */
static void choose_octave(Fit *fit, const Home *home, const Listener *l) {
  int first = !fit->started && l->note_frames >= TRUST_FRAMES;
  if (!first && (l->note_frames || l->voiced_s < TRUST_FRAMES * FRAME_S)) return;
  fit->started = 1;
  float now = l->midi + 12 * (float)fit->octave;
  int at_home = home->low + 2 <= now && now <= home->high - 2;
  float away = now - home->centre;
  if (at_home && (!fit->octave || (away < 9 && away > -9))) return;
  if (home->low + 2 <= l->midi && l->midi <= home->high - 2) fit->octave = 0;
  else fit->octave = (int)__builtin_floorf((home->centre - l->midi) / 12 + 0.5f);
}

static void follow_loudness(Fit *fit, const Home *home, const Listener *l) {
  float wanted = home->loud_db - l->level_db, off = wanted - fit->fit_db;
  if (!l->voiced_s) fit->fit_db = wanted;
  else if (l->voiced_s < 2 * LEARN_S) fit->fit_db += clampf(off, -20 * FRAME_S, 20 * FRAME_S);
  else if (off > DEAD_DB) fit->fit_db += 2 * FRAME_S;
  else if (off < -DEAD_DB) fit->fit_db -= 2 * FRAME_S;
}

static float transposed(float f0_hz, int octave, float semitones) {
  return f0_hz * (float)semitones_up(12 * octave + semitones);
}

void transpose_controls(const float *controls, float octave, float semitones, float loudness_db, float *adjusted) {
  adjusted[0] = transposed(controls[0], unknown(octave) ? 0 : (int)octave, semitones);
  adjusted[1] = controls[1], adjusted[2] = controls[2] + loudness_db;
}

void fit_controls(Fit *fit, const Home *home, const Listener *l, const float *controls, float octave, float semitones,
                  int automatic, float loudness_db, float *adjusted) {
  if (unknown(octave)) choose_octave(fit, home, l);
  else fit->octave = (int)octave;
  if (automatic) follow_loudness(fit, home, l);
  else fit->fit_db = 0;
  /* A note whose pitch nobody knows yet begins where the instrument is at home. */
  adjusted[0] = transposed(controls[0], fit->octave, semitones);
  if (!(adjusted[0] > 0) && l->voicing > 0) adjusted[0] = (float)(440 * semitones_up(home->centre - 69));
  adjusted[1] = 0.4f + 0.2f * l->voicing;
  double heard = controls[2], fitted = heard + fit->fit_db + loudness_db;
  if (automatic && fitted > home->top_db) fitted = home->top_db;
  /* Steeper below the gate, and towards digital silence, so that silence stays silent whatever the fit adds. */
  double below = maxf(l->gate_db - controls[2], 0);
  fitted -= l->slope * below + 6 * (double)maxf(SILENCE_DB - controls[2], 0);
  adjusted[2] = (float)fitted;
}
