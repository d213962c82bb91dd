/* model_args.c: which models a command reads, and how they are settled. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* Text read from stdin, unless --max-memory says otherwise. */
static const int64_t stdin_cap = 256 << 20;

#define NET_OPTION                                                             \
    {                                                                          \
        .name = "net", .argument = "NET", .kind = CLI_LIST,                    \
        .offset = offsetof(cli_model, nets),                                   \
        .help = "Use the one-line model NET, such as "                         \
                "\"x:1x3x32x32; conv 16 k3 p1; relu\", in place of a file."    \
    }

const cli_option cli_net_options[] = {
    NET_OPTION,
    {.name = NULL},
};

const cli_option cli_source_options[] = {
    NET_OPTION,
    {.name = "max-memory",
     .argument = "SIZE",
     .kind = CLI_COUNT,
     .offset = offsetof(cli_model, max_memory_bytes),
     .help = "Give up on models that take more than SIZE of memory to read "
             "(8GiB unless given)."},
    {.name = NULL},
};

const cli_option cli_model_options[] = {
    {.name = "dim",
     .argument = "NAME=N[,NAME=N...]",
     .kind = CLI_LIST,
     .offset = offsetof(cli_model, dims),
     .help = "Bind the symbolic dimension NAME to N. "
             "May be given several times."},
    {.name = "shape",
     .argument = "INPUT=AxBx...",
     .kind = CLI_LIST,
     .offset = offsetof(cli_model, shapes),
     .help = "Give INPUT the shape AxBx... in place of its own. "
             "May be given several times."},
    {.name = "trips",
     .argument = "N",
     .kind = CLI_COUNT,
     .offset = offsetof(cli_model, trips),
     .help = "Count Loops that do not tell how often they run as N rounds."},
    {.name = NULL},
};

cli_exit cli_sources(const cli_model *model, const cli_list *operands,
                     size_t first, const cli_source **ret_sources,
                     size_t *ret_count)
{
    size_t count = operands->count - first + model->nets.count, i, n = 0;
    cli_source *sources = cli_alloc((count + 1) * sizeof(*sources));
    bool stdin_seen = false;

    for (i = first; i < operands->count; i++) {
        bool is_stdin = !strcmp(operands->items[i], "-");

        if (is_stdin && stdin_seen)
            return cli_fail(CLI_USAGE, NULL,
                            "standard input '-' can be read only once");
        stdin_seen = stdin_seen || is_stdin;
        sources[n++] = (cli_source){operands->items[i], false};
    }
    for (i = 0; i < model->nets.count; i++)
        sources[n++] = (cli_source){model->nets.items[i], true};
    if (!n)
        return cli_fail(CLI_USAGE, NULL,
                        "a model is missing: name a file, or use --net");
    *ret_sources = sources;
    *ret_count = n;
    return CLI_YES;
}

bool cli_split(const char *text, const char **ret_name, const char **ret_value)
{
    const char *equals = strrchr(text, '=');

    if (!equals || equals == text)
        return false;
    *ret_name = cli_format("%.*s", (int)(equals - text), text);
    *ret_value = equals + 1;
    return true;
}

char *cli_part(const char **text, char separator)
{
    const char *start = *text, *end;

    if (!start)
        return NULL;
    end = strchr(start, separator);
    *text = end ? end + 1 : NULL;
    return cli_format("%.*s", end ? (int)(end - start) : (int)strlen(start),
                      start);
}

/* Add the "NAME=N[,NAME=N...]" in "text"; the same name again replaces. */
static cli_exit add_dims(const char *text, lp_binding *dims, size_t *count)
{
    const char *part;

    while ((part = cli_part(&text, ',')) != NULL) {
        const char *name, *value;
        int64_t number;
        size_t i = 0;

        if (!cli_split(part, &name, &value) || !lp_parse_count(value, &number))
            return cli_fail(CLI_USAGE, NULL,
                            "--dim '%s' is not of the form NAME=N", part);
        while (i < *count && strcmp(dims[i].name, name) != 0)
            i++;
        dims[i] = (lp_binding){name, number};
        *count += i == *count;
    }
    return CLI_YES;
}

/* Parse the "AxBx..." in "text"; nothing at all is a scalar. */
static bool parse_shape(const char *text, lp_shape *ret_shape)
{
    int64_t *dims = cli_alloc((strlen(text) + 1) * sizeof(*dims));
    const char *part;
    int32_t rank = 0;

    while (text && *text && (part = cli_part(&text, 'x')) != NULL)
        if (!lp_parse_count(part, &dims[rank++]))
            return false;
    *ret_shape = (lp_shape){rank, dims};
    return true;
}

/* Add the "INPUT=AxBx..." in "text"; the same input again replaces. */
static cli_exit add_shape(const char *text, lp_input_shape *shapes,
                          size_t *count)
{
    const char *name, *value;
    lp_shape shape;
    size_t i = 0;

    if (!cli_split(text, &name, &value) || !parse_shape(value, &shape))
        return cli_fail(CLI_USAGE, NULL,
                        "--shape '%s' is not of the form INPUT=AxBxC", text);
    while (i < *count && strcmp(shapes[i].input, name) != 0)
        i++;
    shapes[i] = (lp_input_shape){.input = name, .shape = shape};
    *count += i == *count;
    return CLI_YES;
}

/* Upper bound of the bindings in "list": one, and one more per comma. */
static size_t bindings(const cli_list *list)
{
    size_t count = 0, i;
    const char *at;

    for (i = 0; list && i < list->count; i++)
        for (count++, at = list->items[i]; (at = strchr(at, ',')); at++)
            count++;
    return count;
}

