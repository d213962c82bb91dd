#!/usr/bin/env python3
"""plans.py [--long] [--seed N] [--graphs N] [--only WORD] [--keep DIR]

Proves plans.  Each chain of planners below plans each model: the examples, the
tiny models of $LPLAN_MODELS, and graphs drawn from a seed; with budgets between
the largest working set and the peak, for two devices, and at narrower widths.  A plan is right when

  no value that it predicts is below a bound printed beside it;
  the arena keeps the budget;
  the same question gives the same bytes again, report and schedule;
  "lplan check" and the second judge, checker.py, find the schedule right;
  "lplan run" gives results equal to the byte, and measures what is predicted.

Where nothing fits, the answer is 1, with a reason, and nothing is written.
Of every model: bounds that take nothing as it stands are below what any of the
chains found; of every graph, bounds on the live peak are below that of orders
drawn at random, some with layers that run again.  Prints TAP, a line a model.  --long: all models, 200 graphs."""
import argparse
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import checker  # noqa: E402
import mutate  # noqa: E402
import plan as plan_file  # noqa: E402

LPLAN = os.environ.get('LPLAN') or 'lplan'
TINY = os.path.join(os.environ.get('LPLAN_MODELS') or '/nowhere', 'tiny')
DEVICES = ('example-10tops', 'gap8')
DIMS = {
    'unet_dynamic_tiny': ('batch=1', 'height=16', 'width=16', 'sequence=7'),
    'llama_kv_tiny': ('batch=1', 'past_sequence=16', 'total_sequence=17'),
}
FREE = ('baseline', 'attention,order,place', 'joint')
TIGHT = ('attention,order,remat,place', 'joint')
AHEAD = ('attention,order,place,prefetch',)
WIDTHS = ('int8', 'int4')
EFFORT = 20000
QUANTITIES = ('live_peak_bytes', 'arena_bytes', 'fast_peak_bytes',
              'traffic_bytes', 'latency_ns', 'macs')


class Wrong(Exception):
    """A plan, or what is said of it, is wrong."""


def lplan(*words):
    return subprocess.run([LPLAN, *words], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, errors='replace')


def name_is_drawn(name):
    """Whether a model is one of the graphs, which hold no bodies."""
    return name.startswith('graph ')


def device_file(name):
    return os.path.join(ROOT, 'examples', 'devices', name + '.yaml')


class Model:
    """A model, what "lplan analyze" says of it, and the best of its plans."""

    def __init__(self, name, path, dims=()):
        self.name, self.path = name, path
        self.dims = [x for dim in dims for x in ('--dim', dim)]
        self.report = checker.analyze([path], self.dims)
        self.best, self.bounds = {}, []
        self.floor = 0  # the largest working set that was heard of


