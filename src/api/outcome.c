/* outcome.c: what a run gave: compared with files, saved, written as text. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"

/* ---- files of outputs ------------------------------------------------ */

/* The path of output "i" in the folder "path" with "suffix"; free it with
 * lpi_free. */
static char *output_path(const char *path, int64_t i, const char *suffix)
{
    size_t size = strlen(path) + 64;
    char *name = lpi_alloc(size);

    if (name)
        snprintf(name, size, "%s/output_%lld.%s", path, (long long)i, suffix);
    return name;
}

/* The path of output "i" in the folder "path": .npy, else .pb, of which one
 * must be there. */
static lp_status find_output(const char *path, int64_t i, char **ret_name,
                             lp_error *error)
{
    char *name = output_path(path, i, "npy");
    struct stat folder;

    if (name && access(name, F_OK) != 0) {
        lpi_free(name);
        name = output_path(path, i, "pb");
    }
    if (!name)
        return lpi_fail_memory(error);
    if (access(name, F_OK) == 0) {
        *ret_name = name;
        return LP_OK;
    }
    lpi_free(name);
    if (stat(path, &folder) != 0)
        return lpi_fail(error, LP_EIO, path, "%s", strerror(errno));
    return lpi_fail(error, LP_EINPUT, path,
                    S_ISDIR(folder.st_mode)
                        ? "holds neither output_%lld.npy nor output_%lld.pb"
                        : "is no folder, of output_%lld.npy or output_%lld.pb",
                    (long long)i, (long long)i);
}

lp_status lp_outputs_exist(const lp_model *model, const char *path,
                           lp_error *error)
{
    for (int64_t i = 0; i < model->outputs_count; i++) {
        char *name;

        LP_TRY(find_output(path, i, &name, error));
        lpi_free(name);
    }
    return LP_OK;
}

lp_status lp_run_compare(lp_run *run, const char *path,
                         const lp_tolerance *tolerance, lp_error *error)
{
    bool differs = false;

    for (int64_t i = 0; i < run->outputs_count; i++) {
        lp_difference difference;
        lp_array *wanted;
        char extent[100], *name;
        lp_status status;

        LP_TRY(find_output(path, i, &name, error));
        status = lp_array_read(name, 0, &wanted, error);
        lpi_free(name);
        LP_TRY(status);
        status = lp_array_compare(run->outputs[i], wanted, tolerance,
                                  &difference, error);
        lp_array_free(wanted);
        LP_TRY(status);
        if (difference.same || differs)
            continue;
        differs = true;
        lpi_difference_print(&difference, extent, sizeof(extent));
        snprintf(run->difference, sizeof(run->difference),
                 "output %lld '%.150s': %.200s%s", (long long)i,
                 run->output_names[i], difference.message, extent);
    }
    if (differs)
        run->results = LP_RESULTS_DIFFERENT;
    else if (run->results == LP_RESULTS_NONE)
        run->results = LP_RESULTS_EQUAL;
    return LP_OK;
}

lp_status lp_run_save(const lp_run *run, const char *path, lp_error *error)
{
    for (int64_t i = 0; i < run->outputs_count; i++)
        if (lpi_array_is_bundle(run->outputs[i]))
            return lpi_fail(error, LP_EUNSUPPORTED, path,
                            "output '%.200s' is no tensor of numbers, which "
                            "NPY files hold: nothing is written",
                            run->output_names[i]);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return lpi_fail(error, LP_EIO, path, "%s", strerror(errno));
    for (int64_t i = 0; i < run->outputs_count; i++) {
        char *name = output_path(path, i, "npy");
        lp_status status = name ? lp_array_write(run->outputs[i], name, error)
                                : lpi_fail_memory(error);

        lpi_free(name);
        LP_TRY(status);
    }
    return LP_OK;
}

/* ---- as text and JSON ------------------------------------------------ */

static const char *const result_words[] = {
    "none to compare", "equal", "different", "different (quantized)"};

static void put_pair(lpi_text *text, const char *name, int64_t planned,
                     int64_t measured, bool is_placed)
{
    lpi_text_printf(text, "%-14s", name);
    if (is_placed) {
        lpi_text_put(text, "planned ");
        lpi_put_thousands(text, planned);
        lpi_text_put(text, ", ");
    }
    lpi_text_put(text, "measured ");
    lpi_put_thousands(text, measured);
    lpi_text_put(text, "\n");
}

static double seconds(int64_t ns)
{
    return (double)ns * 1e-9;
}

static void put_layers(const lp_run *run, lpi_text *text)
{
    lpi_text_put(text, "\n    time ms   GFLOP/s      GB/s          bytes "
                       " counted bytes           macs  "
                       "counted macs  runs  layer\n");
    for (int64_t i = 0; i < run->layers_count; i++) {
        const lp_run_layer *layer = &run->layers[i];
        double time = seconds(layer->time_ns) + 1e-12;

        lpi_text_printf(text, "%11.3f %9.2f %9.2f %14lld %14lld %14lld ",
                        time * 1e3, (double)layer->flops / time * 1e-9,
                        (double)layer->moved_bytes / time * 1e-9,
                        (long long)layer->moved_bytes,
                        (long long)layer->counted_bytes,
                        (long long)layer->macs);
        lpi_text_printf(text, "%13lld %5lld  ", (long long)layer->counted_macs,
                        (long long)layer->runs);
        lpi_text_escape(text, layer->name);
        lpi_text_printf(text, " (%s)\n", layer->op);
    }
}

