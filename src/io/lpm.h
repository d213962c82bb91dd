/* lpm.h: the text form of models: its words, its statements, its writer.
 *
 * The one-line form shares the words, all that is written the numbers.
 *
 * A part of io.h, which alone includes it. */
#ifndef LPI_IO_LPM_H
#define LPI_IO_LPM_H

/* Read the raw model in "length" bytes at "text"; "name" stands in messages
 * ("NAME:LINE: ...") and side files lie below its folder. */
lp_status lpi_lpm_read(const char *text, size_t length, const char *name,
                       int64_t cap_bytes, lp_model **ret_model,
                       lp_error *error);

/* Append the text form of "model" (raw parts only, so that reading it again
 * gives the same text). */
lp_status lpi_lpm_write(const lp_model *model, lpi_text *text, lp_error *error);

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

#endif
