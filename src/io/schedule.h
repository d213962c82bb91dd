/* schedule.h: schedules and devices as YAML: a tree, maps with known keys, the
 * sections of a schedule.
 *
 * A part of io.h, which alone includes it. */
#ifndef LPI_IO_SCHEDULE_H
#define LPI_IO_SCHEDULE_H

/* ---- schedule_*.c ------------------------------------------------------ */

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

/* A field called "name" of kind LPI_FIELD_"field_kind". */
#define LPI_FIELD(type, member, name, field_kind, is_required)                 \
    {                                                                          \
        .key = name, .kind = LPI_FIELD_##field_kind,                           \
        .offset = offsetof(type, member), .required = is_required              \
    }

/* Records of a list: their fields, their size, where their lp_line stands. */
typedef struct lpi_records {
    const lpi_field *fields;
    size_t size, line_offset;
} lpi_records;

#define LPI_RECORDS(type, fields)                                              \
    (&(const lpi_records){(fields), sizeof(type), offsetof(type, line)})

/* Read "node" into "to" as "field" says, but for its offset. */
lp_status lpi_field_read(lpi_reader *reader, const lpi_yaml *node,
                         const lpi_field *field, void *to);

/* Fill "record" from the map "node": no key may be unknown or twice there. */
lp_status lpi_record_read(lpi_reader *reader, const lpi_yaml *node,
                          const lpi_field *fields, void *record);

/* Read a list of maps into "records", in the arena of the reader. */
lp_status lpi_records_read(lpi_reader *reader, const lpi_yaml *node,
                           const lpi_records *records, void **ret_records,
                           int64_t *ret_count);

/* "node" as a whole number, as a list. */
lp_status lpi_node_int(const lpi_reader *reader, const lpi_yaml *node,
                       const char *what, int64_t *ret_value);
lp_status lpi_node_list(const lpi_reader *reader, const lpi_yaml *node,
                        const char *what);

/* schedule_memories.c; "weights" may be NULL. */
lp_status lpi_memories_read(lpi_reader *reader, const lpi_yaml *node,
                            const lpi_yaml *weights);

/* schedule_figures.c: predictions and bounds. */
lp_status lpi_predictions_read(lpi_reader *reader, const lpi_yaml *node);
lp_status lpi_bounds_read(lpi_reader *reader, const lpi_yaml *node);
void lpi_figures_write(const lp_schedule *schedule, lpi_text *text);

/* schedule_runs.c */
lp_status lpi_groups_read(lpi_reader *reader, const lpi_yaml *node);
lp_status lpi_runs_read(lpi_reader *reader, const lpi_yaml *node);

/* schedule_precision.c */
lp_status lpi_precision_read(lpi_reader *reader, const lpi_yaml *node);
lp_status lpi_precision_write(const lp_schedule *schedule, lpi_text *text,
                              lp_error *error);

/* Append "name" as a YAML scalar. */
void lpi_put_scalar(lpi_text *text, const char *name);

#endif
