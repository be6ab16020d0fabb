/* One arena that only grows, while objects are made. Nothing is freed: a host drops the whole instance. */
#include "internal.h"

#ifdef __wasm__
extern unsigned char __heap_base;
static unsigned long heap_end = 0;

EXPORT(engine_alloc) void *engine_alloc(int bytes) {
  if (!heap_end) heap_end = ((unsigned long)&__heap_base + 15) & ~15UL;
  unsigned long start = heap_end, end = start + (((unsigned long)bytes + 15) & ~15UL);
  unsigned long have = __builtin_wasm_memory_size(0) << 16;
  if (bytes < 0 || end < start) return 0;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) >> 16) == (unsigned long)-1) return 0;
  heap_end = end;
  return (void *)start; /* fresh WebAssembly memory is zero */
}

/* The compiler may call these by name. */
void *memset(void *to, int value, __SIZE_TYPE__ n) {
  for (__SIZE_TYPE__ i = 0; i < n; i++) ((unsigned char *)to)[i] = (unsigned char)value;
  return to;
}
void *memcpy(void *to, const void *from, __SIZE_TYPE__ n) {
  for (__SIZE_TYPE__ i = 0; i < n; i++) ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
  return to;
}
void *memmove(void *to, const void *from, __SIZE_TYPE__ n) {
  unsigned char *a = to;
  const unsigned char *b = from;
  if (a < b) return memcpy(to, from, n);
  while (n--) a[n] = b[n];
  return to;
}
#else
#include <stdlib.h>
void *engine_alloc(int bytes) { return bytes < 0 ? 0 : calloc((unsigned long)bytes + 1, 1); }
#endif
