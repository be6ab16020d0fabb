/* Fitting a sound to an instrument as it comes (for a whole sound: src/retimbre/transfer.py, adjust). */
#ifndef RETIMBRE_ADJUST_H
#define RETIMBRE_ADJUST_H

#include "internal.h"

/* What is known of the player by now. */
typedef struct {
  int started;
  float floor_db, loud_db; /* of the noise between notes, and of the notes */
  float gate_db;           /* threshold of the gate */
  int open;
  float slope;             /* how much steeper than the sound the instrument falls below it */
  float voiced_s;          /* heard so far */
  float level_db;          /* that a fifth of the playing exceeds */
  float midi;              /* median pitch */
  float last_db;           /* loudness of the last frame */
  int onset;               /* frames that a sound is still new; 0 when it is not */
  int note_frames;         /* since the note began, 0 between notes */
  float voicing;           /* 1 while voiced, then falling to 0; of a new sound as likely as it is */
} Listener;

/* Where an instrument is at home. */
typedef struct {
  float centre, low, high; /* pitch, MIDI */
  float loud_db, top_db;   /* loudness that a fifth and a 25th of its playing exceed */
} Home;

/* How the player is brought there. */
typedef struct {
  int started, octave;
  float fit_db;
} Fit;

/* gate_db: fixed, or NaN to follow the player. */
void listener_hear(Listener *listener, const float *controls, float gate_db);

/* The frame as the instrument shall play it. octave: NaN to choose one; loudness_db: added, after the automatic fit if
   that is on. */
void fit_controls(Fit *fit, const Home *home, const Listener *listener, const float *controls, float octave,
                  float semitones, int automatic, float loudness_db, float *adjusted);

/* Controls that are the instrument's own, by so much higher and louder. octave: NaN is none. */
void transpose_controls(const float *controls, float octave, float semitones, float loudness_db, float *adjusted);

#endif
