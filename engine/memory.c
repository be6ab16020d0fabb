/* One arena that only grows, while objects are made. Nothing is freed: a host drops the whole instance. What is made
   again and again (an instrument in a live stream) is made in a region, which is emptied as a whole. */
#include "internal.h"

static Region *current;

Region *region_new(int bytes) {
  Region *r = engine_alloc(sizeof *r);
  r->start = engine_alloc(bytes), r->bytes = r->start ? bytes : 0;
  return r;
}

void region_empty(Region *r) {
  memset(r->start, 0, (unsigned long)r->used);
  r->used = 0;
}

void region_begin(Region *r) { current = r; }
void region_end(void) { current = 0; }

/* Room in the region that is open; what does not fit comes from the arena, and stays. */
static void *from_region(int bytes) {
  if (!current || bytes < 0 || bytes > current->bytes - current->used - 31) return 0;
  unsigned char *at = current->start + current->used;
  current->used += ROUND_UP(bytes, 16) + 16; /* vectors may be read beyond the end of a buffer */
  return at;
}

#ifdef __wasm__
extern unsigned char __heap_base;
static unsigned long heap_end = 0;

static void *from_arena(int bytes) {
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
static void *from_arena(int bytes) { return bytes < 0 ? 0 : calloc((unsigned long)bytes + 1, 1); }
#endif

EXPORT(engine_alloc) void *engine_alloc(int bytes) {
  void *found = from_region(bytes);
  return found ? found : from_arena(bytes);
}