class Prover:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.path = os.path.join(folder, 'plan.yaml')
        self.tests = self.failed = self.kept = 0
        self.tally = {}

    def count(self, what):
        self.tally[what] = self.tally.get(what, 0) + 1

    def plan(self, model, words):
        """Plan twice: the answer as JSON and the schedule; None: no fit."""
        answers = []
        for _ in range(2):
            if os.path.exists(self.path):
                os.unlink(self.path)
            made = lplan('plan', model.path, *model.dims, *words, '--format',
                         'json', '-o', self.path)
            text = None
            if os.path.exists(self.path):
                with open(self.path, encoding='utf-8') as file:
                    text = file.read()
            answers.append((made.returncode, made.stdout, made.stderr, text))
        code, report, said, text = answers[0]
        if answers[0] != answers[1]:
            raise Wrong('the same question has two answers')
        if code not in (0, 1):
            raise Wrong('plan ends with %d: %s' % (code, said))
        if (text is None) != bool(code):
            raise Wrong('exit code %d, and a schedule is %swritten' % (
                code, '' if text else 'not '))
        if code and not said.startswith('lplan: '):
            raise Wrong('it does not fit, and no reason is given')
        return (json.loads(report), text) if not code else (None, None)

    def figures(self, model, answer, text, budget, one_case):
        """What is said of the plan agrees with itself."""
        predicted = answer['predicted']
        if set(predicted) != set(QUANTITIES):
            raise Wrong('predicted: ' + ' '.join(predicted))
        if budget and predicted['arena_bytes'] > budget:
            raise Wrong('an arena of %d in a budget of %d' % (
                predicted['arena_bytes'], budget))
        for bound in answer['bounds']:
            value = predicted[bound['quantity']]
            if bound['value'] > value or bound['value'] < 0:
                raise Wrong('%s %d is below the bound %d by %s' % (
                    bound['quantity'], value, bound['value'], bound['proof']))
            if bound['quantity'] == 'live_peak_bytes' and \
                    bound['proof'] == 'largest working set':
                model.floor = bound['value']
            if not bound.get('given') and not one_case:
                model.bounds.append(bound)
        schedule = plan_file.read(text)
        for key, value in schedule['predictions'].items():
            if int(value) != predicted[key]:
                raise Wrong('the schedule says %s %s' % (key, value))
        if not one_case:
            for key, value in predicted.items():
                model.best[key] = min(value, model.best.get(key, value))
        return schedule

    def judge(self, model, text, schedule):
        checked = lplan('check', model.path, *model.dims, self.path)
        if checked.returncode:
            raise Wrong('check: ' + checked.stderr + checked.stdout)
        try:
            why = checker.judge(model.report, text, schedule['model']['hash'])
            if why:
                raise Wrong('checker.py: ' + why)
            self.count('right for both judges')
        except checker.Unknown:
            self.count('not judged a second time')

    def run(self, model, budget):
        run = lplan('run', model.path, *model.dims, '--fill-weights', '1',
                    '--check-memory', '--format', 'json', '--schedule',
                    self.path)
        try:
            answer = json.loads(run.stdout)
        except ValueError:
            raise Wrong('run: ' + run.stderr) from None
        if run.returncode or answer['results'] != 'equal':
            raise Wrong('the run is %s: %s' % (answer['results'], run.stderr))
        measured, said = answer['measured'], answer['predicted']
        bodies = any(x['op'] in ('If', 'Loop', 'Scan')
                     for x in model.report['layers'])
        for key in ('arena_bytes', 'traffic_bytes'):
            same = measured[key] == said[key]
            if not same and not (bodies and measured[key] < said[key]):
                raise Wrong('%s: %d is measured, %d is predicted' % (
                    key, measured[key], said[key]))
        if budget and measured['arena_bytes'] > budget:
            raise Wrong('the run takes %d bytes of a budget of %d' % (
                measured['arena_bytes'], budget))
        self.count('runs equal to the byte')

    def prove(self, model, chain, budget=0, device=None, effort=0, width=None):
        """One plan; returns what it predicts, None when nothing fits."""
        words = ['--planner', chain]
        words += ['--budget', str(budget)] if budget else []
        words += ['--device', device_file(device)] if device else []
        words += ['--effort', str(effort)] if effort else []
        words += ['--as', width] if width else []
        try:
            answer, text = self.plan(model, words)
            self.count('plans' if answer else 'do not fit')
            if not answer:
                return None
            schedule = self.figures(model, answer, text, budget,
                                    device or width)
            self.judge(model, text, schedule)
            self.run(model, budget)
            return answer['predicted']
        except Wrong as why:
            self.count('wrong')
            print('# %s, %s: %s' % (model.name, ' '.join(words),
                                    str(why).strip().replace('\n', '\n#   ')))
            if self.args.keep and self.kept < 50:
                self.kept += 1
                shutil.copy(model.path, os.path.join(
                    self.args.keep, '%d%s' % (
                        self.kept, os.path.splitext(model.path)[1])))
            raise

    def settle(self, model):
        """Bounds of the model itself against the best of all plans."""
        for bound in model.bounds:
            best = model.best[bound['quantity']]
            if bound['value'] > best:
                raise Wrong('%s: the bound %d by %s, and a plan takes %d' % (
                    bound['quantity'], bound['value'], bound['proof'], best))

    def brute(self, model, rng, tries):
        """Bounds on the live peak, against orders drawn at random, some with
        layers that run again: none is lower."""
        answer, text = self.plan(model, ('--planner', 'order,place'))
        schedule = plan_file.read(text)
        if schedule.get('groups'):
            return
        bounds = {
            once: max([x['value'] for x in answer['bounds']
                       if x['quantity'] == 'live_peak_bytes' and
                       (once or not {'runs', 'once'} &
                        set(re.split('[, ]+', x['given'] or '')))],
                      default=0) for once in (False, True)}
        for _ in range(tries):
            runs = self.draw_order(model, rng)
            again = rng.random() < 0.5
            if again:
                at = rng.randrange(len(runs))
                runs.insert(rng.randint(at + 1, len(runs)), runs[at] + '#2')
            words = mutate.emit({
                'lplan-schedule': '1', 'model': schedule['model'],
                'memories': [{'name': 'arena', 'alignment': '1'}],
                'runs': runs})
            judge = checker.Judge(model.report, plan_file.read(words), None)
            try:
                judge.judge()
            except checker.Refused:
                continue
            peak = judge.live_peak()
            self.count('orders drawn')
            if peak < bounds[not again]:
                raise Wrong('%s has a live peak of %d, the bound is %d' % (
                    ' '.join(runs), peak, bounds[not again]))

    @staticmethod
    def draw_order(model, rng):
        parsed = checker.Model(model.report)
        names = {id(layer): name for name, layer in parsed.by_name.items()}
        left, made, order = list(parsed.layers), set(), []
        while left:
            ready = [x for x in left if all(
                y in made or y not in parsed.maker for y in x['inputs'])]
            layer = rng.choice(ready)
            left.remove(layer)
            made.update(x for x in layer['made'] if x)
            order.append(names[id(layer)])
        return order

    def budgets(self, low, high, steps):
        return sorted({low + (high - low) * i // steps
                       for i in range(steps)}, reverse=True)

    def all_chains(self, model, steps, devices, effort=0):
        """Without a budget, then less and less of what that takes."""
        faults = high = 0
        for chain in FREE:
            try:
                found = self.prove(model, chain, effort=effort)
                high = max(high, found['arena_bytes'] if found else 0)
            except Wrong:
                faults += 1
        low = (model.floor or high) * 2 // 3
        for budget in self.budgets(max(1, low), high, steps):
            for chain in TIGHT:
                for device in (None, *devices):
                    try:
                        self.prove(model, chain, budget, device, effort)
                    except Wrong:
                        faults += 1
        for device in devices:
            for chain in FREE[:2] + TIGHT[1:] + AHEAD:
                try:
                    self.prove(model, chain, 0, device, effort)
                except Wrong:
                    faults += 1
        for width in WIDTHS:
            for chain, budget in ((FREE[1], 0), (TIGHT[0], high // 6),
                                  (TIGHT[1], high // 6)):
                for device in (None, *devices):
                    try:
                        self.prove(model, chain, budget, device, effort, width)
                    except Wrong:
                        faults += 1
        try:
            self.settle(model)
            if name_is_drawn(model.name):
                self.brute(model, random.Random(model.name), 60)
        except Wrong as why:
            print('# %s: %s' % (model.name, why))
            faults += 1
        return faults

    def test(self, name, path, steps, devices, dims=(), effort=0):
        if self.args.only and self.args.only not in name:
            return
        self.tests += 1
        model = Model(name, path, dims)
        faults = self.all_chains(model, steps, devices, effort)
        self.failed += bool(faults)
        print('%sok %d - %s' % ('not ' if faults else '', self.tests, name),
              flush=True)


def models(long):
    """Names and paths."""
    found = [x for x in sorted(glob.glob(os.path.join(ROOT, 'examples',
                                                      '*.lpm')))
             if not x.endswith('syntax.lpm')]  # nothing of unknown size
    tiny = sorted(glob.glob(os.path.join(TINY, '*', 'model.onnx')))
    if not long:
        tiny = [x for x in tiny if os.path.basename(os.path.dirname(x)) in
                ('attention_tiny', 'cond_dynamo_tiny', 'unet_classic_tiny')]
    for path in found + tiny:
        stem = os.path.splitext(os.path.basename(path))[0]
        yield (stem if stem != 'model' else
               os.path.basename(os.path.dirname(path))), path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--long', action='store_true')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--graphs', type=int)
    parser.add_argument('--only')
    parser.add_argument('--keep')
    args = parser.parse_args()
    os.environ['OMP_NUM_THREADS'] = '1'
    graphs = args.graphs if args.graphs is not None else \
        200 if args.long else 12
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        prover = Prover(args, folder)
        for name, path in models(args.long):
            prover.test(name, path, 5 if args.long else 2,
                        DEVICES if args.long else DEVICES[:1],
                        DIMS.get(name, ()), EFFORT)
        for at in range(graphs):
            rng = random.Random('%d %d' % (args.seed, at))
            path = os.path.join(folder, 'graph.lpm')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(mutate.draw_graph(rng))
            prover.test('graph %d' % at, path, 3 if args.long else 2,
                        DEVICES[at % 2:at % 2 + 1] if args.long else (),
                        effort=EFFORT)
        print('# ' + ', '.join('%d %s' % (n, what)
                               for what, n in sorted(prover.tally.items())))
        print('1..%d' % prover.tests)
        sys.exit(1 if prover.failed else 0)


if __name__ == '__main__':
    main()
