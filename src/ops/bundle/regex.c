/* regex.c: regular expressions in the syntax of RE2, read into a program.
 *
 * Whether all of a text matches does not depend on which match is preferred, so
 * that lazy repetitions are as greedy ones.  Not known: Unicode classes (\p),
 * flags but i, s and m, quoting by \Q.
 * Invariant: a program has at most LPI_REGEX_STEPS steps, and groups nest at
 * most NESTS_MOST deep.  Sources: RE2's doc/syntax.txt; R. Cox, "Regular
 * Expression Matching: the Virtual Machine Approach". */
#include <string.h>

#include "../ops.h"

enum { NESTS_MOST = 64, REPEATS_MOST = 1000 };

static lp_status add_step(lpi_regex *r, lpi_regex_step new)
{
    if (r->count >= LPI_REGEX_STEPS)
        return lpi_regex_fail(r, "too large");
    if (!LPI_GROW(r->arena, r->steps, r->count, r->room))
        return lpi_node_fail_memory(r->node);
    r->steps[r->count++] = new;
    return LP_OK;
}

/* Put "new" in front of the steps from "at" on. */
static lp_status insert_step(lpi_regex *r, int64_t at, lpi_regex_step new)
{
    LP_TRY(add_step(r, new));
    memmove(r->steps + at + 1, r->steps + at,
            (size_t)(r->count - 1 - at) * sizeof(*r->steps));
    r->steps[at] = new;
    return LP_OK;
}

static lp_status read_choice(lpi_regex *r);

/* Flags behind "(?": "i", "-s", ...; up to ":" or ")". */
static lp_status read_flags(lpi_regex *r)
{
    bool value = true;

    for (; *r->at != ':' && *r->at != ')'; r->at++) {
        if (*r->at == '-')
            value = false;
        else if (*r->at == 'i')
            r->folds = value;
        else if (*r->at == 's')
            r->dots = value;
        else if (*r->at == 'm')
            r->lines = value;
        else if (*r->at != 'U')
            return lpi_regex_fail(r, "unknown flag");
    }
    return LP_OK;
}

/* What stands in parentheses, behind "(". */
static lp_status read_group(lpi_regex *r)
{
    bool folds = r->folds, dots = r->dots, lines = r->lines;

    if (++r->depth > NESTS_MOST)
        return lpi_regex_fail(r, "nested too deep");
    if (r->at[0] == '?' && (r->at[1] == 'P' || r->at[1] == '<')) {
        r->at = strchr(r->at, '>');
        if (r->at == NULL) {
            r->at = "";
            return lpi_regex_fail(r, "a name without end");
        }
        r->at++;
    } else if (r->at[0] == '?') {
        r->at++;
        LP_TRY(read_flags(r));
        if (*r->at == ')') { /* for the rest of the group around */
            r->at++;
            r->depth--;
            return LP_OK;
        }
        r->at++;
    }
    LP_TRY(read_choice(r));
    if (*r->at != ')')
        return lpi_regex_fail(r, "a group without end");
    r->at++;
    r->depth--;
    r->folds = folds;
    r->dots = dots;
    r->lines = lines;
    return LP_OK;
}

/* An assertion, when "c" behind a backslash is one. */
static bool is_assertion(char c, lpi_regex_kind *ret_kind)
{
    static const char letters[] = "AzbB";
    static const lpi_regex_kind kinds[] = {LPI_STEP_BEGIN, LPI_STEP_END,
                                           LPI_STEP_EDGE, LPI_STEP_NO_EDGE};
    const char *found = c ? strchr(letters, c) : NULL;

    if (found != NULL)
        *ret_kind = kinds[found - letters];
    return found != NULL;
}

/* A character, a list, a dot, an assertion, a group. */
static lp_status read_atom(lpi_regex *r)
{
    lpi_regex_step new = {
        .kind = LPI_STEP_RANGES, .next = 1, .first = (int32_t)r->ranges_count};
    uint32_t c = 0;
    char class = '\0';

    switch (*r->at) {
    case '(':
        r->at++;
        return read_group(r);
    case '[':
        r->at++;
        LP_TRY(lpi_regex_list(r, &new));
        break;
    case '.':
        r->at++;
        new.is_negated = true;
        if (!r->dots)
            LP_TRY(lpi_regex_range(r, '\n', '\n'));
        break;
    case '^':
        r->at++;
        new.kind = r->lines ? LPI_STEP_LINE_BEGIN : LPI_STEP_BEGIN;
        break;
    case '$':
        r->at++;
        new.kind = r->lines ? LPI_STEP_LINE_END : LPI_STEP_END;
        break;
    case '*':
    case '+':
    case '?':
        return lpi_regex_fail(r, "a repetition of nothing");
    default:
        if (*r->at == '\\' && is_assertion(r->at[1], &new.kind)) {
            r->at += 2;
            break;
        }
        LP_TRY(lpi_regex_member(r, &class, &c));
        LP_TRY(class != '\0' ? lpi_regex_letter(r, class)
                             : lpi_regex_range(r, c, c));
    }
    if (r->folds)
        LP_TRY(lpi_regex_fold(r, new.first));
    new.count = (int32_t)r->ranges_count - new.first;
    return add_step(r, new);
}

