/* MIDI messages -> controls: one player with one voice, who holds keys, bends, presses and lets go.

   The last key pressed sounds; let go, it gives way to the one still held. A key pressed while another is down slurs:
   the pitch glides over and nothing is attacked anew. Otherwise a new note begins, after a short dip if the old one
   still sounds. Every channel has its own bend, pressure and controllers (MIDI 1.0; MPE, specification M1-100), and the
   sounding note follows those of the channel it came on, in an MPE zone those of its manager channel too. */
#include "internal.h"

#define KEYS 64           /* held at once; more push out the oldest */
#define SILENT_DB -100.0f
#define BELOW_NOTE_DB 46  /* where a note begins, below its level */
#define MAX_STEP_DB 12    /* largest step between two frames of a note */
#define DIP 0.3f          /* a frame, on the way from one note to a detached next */
#define DIPPED 0.1f
#define SHORTEST_FRAMES 6 /* that a note sounds, however short the key was down */
#define CHORD_FRAMES 3    /* keys pressed together: the last replaces the others without a glide */
#define SCOOP_S 0.06f     /* in which the pitch settles after an attack */
#define NULL_RPN 0x3fff

typedef struct {
  float bend, pressure, modulation;   /* as told: -1..1, 0..1, 0..1 */
  float bent, pressed, modulated;     /* as they move there */
  float expression, volume;           /* 0..1 */
  float bend_range;                   /* semitones; below 0: not told */
  int pedal, rpn;                     /* rpn: the registered parameter that data entry would set */
} Channel;

typedef struct {
  int key, channel, velocity, down; /* down: by a finger, not only by the pedal */
} Note;

struct Keyboard {
  float settings[KEYBOARD_SETTINGS];
  Channel channels[16];
  int lower, upper, zones_told; /* member channels of the two MPE zones */
  Note held[KEYS], now, next;   /* oldest first; what sounds; what will after the dip */
  int n_held, sounding, waiting, gate, cut;
  int age;                      /* frames since the note began */
  float attack_s, level_db, loudness_db, f0_hz;
  float stage, envelope;        /* two smoothed steps in a row, linear amplitude */
  float pitch;                  /* semitones, without vibrato */
  float away, glide_s, glided;  /* semitones from the note where the glide began; its length and place (0..1) */
  float vibrato, phase, depth;  /* 0..1: how far it has set in; turns; factor of this note */
  float note_db;                /* irregularity of this note */
  float drift[3], towards[3];   /* of pitch, loudness and vibrato rate, -1..1, and where they go */
  unsigned random;
  int frames;
};

static float setting(const Keyboard *k, int which, float low, float high) {
  return clampf(k->settings[which], low, high); /* a number, whatever the host wrote */
}

/* -1..1 */
static float chance(Keyboard *k) {
  k->random ^= k->random << 13, k->random ^= k->random >> 17, k->random ^= k->random << 5;
  return (float)(k->random >> 8) / 8388608.0f - 1;
}

static void reset_controllers(Channel *c) {
  c->bend = c->pressure = c->modulation = 0, c->expression = 1, c->pedal = 0, c->rpn = NULL_RPN;
}

EXPORT(keyboard_new) Keyboard *keyboard_new(void) {
  Keyboard *k = engine_alloc(sizeof *k);
  if (!k) return 0;
  static const float SANE[KEYBOARD_SETTINGS] = {
      [LOUDNESS_SOFT] = -40, [LOUDNESS_MIDDLE] = -27, [LOUDNESS_LOUD] = -14, [ATTACK_S] = 0.05f, [RELEASE_S] = 0.08f,
      [GLIDE_S] = 0.05f, [VIBRATO_HZ] = 5.5f, [VIBRATO_CENTS] = 12, [VIBRATO_DELAY_S] = 0.3f, [MODULATION_CENTS] = 60,
      [BEND_SEMITONES] = 2, [MPE] = 0, [IRREGULARITY] = 1, [SEED] = 0};
  memcpy(k->settings, SANE, sizeof SANE);
  for (int c = 0; c < 16; c++) {
    reset_controllers(&k->channels[c]);
    k->channels[c].volume = 100.0f / 127, k->channels[c].bend_range = -1;
  }
  k->loudness_db = SILENT_DB;
  return k;
}

EXPORT(keyboard_settings) float *keyboard_settings(Keyboard *k) { return k->settings; }
EXPORT(keyboard_n_settings) int keyboard_n_settings(const Keyboard *k) {
  (void)k;
  return KEYBOARD_SETTINGS;
}

/* Zones. Without a configuration message the setting decides: one zone of all channels, managed by the first. */
static int lower_zone(const Keyboard *k) { return k->zones_told ? k->lower : k->settings[MPE] > 0.5f ? 15 : 0; }

