/* device.c: the YAML form of a device (lplan-device(5)).
 *
 * What is read is believed by all that comes later, so everything that cannot
 * be is refused here, at its line: figures of zero and beyond reason, names
 * that stand for nothing or for two things, figures without a source. */
#include <string.h>

#include "io.h"

enum {
    FORMAT = 1,
    MEMORIES_MOST = 64,
    TEXT_MOST = 1 << 20,
    ARENA_CAP = 1 << 24
};

/* A device and the memory behind it. */
typedef struct holder {
    lp_device device;
    lpi_arena *arena;
} holder;

/* Counts that are not there are 0, and none is. */
typedef struct memory_entry {
    lp_line line;
    lp_device_memory memory;
} memory_entry;

typedef struct rate_entry {
    lp_line line;
    lp_device_rate rate;
} rate_entry;

typedef struct sections {
    int64_t format;
    const char *name, *source, *weights;
    const lpi_yaml *memories, *compute, *dma;
} sections;

typedef struct compute_entry {
    const lpi_yaml *rates;
    int64_t ops_per_s;
    const char *source;
} compute_entry;

typedef struct dma_entry {
    int64_t setup_ns;
    const char *source;
} dma_entry;

static const lpi_field section_fields[] = {
    LPI_FIELD(sections, format, "lplan-device", INT, true),
    LPI_FIELD(sections, name, "name", TEXT, true),
    LPI_FIELD(sections, source, "source", TEXT, true),
    LPI_FIELD(sections, memories, "memories", NODE, true),
    LPI_FIELD(sections, weights, "weights", TEXT, true),
    LPI_FIELD(sections, compute, "compute", NODE, true),
    LPI_FIELD(sections, dma, "dma", NODE, false),
    {.key = NULL},
};

static const lpi_field memory_fields[] = {
    LPI_FIELD(memory_entry, memory.name, "name", TEXT, true),
    LPI_FIELD(memory_entry, memory.capacity_bytes, "capacity_bytes", COUNT,
              false),
    LPI_FIELD(memory_entry, memory.alignment, "alignment", COUNT, true),
    LPI_FIELD(memory_entry, memory.read_bytes_per_s, "read_bytes_per_s", COUNT,
              false),
    LPI_FIELD(memory_entry, memory.write_bytes_per_s, "write_bytes_per_s",
              COUNT, false),
    LPI_FIELD(memory_entry, memory.source, "source", TEXT, true),
    {.key = NULL},
};

static const lpi_field compute_fields[] = {
    LPI_FIELD(compute_entry, rates, "rates", NODE, true),
    LPI_FIELD(compute_entry, ops_per_s, "ops_per_s", COUNT, false),
    LPI_FIELD(compute_entry, source, "source", TEXT, false),
    {.key = NULL},
};

static const lpi_field rate_fields[] = {
    LPI_FIELD(rate_entry, rate.dtype, "dtype", DTYPE, true),
    LPI_FIELD(rate_entry, rate.macs_per_s, "macs_per_s", COUNT, true),
    LPI_FIELD(rate_entry, rate.source, "source", TEXT, true),
    {.key = NULL},
};

static const lpi_field dma_fields[] = {
    LPI_FIELD(dma_entry, setup_ns, "setup_ns", INT, true),
    LPI_FIELD(dma_entry, source, "source", TEXT, true),
    {.key = NULL},
};

#define REFUSE(r, at, ...)                                                     \
    lpi_yaml_fail((r)->name, (at), (r)->error, __VA_ARGS__)

static lp_status check_text(const lpi_reader *r, int64_t line, const char *key,
                            const char *text)
{
    return *text ? LP_OK : REFUSE(r, line, "%s: a text is expected", key);
}

static lp_status check_memory(const lpi_reader *r, const memory_entry *m,
                              bool is_first)
{
    const lp_device_memory *memory = &m->memory;

    LP_TRY(check_text(r, m->line, "name", memory->name));
    LP_TRY(check_text(r, m->line, "source", memory->source));
    if (memory->alignment > 1 << 30 ||
        (memory->alignment & (memory->alignment - 1)))
        return REFUSE(r, m->line,
                      "alignment %lld is no power of two up to 2^30",
                      (long long)memory->alignment);
    if (is_first && !memory->capacity_bytes)
        return REFUSE(r, m->line,
                      "memory '%.200s', the first, has no capacity_bytes",
                      memory->name);
    if (!is_first && !memory->read_bytes_per_s)
        return REFUSE(r, m->line,
                      "memory '%.200s' has no read_bytes_per_s, and is not the "
                      "first",
                      memory->name);
    if (memory->capacity_bytes && memory->capacity_bytes < memory->alignment)
        return REFUSE(r, m->line,
                      "memory '%.200s' has %lld bytes, less than its alignment",
                      memory->name, (long long)memory->capacity_bytes);
    return LP_OK;
}

