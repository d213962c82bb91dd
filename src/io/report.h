/* report.h: tables, and texts made of them: reports in all formats, pages with
 * aligned columns.
 *
 * A part of io.h, which alone includes it. */
#ifndef LPI_IO_REPORT_H
#define LPI_IO_REPORT_H

/* ---- reports: tables (columns.c, view.c) --------------------------------- */

typedef enum lpi_cell_kind {
    LPI_CELL_COUNT,
    LPI_CELL_NAME, /* NULL: not known */
    LPI_CELL_SHAPE,
    LPI_CELL_REAL, /* NaN: not defined */
} lpi_cell_kind;

typedef struct lpi_cell {
    lpi_cell_kind kind;
    union {
        int64_t count;
        const char *name;
        lp_shape shape;
        double real;
    };
} lpi_cell;

/* A column of a table whose rows are structs of one type. */
typedef struct lpi_column {
    const char *name;
    lpi_cell_kind kind;
    size_t offset;                      /* of the field */
    bool searched;                      /* by the filter of a view */
    lpi_cell (*get)(const void *field); /* NULL: the field is the cell */
} lpi_column;

/* An array of structs, and the rows of it that a view asks for. */
typedef struct lpi_table {
    const char *name;          /* its key in JSON */
    const lpi_column *columns; /* ends with a NULL name */
    const void *all;           /* "all_count" structs of "size" bytes */
    size_t size;
    int64_t all_count;
    bool is_layers;    /* the structs are lp_rows */
    const void **rows; /* chosen, in the order of the view */
    int64_t count;
    int64_t matched; /* rows there would be without a limit */
} lpi_table;

/* One text under way: everything that writing it shares. */
typedef struct lpi_page {
    lp_view view; /* with its defaults filled in */
    lpi_arena *scratch;
    lpi_text text;
    lpi_text cells;      /* of the grid or the line under way */
    int32_t note_indent; /* column of the note beside a heading */
    lp_error *error;
} lpi_page;

/* Begin a text for "view" (NULL: all defaults). */
lp_status lpi_page_open(lpi_page *page, const lp_view *view, lp_error *error);

/* End it: hand the text over when "status" is LP_OK, else drop it. */
lp_status lpi_page_close(lpi_page *page, lp_status status, char **ret_text,
                         size_t *ret_length);

lpi_cell lpi_cell_get(const lpi_column *column, const void *row);

/* Choose the rows of "table", whose other fields are set.  Folded layers are
 * left out unless the view wants them; when "filtered" the view's filter, sort
 * and top apply.  An unknown column to sort by is LP_EINPUT. */
lp_status lpi_table_choose(lpi_page *page, lpi_table *table, bool filtered);

/* The table "which" of "report".  Sort, filter and top apply to the table that
 * the view names, and to the layers when it names all. */
lp_status lpi_table_of(lpi_page *page, const lp_report *report, lp_table which,
                       lpi_table *ret_table);

/* The modules of "report" that part its layers at "depth": those of that depth
 * and shallower ones without children there, then "(other layers)" for the
 * rest, if any.  Their costs sum to the total. */
lp_status lpi_modules_at(lpi_page *page, const lp_report *report, int32_t depth,
                         const lp_module_row **ret_rows, int64_t *ret_count);

/* Share of layers that are counted, rounded down to six decimals, so that 1
 * says all of them. */
double lpi_coverage(const lp_report *report);

/* Columns of one row a report: its totals. */
extern const lpi_column lpi_total_columns[];

const char *lpi_row_status_name(lp_row_status status);

/* ---- reports: formats ---------------------------------------------------- */

/* put.c: numbers and names, the same in every locale. */
void lpi_put_int(lpi_text *text, int64_t value);
void lpi_put_thousands(lpi_text *text, int64_t value); /* 1,234,567 */
void lpi_put_fixed(lpi_text *text, double value, int32_t decimals);
void lpi_put_real(lpi_text *text, double value);     /* 6 significant digits */
void lpi_put_count(lpi_text *text, int64_t value);   /* 859.5 M */
void lpi_put_bytes(lpi_text *text, int64_t value);   /* 3.20 GiB */
void lpi_put_name(lpi_text *text, const char *name); /* escaped; NULL: ? */
void lpi_put_repeated(lpi_text *text, const char *string, int64_t times);

/* A bar of "part" of "whole", at most "width" columns, in eighths. */
void lpi_put_bar(lpi_text *text, double part, double whole, int32_t width);

