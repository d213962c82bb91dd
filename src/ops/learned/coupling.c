/* coupling.c: probabilities of classes from those between each two of them.
 *
 * Source: the second method of Wu, Lin and Weng, Probability estimates for
 * multi-class classification by pairwise coupling, 2004; as there, a round goes
 * over the classes in turn, and the rounds end when no term is further from
 * their mean than 0.005 a class. */
#include <math.h>

#include "../ops.h"

/* Element (i, j) of the matrix Q of the method: r(i, j) is the probability of i
 * among i and j. */
static double coupled(int64_t n, const double *r, int64_t i, int64_t j)
{
    double sum = 0;

    if (i != j)
        return -r[j * n + i] * r[i * n + j];
    for (int64_t k = 0; k < n; k++)
        sum += k != i ? r[k * n + i] * r[k * n + i] : 0;
    return sum;
}

/* One round over the "n" probabilities "p"; "q" has Q p.  False when they are
 * good already. */
static bool couple_once(int64_t n, const double *r, double *p, double *q)
{
    double whole = 0, worst = 0;

    for (int64_t i = 0; i < n; i++) {
        q[i] = 0;
        for (int64_t j = 0; j < n; j++)
            q[i] += coupled(n, r, i, j) * p[j];
        whole += p[i] * q[i];
    }
    for (int64_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(q[i] - whole));
    if (worst < 0.005 / (double)n)
        return false;
    for (int64_t i = 0; i < n; i++) {
        double own = coupled(n, r, i, i), step = (whole - q[i]) / own;

        p[i] += step;
        whole = (whole + step * (step * own + 2 * q[i])) / (1 + step) /
                (1 + step);
        for (int64_t j = 0; j < n; j++) {
            q[j] = (q[j] + step * coupled(n, r, i, j)) / (1 + step);
            p[j] /= 1 + step;
        }
    }
    return true;
}

void lpi_couple(int64_t n, const double *r, double *p, double *room)
{
    for (int64_t i = 0; i < n; i++)
        p[i] = 1 / (double)n;
    for (int32_t round = 0; round < 100; round++)
        if (!couple_once(n, r, p, room))
            break;
}
