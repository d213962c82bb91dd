#!/usr/bin/env python3
"""remat_checker.py [GRAPH.json OUT.json BUDGET]: judges sequences of runs.

With three arguments: whether OUT is a sequence for GRAPH within BUDGET bytes,
and what it takes.  Without: draws graphs in both forms, lets "lplan solve
remat" solve them, judges the answers, and damages them, which this judge must
see.  Shares nothing with lplan but the form of the files.  Prints TAP."""
import json
import os
import random
import subprocess
import sys
import tempfile

LPLAN = os.environ.get('LPLAN') or 'lplan'


class Wrong(Exception):
    """What is wrong with a sequence."""


def read(path):
    """Order, bytes, time and inputs by node id."""
    with open(path) as file:
        graph = json.load(file)
    moccasin = 'out_cost' in graph['nodes'][0]
    name, time, size = (('name', 'duration', 'out_cost') if moccasin else
                        ('id', 'cost_cpu', 'cost_ram'))
    source, target = ('0', '1') if moccasin else ('source', 'target')
    nodes = {node[name]: node for node in graph['nodes']}
    inputs = {node: set() for node in nodes}
    for link in graph['links']:
        inputs[link[target]].add(link[source])
    return (graph.get('graph', {}).get('order') or list(nodes),
            {i: node[size] for i, node in nodes.items()},
            {i: node[time] for i, node in nodes.items()}, inputs)


def measure(problem, sequence):
    """Peak and time of "sequence": what is made stays until its last reader
    before it is made again."""
    _, size, time, inputs = problem
    made, lives = {}, []
    for position, node in enumerate(sequence):
        for i in inputs[node]:
            if i not in made:
                raise Wrong('%s runs before %s' % (node, i))
            made[i][1] = position
        made[node] = [position, position, size[node]]
        lives.append(made[node])
    changes = [0] * (len(sequence) + 1)
    for first, last, amount in lives:
        changes[first] += amount
        changes[last + 1] -= amount
    peak = now = 0
    for change in changes:
        now += change
        peak = max(peak, now)
    return peak, sum(time[node] for node in sequence)


def judge(problem, answer, budget, fixed):
    """Wrong, when "answer" is none within "budget"."""
    order, _, time, _ = problem
    sequence = answer['sequence']
    if set(sequence) != set(order):
        raise Wrong('not the nodes of the graph')
    if fixed and list(dict.fromkeys(sequence)) != list(order):
        raise Wrong('first runs out of order')
    peak, total = measure(problem, sequence)
    if (peak, total) != (answer['peak'], answer['time']):
        raise Wrong('peak %d and time %d, not %d and %d' % (
            peak, total, answer['peak'], answer['time']))
    if peak > budget:
        raise Wrong('%d bytes, not %d' % (peak, budget))
    base = sum(time.values())
    extra = 100 * (total - base) / base if base else 0
    if abs(extra - answer['extra_percent']) > 1e-4 * max(extra, 1):
        raise Wrong('%f percent' % extra)
    if not base <= answer['bound'] <= total:
        raise Wrong('a bound of %d' % answer['bound'])
    return peak, total


def draw(rng):
    """A graph in one of the forms."""
    count = rng.choice((2, 5, 12, 30))
    ids = rng.sample(range(100), count)
    links = [(ids[rng.randrange(max(0, i - 6), i)], ids[i])
             for i in range(1, count) for _ in range(rng.randint(0, 3))]
    costs = {i: (rng.randint(0, 50), rng.randint(0, 40)) for i in ids}
    if rng.random() < 0.5:
        return {'directed': True, 'graph': {}, 'nodes': [
            {'id': i, 'cost_cpu': costs[i][0], 'cost_ram': costs[i][1]}
            for i in ids], 'links': [
                {'source': a, 'target': b} for a, b in links]}
    return {'graph': {'order': ids}, 'nodes': [
        {'name': i, 'duration': costs[i][0], 'out_cost': costs[i][1]}
        for i in sorted(ids)], 'links': [{'0': a, '1': b} for a, b in links]}


def try_one(rng, folder):
    """One graph, solved, judged, damaged; True when a sequence was found."""
    given = os.path.join(folder, 'given.json')
    found = os.path.join(folder, 'found.json')
    with open(given, 'w') as file:
        json.dump(draw(rng), file)
    problem = read(given)
    _, size, _, inputs = problem
    floor = max(size[n] + sum(size[i] for i in inputs[n]) for n in inputs)
    peak = measure(problem, problem[0])[0]
    budget = max(1, rng.randint(floor - 1, peak + 1))
    fixed = rng.random() < 0.5
    done = subprocess.run(
        (LPLAN, 'solve', 'remat', given, '--budget', str(budget), '-o', found,
         '--order', 'fixed' if fixed else 'free', '--effort', '2000',
         '--format', 'json'), capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout)
    if figures['given_peak_bytes'] != peak or figures['floor_bytes'] != floor:
        raise Wrong('the peak is %d, the floor %d: %s' % (
            peak, floor, done.stdout))
    if done.returncode == 1 and not figures['fits']:
        if (figures['state'] == 'infeasible') != (budget < floor):
            raise Wrong(done.stdout)
        return False
    if done.returncode or not figures['fits'] or budget < floor:
        raise Wrong(done.stdout + done.stderr)
    with open(found) as file:
        answer = json.load(file)
    os.remove(found)
    judge(problem, answer, budget, fixed)
    answer['sequence'].remove(rng.choice(answer['sequence']))
    try:
        judge(problem, answer, budget, fixed)
    except Wrong:
        return True
    raise Wrong('a damaged answer passes')


def main():
    if len(sys.argv) == 4:
        with open(sys.argv[2]) as file:
            print('peak %d, time %d' % judge(
                read(sys.argv[1]), json.load(file), int(sys.argv[3]), False))
        return 0
    rng, count, fits = random.Random(5), 120, 0
    print('1..1')
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            try:
                fits += try_one(rng, folder)
            except Wrong as wrong:
                print('not ok 1 - graph %d: %s' % (number, wrong))
                return 1
    print('ok 1 - %d graphs, %d sequences within their budgets' % (
        count, fits))
    return 0


if __name__ == '__main__':
    sys.exit(main())
