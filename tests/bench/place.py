#!/usr/bin/env python3
"""place.py LPLAN: CPU seconds of "lplan solve place" on MiniMalloc's six hard
instances, beside those of other solvers, and on 60,000 buffers of each of
several families.

The instances are read from the folder data/minimalloc beside that of the models
($LPLAN_MODELS), where there is one.  The other solvers' seconds were measured
on two shared cores of a Xeon (2026-11, gcc 12, -O3, median of three): decisions
at 1,048,576 bytes by google/minimalloc at 9f5cf81, and by SuperMalloc
(fpedd/omnimalloc at 2e9f4ce) with MiniMalloc's three orders and doubling node
limits."""
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile

CAPACITY = 1048576
PUBLISHED = {'A': (6.70, 3.26), 'C': (1.04, 0.73), 'E': (5.27, 1.21),
             'G': (1.52, 0.27), 'I': (4.55, 0.21), 'K': (0.78, 0.10)}
BUFFERS = 60000


def solve(lplan, path, *options):
    """CPU seconds and figures of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run((lplan, 'solve', 'place', path, '--format', 'json')
                          + options, capture_output=True, text=True,
                          check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = (after.ru_utime - before.ru_utime +
               after.ru_stime - before.ru_stime)
    return seconds, json.loads(done.stdout)


def instances(lplan):
    folder = os.path.join(os.path.dirname(os.environ.get('LPLAN_MODELS', '')),
                          'data', 'minimalloc')
    if not os.path.isdir(folder):
        print('place: the hard instances are not here: skipped')
        return
    print('%-9s %9s %9s %9s %9s %9s  %s' % (
        'instance', 'decide s', 'work', 'MiniM. s', 'SuperM. s', 'lowest s',
        'lowest'))
    sums = [0.0] * 4
    for name, (mini, super_) in PUBLISHED.items():
        path = os.path.join(folder, '%s.%d.csv' % (name, CAPACITY))
        decide, fits = solve(lplan, path, '--capacity', str(CAPACITY))
        lowest, best = solve(lplan, path)
        for i, value in enumerate((decide, mini, super_, lowest)):
            sums[i] += value
        print('%-9s %9.2f %9d %9.2f %9.2f %9.2f  %d %s%s' % (
            name, decide, fits['work'], mini, super_, lowest,
            best['height_bytes'], 'proved' if best['proved'] else 'open',
            '' if fits['fits'] else ', DOES NOT FIT'))
    print('%-9s %9.2f %9s %9.2f %9.2f %9.2f' % (
        'all', sums[0], '', sums[1], sums[2], sums[3]))


def lifetime(family, i, rng):
    """From, to of buffer "i" of a family."""
    n = BUFFERS
    if family == 'nested':
        return i, 2 * n - i
    if family == 'nested groups':
        return i // 100 * 200 + i % 100, i // 100 * 200 + 200 - i % 100
    if family == 'staircase':
        return i, i + 30
    if family == 'wide staircase':
        return i, i + 5000
    if family == 'ragged staircase':
        return i, i + rng.randint(1, 60)
    if family == 'random':
        a, b = rng.randint(0, 10**6), rng.randint(0, 10**6)
        return min(a, b), max(a, b) + 1
    if family == 'random short':
        a = rng.randint(0, 10**6)
        return a, a + 1 + int(rng.expovariate(1 / 1000))
    if family == 'U':
        return (i // 2, n - i // 2) if i % 2 else (i, i + 2)
    base, j = i // 300 * 300, i % 300  # U groups
    if j % 3 == 0:
        return base + j // 2, base + 300 - j // 2
    return base + j, base + j + rng.randint(1, 3)


FAMILIES = ('nested', 'nested groups', 'staircase', 'wide staircase',
            'ragged staircase', 'random', 'random short', 'U', 'U groups')


def generated(lplan):
    """Median over families and two ways to draw sizes."""
    ratios = []
    print('%-17s %8s %8s %10s' % ('%d buffers' % BUFFERS, 'CPU s', 'ratio',
                                  'CPU s, ratio'))
    with tempfile.NamedTemporaryFile('w', suffix='.csv') as file:
        for family in FAMILIES:
            cells = []
            for seed in (1, 2):
                rng = random.Random(seed)
                file.seek(0)
                file.truncate()
                file.write('id,lower,upper,size\n')
                for i in range(BUFFERS):
                    size = (rng.choice((1, 2, 3, 4, 6, 8, 12, 16, 32)) << 10
                            if seed == 1 else rng.randint(1, 1 << 16))
                    file.write('%d,%d,%d,%d\n' % (
                        (i,) + lifetime(family, i, rng) + (size,)))
                file.flush()
                seconds, answer = solve(lplan, file.name)
                ratio = answer['height_bytes'] / answer['bound_bytes']
                ratios.append(ratio)
                cells += [seconds, ratio]
            print('%-17s %8.2f %8.4f %6.2f %8.4f' % ((family,) + tuple(cells)))
    print('median ratio %.4f, worst %.4f' % (statistics.median(ratios),
                                             max(ratios)))


def main():
    lplan = sys.argv[1] if len(sys.argv) > 1 else 'lplan'
    instances(lplan)
    generated(lplan)


if __name__ == '__main__':
    main()
