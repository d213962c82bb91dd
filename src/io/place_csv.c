/* place_csv.c: buffers to place, in the CSV form of MiniMalloc.
 *
 * The first line names the columns, in any order (google/minimalloc,
 * converter.cc): id, lower or begin or start, upper or end (whose time is
 * included), size; alignment, hint, gaps and offset may be missing.  A gap
 * is "a-b", or "a-b@lo:hi" where the bytes lo up to hi stay taken; blanks
 * stand between gaps.  Reading stops at the first empty line.  Nothing is
 * guessed: what is odd is an error of its line. */
#include <string.h>

#include "io.h"

/* Times and sizes stay this far from the ends of their type. */
static const int64_t largest = INT64_C(1) << 60;

static const struct {
    const char *name;
    int32_t column;
    bool is_closed; /* the time is included */
} names[] = {
    {"id", LPI_CSV_ID, false},         {"lower", LPI_CSV_LOWER, false},
    {"begin", LPI_CSV_LOWER, false},   {"start", LPI_CSV_LOWER, false},
    {"upper", LPI_CSV_UPPER, false},   {"end", LPI_CSV_UPPER, true},
    {"size", LPI_CSV_SIZE, false},     {"alignment", LPI_CSV_ALIGNMENT, false},
    {"hint", LPI_CSV_HINT, false},     {"gaps", LPI_CSV_GAPS, false},
    {"offset", LPI_CSV_OFFSET, false},
};

/* How columns are called in messages and written; least values of numbers. */
static const struct {
    const char *name;
    int64_t least;
} columns[LPI_CSV_COLUMNS] = {
    [LPI_CSV_ID] = {"id", 0},
    [LPI_CSV_LOWER] = {"lower", -(INT64_C(1) << 60)},
    [LPI_CSV_UPPER] = {"upper", -(INT64_C(1) << 60)},
    [LPI_CSV_SIZE] = {"size", 0},
    [LPI_CSV_ALIGNMENT] = {"alignment", 1},
    [LPI_CSV_HINT] = {"hint", -1},
    [LPI_CSV_GAPS] = {"gaps", 0},
    [LPI_CSV_OFFSET] = {"offset", -1},
};

typedef struct table {
    lp_place_problem *problem;
    const char *rest; /* of the text */
    int64_t line;
    int32_t order[LPI_CSV_COLUMNS]; /* of the fields in a line */
    int32_t fields;
    bool is_closed;
    lpi_map *ids;
    lp_error *error;
} table;

static lp_status fail(const table *t, const char *what, const char *why)
{
    char where[512];

    snprintf(where, sizeof(where), "%.400s:%lld", t->problem->name,
             (long long)t->line);
    return lpi_fail(t->error, LP_EINPUT, where, "%s%s", what, why);
}

static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r");
    length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* The next line, trimmed; NULL at the end of the text, or at an empty line. */
static char *next_line(table *t)
{
    char *line = (char *)t->rest, *end;

    if (!*line)
        return NULL;
    end = strchr(line, '\n');
    t->rest = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    t->line++;
    line = trim(line);
    return *line ? line : NULL;
}

/* Cut "*text" at its first "separator" and move it on; NULL past the last. */
static char *cut(char **text, char separator)
{
    char *part = *text, *end;

    if (!part)
        return NULL;
    end = strchr(part, separator);
    *text = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return trim(part);
}

/* The name of a field, in quotes and cut short, for messages. */
static const char *quote(char buffer[128], const char *field)
{
    snprintf(buffer, 128, "'%.100s'", field);
    return buffer;
}

static lp_status read_header(table *t)
{
    char *line = next_line(t), *field, quoted[128];
    int32_t i;

    if (!line) {
        t->line = 1;
        return fail(t, "the first line is empty", ", not the names of columns");
    }
    while ((field = cut(&line, ','))) {
        for (i = 0; i < LPI_COUNT(names); i++)
            if (!strcmp(names[i].name, field))
                break;
        if (i == LPI_COUNT(names))
            return fail(t, quote(quoted, field),
                        " is no column (id, lower, upper, size, alignment, "
                        "hint, gaps, offset)");
        if (t->problem->has[names[i].column])
            return fail(t, quote(quoted, field), " is the second such column");
        t->problem->has[names[i].column] = true;
        t->is_closed = t->is_closed || names[i].is_closed;
        t->order[t->fields++] = names[i].column;
    }
    for (i = LPI_CSV_ID; i <= LPI_CSV_SIZE; i++)
        if (!t->problem->has[i])
            return fail(t, columns[i].name, ": this column is missing");
    return LP_OK;
}