static lp_status read_memories(lpi_reader *r, const lpi_yaml *node,
                               lp_device *device)
{
    lp_device_memory *memories;
    memory_entry *entries;
    int64_t count, i, j;
    void *list;

    LP_TRY(lpi_records_read(r, node, LPI_RECORDS(memory_entry, memory_fields),
                            &list, &count));
    entries = list;
    if (count < 1 || count > MEMORIES_MOST)
        return REFUSE(r, node->line, "memories: from 1 to %d are expected",
                      MEMORIES_MOST);
    memories = LPI_NEW(r->arena, lp_device_memory, count);
    if (!memories)
        return lpi_fail_memory(r->error);
    for (i = 0; i < count; i++) {
        LP_TRY(check_memory(r, &entries[i], i == 0));
        memories[i] = entries[i].memory;
        for (j = 0; j < i; j++)
            if (!strcmp(memories[j].name, memories[i].name))
                return REFUSE(r, entries[i].line,
                              "memory '%.200s' stands there twice",
                              memories[i].name);
    }
    device->memories = memories;
    device->memories_count = (int32_t)count;
    return LP_OK;
}

static lp_status read_rates(lpi_reader *r, const lpi_yaml *node,
                            lp_device *device)
{
    lp_device_rate *rates;
    rate_entry *entries;
    int64_t count, i, j;
    void *list;

    LP_TRY(lpi_records_read(r, node, LPI_RECORDS(rate_entry, rate_fields),
                            &list, &count));
    entries = list;
    if (count < 1 || count > LP_DTYPE_COUNT)
        return REFUSE(r, node->line, "rates: from 1 to %d are expected",
                      LP_DTYPE_COUNT);
    rates = LPI_NEW(r->arena, lp_device_rate, count);
    if (!rates)
        return lpi_fail_memory(r->error);
    for (i = 0; i < count; i++) {
        rates[i] = entries[i].rate;
        LP_TRY(check_text(r, entries[i].line, "source", rates[i].source));
        if (!lp_dtype_bits(rates[i].dtype))
            return REFUSE(r, entries[i].line, "dtype '%s' cannot be computed",
                          lp_dtype_name(rates[i].dtype));
        for (j = 0; j < i; j++)
            if (rates[j].dtype == rates[i].dtype)
                return REFUSE(r, entries[i].line,
                              "the rate of %s stands there twice",
                              lp_dtype_name(rates[i].dtype));
    }
    device->rates = rates;
    device->rates_count = (int32_t)count;
    return LP_OK;
}

static lp_status read_compute(lpi_reader *r, const lpi_yaml *node,
                              lp_device *device)
{
    compute_entry entry = {.source = ""};

    LP_TRY(lpi_record_read(r, node, compute_fields, &entry));
    if (entry.ops_per_s && !*entry.source)
        return REFUSE(r, node->line, "compute: ops_per_s has no source");
    device->ops_per_s = entry.ops_per_s;
    device->compute_source = entry.source;
    return read_rates(r, entry.rates, device);
}

static lp_status read_dma(lpi_reader *r, const lpi_yaml *node,
                          lp_device *device)
{
    dma_entry entry = {.source = ""};

    LP_TRY(lpi_record_read(r, node, dma_fields, &entry));
    LP_TRY(check_text(r, node->line, "dma: source", entry.source));
    if (entry.setup_ns < 0 || entry.setup_ns > 1000000000)
        return REFUSE(r, node->line, "setup_ns %lld is not between 0 and 10^9",
                      (long long)entry.setup_ns);
    device->dma_setup_ns = entry.setup_ns;
    device->dma_source = entry.source;
    return LP_OK;
}

/* Where the key "key" of the map "node" stands. */
static int64_t line_of(const lpi_yaml *node, const char *key)
{
    int64_t i;

    for (i = 0; i < node->count; i += 2)
        if (!strcmp(node->items[i].text, key))
            return node->items[i].line;
    return node->line;
}

static lp_status read_all(lpi_reader *r, const lpi_yaml *root,
                          lp_device *device)
{
    sections nodes = {0};
    int32_t i;

    LP_TRY(lpi_record_read(r, root, section_fields, &nodes));
    if (nodes.format != FORMAT)
        return REFUSE(r, root->line, "format %lld is not known, %d is",
                      (long long)nodes.format, FORMAT);
    LP_TRY(check_text(r, root->line, "name", nodes.name));
    LP_TRY(check_text(r, root->line, "source", nodes.source));
    device->name = nodes.name;
    device->source = nodes.source;
    device->dma_source = "";
    LP_TRY(read_memories(r, nodes.memories, device));
    LP_TRY(read_compute(r, nodes.compute, device));
    if (nodes.dma)
        LP_TRY(read_dma(r, nodes.dma, device));
    for (i = 0; i < device->memories_count; i++)
        if (!strcmp(device->memories[i].name, nodes.weights)) {
            device->weights_memory = i;
            return LP_OK;
        }
    return REFUSE(r, line_of(root, "weights"),
                  "weights: there is no memory '%.200s'", nodes.weights);
}

