/* base.h: errors, memory, text, numbers, maps, files.  Knows no model. */
#ifndef LPI_BASE_H
#define LPI_BASE_H

#include <lplan-planner.h>

#include <stdarg.h>
#include <stdio.h>

/* ---- error.c --------------------------------------------------------- */

/* Fill "error" (if any) and return "status".  "where" may be NULL. */
lp_status lpi_fail(lp_error *error, lp_status status, const char *where,
                   const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

/* Out of memory, or over the cap of an arena. */
lp_status lpi_fail_memory(lp_error *error) __attribute__((cold));

/* Put "where" in front of what "error" says already: "WHERE: OLD WHERE".
 * Returns the status of "error". */
lp_status lpi_fail_within(lp_error *error, lp_status status, const char *where);

/* A bug in lplan, not in its input: report it and abort. */
void lpi_assert_failed(const char *expression, const char *file, int line)
    __attribute__((noreturn));

#ifdef LPI_NO_ASSERT
#define LP_ASSERT(expression) ((void)sizeof(expression))
#else
#define LP_ASSERT(expression)                                                  \
    ((expression) ? (void)0                                                    \
                  : lpi_assert_failed(#expression, __FILE__, __LINE__))
#endif

#define LPI_COUNT(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))

/* ---- alloc.c: the one door to the heap ------------------------------- */

/* NULL when there is no memory, or when a test asked for the failure. */
void *lpi_alloc(size_t size);
/* The same in large pages, so that touching it first costs less: for blocks of
 * a megabyte and more that are used whole. */
void *lpi_alloc_large(size_t size);
void *lpi_realloc(void *old, size_t size);
void lpi_free(void *block);

/* Fail the "n"-th allocation from now on (1: the next), once; 0: none.  Returns
 * what was left of the number before.  LP_API so that tests can count the
 * allocations and fail each in turn. */
LP_API int64_t lpi_alloc_fail_at(int64_t n);

/* ---- arena.c: memory that is freed all at once ------------------------ */

typedef struct lpi_arena lpi_arena;

/* An arena that refuses to hold more than "cap_bytes". */
lpi_arena *lpi_arena_new(int64_t cap_bytes);
void lpi_arena_free(lpi_arena *arena);

/* Zeroed, aligned to 16 bytes; NULL over the cap or without memory.
 * "size" 0 gives a valid pointer. */
void *lpi_arena_alloc(lpi_arena *arena, size_t size);

/* The same, but the bytes hold anything: room that is written before it is
 * read. */
void *lpi_arena_room(lpi_arena *arena, size_t size);

/* "count" elements of "size" bytes; NULL also when the product overflows or
 * "count" is negative. */
void *lpi_arena_array(lpi_arena *arena, int64_t count, size_t size);
char *lpi_arena_strndup(lpi_arena *arena, const char *text, size_t length);
char *lpi_arena_strdup(lpi_arena *arena, const char *text);
char *lpi_arena_printf(lpi_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Forget all allocations of "arena".  A single block is kept for use; where
 * there were more, the next has the room of all, so that work that repeats
 * finds memory that was touched before. */
void lpi_arena_reset(lpi_arena *arena);
int64_t lpi_arena_used(const lpi_arena *arena);
int64_t lpi_arena_cap(const lpi_arena *arena);

#define LPI_NEW(arena, type, count)                                            \
    ((type *)lpi_arena_array((arena), (count), sizeof(type)))

/* Make room for one more element in the array "items" of "count" elements
 * with room for "capacity"; evaluates to false without memory.  Growth
 * doubles, so that pushing n elements takes O(n) time and memory. */
#define LPI_GROW(arena, items, count, capacity)                                \
    ((count) < (capacity) ||                                                   \
     lpi_arena_grow((arena), (void **)&(items), (count), &(capacity),          \
                    sizeof(*(items))))
bool lpi_arena_grow(lpi_arena *arena, void **items, int64_t count,
                    int64_t *capacity, size_t size);

/* ---- text.c: a text that grows --------------------------------------- */

/* All zero is an empty text.  A failed allocation sets "failed" and turns
 * all further writes into nothing, so that callers check once. */
typedef struct lpi_text {
    char *bytes; /* NUL-terminated when not NULL */
    size_t length, capacity;
    bool failed;
} lpi_text;

void lpi_text_put(lpi_text *text, const char *string);
void lpi_text_append(lpi_text *text, const char *bytes, size_t length);
void lpi_text_printf(lpi_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "string" with control characters, tabs and broken UTF-8 as \n, \t, \xHH,
 * and the backslash doubled. */
void lpi_text_escape(lpi_text *text, const char *string);

/* The same with a backslash before every "mark". */
void lpi_text_escape_mark(lpi_text *text, const char *string, char mark);

/* Hand the text over (free with lp_text_free), or free it and report. */
lp_status lpi_text_take(lpi_text *text, char **ret_text, size_t *ret_length,
                        lp_error *error);
void lpi_text_drop(lpi_text *text);

/* Length in bytes of the valid UTF-8 sequence at "bytes" ("left" of them),
 * 0 when it is broken. */
size_t lpi_utf8_length(const char *bytes, size_t left);

/* ---- number.c: counts that cannot wrap ------------------------------- */

/* Saturate at INT64_MAX; operands must not be negative.  A count that
 * reached INT64_MAX has overflowed. */
int64_t lpi_add(int64_t a, int64_t b);
int64_t lpi_mul(int64_t a, int64_t b);

/* Product of "count" factors, 1 for none. */
int64_t lpi_product(const int64_t *factors, int64_t count);
int64_t lpi_ceil_div(int64_t a, int64_t b);

/* "a" times "b" by "c" (above zero), rounded up; the product does not
 * overflow. */
int64_t lpi_mul_div(int64_t a, int64_t b, int64_t c);

/* Parse a whole decimal number with an optional sign; nothing may follow. */
bool lpi_parse_int(const char *text, int64_t *ret_value);

/* ---- map.c: names to numbers ------------------------------------------ */

typedef struct lpi_map lpi_map;

/* Keys are not copied: they must live as long as the map. */
lpi_map *lpi_map_new(lpi_arena *arena);

/* The value of "key", or -1. */
int64_t lpi_map_get(const lpi_map *map, const char *key);

/* Set the value (not negative) of "key"; false without memory. */
bool lpi_map_set(lpi_map *map, const char *key, int64_t value);

/* ---- file.c ----------------------------------------------------------- */

/* A file read by position through a small window: no mapping, so that a file
 * that shrinks is an error, and no limit of size. */
typedef struct lpi_file lpi_file;

/* Refuses directories and whatever is not a regular file. */
lp_status lpi_file_open(const char *path, lpi_file **ret_file, lp_error *error);

/* Open "location" below the folder of "path": relative, without "..", no
 * link on the way.  A missing file is LP_EIO. */
lp_status lpi_file_open_below(const char *path, const char *location,
                              lpi_file **ret_file, lp_error *error);
void lpi_file_close(lpi_file *file);
const char *lpi_file_name(const lpi_file *file);
int64_t lpi_file_size(const lpi_file *file);

/* Copy "length" bytes at "offset"; a range past the end, or an end that has
 * moved, is an error. */
lp_status lpi_file_read(lpi_file *file, int64_t offset, int64_t length,
                        void *bytes, lp_error *error);

/* A pointer to at least one and at most "*ret_length" bytes at "offset",
 * valid until the next call; the window holds 64 KiB. */
lp_status lpi_file_window(lpi_file *file, int64_t offset,
                          const uint8_t **ret_bytes, int64_t *ret_length,
                          lp_error *error);

#endif
