/* io.h: models and reports as text, in and out. */
#ifndef LPI_IO_H
#define LPI_IO_H

#include "../plan/plan.h"

/* ---- the text form of models (lpm_*.c, net.c) -------------------------- */

/* Read the raw model in "length" bytes at "text"; "name" stands in messages
 * ("NAME:LINE: ...") and side files lie below its folder. */
lp_status lpi_lpm_read(const char *text, size_t length, const char *name,
                       int64_t cap_bytes, lp_model **ret_model,
                       lp_error *error);

/* Append the text form of "model" (raw parts only, so that reading it again
 * gives the same text). */
lp_status lpi_lpm_write(const lp_model *model, lpi_text *text, lp_error *error);

/* Read the one-line form. */
lp_status lpi_net_read(const char *text, int64_t cap_bytes,
                       lp_model **ret_model, lp_error *error);

/* The opset of ai.onnx where a text names none: that of ONNX 1.23. */
enum { LPI_NEWEST_OPSET = 28 };

/* ---- lpm_lex.c: words, numbers and marks of both forms ------------------ */

typedef enum lpi_sign {
    LPI_AT_END,  /* of the text */
    LPI_AT_STOP, /* of a statement: a newline or ';' */
    LPI_WORD,    /* a bare name or keyword */
    LPI_QUOTED,
    LPI_NUMBER,
    LPI_MARK, /* one character of punctuation */
} lpi_sign;

/* A position to come back to. */
typedef struct lpi_spot {
    const char *at;
    int64_t line;
    int32_t open; /* brackets: inside them newlines are blanks */
} lpi_spot;

typedef struct lpi_lexer {
    const char *name; /* of the text, in messages */
    const char *begin, *end;
    bool by_column; /* messages count characters, not lines */
    lpi_spot next;  /* what follows the token in hand */
    lpi_spot token; /* where the token in hand begins */
    lpi_sign sign;
    char mark;      /* of LPI_MARK */
    lpi_text word;  /* of the others, decoded; dropped by the reader */
    lpi_map *sides; /* of files beside the text: size and 1, 0: absent */
    lpi_arena *arena;
    lp_error *error;
} lpi_lexer;

/* Read the next token. */
lp_status lpi_lex_next(lpi_lexer *lexer);

/* Go back to "spot" and read the token there. */
lp_status lpi_lex_back(lpi_lexer *lexer, lpi_spot spot);