/* The manager of a member channel; -1 outside zones, and for managers. */
static int manager(const Keyboard *k, int channel) {
  int lower = lower_zone(k), upper = k->zones_told ? k->upper : 0;
  if (channel > 0 && channel <= lower) return 0;
  if (channel < 15 && channel >= 15 - upper) return 15;
  return -1;
}

static float bend_range(const Keyboard *k, int channel) {
  if (k->channels[channel].bend_range >= 0) return k->channels[channel].bend_range;
  return manager(k, channel) < 0 ? setting(k, BEND_SEMITONES, 0, 96) : 48;
}

static int pedal(const Keyboard *k, int channel) {
  int above = manager(k, channel);
  return k->channels[channel].pedal || (above >= 0 && k->channels[above].pedal);
}

/* Where a note lies before glide and vibrato, in semitones (69: 440 Hz). */
static float place(const Keyboard *k, const Note *note) {
  int above = manager(k, note->channel);
  float bent = k->channels[note->channel].bent * bend_range(k, note->channel);
  if (above >= 0) bent += k->channels[above].bent * bend_range(k, above);
  return (float)note->key + bent;
}

/* 40 log10(x): how MIDI volume and expression are meant (General MIDI 2). */
static float curve_db(float x) { return x > 0.01f ? 17.37178f * (float)logarithm(x) : -80; }

/* Loudness that the note is played at. */
static float level(const Keyboard *k, const Note *note) {
  const Channel *own = &k->channels[note->channel];
  int above = manager(k, note->channel);
  float soft = setting(k, LOUDNESS_SOFT, SILENT_DB, 0), middle = setting(k, LOUDNESS_MIDDLE, SILENT_DB, 0);
  float loud = setting(k, LOUDNESS_LOUD, SILENT_DB, 0);
  float v = (float)note->velocity;
  float db = v < 64 ? soft + (middle - soft) * (v - 1) / 63 : middle + (loud - middle) * (v - 64) / 63;
  float pressed = own->pressed;
  float gain = curve_db(own->expression) + curve_db(own->volume * 1.27f); /* volume rests at 100 */
  if (above >= 0) {
    const Channel *whole = &k->channels[above];
    gain += curve_db(whole->expression) + curve_db(whole->volume * 1.27f);
    pressed = maxf(pressed, whole->pressed);
  }
  db += pressed * maxf(loud - db, 0) + gain; /* pressing hard is as loud as striking hard */
  return clampf(db + k->note_db, SILENT_DB, 0);
}

static void glide(Keyboard *k, float away, float seconds) { k->away = away, k->glide_s = seconds, k->glided = 0; }

/* The note sounds from here: its channel's bend holds at once. */
static void take(Keyboard *k, Note note) {
  int above = manager(k, note.channel);
  k->now = note;
  k->channels[note.channel].bent = k->channels[note.channel].bend;
  k->channels[note.channel].pressed = k->channels[note.channel].pressure;
  if (above >= 0) k->channels[above].bent = k->channels[above].bend;
  k->depth = 1 + 0.2f * setting(k, IRREGULARITY, 0, 1) * chance(k);
}

static void begin(Keyboard *k) {
  float irregular = setting(k, IRREGULARITY, 0, 1);
  k->waiting = 0, k->sounding = 1, k->age = 0, k->vibrato = 0;
  take(k, k->next);
  k->note_db = 0.8f * irregular * chance(k);
  k->level_db = level(k, &k->now);
  k->attack_s = setting(k, ATTACK_S, 0.01f, 2) * (1.4f - 0.8f * (float)k->now.velocity / 127);
  glide(k, -0.12f * irregular * (1 + chance(k)), SCOOP_S);
}

/* From the sounding note to another without a new attack. */
static void slur(Keyboard *k, Note note) {
  if (k->waiting) {
    k->next = note;
    return;
  }
  take(k, note);
  if (k->age < CHORD_FRAMES) return;
  k->age = CHORD_FRAMES;
  glide(k, k->pitch - place(k, &note), setting(k, GLIDE_S, 0.005f, 5));
}

static void start(Keyboard *k, Note note) {
  k->next = note, k->waiting = k->gate = 1, k->cut = 0;
  if (!k->sounding) k->stage = k->envelope = 0;
}

static void forget(Keyboard *k, int i) {
  memmove(&k->held[i], &k->held[i + 1], (unsigned long)(--k->n_held - i) * sizeof(Note));
}

/* What sounds after keys were let go: the last that is held, or nothing. */
static void settle(Keyboard *k) {
  if (!k->n_held) {
    k->gate = 0;
    return;
  }
  Note last = k->held[k->n_held - 1];
  const Note *current = k->waiting ? &k->next : &k->now;
  if (last.key != current->key || last.channel != current->channel) slur(k, last);
}

