/* regex.h: regular expressions as programs of a Thompson machine.
 *
 * A part of ops.h, which alone includes it.  Used by regex.c, which reads an
 * expression, regexclass.c, which reads its characters and classes, and
 * regexrun.c, which runs the program. */
#ifndef LPI_OPS_REGEX_H
#define LPI_OPS_REGEX_H

/* Most steps of a program. */
enum { LPI_REGEX_STEPS = 1 << 16 };

typedef enum lpi_regex_kind {
    LPI_STEP_RANGES, /* a character of the ranges */
    LPI_STEP_SPLIT,  /* both "next" and "other" */
    LPI_STEP_JUMP,   /* "next" */
    LPI_STEP_BEGIN,  /* assertions: where the text begins, ends, */
    LPI_STEP_END,
    LPI_STEP_LINE_BEGIN, /* lines do, */
    LPI_STEP_LINE_END,
    LPI_STEP_EDGE, /* words begin or end, or not */
    LPI_STEP_NO_EDGE,
    LPI_STEP_MATCH,
} lpi_regex_kind;

typedef struct lpi_char_range {
    uint32_t from, to;
} lpi_char_range;

/* Where it goes on is told from where it stands, so that parts of a program
 * can be moved and copied. */
typedef struct lpi_regex_step {
    lpi_regex_kind kind;
    int32_t next, other;
    int32_t first, count; /* of the ranges */
    bool is_negated;
} lpi_regex_step;

typedef struct lpi_regex {
    lpi_arena *arena;
    const lpi_node *node;
    const char *at; /* of the expression, while it is read */
    lpi_regex_step *steps;
    int64_t count, room;
    lpi_char_range *ranges;
    int64_t ranges_count, ranges_room;
    int32_t depth;           /* of groups */
    bool folds, dots, lines; /* flags i, s, m */
} lpi_regex;

/* LP_EINPUT that says where in the expression. */
lp_status lpi_regex_fail(const lpi_regex *r, const char *why);

/* The character at "*at", which moves behind it; a byte that is no UTF-8 stands
 * for itself. */
uint32_t lpi_next_char(const char **at);

/* ---- regexclass.c ------------------------------------------------------- */

lp_status lpi_regex_range(lpi_regex *r, uint32_t from, uint32_t to);

/* Add the class of letter "letter" (\w, \D): a capital is all else. */
lp_status lpi_regex_letter(lpi_regex *r, char letter);

/* One character, or class, at "r->at"; "*ret_class" is its letter, or 0. */
lp_status lpi_regex_member(lpi_regex *r, char *ret_class, uint32_t *ret_char);

/* The list in brackets behind "[". */
lp_status lpi_regex_list(lpi_regex *r, lpi_regex_step *to);

/* Add the other case of the letters in the ranges from "first" on. */
lp_status lpi_regex_fold(lpi_regex *r, int64_t first);

/* ---- regex.c, regexrun.c ------------------------------------------------ */

/* Read "pattern" into a program. */
lp_status lpi_regex_read(lpi_regex *r, const char *pattern);

/* The run of RegexFullMatch with the expression "pattern". */
lp_status lpi_regex_run(const lpi_run *run, const char *pattern);

#endif