/* "field" as a number from "least" to "largest". */
static lp_status read_number(const table *t, const char *what,
                             const char *field, int64_t least,
                             int64_t *ret_value)
{
    char text[256];

    if (lpi_parse_int(field, ret_value) && *ret_value >= least &&
        *ret_value <= largest)
        return LP_OK;
    snprintf(text, sizeof(text), "%.100s '%.100s'", what, field);
    return fail(t, text,
                least == 1    ? " is no number from 1 to 2^60"
                : least == 0  ? " is no number from 0 to 2^60"
                : least == -1 ? " is no number from -1 to 2^60"
                              : " is no number of 60 bits");
}

/* Cut "*text" at a '-' that is no sign. */
static char *cut_range(char **text)
{
    char *dash = **text ? strchr(*text + 1, '-') : NULL, *part = *text;

    if (!dash)
        return NULL;
    *dash = '\0';
    *text = dash + 1;
    return part;
}

static lp_status read_gap(const table *t, const lp_buffer *buffer, char *field,
                          lp_gap *gap)
{
    char *window = field, *to = cut(&window, '@');
    char *from = cut_range(&to), *low = window ? cut(&window, ':') : NULL;

    gap->low = gap->high = 0;
    if (!from || (low && !window))
        return fail(t, "gaps", ": a gap is a-b or a-b@lo:hi");
    LP_TRY(read_number(t, "gap from", from, -largest, &gap->from));
    LP_TRY(read_number(t, "gap to", to, -largest, &gap->to));
    if (low) {
        LP_TRY(read_number(t, "gap low", low, 0, &gap->low));
        LP_TRY(read_number(t, "gap high", window, 0, &gap->high));
    }
    if (gap->from >= gap->to || gap->from < buffer->lower ||
        gap->to > buffer->upper)
        return fail(t, "gaps",
                    ": a gap ends before it begins, or leaves the "
                    "lifetime");
    if (gap->low > gap->high || gap->high > buffer->bytes)
        return fail(t, "gaps",
                    ": the bytes of a gap are not inside the "
                    "buffer");
    return LP_OK;
}

/* The gaps in "field" into "buffer", which has its times and size. */
static lp_status read_gaps(const table *t, char *field, lp_buffer *buffer)
{
    int64_t most = 0, n = 0;
    lp_gap *gaps;
    const char *at;
    char *part;

    for (at = field; *at; at++)
        most += *at == '-';
    gaps = LPI_NEW(t->problem->arena, lp_gap, most + 1);
    if (!gaps)
        return lpi_fail_memory(t->error);
    while ((part = cut(&field, ' '))) {
        if (!*part)
            continue;
        if (n > most)
            return fail(t, "gaps", ": a gap is a-b or a-b@lo:hi");
        LP_TRY(read_gap(t, buffer, part, &gaps[n]));
        if (n > 0 && gaps[n].from < gaps[n - 1].to)
            return fail(t, "gaps", ": gaps overlap or fall in time");
        n++;
    }
    if (n > INT32_MAX)
        return fail(t, "gaps", ": too many");
    buffer->gaps = gaps;
    buffer->gaps_count = (int32_t)n;
    return LP_OK;
}

static lp_status read_id(table *t, const char *field, const char **ret_id)
{
    char quoted[128];

    *ret_id = lpi_arena_strdup(t->problem->arena, field);
    if (!*ret_id)
        return lpi_fail_memory(t->error);
    if (!*field)
        return fail(t, "id", " is empty");
    if (lpi_map_get(t->ids, *ret_id) >= 0)
        return fail(t, quote(quoted, field), " is the id of two buffers");
    return lpi_map_set(t->ids, *ret_id, t->line) ? LP_OK
                                                 : lpi_fail_memory(t->error);
}

