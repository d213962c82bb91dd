#!/usr/bin/env python3
"""contrib.py [--long N] [--seed S] [OPERATOR]...: rows of com.microsoft and
ai.onnx.ml beside ONNX Runtime.

Draws cases of every row that ONNX Runtime's CPU provider has (types, shapes,
attributes, optional operands), runs both and compares: integers exactly,
floats within 1e-5 of the largest value (float16: 4e-3).  The rows that only
other providers have are compared with numpy.  Rows that compute in float16 and
bfloat16 do so on operands of these, beside what comes out in float32 of the
same operands: within two units of the last place of the largest value.  Some
cases an operator; with --long, N.  Prints TAP, one test an operator; skips
without onnxruntime."""
import argparse
import os
import sys

try:
    import ml_dtypes
    import numpy as np
    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401
except ImportError as missing:
    print('1..0 # SKIP no module %s' % missing.name)
    sys.exit(0)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import contrib_cases  # noqa: E402
import runtime  # noqa: E402


def tell(number, name, made, found, refused):
    """Print the test of "name"; whether it failed."""
    bad = {x: y for x, y in found.items() if y[0] != 'PASS'}
    bad = bad or ({} if len(found) == made else {'?': (
        'FAIL', '%d of %d cases told' % (len(found), made))})
    print('%s %d - %s: %d cases%s' % (
        'not ok' if bad else 'ok', number, name, made,
        '' if made or bad else ' # SKIP none is run there'), flush=True)
    for key, (word, why) in list(bad.items())[:5]:
        print('# %s %s: %s' % (word, key, why))
    if len(bad) > 5:
        print('# %d differ' % len(bad))
    for why, count in list(refused.items())[:2]:
        print('# %d refused there: %s' % (count, why[:160]))
    return bool(bad)


# Two units of the last place.
HALF = {'float16': 2e-3, 'bfloat16': 1.6e-2}


def half_cases(name, rng, batch, at, refused):
    """Cases of "name" in both halves, with what float32 makes of them; how
    many."""
    made = 0
    for kind, tolerance in HALF.items():
        case = contrib_cases.CASES[name](rng)
        if any(np.asarray(x).dtype == 'float16' for x in case.operands
               if x is not None):
            continue
        half = np.dtype(getattr(ml_dtypes, kind, kind))
        case.round_to(half)
        wanted, why = expect(case, *case.model(rng))
        if why:
            refused[why] = refused.get(why, 0) + 1
            continue
        case.turn_to(half)
        model, inputs = case.model(rng)
        batch.add('%s_%s_%d' % (name, kind, at), model, inputs, [
            x.astype(half) if x.dtype == 'float32' else x for x in wanted],
                  tolerance)
        made += 1
    return made


def expect(case, model, inputs):
    """What "case" gives, or why there is no answer."""
    if case.expected is not None:
        return case.expected(), None
    return runtime.run_other(model, inputs)


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
            wanted, why = expect(case, model, inputs)
            if why:
                refused[why] = refused.get(why, 0) + 1
                continue
            made += 1
            batch.add('%s_%d' % (name, at), model, inputs, wanted,
                      case.tolerance)
        for at in range(args.long * (name in contrib_cases.HALVES)):
            made += half_cases(name, rng, batch, at, refused)
        failed += tell(number, name, made, batch.verdicts(), refused)
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
