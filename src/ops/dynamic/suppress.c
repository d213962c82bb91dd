/* suppress.c: the run of NonMaxSuppression.
 *
 * Boxes of a class are taken by falling score, equal ones in their order; one
 * that overlaps a box taken before by more than the threshold is left out.
 * Areas and quotients are floats.  Source: ONNX operator
 * NonMaxSuppression-11. */
#include <stdlib.h>

#include "../ops.h"

typedef struct candidate {
    float score;
    int64_t at;
} candidate;

static int by_score(const void *a, const void *b)
{
    const candidate *left = a, *right = b;

    if (left->score != right->score)
        return left->score < right->score ? 1 : -1;
    return left->at < right->at ? -1 : left->at > right->at;
}

/* The corners of box "box", lower ones first. */
static void corners(const float *box, bool centred, float ret[4])
{
    if (centred) {
        ret[0] = box[1] - box[3] / 2;
        ret[1] = box[0] - box[2] / 2;
        ret[2] = box[1] + box[3] / 2;
        ret[3] = box[0] + box[2] / 2;
        return;
    }
    for (int32_t k = 0; k < 2; k++) {
        bool turned = box[k] > box[k + 2];

        ret[k] = box[turned ? k + 2 : k];
        ret[k + 2] = box[turned ? k : k + 2];
    }
}

/* Corners and area of a box, and those of many, one array each. */
enum { PARTS = 5 };

typedef struct job {
    const float *boxes, *scores;
    int64_t count, most;
    float threshold, least;
    bool centred, limited; /* scores have a least value */
    candidate *order;
    float *parts;       /* of all boxes of a batch, PARTS each */
    float *kept[PARTS]; /* of those that are taken */
    int64_t *out, found;
} job;

static void find_parts(const job *j, const float *boxes)
{
    for (int64_t i = 0; i < j->count; i++) {
        float *p = j->parts + PARTS * i;

        corners(boxes + 4 * i, j->centred, p);
        p[4] = (p[2] - p[0]) * (p[3] - p[1]);
    }
}

/* Whether the box of parts "p" overlaps one of the "count" that are taken. */
static bool overlaps(const job *j, const float *p, int64_t count)
{
    enum { SOME = 64 };
    const float *left = j->kept[0], *low = j->kept[1], *right = j->kept[2];
    const float *high = j->kept[3], *area = j->kept[4];
    float p0 = p[0], p1 = p[1], p2 = p[2], p3 = p[3], p4 = p[4];
    float threshold = j->threshold;

    for (int64_t at = 0; at < count; at += SOME) {
        int64_t end = at + SOME < count ? at + SOME : count;
        int32_t any = 0;

#pragma omp simd reduction(| : any)
        for (int64_t k = at; k < end; k++) {
            float x = p0 > left[k] ? p0 : left[k];
            float y = p1 > low[k] ? p1 : low[k];
            float wide = (p2 < right[k] ? p2 : right[k]) - x;
            float tall = (p3 < high[k] ? p3 : high[k]) - y;
            float shared = wide * tall, all = p4 + area[k] - shared;

            any |= (wide > 0) & (tall > 0) & (shared > 0) & (all > 0) &
                   (shared / all > threshold);
        }
        if (any)
            return true;
    }
    return false;
}

/* Class "c" of batch "b", whose parts were found; "scores" are its own. */
static void suppress_class(job *j, int64_t b, int64_t c, const float *scores)
{
    int64_t *first = j->out + 3 * j->found, kept = 0, n = 0;

    for (int64_t i = 0; i < j->count; i++)
        if (!j->limited || scores[i] > j->least)
            j->order[n++] = (candidate){scores[i], i};
    qsort(j->order, (size_t)n, sizeof(*j->order), by_score);
    for (int64_t i = 0; i < n && kept < j->most; i++) {
        int64_t at = j->order[i].at;
        const float *parts = j->parts + PARTS * at;

        if (overlaps(j, parts, kept))
            continue;
        for (int32_t k = 0; k < PARTS; k++)
            j->kept[k][kept] = parts[k];
        first[3 * kept] = b;
        first[3 * kept + 1] = c;
        first[3 * kept + 2] = at;
        kept++;
    }
    j->found += kept;
}

/* Input "i" as one float, "absent" without. */
static float number(const lpi_run *run, int32_t i, float absent)
{
    const float *value = lpi_run_scales(run, i, 1, absent);

    return value != NULL ? *value : absent;
}

lp_status lpi_suppress_run(const lpi_run *run)
{
    const lpi_dynamic *p = run->node->params;
    lp_shape scores = lpi_in_shape(run->node, 1);
    int64_t classes = scores.dims[1], n = scores.dims[2];
    job j = {.count = n, .centred = p->center_point_box != 0};

    LP_TRY(lpi_run_floats(run, 0, &j.boxes));
    LP_TRY(lpi_run_floats(run, 1, &j.scores));
    LP_TRY(lpi_run_int(run, 2, &j.most));
    j.most = j.most < n ? j.most : n;
    j.threshold = number(run, 3, 0);
    j.limited = lpi_in(run->node, 4) != NULL;
    j.least = number(run, 4, 0);
    j.order = LPI_NEW(run->scratch, candidate, n);
    j.out = run->out[0];
    j.parts = LPI_NEW(run->scratch, float, lpi_mul(n, 2 * PARTS));
    if (j.order == NULL || j.parts == NULL)
        return lpi_node_fail_memory(run->node);
    for (int32_t k = 0; k < PARTS; k++)
        j.kept[k] = j.parts + (PARTS + k) * n;
    for (int64_t i = 0; i < scores.dims[0] * classes && j.most > 0; i++) {
        if (i % classes == 0)
            find_parts(&j, j.boxes + i / classes * n * 4);
        suppress_class(&j, i / classes, i % classes, j.scores + i * n);
    }
    if (run->out_dims != NULL && run->out_dims[0] != NULL) {
        run->out_dims[0][0] = j.found;
        run->out_dims[0][1] = 3;
    }
    return LP_OK;
}