/* Read the bounds of a repetition at "r->at"; false when there is none. */
static bool read_bounds(lpi_regex *r, int32_t *ret_least, int32_t *ret_most)
{
    const char *at = r->at + 1;
    int32_t least = 0, most = -1, digits = 0;

    if (*r->at == '*' || *r->at == '+' || *r->at == '?') {
        *ret_least = *r->at == '+';
        *ret_most = *r->at == '?' ? 1 : -1;
        r->at++;
        return true;
    }
    if (*r->at != '{')
        return false;
    for (; *at >= '0' && *at <= '9' && digits < 5; at++, digits++)
        least = least * 10 + (*at - '0');
    if (digits == 0)
        return false;
    if (*at == ',') {
        at++;
        if (*at != '}')
            most = 0;
        for (digits = 0; *at >= '0' && *at <= '9' && digits < 5; at++, digits++)
            most = most * 10 + (*at - '0');
    } else {
        most = least;
    }
    if (*at != '}')
        return false;
    r->at = at + 1;
    *ret_least = least;
    *ret_most = most;
    return true;
}

static lp_status add_copy(lpi_regex *r, const lpi_regex_step *part,
                          int32_t length)
{
    for (int32_t i = 0; i < length; i++)
        LP_TRY(add_step(r, part[i]));
    return LP_OK;
}

/* Repeat the steps from "start" on "least" to "most" times (-1: without end).
 */
static lp_status repeat(lpi_regex *r, int64_t start, int32_t least,
                        int32_t most)
{
    int32_t length = (int32_t)(r->count - start), i;
    lpi_regex_step *part = LPI_NEW(r->arena, lpi_regex_step, length);
    lpi_regex_step skip = {
        .kind = LPI_STEP_SPLIT, .next = 1, .other = length + 1};

    if (part == NULL)
        return lpi_node_fail_memory(r->node);
    if (least > REPEATS_MOST || most > REPEATS_MOST ||
        (most >= 0 && most < least))
        return lpi_regex_fail(r, "a repetition out of bounds");
    if (length > 0)
        memcpy(part, r->steps + start, (size_t)length * sizeof(*part));
    r->count = start;
    for (i = 0; i < least; i++)
        LP_TRY(add_copy(r, part, length));
    for (; i < most; i++) {
        LP_TRY(add_step(r, skip));
        LP_TRY(add_copy(r, part, length));
    }
    if (most >= 0)
        return LP_OK;
    skip.other = length + 2;
    LP_TRY(add_step(r, skip));
    LP_TRY(add_copy(r, part, length));
    return add_step(
        r, (lpi_regex_step){.kind = LPI_STEP_JUMP, .next = -(length + 1)});
}

/* Atoms and their repetitions, one behind the other. */
static lp_status read_sequence(lpi_regex *r)
{
    while (*r->at && *r->at != '|' && *r->at != ')') {
        int64_t start = r->count;
        int32_t least, most;

        LP_TRY(read_atom(r));
        while (read_bounds(r, &least, &most)) {
            LP_TRY(repeat(r, start, least, most));
            if (*r->at == '?')
                r->at++;
        }
    }
    return LP_OK;
}

/* Sequences with "|" between them: each but the last begins with a step that
 * goes on to the next one too, and ends with a jump behind all. */
static lp_status read_choice(lpi_regex *r)
{
    int64_t start = r->count, jump = -1, at;

    LP_TRY(read_sequence(r));
    while (*r->at == '|') {
        r->at++;
        LP_TRY(insert_step(
            r, start,
            (lpi_regex_step){.kind = LPI_STEP_SPLIT,
                             .next = 1,
                             .other = (int32_t)(r->count - start) + 2}));
        LP_TRY(add_step(r, (lpi_regex_step){.kind = LPI_STEP_JUMP,
                                            .other = (int32_t)jump}));
        jump = r->count - 1;
        start = r->count;
        LP_TRY(read_sequence(r));
    }
    for (; jump >= 0; jump = at) {
        at = r->steps[jump].other;
        r->steps[jump].next = (int32_t)(r->count - jump);
    }
    return LP_OK;
}

lp_status lpi_regex_read(lpi_regex *r, const char *pattern)
{
    r->at = pattern;
    LP_TRY(read_choice(r));
    if (*r->at)
        return lpi_regex_fail(r, "a group that does not begin");
    return add_step(r, (lpi_regex_step){.kind = LPI_STEP_MATCH});
}
