/* regexrun.c: RegexFullMatch: the states of a program walk the texts.
 *
 * All states walk side by side: time is linear in the text times the program,
 * whatever the expression.  Texts are UTF-8, a character a code point.
 * Source: ONNX operator RegexFullMatch-20. */
#include "../ops.h"

/* States at one place of a text, and those still to be followed. */
typedef struct machine {
    const lpi_regex *program;
    int32_t *now, *next, *stack;
    int64_t *seen; /* by step: the place it was reached at last */
    int64_t place;
    uint32_t before, after; /* characters around the place; 0: none */
    bool is_begin, is_end;
} machine;

static bool is_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '_';
}

static bool holds(const machine *m, lpi_regex_kind assertion)
{
    switch (assertion) {
    case LPI_STEP_BEGIN:
        return m->is_begin;
    case LPI_STEP_END:
        return m->is_end;
    case LPI_STEP_LINE_BEGIN:
        return m->is_begin || m->before == '\n';
    case LPI_STEP_LINE_END:
        return m->is_end || m->after == '\n';
    case LPI_STEP_EDGE:
        return is_word(m->before) != is_word(m->after);
    default:
        return is_word(m->before) == is_word(m->after);
    }
}

/* Add what can be reached from step "first" without a character to the "count"
 * states of "to"; returns their number. */
static int64_t follow(machine *m, int32_t first, int32_t *to, int64_t count)
{
    int64_t open = 0;

    m->stack[open++] = first;
    while (open > 0) {
        int32_t at = m->stack[--open];
        const lpi_regex_step *s = &m->program->steps[at];

        if (m->seen[at] == m->place)
            continue;
        m->seen[at] = m->place;
        if (s->kind == LPI_STEP_RANGES || s->kind == LPI_STEP_MATCH) {
            to[count++] = at;
            continue;
        }
        if (s->kind == LPI_STEP_SPLIT)
            m->stack[open++] = at + s->other;
        if (s->kind == LPI_STEP_SPLIT || s->kind == LPI_STEP_JUMP ||
            holds(m, s->kind))
            m->stack[open++] = at + s->next;
    }
    return count;
}

static bool takes(const lpi_regex *r, const lpi_regex_step *s, uint32_t c)
{
    bool found = false;

    if (s->kind != LPI_STEP_RANGES)
        return false;
    for (int32_t i = 0; i < s->count && !found; i++)
        found = c >= r->ranges[s->first + i].from &&
                c <= r->ranges[s->first + i].to;
    return found != s->is_negated;
}

/* Whether all of "text" matches; "places" tells places of all texts apart. */
static bool matches(machine *m, const char *text, int64_t *places)
{
    const lpi_regex *r = m->program;
    int64_t count = 0;
    uint32_t c = 0;

    for (m->is_begin = true;; m->is_begin = false) {
        const char *behind = text;
        int64_t reached = 0;

        m->place = ++*places;
        m->before = c;
        m->is_end = *text == '\0';
        c = m->is_end ? 0 : lpi_next_char(&behind);
        m->after = c;
        if (m->is_begin)
            reached = follow(m, 0, m->next, reached);
        for (int64_t i = 0; i < count; i++)
            if (takes(r, &r->steps[m->now[i]], m->before))
                reached = follow(m, m->now[i] + 1, m->next, reached);
        int32_t *swap = m->now;
        m->now = m->next;
        m->next = swap;
        count = reached;
        if (m->is_end || count == 0)
            break;
        text = behind;
    }
    for (int64_t i = 0; i < count; i++)
        if (r->steps[m->now[i]].kind == LPI_STEP_MATCH)
            return *text == '\0';
    return false;
}

lp_status lpi_regex_run(const lpi_run *run, const char *pattern)
{
    lpi_regex r = {.arena = run->scratch, .node = run->node};
    machine m = {.program = &r};
    uint8_t *to = run->out[0];
    const lpi_bundle *bundle;
    const char **texts;
    int64_t places = 0;

    LP_TRY(lpi_regex_read(&r, pattern));
    LP_TRY(lpi_run_bundle(run, 0, LPI_TENSOR, &bundle));
    texts = lpi_bundle_texts(run->scratch, bundle);
    m.now = LPI_NEW(run->scratch, int32_t, r.count);
    m.next = LPI_NEW(run->scratch, int32_t, r.count);
    m.stack = LPI_NEW(run->scratch, int32_t, 2 * r.count + 1);
    m.seen = LPI_NEW(run->scratch, int64_t, r.count);
    if (texts == NULL || m.now == NULL || m.next == NULL || m.stack == NULL ||
        m.seen == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < bundle->count; i++)
        to[i] = matches(&m, texts[i], &places);
    return LP_OK;
}