static void put_text(const lp_run *run, lpi_text *text)
{
    for (int64_t i = 0; i < run->drawn_count; i++) {
        lpi_text_put(text, i ? ", " : "inputs drawn: ");
        lpi_text_escape(text, run->drawn[i]);
        lpi_text_put(text, i + 1 == run->drawn_count ? "\n" : "");
    }
    for (int64_t i = 0; i < run->outputs_count; i++) {
        lpi_text_put(text, "output ");
        lpi_text_escape(text, run->output_names[i]);
        if (lpi_array_is_bundle(run->outputs[i])) {
            lpi_text_put(text, ": no tensor of numbers\n");
            continue;
        }
        lpi_text_printf(text, ": %s ", lp_dtype_name(run->outputs[i]->dtype));
        lpi_shape_print(text, run->outputs[i]->shape);
        lpi_text_put(text, "\n");
    }
    if (run->widths) {
        lpi_text_printf(text, "%-14s", "widths");
        lpi_put_thousands(text, run->widths);
        lpi_text_put(text, run->widths == 1 ? " tensor" : " tensors");
        lpi_text_put(text, " in another dtype; computed in their own\n");
    }
    put_pair(text, "arena bytes", run->predicted.arena_bytes,
             run->measured.arena_bytes, run->is_placed);
    put_pair(text, "bytes moved", run->predicted.traffic_bytes,
             run->measured.traffic_bytes, run->is_placed);
    put_pair(text, "multiplies", run->predicted.macs, run->measured.macs,
             run->is_placed);
    lpi_text_printf(text, "%-14s%s\n", "results", result_words[run->results]);
    if (run->difference[0])
        lpi_text_printf(text, "%-14s%s\n", "", run->difference);
    if (run->results == LP_RESULTS_QUANTIZED)
        lpi_text_printf(text, "%-14slargest %.3g, SNR %.2f dB, cosine %.6f\n",
                        "distance", run->distance.largest, run->distance.snr_db,
                        run->distance.cosine);
    if (run->layers)
        put_layers(run, text);
}

/* "name": value, with a comma before all but the first. */
static void put_field(lpi_text *text, const char *name, int64_t value,
                      bool is_first)
{
    lpi_text_printf(text, "%s\"%s\": ", is_first ? "" : ", ", name);
    lpi_put_int(text, value);
}

static void put_json_layers(const lp_run *run, lpi_text *text)
{
    lpi_text_put(text, ",\n  \"layers\": [");
    for (int64_t i = 0; i < run->layers_count; i++) {
        const lp_run_layer *layer = &run->layers[i];

        lpi_text_put(text, i ? ",\n    {\"name\": " : "\n    {\"name\": ");
        lpi_json_string(text, layer->name);
        lpi_text_put(text, ", \"op\": ");
        lpi_json_string(text, layer->op);
        put_field(text, "runs", layer->runs, false);
        put_field(text, "time_ns", layer->time_ns, false);
        put_field(text, "macs", layer->macs, false);
        put_field(text, "flops", layer->flops, false);
        put_field(text, "bytes", layer->moved_bytes, false);
        put_field(text, "counted_macs", layer->counted_macs, false);
        put_field(text, "counted_flops", layer->counted_flops, false);
        put_field(text, "counted_bytes", layer->counted_bytes, false);
        lpi_text_put(text, "}");
    }
    lpi_text_put(text, "\n  ]");
}

/* "before" and "value", null when it is no number. */
static void put_real(lpi_text *text, const char *before, double value)
{
    lpi_text_put(text, before);
    if (isfinite(value))
        lpi_put_real(text, value);
    else
        lpi_text_put(text, "null");
}

static void put_json(const lp_run *run, lpi_text *text)
{
    lpi_text_put(text, "{\n  \"predicted\": ");
    if (run->is_placed) {
        lpi_text_put(text, "{");
        put_field(text, "live_peak_bytes", run->predicted.live_peak_bytes,
                  true);
        put_field(text, "arena_bytes", run->predicted.arena_bytes, false);
        put_field(text, "fast_peak_bytes", run->predicted.fast_peak_bytes,
                  false);
        put_field(text, "traffic_bytes", run->predicted.traffic_bytes, false);
        put_field(text, "macs", run->predicted.macs, false);
        lpi_text_put(text, "}");
    } else {
        lpi_text_put(text, "null");
    }
    lpi_text_put(text, ",\n  \"measured\": {");
    put_field(text, "arena_bytes", run->measured.arena_bytes, true);
    put_field(text, "traffic_bytes", run->measured.traffic_bytes, false);
    put_field(text, "macs", run->measured.macs, false);
    lpi_text_put(text, "},\n  \"drawn\": [");
    for (int64_t i = 0; i < run->drawn_count; i++) {
        lpi_text_put(text, i ? ", " : "");
        lpi_json_string(text, run->drawn[i]);
    }
    lpi_text_printf(text, "],\n  \"results\": \"%s\"",
                    result_words[run->results]);
    if (run->widths) {
        lpi_text_put(text, ",\n  \"widths\": ");
        lpi_put_int(text, run->widths);
    }
    if (run->results == LP_RESULTS_QUANTIZED) {
        put_real(text,
                 ",\n  \"distance\": {\"largest\": ", run->distance.largest);
        put_real(text, ", \"snr_db\": ", run->distance.snr_db);
        put_real(text, ", \"cosine\": ", run->distance.cosine);
        lpi_text_put(text, "}");
    }
    if (run->layers)
        put_json_layers(run, text);
    lpi_text_put(text, "\n}\n");
}

lp_status lp_run_write(const lp_run *run, lp_format format, char **ret_text,
                       size_t *ret_length, lp_error *error)
{
    lpi_text text = {0};

    if (format == LP_FORMAT_JSON)
        put_json(run, &text);
    else
        put_text(run, &text);
    return lpi_text_take(&text, ret_text, ret_length, error);
}
