/* problem.h: problems of offsets (CSV) and of recompute (JSON), and what was
 * found for them.
 *
 * A part of io.h, which alone includes it. */
#ifndef LPI_IO_PROBLEM_H
#define LPI_IO_PROBLEM_H

/* ---- answer.c: figures of answers ---------------------------------------- */

/* An int64_t of an answer, by its name. */
typedef struct lpi_figure {
    const char *name;
    size_t offset;
    bool optional; /* text leaves it out when it is 0 */
} lpi_figure;

/* Append "count" figures of "answer": members of an object, each behind a
 * comma; lines. */
void lpi_figures_json(lpi_text *text, const lpi_figure *figures, int64_t count,
                      const void *answer);
void lpi_figures_text(lpi_text *text, const lpi_figure *figures, int64_t count,
                      const void *answer);

/* ---- place_csv.c, place_report.c: problems of offsets ------------------ */

/* Columns of the CSV form. */
enum {
    LPI_CSV_ID,
    LPI_CSV_LOWER,
    LPI_CSV_UPPER,
    LPI_CSV_SIZE,
    LPI_CSV_ALIGNMENT,
    LPI_CSV_HINT,
    LPI_CSV_GAPS,
    LPI_CSV_OFFSET,
    LPI_CSV_COLUMNS,
};

struct lp_place_problem {
    lpi_arena *arena;
    const char *name;
    const char **ids; /* by buffer */
    lp_buffer *buffers;
    int64_t count;
    bool has[LPI_CSV_COLUMNS]; /* columns of the file */
    const int64_t *offsets;    /* found last; NULL: none yet */
};

/* Read into the arena of "problem", whose name is set. */
lp_status lpi_place_csv_read(lp_place_problem *problem, const char *bytes,
                             size_t length, lp_error *error);
void lpi_place_csv_write(const lp_place_problem *problem, lpi_text *text);
void lpi_place_answer_put(lpi_text *text, const lp_place_answer *answer,
                          bool as_json);

/* ---- graph_json.c, remat_report.c: problems of recompute --------------- */

struct lp_remat_problem {
    lpi_arena *arena;
    const char *name;
    const int64_t *ids; /* by node */
    lp_graph graph;
    lp_remat_answer answer; /* found last */
    const lp_event *events;
    int64_t events_count;
};

/* Read into the arena of "problem", whose name is set. */
lp_status lpi_graph_json_read(lp_remat_problem *problem, const char *bytes,
                              size_t length, lp_error *error);
void lpi_remat_sequence_put(lpi_text *text, const lp_remat_problem *problem);
void lpi_remat_answer_put(lpi_text *text, const lp_remat_answer *answer,
                          bool as_json);

#endif