/* report_tsv.c */
lp_status lpi_report_tsv(lpi_page *page, const lp_report *report);
void lpi_tsv_table(lpi_text *text, const lpi_table *table);

/* report_json.c */
lp_status lpi_report_json(lpi_page *page, const lp_report *report);
void lpi_json_string(lpi_text *text, const char *string);

/* The members of an object: all cells of "row", keyed by column. */
void lpi_json_members(lpi_text *text, const lpi_column *columns,
                      const void *row);

/* An array of objects keyed by column, one a line; "more" (may be NULL) adds
 * members to each object. */
void lpi_json_table(lpi_text *text, const lpi_table *table,
                    void (*more)(lpi_text *text, const void *row));

/* report_netron.c */
lp_status lpi_report_netron(lpi_page *page, const lp_report *report);

/* report_text.c, sections.c, held.c, chart.c */
lp_status lpi_report_text(lpi_page *page, const lp_report *report);
lp_status lpi_text_peak(lpi_page *page, const lp_report *report,
                        const lpi_table *table);
lp_status lpi_text_skips(lpi_page *page, const lpi_table *table);
lp_status lpi_text_section(lpi_page *page, const lp_report *report,
                           lp_table which);
lp_status lpi_text_chart(lpi_page *page, const lp_report *report);

/* ---- reports: text with aligned columns (grid.c, page.c) ----------------- */

typedef struct lpi_grid_column {
    const char *head;
    bool right;    /* aligned to the right */
    int32_t least; /* may be cut in the middle to so many; 0: never cut */
    int32_t from;  /* shown on pages of this width and more */
} lpi_grid_column;

/* Cells are written to the "cells" of the page, row by row, each ended by
 * lpi_grid_next; a cell of a column that is not shown is written all the
 * same. */
typedef struct lpi_grid {
    lpi_page *page;
    const lpi_grid_column *columns;
    int32_t columns_count;
    int64_t *ends; /* of each cell, in "cells" */
    int64_t count, room;
    int64_t rule; /* row above which a line is drawn; 0: none */
} lpi_grid;

/* Begin a grid; the page can have one at a time. */
lpi_grid lpi_grid_begin(lpi_page *page, const lpi_grid_column *columns,
                        int32_t columns_count);

/* End the cell under way. */
lp_status lpi_grid_next(lpi_grid *grid);

/* Write a cell and end it. */
lp_status lpi_grid_count(lpi_grid *grid, int64_t value);
lp_status lpi_grid_bytes(lpi_grid *grid, int64_t value);
lp_status lpi_grid_thousands(lpi_grid *grid, int64_t value);
lp_status lpi_grid_name(lpi_grid *grid, const char *name);
lp_status lpi_grid_shape(lpi_grid *grid, lp_shape shape);

/* Nanoseconds as microseconds; "-" for 0, which is not known. */
lp_status lpi_grid_us(lpi_grid *grid, int64_t ns);

/* Percent of "part" in "whole"; empty when that is 0. */
lp_status lpi_grid_share(lpi_grid *grid, int64_t part, int64_t whole);
void lpi_grid_print(const lpi_grid *grid);

/* Columns that "bytes" of valid UTF-8 take: its code points. */
int64_t lpi_text_columns(const char *bytes, int64_t length);

/* Append the "length" bytes of valid UTF-8 at "bytes", which take "columns"
 * columns, cut in the middle to "width" of them. */
void lpi_put_columns(lpi_text *text, const char *bytes, int64_t length,
                     int64_t columns, int64_t width);

/* Append "20 of 1,717" to the cells; only the one number when all are. */
void lpi_put_shown(lpi_page *page, int64_t shown, int64_t count);

/* Append "name" to the cells, escaped, and cut in the middle to "width"
 * columns. */
void lpi_put_cut(lpi_page *page, const char *name, int64_t width);

/* Begin a heading: an empty line and "title" in bold.  What is written to the
 * cells until lpi_page_heading_end is a note beside it. */
void lpi_page_heading(lpi_page *page, const char *title);
void lpi_page_heading_end(lpi_page *page);
void lpi_page_bold(lpi_page *page, const char *string);
void lpi_page_dim(lpi_page *page, const char *string);

/* What the cells hold, broken between words into lines that begin at column
 * "indent"; they are emptied. */
void lpi_page_wrap_cells(lpi_page *page, int32_t indent);

#endif