static void press(Keyboard *k, Note note) {
  int slurred = 0;
  for (int i = k->n_held; i--;) {
    int same = k->held[i].key == note.key && k->held[i].channel == note.channel;
    if (k->held[i].down && !same) slurred = 1;
    if (same || !k->held[i].down) forget(k, i); /* what only the pedal holds ends with the next note */
  }
  const Note *current = k->waiting ? &k->next : &k->now;
  if (current->key == note.key && current->channel == note.channel) slurred = 0; /* struck again */
  if (k->n_held == KEYS) forget(k, 0);
  k->held[k->n_held++] = note;
  if (slurred && k->gate) slur(k, note);
  else start(k, note);
}

static void let_go(Keyboard *k, int key, int channel) {
  for (int i = k->n_held; i--;)
    if (k->held[i].key == key && k->held[i].channel == channel) {
      k->held[i].down = 0;
      if (!pedal(k, channel)) forget(k, i);
    }
  settle(k);
}

/* Ends what the pedal alone holds. */
static void lift_pedal(Keyboard *k) {
  for (int i = k->n_held; i--;)
    if (!k->held[i].down && !pedal(k, k->held[i].channel)) forget(k, i);
  settle(k);
}

static void let_all_go(Keyboard *k) {
  for (int i = 0; i < k->n_held; i++) k->held[i].down = 0;
  lift_pedal(k);
}

/* Data entry: bend range (RPN 0), MPE configuration (RPN 6). */
static void enter(Keyboard *k, int channel, int value, int fine) {
  Channel *c = &k->channels[channel];
  if (c->rpn == 0) {
    float whole = c->bend_range < 0 ? 0 : (float)(int)c->bend_range;
    float range = fine ? whole + (float)mini(value, 99) / 100 : (float)mini(value, 96);
    int above = manager(k, channel);
    for (int i = 0; i < 16; i++) /* the members of a zone share their range */
      if (i == channel || (above >= 0 && manager(k, i) == above)) k->channels[i].bend_range = range;
  } else if (c->rpn == 6 && !fine && (channel == 0 || channel == 15)) {
    int members = mini(value, 15);
    if (!k->zones_told) k->lower = lower_zone(k), k->upper = 0, k->zones_told = 1;
    if (channel == 0) k->lower = members, k->upper = mini(k->upper, maxi(0, 14 - members));
    else k->upper = members, k->lower = mini(k->lower, maxi(0, 14 - members));
    for (int i = 0; i < 16; i++) k->channels[i].bend_range = -1;
    k->n_held = 0;
    settle(k);
  }
}

static void control(Keyboard *k, int channel, int number, int value) {
  Channel *c = &k->channels[channel];
  float share = (float)value / 127;
  switch (number) {
    case 1: c->modulation = share; break;
    case 6: enter(k, channel, value, 0); break;
    case 7: c->volume = share; break;
    case 11: c->expression = share; break;
    case 38: enter(k, channel, value, 1); break;
    case 64:
      c->pedal = value >= 64;
      if (!c->pedal) lift_pedal(k);
      break;
    case 98: case 99: c->rpn = NULL_RPN; break; /* not registered: data entry is for another */
    case 100: c->rpn = (c->rpn & 0x3f80) | value; break;
    case 101: c->rpn = (c->rpn & 0x7f) | value << 7; break;
    case 120: /* all sound off */
      k->n_held = k->gate = k->waiting = 0, k->cut = 1;
      break;
    case 121:
      reset_controllers(c);
      lift_pedal(k);
      break;
    case 123: case 124: case 125: case 126: case 127: let_all_go(k); break;
  }
}

EXPORT(keyboard_event) void keyboard_event(Keyboard *k, int status, int data1, int data2) {
  if (status < 0x80 || status > 0xef || data1 < 0 || data1 > 127 || data2 < 0 || data2 > 127) return;
  int channel = status & 15;
  Channel *c = &k->channels[channel];
  switch (status >> 4) {
    case 0x8: let_go(k, data1, channel); break;
    case 0x9:
      if (data2) press(k, (Note){data1, channel, data2, 1});
      else let_go(k, data1, channel);
      break;
    case 0xa:
      if (k->now.key == data1 && k->now.channel == channel) c->pressure = (float)data2 / 127;
      break;
    case 0xb: control(k, channel, data1, data2); break;
    case 0xd: c->pressure = (float)data1 / 127; break;
    case 0xe: { /* 14 bits; both ends reach the whole range */
      int bend = (data2 << 7 | data1) - 8192;
      c->bend = (float)bend / (bend < 0 ? 8192 : 8191);
      break;
    }
  }
}

/* x moves towards a target with a time constant. */
static void follow(float *x, float target, float seconds) {
  *x += (target - *x) * (1 - (float)exponential(-1 / (FRAME_RATE * seconds)));
}

