/* The mathematics the engine needs without a C library. Errors: sine, exponential and logarithm below 1e-13 relative;
   the vector functions below 3e-7. */
#include "internal.h"

static double as_double(long long bits) {
  union { long long i; double d; } u = {bits};
  return u.d;
}

double sine(double turns) {
  turns -= __builtin_floor(turns + 0.5);
  if (turns > 0.25) turns = 0.5 - turns;
  if (turns < -0.25) turns = -0.5 - turns;
  double x = 2 * PI * turns, z = x * x, term = x, sum = x;
  for (int k = 2; k < 24; k += 2) {
    term *= -z / (k * (k + 1));
    sum += term;
  }
  return sum;
}

double exponential(double x) {
  if (x < -700) return 0;
  if (x > 700) x = 700;
  double k = __builtin_floor(x * 1.4426950408889634 + 0.5), r = x - k * 0.6931471805599453, term = 1, sum = 1;
  for (int i = 1; i < 18; i++) {
    term *= r / i;
    sum += term;
  }
  return sum * as_double(((long long)k + 1023) << 52);
}

double logarithm(double x) {
  union { double d; long long i; } u = {x};
  int k = (int)((u.i >> 52) & 2047) - 1023;
  u.i = (u.i & 0xfffffffffffffLL) | 0x3ff0000000000000LL;
  if (u.d > 1.4142135623730951) u.d *= 0.5, k++;
  double s = (u.d - 1) / (u.d + 1), z = s * s, term = s, sum = 0;
  for (int i = 1; i < 30; i += 2) {
    sum += term / i;
    term *= z;
  }
  return 2 * sum + k * 0.6931471805599453;
}

/* 2^f by its Taylor series on |f| <= 1/2, times 2^k put into the exponent. */
f4 exp4(f4 x) {
  x = SELECT(x < SPLAT(-87.0f), SPLAT(-87.0f), x);
  x = SELECT(x > SPLAT(88.0f), SPLAT(88.0f), x);
  f4 t = x * SPLAT(1.44269504f);
  i4 k = __builtin_convertvector(t + SELECT(t < SPLAT(0.0f), SPLAT(-0.5f), SPLAT(0.5f)), i4);
  f4 whole = __builtin_convertvector(k, f4);
  f4 r = (x - whole * SPLAT(0.693359375f)) + whole * SPLAT(2.12194440e-4f); /* ln 2 in two parts */
  f4 p = SPLAT(1.0f / 5040);
  p = p * r + SPLAT(1.0f / 720);
  p = p * r + SPLAT(1.0f / 120);
  p = p * r + SPLAT(1.0f / 24);
  p = p * r + SPLAT(1.0f / 6);
  p = p * r + SPLAT(0.5f);
  p = p * r + SPLAT(1.0f);
  p = p * r + SPLAT(1.0f);
  return p * (f4)((k + 127) << 23);
}

/* log(1 + u), 0 <= u <= 1: 2 artanh(u / (2 + u)). */
static f4 log1p4(f4 u) {
  f4 s = u / (SPLAT(2.0f) + u), z = s * s;
  f4 p = SPLAT(2.0f / 13);
  p = p * z + SPLAT(2.0f / 11);
  p = p * z + SPLAT(2.0f / 9);
  p = p * z + SPLAT(2.0f / 7);
  p = p * z + SPLAT(2.0f / 5);
  p = p * z + SPLAT(2.0f / 3);
  p = p * z + SPLAT(2.0f);
  return s * p;
}

/* 2 sigmoid(x)^ln(10) + 1e-7 = 2 exp(-ln(10) softplus(-x)) + 1e-7 (Engel et al. 2020, eq. 5). */
f4 exp_sigmoid4(f4 x) {
  i4 negative = x < SPLAT(0.0f);
  f4 magnitude = SELECT(negative, -x, x);
  f4 softplus = SELECT(negative, -x, SPLAT(0.0f)) + log1p4(exp4(-magnitude));
  return SPLAT(2.0f) * exp4(SPLAT(-2.30258509f) * softplus) + SPLAT(1e-7f);
}
