/* chart.c: burden curves along the depth of a network, drawn with characters.
 *
 * The columns of the page stand for equal parts of the listed layers, in their
 * order.  Parameters and MACs sit in few of the layers, so a column shows
 * their mean a layer over the tenth of the network around it; live bytes are
 * the largest in the column.  Each panel has its own linear scale from zero.
 * Where module names tell, the ranges going down, in the middle and going up
 * are marked. */
#include <string.h>

#include "io.h"

enum { HEIGHT = 6, GUTTER = 13, PANELS = 3, LIVE = 2, NAMES = 4 };

/* What the components of module paths begin with; a network must show two
 * regions of one set before it is believed. */
static const char *const region_sets[][PANELS][NAMES] = {
    {{"down"}, {"mid"}, {"up"}},
    {{"enc", "down", "contract"},
     {"bottleneck", "mid", "bridge"},
     {"dec", "up", "expan"}},
};
static const char *const region_labels[PANELS] = {"down", "mid", "up"};

typedef struct curves {
    lpi_page *page;
    int64_t layers, bins;
    const lp_row **rows; /* listed ones */
    int64_t *sums;       /* of the panel under way, over the first i layers */
    double *values;      /* of the panel under way, one a bin */
    int8_t *regions;     /* of each bin; -1: none */
} curves;

/* Region of a module path by set "set": of the first component that tells. */
static int8_t region_of(const char *module, int32_t set)
{
    int8_t region, name;

    while (*module) {
        module += *module == '/';
        for (region = 0; region < PANELS; region++) {
            for (name = 0; name < NAMES; name++) {
                const char *begin = region_sets[set][region][name];

                if (begin && !strncmp(module, begin, strlen(begin)))
                    return region;
            }
        }
        module += strcspn(module, "/");
    }
    return -1;
}

static int64_t bin_of(const curves *chart, int64_t layer)
{
    return layer * chart->bins / chart->layers;
}

/* Give the bins between two of one region that region too; false when a region
 * comes back after a later one (down_proj and up_proj of a transformer). */
static bool fill_gaps(curves *chart)
{
    int64_t last = -1, i;

    for (i = 0; i < chart->bins; i++) {
        int8_t region = chart->regions[i];

        if (region < 0)
            continue;
        if (last >= 0 && chart->regions[last] > region)
            return false;
        if (last >= 0 && chart->regions[last] == region)
            memset(chart->regions + last, region, (size_t)(i - last));
        last = i;
    }
    return true;
}

/* Set the region of each bin: that of the first of its layers that has one;
 * false when there are not two, in their order. */
static bool find_regions(curves *chart, int32_t set)
{
    bool seen[PANELS] = {false};
    int64_t i;

    memset(chart->regions, -1, (size_t)chart->bins);
    for (i = 0; i < chart->layers; i++) {
        int8_t region = region_of(chart->rows[i]->module, set);
        int8_t *bin = &chart->regions[bin_of(chart, i)];

        if (region < 0)
            continue;
        seen[region] = true;
        if (*bin < 0)
            *bin = region;
    }
    return fill_gaps(chart) && seen[0] + seen[1] + seen[2] >= 2;
}

/* Layers on either side that a mean takes in. */
static int64_t reach_of(const curves *chart)
{
    return chart->layers / 20;
}

static int64_t layer_value(const lp_row *row, int32_t panel)
{
    return panel == 0   ? row->cost.params
           : panel == 1 ? lp_cost_macs(&row->cost)
                        : row->live_bytes;
}

/* Store in the bins the mean of "panel" over the twentieth of the network
 * on either side of its middle. */
static void fill_means(curves *chart, int32_t panel)
{
    int64_t layers = chart->layers, i;

    for (i = 0; i < layers; i++)
        chart->sums[i + 1] =
            lpi_add(chart->sums[i], layer_value(chart->rows[i], panel));
    for (i = 0; i < chart->bins; i++) {
        int64_t middle = (2 * i + 1) * layers / (2 * chart->bins);
        int64_t from = middle - reach_of(chart), to = middle + reach_of(chart);

        from = from < 0 ? 0 : from;
        to = to < layers ? to + 1 : layers;
        chart->values[i] = (double)(chart->sums[to] - chart->sums[from]) /
                           (double)(to - from);
    }
}

static void fill_largest(curves *chart, int32_t panel)
{
    int64_t i;

    memset(chart->values, 0, (size_t)chart->bins * sizeof(double));
    for (i = 0; i < chart->layers; i++) {
        double value = (double)layer_value(chart->rows[i], panel);
        double *bin = &chart->values[bin_of(chart, i)];

        *bin = value > *bin ? value : *bin;
    }
}

/* Fill the values of the bins, and return the largest. */
static double fill_bins(curves *chart, int32_t panel)
{
    double top = 0;
    int64_t i;

    if (panel == LIVE)
        fill_largest(chart, panel);
    else
        fill_means(chart, panel);
    for (i = 0; i < chart->bins; i++)
        top = chart->values[i] > top ? chart->values[i] : top;
    return top;
}

/* A region begins at bin "i". */
static bool is_border(const curves *chart, int64_t i)
{
    return i && chart->regions[i] != chart->regions[i - 1];
}