static void wander(Keyboard *k) {
  if (!k->frames++) k->random = (unsigned)setting(k, SEED, 0, 2147483520) * 2654435761u | 1;
  for (int i = 0; i < 3; i++) {
    if (k->frames % 30 == 10 * i) k->towards[i] = chance(k);
    follow(&k->drift[i], k->towards[i], 0.1f);
  }
  for (int i = 0; i < 16; i++) {
    Channel *c = &k->channels[i];
    follow(&c->bent, c->bend, 0.005f);
    follow(&c->pressed, c->pressure, 0.015f);
    follow(&c->modulated, c->modulation, 0.015f);
  }
}

/* Amplitude of the note relative to its level. */
static void shape(Keyboard *k) {
  float tau = k->attack_s / 1.91f; /* two steps of that time constant need it from -20 to -3 dB */
  if (k->cut) k->envelope = 0;
  else if (k->waiting && k->envelope > DIPPED) k->stage = k->envelope *= DIP;
  else if (k->waiting) begin(k);
  else if (k->gate || k->age < SHORTEST_FRAMES) {
    float before = k->stage;
    follow(&k->stage, 1, tau);
    follow(&k->envelope, 0.5f * (before + k->stage), tau);
  } else { /* 17 dB in the time of the release: as measured from -3 to -20 dB */
    k->envelope *= (float)exponential(-17 * 0.1151292546 / (FRAME_RATE * setting(k, RELEASE_S, 0.01f, 10)));
    k->stage = k->envelope;
  }
}

static void find_pitch(Keyboard *k) {
  float irregular = setting(k, IRREGULARITY, 0, 1);
  const Channel *own = &k->channels[k->now.channel];
  int above = manager(k, k->now.channel);
  float modulated = above >= 0 ? maxf(own->modulated, k->channels[above].modulated) : own->modulated;
  float set_in = (float)k->age > FRAME_RATE * setting(k, VIBRATO_DELAY_S, 0, 60);
  follow(&k->vibrato, set_in, 0.15f);
  k->phase += setting(k, VIBRATO_HZ, 0, 20) * (1 + 0.06f * irregular * k->drift[2]) / FRAME_RATE;
  k->phase -= (float)(int)k->phase;
  float cents = setting(k, VIBRATO_CENTS, 0, 1200) * k->depth * k->vibrato;
  cents += setting(k, MODULATION_CENTS, 0, 1200) * modulated;
  float left = 0.5f + 0.5f * (float)sine(0.25 + 0.5 * k->glided);
  k->pitch = place(k, &k->now) + k->away * left; /* the glide alone: a slur starts from here */
  k->glided = minf(k->glided + 1 / (FRAME_RATE * maxf(k->glide_s, 0.005f)), 1);
  float pitch = k->pitch + 0.01f * (cents * (float)sine(k->phase) + 4 * irregular * k->drift[0]);
  k->f0_hz = clampf(440 * (float)semitones_up(pitch - 69), 8, 20000);
}

EXPORT(keyboard_frame) void keyboard_frame(Keyboard *k, float *controls) {
  wander(k);
  if (k->sounding || k->waiting) {
    int was = k->sounding;
    shape(k);
    find_pitch(k);
    float target = level(k, &k->now);
    follow(&k->level_db, target, 0.015f);
    float wobble = 0.7f * setting(k, IRREGULARITY, 0, 1) * k->drift[1];
    float db = k->level_db + wobble + maxf(20 * 0.4342945f * (float)logarithm(maxf(k->envelope, 1e-6f)), -120);
    int ends = !k->gate && !k->waiting && k->age >= SHORTEST_FRAMES;
    if (!was) k->loudness_db = maxf(k->level_db - BELOW_NOTE_DB, SILENT_DB);
    else k->loudness_db = clampf(db, k->loudness_db - MAX_STEP_DB, k->loudness_db + MAX_STEP_DB);
    k->age++;
    if ((ends || k->cut) && k->loudness_db < maxf(k->level_db - 60, SILENT_DB + 5)) k->sounding = k->cut = 0;
    if (!k->sounding) k->loudness_db = SILENT_DB, k->envelope = k->stage = 0;
  }
  k->loudness_db = maxf(k->loudness_db, SILENT_DB);
  controls[0] = k->f0_hz;
  controls[1] = k->sounding && k->loudness_db > SILENT_DB + 5 ? 1 : 0;
  controls[2] = controls[1] > 0 ? k->loudness_db : SILENT_DB;
}

EXPORT(keyboard_process) void keyboard_process(Keyboard *k, int n_frames, float *controls) {
  for (int i = 0; i < n_frames; i++) keyboard_frame(k, controls + i * CONTROL_SIZE);
}