lp_status lp_device_read(const char *text, size_t length, const char *name,
                         lp_device **ret_device, lp_error *error)
{
    lpi_reader r = {.name = name, .error = error};
    holder *made = NULL;
    lpi_yaml root;
    lp_status status;

    r.arena = lpi_arena_new(ARENA_CAP);
    r.scratch = lpi_arena_new(ARENA_CAP);
    if (r.arena)
        made = LPI_NEW(r.arena, holder, 1);
    if (!made || !r.scratch)
        status = lpi_fail_memory(error);
    else
        status = lpi_yaml_read(r.scratch, text, length, name, &root, error);
    if (status == LP_OK)
        status = read_all(&r, &root, &made->device);
    lpi_arena_free(r.scratch);
    if (status != LP_OK) {
        lpi_arena_free(r.arena);
        return status;
    }
    made->arena = r.arena;
    *ret_device = &made->device;
    return LP_OK;
}

lp_status lp_device_load(const char *path, lp_device **ret_device,
                         lp_error *error)
{
    char *text = NULL;
    lp_status status;
    lpi_file *file;
    int64_t size;

    LP_TRY(lpi_file_open(path, &file, error));
    size = lpi_file_size(file);
    if (size > TEXT_MOST)
        status = lpi_fail(error, LP_EINPUT, path,
                          "%lld bytes are more than a device takes",
                          (long long)size);
    else if (!(text = lpi_alloc((size_t)size + 1)))
        status = lpi_fail_memory(error);
    else
        status = lpi_file_read(file, 0, size, text, error);
    lpi_file_close(file);
    if (status == LP_OK)
        status = lp_device_read(text, (size_t)size, path, ret_device, error);
    lpi_free(text);
    return status;
}

void lp_device_free(lp_device *device)
{
    if (device)
        lpi_arena_free(((holder *)device)->arena);
}

/* ---- writing ---------------------------------------------------------------
 */

static void put_text(lpi_text *text, const char *key, const char *value)
{
    lpi_text_printf(text, "%s: ", key);
    lpi_put_scalar(text, value);
}

/* ", KEY: VALUE", if it is not 0. */
static void put_figure(lpi_text *text, const char *key, int64_t value)
{
    if (value)
        lpi_text_printf(text, ", %s: %lld", key, (long long)value);
}

static void put_memory(lpi_text *text, const lp_device_memory *memory)
{
    put_text(text, "  - {name", memory->name);
    put_figure(text, "capacity_bytes", memory->capacity_bytes);
    put_figure(text, "alignment", memory->alignment);
    put_figure(text, "read_bytes_per_s", memory->read_bytes_per_s);
    put_figure(text, "write_bytes_per_s", memory->write_bytes_per_s);
    put_text(text, ", source", memory->source);
    lpi_text_put(text, "}\n");
}

lp_status lp_device_write(const lp_device *device, char **ret_text,
                          size_t *ret_length, lp_error *error)
{
    lpi_text text = {0};
    int32_t i;

    put_text(&text, "lplan-device: 1\nname", device->name);
    put_text(&text, "\nsource", device->source);
    lpi_text_put(&text, "\nmemories:\n");
    for (i = 0; i < device->memories_count; i++)
        put_memory(&text, &device->memories[i]);
    put_text(&text, "weights", device->memories[device->weights_memory].name);
    lpi_text_put(&text, "\ncompute:\n");
    if (device->ops_per_s)
        lpi_text_printf(&text, "  ops_per_s: %lld\n",
                        (long long)device->ops_per_s);
    if (*device->compute_source) {
        put_text(&text, "  source", device->compute_source);
        lpi_text_put(&text, "\n");
    }
    lpi_text_put(&text, "  rates:\n");
    for (i = 0; i < device->rates_count; i++) {
        const lp_device_rate *rate = &device->rates[i];

        put_text(&text, "    - {dtype", lp_dtype_name(rate->dtype));
        put_figure(&text, "macs_per_s", rate->macs_per_s);
        put_text(&text, ", source", rate->source);
        lpi_text_put(&text, "}\n");
    }
    if (*device->dma_source) {
        lpi_text_printf(&text, "dma: {setup_ns: %lld",
                        (long long)device->dma_setup_ns);
        put_text(&text, ", source", device->dma_source);
        lpi_text_put(&text, "}\n");
    }
    return lpi_text_take(&text, ret_text, ret_length, error);
}
