#!/usr/bin/env python3
"""contrib.py [--long N] [--seed S] [OPERATOR]...: rows of com.microsoft and
ai.onnx.ml beside ONNX Runtime.

Draws cases of every row that ONNX Runtime's CPU provider has (types, shapes,
attributes, optional operands), runs both and compares: integers exactly,
floats within 1e-5 of the largest value (float16: 4e-3).  The rows that only
other providers have are compared with numpy.  Some cases an operator; with
--long, N.  Prints TAP, one test an operator; skips without onnxruntime."""
import argparse
import os
import sys

try:
    import numpy as np
    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401
except ImportError as missing:
    print('1..0 # SKIP no module %s' % missing.name)
    sys.exit(0)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import contrib_cases  # noqa: E402
import runtime  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--long', type=int, default=4)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('operators', nargs='*')
    args = parser.parse_args()
    names = args.operators or sorted(contrib_cases.CASES)
    print('1..%d' % len(names))
    failed = 0
    for number, name in enumerate(names, 1):
        rng = np.random.default_rng([args.seed, *name.encode()])
        batch, refused, made = runtime.Batch(), {}, 0
        for at in range(args.long):
            case = contrib_cases.CASES[name](rng)
            model, inputs = case.model(rng)
            if case.expected is not None:
                wanted, why = case.expected(), None
            else:
                wanted, why = runtime.run_other(model, inputs)
            if why:
                refused[why] = refused.get(why, 0) + 1
                continue
            made += 1
            batch.add('%s_%d' % (name, at), model, inputs, wanted,
                      case.tolerance)
        found = batch.verdicts()
        bad = {x: y for x, y in found.items() if y[0] != 'PASS'}
        bad = bad or ({} if len(found) == made else {'?': (
            'FAIL', '%d of %d cases told' % (len(found), made))})
        failed += bool(bad)
        print('%s %d - %s: %d cases%s' % (
            'not ok' if bad else 'ok', number, name, made,
            '' if made or bad else ' # SKIP none is run there'), flush=True)
        for key, (word, why) in list(bad.items())[:5]:
            print('# %s %s: %s' % (word, key, why))
        if len(bad) > 5:
            print('# %d differ' % len(bad))
        for why, count in list(refused.items())[:2]:
            print('# %d refused there: %s' % (count, why[:160]))
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