/* LP_EINPUT at the token in hand; "format" makes the reason. */
lp_status lpi_lex_fail(const lpi_lexer *lexer, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* "expected WHAT, found 'TOKEN'", and "WHAT 'TOKEN'". */
lp_status lpi_lex_expected(const lpi_lexer *lexer, const char *what)
    __attribute__((cold));
lp_status lpi_lex_refuse(const lpi_lexer *lexer, const char *what)
    __attribute__((cold));

/* Make the failure "status" of another part one at the token in hand. */
lp_status lpi_lex_blame(const lpi_lexer *lexer, lp_status status);

/* Whether the token in hand is this mark, or this bare word. */
bool lpi_lex_is(const lpi_lexer *lexer, char mark);
bool lpi_lex_is_word(const lpi_lexer *lexer, const char *word);

/* Pass the mark in hand, which must be "mark". */
lp_status lpi_lex_pass(lpi_lexer *lexer, char mark);

/* Pass one item of a list that "close" ends: what follows must be a comma or
 * the mark "close", which is passed and ends the list. */
lp_status lpi_lex_item(lpi_lexer *lexer, char close, bool *ret_more);

/* Check that a name ("what" in messages) is in hand: bare or quoted, not
 * empty, not a bare "_". */
lp_status lpi_lex_name(const lpi_lexer *lexer, const char *what);

/* Pass the name in hand; "*ret_name" is a copy. */
lp_status lpi_lex_take(lpi_lexer *lexer, const char *what,
                       const char **ret_name);

/* The same into "*ret_name", which is given only once: it must be empty. */
lp_status lpi_lex_once(lpi_lexer *lexer, const char *what,
                       const char **ret_name);

/* Pass a quoted string, which may be empty. */
lp_status lpi_lex_string(lpi_lexer *lexer, const char *what,
                         const char **ret_string);

/* ---- lpm_number.c: numbers in the C locale ------------------------------- */

/* Pass a whole number ("what" in messages) from "least" to "most". */
lp_status lpi_lex_int(lpi_lexer *lexer, const char *what, int64_t least,
                      int64_t most, int64_t *ret_value);
lp_status lpi_lex_unsigned(lpi_lexer *lexer, uint64_t *ret_value);

/* Whether the token in hand is a float, by its writing. */
bool lpi_lex_is_float(const lpi_lexer *lexer);

/* Pass a number as a double, or, rounded once, as a float. */
lp_status lpi_lex_double(lpi_lexer *lexer, double *ret_value);
lp_status lpi_lex_float(lpi_lexer *lexer, float *ret_value);

/* Append the shortest decimal that reads back as "value". */
void lpi_print_double(lpi_text *text, double value);
void lpi_print_float(lpi_text *text, float value);

/* Use the C locale in this thread, and go back to the caller's. */
typedef struct lpi_locale {
    void *ours, *callers;
} lpi_locale;
lp_status lpi_locale_enter(lpi_locale *ret_locale, lp_error *error);
void lpi_locale_leave(lpi_locale locale);

/* ---- lpm_value.c: types and content of tensors ---------------- */

/* Pass a type as declarations give it: float32[1, 3, height, ?]. */
lp_status lpi_lpm_declared(lpi_lexer *lexer, const lpi_declared **ret_type);

/* Pass dtype and shape of "tensor", then its content, if any. */
lp_status lpi_lpm_tensor(lpi_lexer *lexer, lp_tensor *tensor);

/* Complex numbers are pairs: the dtype whose values a content of "dtype" lists,
 * and how many for each element. */
lp_dtype lpi_value_dtype(lp_dtype dtype, int64_t *ret_each);

/* ---- lpm_read.c, _layer.c, _attr.c, _body.c: statements ----------------- */

typedef struct lpi_scope lpi_scope;

/* What waits until all names of a graph and those around it are known. */
typedef enum lpi_wait {
    LPI_WAIT_INPUTS, /* "spot": the inputs of "layer" */
    LPI_WAIT_VALUE,  /* "spot": a name, declared as "type" */
    LPI_WAIT_OUTPUT, /* the same; "type" may be NULL */
    LPI_WAIT_BODY,
} lpi_wait;

typedef struct lpi_waiting {
    lpi_wait kind;
    lpi_spot spot;
    lp_layer *layer;
    const lpi_declared *type;
    lpi_scope *body;
} lpi_waiting;

/* A graph that is being read. */
struct lpi_scope {
    lpi_lexer *lexer;
    lp_model *model;
    lpi_scope *outer; /* NULL at the top */
    int32_t depth;
    bool begun; /* a statement has been read */
    lpi_waiting *waiting;
    int64_t waiting_count, waiting_room;
};

/* Pass all statements of "scope"; the end of the text, or the '}' of a body,
 * is in hand afterwards. */
lp_status lpi_lpm_statements(lpi_scope *scope);

/* Pass a layer: outputs = operator(inputs) {attributes} trailers. */
lp_status lpi_lpm_layer(lpi_scope *scope);

/* Find the inputs of "layer", which stand at "spot". */
lp_status lpi_lpm_inputs(lpi_scope *scope, lp_layer *layer, lpi_spot spot);

/* Pass a body from its '{' to its '}'. */
lp_status lpi_lpm_body(lpi_scope *outer, lp_model **ret_body);

/* Let "waiting" wait in "scope"; resolve all that waits in it and in the
 * bodies inside, and bring the layers into order. */
lp_status lpi_lpm_wait(lpi_scope *scope, lpi_waiting waiting);
lp_status lpi_lpm_resolve(lpi_scope *scope);

/* Pass the attributes of a layer, from '{' to '}'. */
lp_status lpi_lpm_attrs(lpi_scope *scope, const lpi_attr **ret_attrs,
                        int32_t *ret_count);

/* ---- lpm_print.c: parts of the text form -------------------------------- */

/* A name, quoted where it must be; a string, quoted. */
void lpi_print_name(lpi_text *text, const char *name);
void lpi_print_quoted(lpi_text *text, const char *string);
void lpi_print_declared(lpi_text *text, const lpi_declared *type);

/* Dtype, shape and content of "tensor", whose model is in the file "path". */
void lpi_print_tensor(lpi_text *text, const char *path,
                      const lp_tensor *tensor);

/* The name of a layer that is not given one: that of its first output, or its
 * operator. */
const char *lpi_layer_default_name(const lp_layer *layer);

/* The opset of a layer of "domain" that does not say its own. */
int32_t lpi_layer_default_opset(const lp_model *model, const char *domain);

/* ---- net.c: the one-line form ------------------------------------------- */

enum {
    LPI_NET_AXES = 8,      /* most dimensions of a result */
    LPI_NET_DIM_BITS = 40, /* a dimension is at most 2^40 */
    LPI_NET_INPUTS = 5,    /* most inputs of an operator */
};

/* The result of a layer, or an input. */
typedef struct lpi_net_value {
    lp_tensor *tensor;
    lp_dtype dtype;
    int32_t rank;
    int64_t dims[LPI_NET_AXES];
} lpi_net_value;

/* Numbers of one argument: 3x3 gives two. */
typedef struct lpi_net_numbers {
    int32_t count;
    int64_t at[LPI_NET_AXES];
} lpi_net_numbers;

/* What follows the word of a layer. */
typedef struct lpi_net_args {
    lpi_net_numbers plain; /* without a letter before them */
    lpi_net_numbers kernel, stride, pad, dilation, group;
    bool same;           /* pads that keep the size */
    lpi_net_value other; /* the result that is named */
} lpi_net_args;

typedef struct lpi_net_row lpi_net_row;

typedef struct lpi_net {
    lpi_lexer lexer;
    lp_model *model;
    lpi_net_value last; /* what the next layer reads */
    lpi_map *names;     /* of results, to positions in "values" */
    lpi_net_value *values;
    int64_t values_count, values_room;
    int64_t *used; /* layers of each row without a name of their own */
    /* the layer under way */
    const lpi_net_row *row;
    lpi_spot spot;
    const char *label;
    lpi_net_args args;
    lpi_attr *attrs; /* of the next operator */
    int64_t attrs_count, attrs_room;
} lpi_net;

/* A kind of layer: "build" reads "last" and "args" and sets "last". */
struct lpi_net_row {
    const char *word;
    lp_status (*build)(lpi_net *net);
    int8_t least, most;  /* how many plain numbers */
    int8_t floor;        /* the least value of one */
    const char *letters; /* of its options */
    bool names;          /* names another result */
    const char *op;      /* of rows that share a function */
};

/* Ends with a NULL word. */
extern const lpi_net_row lpi_net_rows[];

/* ---- net_emit.c: what builders call ------------------------------------- */

/* An operator to add; inputs end at the last that is not NULL. */
typedef struct lpi_net_call {
    const char *op;
    lp_tensor *inputs[LPI_NET_INPUTS];
} lpi_net_call;

/* LP_EINPUT at the word of the layer under way. */
lp_status lpi_net_fail(lpi_net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* "LABEL.part"; "" without memory. */
const char *lpi_net_below(lpi_net *net, const char *part);

/* Add an operator with the attributes collected so far; its output is called
 * "name". */
lp_status lpi_net_add(lpi_net *net, const char *name, lpi_net_call call,
                      lp_tensor **ret_output);

/* Add the last operator of a layer: its output becomes "last". */
lp_status lpi_net_finish(lpi_net *net, lpi_net_call call);

/* Collect an attribute; ints are copied, "times" times in a row. */
lp_status lpi_net_attr_int(lpi_net *net, const char *name, int64_t value);
lp_status lpi_net_attr_string(lpi_net *net, const char *name,
                              const char *value);
lp_status lpi_net_attr_ints(lpi_net *net, const char *name,
                            const lpi_net_numbers *values, int32_t times);

/* Make the weight LABEL.part, of the dtype of "last" and without content. */
lp_status lpi_net_weight(lpi_net *net, const char *part, int32_t rank,
                         const int64_t *dims, lp_tensor **ret_weight);

/* Make an operand with "count" values in storage form. */
lp_status lpi_net_constant(lpi_net *net, const char *part, lp_dtype dtype,
                           int64_t count, const void *values,
                           lp_tensor **ret_tensor);

/* Set dimension "axis" of "last", from 1 to 2^40. */
lp_status lpi_net_set_dim(lpi_net *net, int32_t axis, int64_t dim);

/* Check that "last" has from "least" to "most" dimensions. */
lp_status lpi_net_want_rank(lpi_net *net, int32_t least, int32_t most);

/* Make "numbers" one for each of "count" axes: the one given holds for all,
 * "or_else" when there is none. */
lp_status lpi_net_spread(lpi_net *net, lpi_net_numbers *numbers, int32_t count,
                         int64_t or_else);

/* ---- net_window.c ------------------------------------------------------- */

lp_status lpi_net_conv(lpi_net *net);
lp_status lpi_net_dwconv(lpi_net *net);
lp_status lpi_net_convt(lpi_net *net);
lp_status lpi_net_pool(lpi_net *net); /* MaxPool, AveragePool */
lp_status lpi_net_gap(lpi_net *net);
lp_status lpi_net_upsample(lpi_net *net);

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

/* ---- schedules (schedule_*.c) -------------------------------------------- */

typedef enum lpi_yaml_kind {
    LPI_YAML_TEXT,
    LPI_YAML_LIST,
    LPI_YAML_MAP, /* items are keys and values in turn */
} lpi_yaml_kind;

typedef struct lpi_yaml {
    lpi_yaml_kind kind;
    int64_t line;
    const char *text;
    struct lpi_yaml *items;
    int64_t count;
} lpi_yaml;

/* Read the one document in "text" as a tree in "arena". */
lp_status lpi_yaml_read(lpi_arena *arena, const char *text, size_t length,
                        const char *name, lpi_yaml *ret_root, lp_error *error);

/* LP_EINPUT at "NAME:LINE". */
lp_status lpi_yaml_fail(const char *name, int64_t line, lp_error *error,
                        const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

/* Read the YAML form of a schedule of "model". */
lp_status lpi_schedule_read(const lp_model *model, const char *text,
                            size_t length, const char *name,
                            lp_schedule **ret_schedule, lp_error *error);

/* Append the YAML form of "schedule". */
lp_status lpi_schedule_write(const lp_schedule *schedule, lpi_text *text,
                             lp_error *error);

/* How a schedule calls layers: by their names, or, where a name stands for
 * several or has a '#', by "^" and their first output. */
typedef struct lpi_layer_names {
    lpi_map *map; /* name to layer id + 1; 0: several */
    const lp_model *model;
} lpi_layer_names;

lp_status lpi_layer_names_find(lpi_arena *arena, const lp_model *model,
                               lpi_layer_names *ret_names, lp_error *error);

/* The layer called "name", NULL: none. */
lp_layer *lpi_layer_named(const lpi_layer_names *names, const char *name);

/* Append what "layer" is called, quoted where YAML needs it; "ordinal" 0:
 * alone, else that of an execution. */
void lpi_put_layer(lpi_text *text, const lpi_layer_names *names,
                   const lp_layer *layer, int64_t ordinal);

/* schedule_record.c: maps with known keys, of schedules and devices. */

typedef struct lpi_reader {
    const lp_model *model;      /* of a schedule, as all but the arenas */
    lpi_arena *arena, *scratch; /* of what is read; of the tree */
    lp_schedule *schedule;
    const char *name;
    lpi_layer_names layers;
    lpi_map *groups; /* name to position */
    lp_error *error;
} lpi_reader;

#define LPI_COUNT_MOST INT64_C(1000000000000000000)

typedef enum lpi_field_kind {
    LPI_FIELD_INT,    /* int64_t */
    LPI_FIELD_COUNT,  /* int64_t from 1 to LPI_COUNT_MOST; 2Mi, 10G */
    LPI_FIELD_TEXT,   /* const char * */
    LPI_FIELD_TENSOR, /* const lp_tensor * */
    LPI_FIELD_LAYER,  /* const lp_layer * */
    LPI_FIELD_MEMORY, /* int32_t */
    LPI_FIELD_WORD,   /* int32_t, the position in "words" */
    LPI_FIELD_DTYPE,  /* lp_dtype */
    LPI_FIELD_NODE,   /* const lpi_yaml * */
} lpi_field_kind;

typedef struct lpi_field {
    const char *key; /* NULL ends */
    lpi_field_kind kind;
    size_t offset;
    bool required;
    const char *const *words; /* NULL ends */
} lpi_field;

/* Read "node" into "to" as "field" says, but for its offset. */
lp_status lpi_field_read(lpi_reader *reader, const lpi_yaml *node,
                         const lpi_field *field, void *to);

/* Fill "record" from the map "node": no key may be unknown or twice there. */
lp_status lpi_record_read(lpi_reader *reader, const lpi_yaml *node,
                          const lpi_field *fields, void *record);

/* Read a list of maps into records of "size" bytes, in the arena of the
 * schedule, whose lp_line is at "line_offset". */
lp_status lpi_records_read(lpi_reader *reader, const lpi_yaml *node,
                           const lpi_field *fields, size_t size,
                           size_t line_offset, void **ret_records,
                           int64_t *ret_count);

/* "node" as a whole number, as a list. */
lp_status lpi_node_int(const lpi_reader *reader, const lpi_yaml *node,
                       const char *what, int64_t *ret_value);
lp_status lpi_node_list(const lpi_reader *reader, const lpi_yaml *node,
                        const char *what);

/* schedule_memories.c; "weights" may be NULL. */
lp_status lpi_memories_read(lpi_reader *reader, const lpi_yaml *node,
                            const lpi_yaml *weights);

/* schedule_runs.c */
lp_status lpi_groups_read(lpi_reader *reader, const lpi_yaml *node);
lp_status lpi_runs_read(lpi_reader *reader, const lpi_yaml *node);

/* schedule_precision.c */
lp_status lpi_precision_read(lpi_reader *reader, const lpi_yaml *node);
lp_status lpi_precision_write(const lp_schedule *schedule, lpi_text *text,
                              lp_error *error);

/* Append "name" as a YAML scalar. */
void lpi_put_scalar(lpi_text *text, const char *name);

/* ---- place_csv.c, place_report.c: problems of offsets -------------------- */

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

/* ---- graph_json.c, remat_report.c: problems of recompute ------------------
 */

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

/* ---- plans (plan_write.c) ------------------------------------------------ */

/* Append "plan", text or JSON. */
lp_status lpi_plan_write(const lp_plan *plan, lp_format format, lpi_text *text,
                         lp_error *error);

/* Append the planners there are, text or JSON. */
lp_status lpi_offers_write(const lpi_offer *offers, int64_t count,
                           lp_format format, lpi_text *text, lp_error *error);

#endif