/* One line of a panel: eighths of a block above "line" of HEIGHT lines. */
static void put_line(curves *chart, double top, int32_t line)
{
    static const char *const eighths[] = {"",  "▁", "▂", "▃", "▄",
                                          "▅", "▆", "▇", "█"};
    lpi_text *text = &chart->page->text;
    int64_t blanks = 0, i;

    for (i = 0; i < chart->bins; i++) {
        double value = top > 0 ? chart->values[i] / top : 0;
        int32_t level = (int32_t)(value * HEIGHT * 8 + 0.5);

        if (value > 0 && level == 0)
            level = 1;
        level -= line * 8;
        if (level <= 0 && !is_border(chart, i)) {
            blanks++;
            continue;
        }
        lpi_put_repeated(text, " ", blanks);
        blanks = 0;
        lpi_text_put(text, level <= 0 ? "┊" : eighths[level > 8 ? 8 : level]);
    }
    lpi_text_put(text, "\n");
}

/* What stands left of a line: "value" (bytes, or a count; -1: nothing), then
 * the axis. */
static void put_gutter(lpi_page *page, int64_t value, bool bytes,
                       const char *axis)
{
    size_t begin = page->cells.length;
    int64_t length;

    if (value >= 0 && bytes)
        lpi_put_bytes(&page->cells, value);
    else if (value >= 0)
        lpi_put_count(&page->cells, value);
    length = (int64_t)(page->cells.length - begin);
    lpi_put_repeated(&page->text, " ", GUTTER - 2 - length);
    if (length)
        lpi_text_append(&page->text, page->cells.bytes + begin, (size_t)length);
    lpi_text_put(&page->text, axis);
    page->cells.length = begin;
}

static void put_panel(curves *chart, int32_t panel)
{
    static const char *const titles[PANELS] = {"parameters", "MACs",
                                               "live bytes"};
    double top = fill_bins(chart, panel);
    lpi_page *page = chart->page;
    int32_t line;

    lpi_put_repeated(&page->text, " ", GUTTER);
    lpi_page_bold(page, titles[panel]);
    lpi_page_dim(page, panel == LIVE ? ", the largest in the column"
                       : reach_of(chart)
                           ? " per layer, moving mean over a tenth of the depth"
                           : " of each layer");
    lpi_text_put(&page->text, "\n");
    for (line = HEIGHT - 1; line >= 0; line--) {
        bool first = line == HEIGHT - 1;

        put_gutter(page, first ? (int64_t)top : -1, panel == LIVE,
                   first ? " ┤" : " │");
        put_line(chart, top, line);
    }
    put_gutter(page, 0, panel == LIVE, " └");
    lpi_put_repeated(&page->text, "─", chart->bins);
    lpi_text_put(&page->text, "\n");
}

/* A line with the name of each region under its bins. */
static void put_regions(curves *chart)
{
    lpi_text *text = &chart->page->text;
    int64_t blanks = GUTTER, begin, end;

    for (begin = 0; begin < chart->bins; begin = end) {
        int8_t region = chart->regions[begin];
        const char *label = region < 0 ? "" : region_labels[region];
        int64_t spare;

        for (end = begin + 1; end < chart->bins && !is_border(chart, end);)
            end++;
        if (region < 0) {
            blanks += end - begin;
            continue;
        }
        if (end - begin < (int64_t)strlen(label))
            label = "";
        spare = end - begin - (int64_t)strlen(label);
        lpi_put_repeated(text, " ", blanks);
        lpi_put_repeated(text, "╌", spare / 2);
        lpi_text_put(text, label);
        lpi_put_repeated(text, "╌", spare - spare / 2);
        blanks = 0;
    }
    lpi_text_put(text, "\n");
}

/* "step 0" and the last one at the ends of the axis. */
static void put_axis(curves *chart)
{
    lpi_text *text = &chart->page->text;
    size_t begin;
    int64_t used;

    lpi_put_repeated(text, " ", GUTTER);
    begin = text->length;
    lpi_text_put(text, "step 0");
    used = (int64_t)(text->length - begin);
    begin = chart->page->cells.length;
    lpi_put_thousands(&chart->page->cells, chart->layers - 1);
    used += (int64_t)(chart->page->cells.length - begin);
    lpi_put_repeated(text, " ", chart->bins - used);
    lpi_put_thousands(text, chart->layers - 1);
    lpi_text_put(text, "\n");
    chart->page->cells.length = begin;
}

static lp_status open_chart(curves *chart, lpi_page *page,
                            const lp_report *report)
{
    lpi_arena *scratch = page->scratch;
    int64_t room = page->view.width - GUTTER, i;

    *chart = (curves){.page = page};
    chart->rows = LPI_NEW(scratch, const lp_row *, report->rows_count);
    chart->sums = LPI_NEW(scratch, int64_t, report->rows_count + 1);
    chart->values = LPI_NEW(scratch, double, room);
    chart->regions = LPI_NEW(scratch, int8_t, room);
    if (!chart->rows || !chart->sums || !chart->values || !chart->regions)
        return lpi_fail_memory(page->error);
    for (i = 0; i < report->rows_count; i++)
        if (report->rows[i].status != LP_FOLDED)
            chart->rows[chart->layers++] = &report->rows[i];
    chart->bins = chart->layers < room ? chart->layers : room;
    return LP_OK;
}

lp_status lpi_text_chart(lpi_page *page, const lp_report *report)
{
    bool has_regions;
    int32_t panel;
    curves chart;

    LP_TRY(open_chart(&chart, page, report));
    if (!chart.layers)
        return LP_OK;
    has_regions = find_regions(&chart, 0) || find_regions(&chart, 1);
    if (!has_regions)
        memset(chart.regions, -1, (size_t)chart.bins);
    lpi_page_heading(page, "Burden along the depth");
    lpi_put_thousands(&page->cells, chart.layers);
    lpi_text_put(&page->cells, " layers from input to output");
    lpi_page_heading_end(page);
    for (panel = 0; panel < PANELS; panel++)
        put_panel(&chart, panel);
    if (has_regions)
        put_regions(&chart);
    put_axis(&chart);
    return LP_OK;
}