cli_exit cli_settle(const cli_model *model, const cli_list *dims,
                    const cli_list *shapes, lp_load_options *ret_options)
{
    const cli_list *dim_lists[] = {&model->dims, dims};
    const cli_list *shape_lists[] = {&model->shapes, shapes};
    size_t room = bindings(&model->dims) + bindings(dims) + 1;
    lp_binding *bound = cli_alloc(room * sizeof(*bound));
    lp_input_shape *given;
    size_t i, j;

    room = model->shapes.count + (shapes ? shapes->count : 0) + 1;
    given = cli_alloc(room * sizeof(*given));
    *ret_options = (lp_load_options){
        .dims = bound,
        .shapes = given,
        .trips = model->trips,
        .max_memory_bytes = model->max_memory_bytes,
    };
    for (i = 0; i < 2; i++) {
        for (j = 0; dim_lists[i] && j < dim_lists[i]->count; j++)
            if (add_dims(dim_lists[i]->items[j], bound,
                         &ret_options->dims_count) != CLI_YES)
                return CLI_USAGE;
        for (j = 0; shape_lists[i] && j < shape_lists[i]->count; j++)
            if (add_shape(shape_lists[i]->items[j], given,
                          &ret_options->shapes_count) != CLI_YES)
                return CLI_USAGE;
    }
    return CLI_YES;
}

/* Read "descriptor" to its end; as cli_slurp. */
static cli_exit slurp(int descriptor, const char *name, int64_t cap_bytes,
                      char **ret_text, size_t *ret_length)
{
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity + 1);
    ssize_t got = 1;

    while (text && got != 0) {
        if (length == capacity) {
            char *more = realloc(text, 2 * capacity + 1);

            if (!more)
                free(text);
            text = more;
            capacity *= 2;
            continue;
        }
        got = read(descriptor, text + length, capacity - length);
        if (got < 0 && errno != EINTR) {
            free(text);
            return cli_fail(CLI_INPUT, name, "%s", strerror(errno));
        }
        length += got > 0 ? (size_t)got : 0;
        if ((int64_t)length > cap_bytes) {
            free(text);
            return cli_fail(CLI_INPUT, name, "is longer than %lld bytes",
                            (long long)cap_bytes);
        }
    }
    if (!text)
        return cli_fail(CLI_SYSTEM, name, "out of memory");
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    return CLI_YES;
}

cli_exit cli_slurp(const char *path, int64_t cap_bytes, char **ret_text,
                   size_t *ret_length)
{
    bool is_stdin = !strcmp(path, "-");
    const char *name = is_stdin ? "stdin" : path;
    int descriptor = is_stdin ? STDIN_FILENO
                              : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    cli_exit code;

    if (descriptor < 0)
        return cli_fail(CLI_INPUT, name, "%s", strerror(errno));
    code = slurp(descriptor, name, cap_bytes, ret_text, ret_length);
    if (!is_stdin)
        close(descriptor);
    return code;
}

/* Say why "name" was not loaded, and which limit of memory was met. */
static cli_exit fail_load(const char *name, const lp_load_options *options,
                          const lp_error *error)
{
    if (error->status != LP_ENOMEM || error->where[0])
        return cli_fail_with(error, CLI_INPUT);
    if (!options->max_memory_bytes)
        return cli_fail(CLI_SYSTEM, name, "%s", error->message);
    return cli_fail(CLI_SYSTEM, name, "%s of %lld bytes", error->message,
                    (long long)options->max_memory_bytes);
}

/* Read the text form on stdin, once for however many loads; bytes that no
 * text has are told apart, since an .onnx file cannot be read from a pipe. */
static cli_exit load_stdin(const lp_load_options *options, lp_model **ret_model)
{
    static const char *kept;
    static size_t length;
    int64_t cap = options->max_memory_bytes;
    lp_error error = {0};
    cli_exit code;

    if (!kept) {
        char *text;

        code = cli_slurp("-", cap ? cap : stdin_cap, &text, &length);
        if (code != CLI_YES)
            return code;
        kept = memcpy(cli_alloc(length + 1), text, length);
        free(text);
    }
    if (memchr(kept, '\0', length) || (length && kept[0] == '\b'))
        return cli_fail(CLI_INPUT, "stdin",
                        "only the text form can be read here; name the "
                        ".onnx file instead");
    if (lp_model_read(kept, length, "stdin", options, ret_model, &error) !=
        LP_OK)
        return fail_load("stdin", options, &error);
    return CLI_YES;
}

cli_exit cli_load(const cli_source *source, const lp_load_options *options,
                  lp_model **ret_model)
{
    lp_error error = {0};
    lp_status status;

    if (!source->is_net && !strcmp(source->name, "-"))
        return load_stdin(options, ret_model);
    if (source->is_net)
        status = lp_model_net(source->name, options, ret_model, &error);
    else
        status = lp_model_load(source->name, options, ret_model, &error);
    return status == LP_OK ? CLI_YES : fail_load(source->name, options, &error);
}

cli_exit cli_load_one(const cli_model *args, const cli_list *operands,
                      const char *command, lp_model **ret_model)
{
    const cli_source *sources;
    lp_load_options options;
    size_t count;
    cli_exit code;

    code = cli_sources(args, operands, 0, &sources, &count);
    if (code == CLI_YES && count != 1)
        code = cli_fail(CLI_USAGE, command, "one model, not %zu", count);
    if (code == CLI_YES)
        code = cli_settle(args, NULL, NULL, &options);
    if (code == CLI_YES)
        code = cli_load(&sources[0], &options, ret_model);
    return code;
}
