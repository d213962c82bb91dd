/* suppress.c: the run of NonMaxSuppression.
 *
 * Boxes of a class are taken by falling score, equal ones in their order; one
 * that overlaps a box taken before by more than the threshold is left out.
 * Areas and quotients are floats.  Source: ONNX operator
 * NonMaxSuppression-11. */
#include <stdlib.h>

#include "ops.h"

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

/* Whether boxes "a" and "b" overlap by more than "threshold". */
static bool overlap(const float *a, const float *b, bool centred,
                    float threshold)
{
    float p[4], q[4], sides[2], shared, all;

    corners(a, centred, p);
    corners(b, centred, q);
    for (int32_t k = 0; k < 2; k++) {
        float from = p[k] > q[k] ? p[k] : q[k];
        float to = p[k + 2] < q[k + 2] ? p[k + 2] : q[k + 2];

        sides[k] = to - from;
        if (!(sides[k] > 0))
            return false;
    }
    shared = sides[0] * sides[1];
    all = (p[2] - p[0]) * (p[3] - p[1]);
    all = all + (q[2] - q[0]) * (q[3] - q[1]);
    all = all - shared;
    return shared > 0 && all > 0 && shared / all > threshold;
}

typedef struct job {
    const float *boxes, *scores;
    int64_t count, most;
    float threshold, least;
    bool centred, limited; /* scores have a least value */
    candidate *order;
    int64_t *out, found;
} job;

/* Class "c" of batch "b"; "boxes" and "scores" are theirs. */
static void suppress_class(job *j, int64_t b, int64_t c, const float *boxes,
                           const float *scores)
{
    int64_t *first = j->out + 3 * j->found, kept = 0, n = 0;

    for (int64_t i = 0; i < j->count; i++)
        if (!j->limited || scores[i] > j->least)
            j->order[n++] = (candidate){scores[i], i};
    qsort(j->order, (size_t)n, sizeof(*j->order), by_score);
    for (int64_t i = 0; i < n && kept < j->most; i++) {
        int64_t at = j->order[i].at, k = 0;

        while (k < kept &&
               !overlap(boxes + 4 * at, boxes + 4 * first[3 * k + 2],
                        j->centred, j->threshold))
            k++;
        if (k < kept)
            continue;
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
    if (j.order == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < scores.dims[0] * classes && j.most > 0; i++)
        suppress_class(&j, i / classes, i % classes,
                       j.boxes + i / classes * n * 4, j.scores + i * n);
    if (run->out_dims != NULL && run->out_dims[0] != NULL) {
        run->out_dims[0][0] = j.found;
        run->out_dims[0][1] = 3;
    }
    return LP_OK;
}
