#!/usr/bin/env python3
"""remat.py LPLAN: extra time and CPU seconds of "lplan solve remat" on graphs
of Checkmate and MOCCASIN, beside published and proven figures.

The graphs are read from the folder data/recompute beside that of the models
($LPLAN_MODELS), where there is one.  Budgets are fractions of the peak of the
given order.  Published: MOCCASIN's poster (ICML 2023; CP-SAT, 16 workers, up to
an hour); "=" marks a proven optimum, "~" a prototype of ours."""
import json
import os
import resource
import subprocess
import sys

ROWS = (
    # graph, budget, order, effort, other figure in percent
    ('rlg1_n100', '0.9', 'fixed', 'default', '= 0.789'),
    ('rlg1_n100', '0.8', 'fixed', 'default', '~ 2.296'),
    ('rlg4_n1000', '0.9', 'fixed', 'default', '0.7'),
    ('rlg4_n1000', '0.8', 'fixed', 'default', '3.4'),
    ('fcn8_b32_train', '0.8', 'fixed', 'default', '= 0.136'),
    ('unet_b32_train', '0.9', 'fixed', 'default', '= 1.129'),
    ('unet_b32_train', '0.8', 'fixed', 'default', '~ 1.984'),
    ('unet_b32_train', '0.5', 'fixed', 'default', '~ 6.967'),
    ('vgg16_b256_train', '0.9', 'fixed', 'default', '= 1.968'),
    ('vgg16_b256_train', '0.8', 'fixed', 'default', 'infeasible'),
    ('rlg1_n100', '0.9', 'free', 'default', '~ 0'),
    ('rlg1_n100', '0.8', 'free', 'default', '~ 1.30'),
    ('rlg4_n1000', '0.9', 'free', 'default', '~ 0.08'),
    ('rlg4_n1000', '0.8', 'free', 'default', '~ 1.74'),
    ('rlg4_n1000', '0.8', 'free', '4000000', '~ 1.74'),
)


def main():
    lplan = sys.argv[1] if len(sys.argv) > 1 else 'build/lplan'
    folder = os.path.join(os.path.dirname(os.environ.get('LPLAN_MODELS', '')),
                          'data', 'recompute')
    if not os.path.isdir(folder):
        print('remat: the graphs are not here: skipped')
        return
    print('%-17s %-6s %-5s %8s %8s %10s %7s %8s' % (
        'graph', 'budget', 'order', 'extra %', 'bound %', 'other %', 'CPU s',
        'work'))
    for graph, budget, order, effort, other in ROWS:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            (lplan, 'solve', 'remat', os.path.join(folder, graph + '.json'),
             '--budget', budget, '--order', order, '--effort', effort,
             '--format', 'json'), capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = json.loads(done.stdout)
        extra = ('%8.3f' % found['extra_percent'] if found['fits']
                 else found['state'][:8])
        print('%-17s %-6s %-5s %8s %8.3f %10s %7.2f %8d' % (
            graph, budget, order, extra, found['bound_percent'], other,
            after.ru_utime - before.ru_utime, found['work']), flush=True)


if __name__ == '__main__':
    main()