static lp_status read_row(table *t, char *line, const char **ret_id,
                          lp_buffer *ret_buffer)
{
    lp_buffer b = {.alignment = 1, .offset = -1, .hint = -1};
    int64_t *const targets[LPI_CSV_COLUMNS] = {
        [LPI_CSV_LOWER] = &b.lower, [LPI_CSV_UPPER] = &b.upper,
        [LPI_CSV_SIZE] = &b.bytes,  [LPI_CSV_ALIGNMENT] = &b.alignment,
        [LPI_CSV_HINT] = &b.hint,   [LPI_CSV_OFFSET] = &b.offset,
    };
    char *field, *gaps = NULL;
    int32_t n = 0;

    for (; (field = cut(&line, ',')); n++) {
        int32_t column = n < t->fields ? t->order[n] : LPI_CSV_COLUMNS;

        if (column == LPI_CSV_ID)
            LP_TRY(read_id(t, field, ret_id));
        else if (column == LPI_CSV_GAPS)
            gaps = field;
        else if (column < LPI_CSV_COLUMNS && (*field || column <= LPI_CSV_SIZE))
            LP_TRY(read_number(t, columns[column].name, field,
                               columns[column].least, targets[column]));
    }
    if (n != t->fields)
        return fail(t, n < t->fields ? "fewer" : "more",
                    " fields than the first line names");
    b.upper += t->is_closed;
    if (b.lower >= b.upper)
        return fail(t, "upper",
                    t->is_closed ? ": the buffer ends before it "
                                   "begins"
                                 : ": the buffer ends when it "
                                   "begins, or before");
    if (gaps)
        LP_TRY(read_gaps(t, gaps, &b));
    *ret_buffer = b;
    return LP_OK;
}

lp_status lpi_place_csv_read(lp_place_problem *problem, const char *bytes,
                             size_t length, lp_error *error)
{
    char *copy = lpi_arena_strndup(problem->arena, bytes, length);
    table t = {.problem = problem, .rest = copy, .error = error};
    int64_t room = 0, room_ids = 0;
    char *line;

    t.ids = lpi_map_new(problem->arena);
    if (!copy || !t.ids)
        return lpi_fail_memory(error);
    if (memchr(bytes, '\0', length))
        return lpi_fail(error, LP_EINPUT, problem->name,
                        "holds a zero byte: this is no CSV");
    LP_TRY(read_header(&t));
    for (; (line = next_line(&t)); problem->count++) {
        if (!LPI_GROW(problem->arena, problem->buffers, problem->count, room) ||
            !LPI_GROW(problem->arena, problem->ids, problem->count, room_ids))
            return lpi_fail_memory(error);
        LP_TRY(read_row(&t, line, &problem->ids[problem->count],
                        &problem->buffers[problem->count]));
    }
    return LP_OK;
}

static void put_gaps(lpi_text *text, const lp_buffer *b)
{
    int32_t i;

    for (i = 0; i < b->gaps_count; i++) {
        const lp_gap *gap = &b->gaps[i];

        lpi_text_printf(text, "%s%lld-%lld", i ? " " : "", (long long)gap->from,
                        (long long)gap->to);
        if (gap->low < gap->high)
            lpi_text_printf(text, "@%lld:%lld", (long long)gap->low,
                            (long long)gap->high);
    }
}

void lpi_place_csv_write(const lp_place_problem *problem, lpi_text *text)
{
    int64_t i;
    int32_t c;

    for (c = 0; c < LPI_CSV_OFFSET; c++)
        if (problem->has[c])
            lpi_text_printf(text, "%s,", columns[c].name);
    lpi_text_put(text, "offset\n");
    for (i = 0; i < problem->count; i++) {
        const lp_buffer *b = &problem->buffers[i];

        lpi_text_printf(text, "%s,%lld,%lld,%lld,", problem->ids[i],
                        (long long)b->lower, (long long)b->upper,
                        (long long)b->bytes);
        if (problem->has[LPI_CSV_ALIGNMENT])
            lpi_text_printf(text, "%lld,", (long long)b->alignment);
        if (problem->has[LPI_CSV_HINT])
            lpi_text_printf(text, "%lld,", (long long)b->hint);
        if (problem->has[LPI_CSV_GAPS]) {
            put_gaps(text, b);
            lpi_text_put(text, ",");
        }
        lpi_text_printf(text, "%lld\n", (long long)problem->offsets[i]);
    }
}
