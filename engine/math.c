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

/* 2^x for x in [-126, 127]: a polynomial through Chebyshev points on [-1/2, 1/2], error 1e-7. Adding 1.5 * 2^23 leaves
   the whole number in the last bits. */
static inline f4 exp2_4(f4 x) {
  f4 whole = x + SPLAT(12582912.0f), f = x - (whole - SPLAT(12582912.0f));
  f4 p = SPLAT(1.33909e-3f);
  p = p * f + SPLAT(9.67603e-3f);
  p = p * f + SPLAT(5.550357e-2f);
  p = p * f + SPLAT(2.4022107e-1f);
  p = p * f + SPLAT(6.9314719e-1f);
  p = p * f + SPLAT(1.00000008f);
  return (f4)((i4)p + ((i4)whole << 23));
}

/* log2(1 + u), 0 <= u <= 1, error 2e-7 relative. */
static inline f4 log2_1p4(f4 u) {
  f4 p = SPLAT(0.0073954f);
  p = p * u + SPLAT(-0.04194501f);
  p = p * u + SPLAT(0.11183207f);
  p = p * u + SPLAT(-0.19623895f);
  p = p * u + SPLAT(0.27522121f);
  p = p * u + SPLAT(-0.35829907f);
  p = p * u + SPLAT(0.48067889f);
  p = p * u + SPLAT(-0.72133951f);
  p = p * u + SPLAT(1.44269499f);
  return p * u;
}

/* 2 sigmoid(x)^ln(10) + 1e-7 (Engel et al. 2020, eq. 5), by sigmoid(x) = 1 / (1 + e^-x) in powers of two. */
static inline f4 exp_sigmoid4(f4 x) {
  f4 t = x * SPLAT(1.44269504f);
  f4 below = SELECT(t < SPLAT(0.0f), t, SPLAT(0.0f)), magnitude = below + below - t; /* min(t, 0) and -|t| */
  magnitude = SELECT(magnitude < SPLAT(-126.0f), SPLAT(-126.0f), magnitude);
  f4 y = SPLAT(1.0f) + SPLAT(2.30258509f) * (below - log2_1p4(exp2_4(magnitude)));
  return exp2_4(SELECT(y < SPLAT(-126.0f), SPLAT(-126.0f), y)) + SPLAT(1e-7f);
}

void exp_sigmoid(float *x, int n) {
  for (int i = 0; i < n; i += 8) { /* two at a time: each is one long chain */
    f4 a = exp_sigmoid4(LOAD(x + i)), b = exp_sigmoid4(LOAD(x + i + 4));
    STORE(x + i, a), STORE(x + i + 4, b);
  }
}
