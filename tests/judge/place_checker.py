#!/usr/bin/env python3
"""place_checker.py [PROBLEM.csv ANSWER.csv]: judges placements of buffers.

With two files: whether ANSWER is a placement of PROBLEM, its height, and the
largest load.  Without: draws problems, lets "lplan solve place" solve them,
judges the answers, and damages them, which "lplan solve grade" must refuse when
this judge does.  Shares nothing with lplan but the form of the files.  Prints
TAP."""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

LPLAN = os.environ.get('LPLAN') or 'lplan'
STARTS, ENDS = ('lower', 'begin', 'start'), ('upper', 'end')


class Wrong(Exception):
    """What is wrong with a placement."""


def read(path):
    """Buffers by id: [(from, to, low, high)], size, alignment, offset."""
    buffers = {}
    with open(path) as file:
        names = file.readline().strip().split(',')
        for line in file:
            if not line.strip():
                break
            row = dict(zip(names, line.strip().split(',')))
            lower = next(int(row[n]) for n in STARTS if n in row)
            upper = next(int(row[n]) + (n == 'end') for n in ENDS if n in row)
            size, at, pieces = int(row['size']), lower, []
            for gap in row.get('gaps', '').split():
                times, _, window = gap.partition('@')
                first, last = map(int, re.fullmatch(
                    r'(-?\d+)-(-?\d+)', times).groups())
                pieces.append((at, first, 0, size))
                if window:
                    low, high = map(int, window.split(':'))
                    pieces.append((first, last, low, high))
                at = last
            pieces.append((at, upper, 0, size))
            buffers[row['id']] = (
                [p for p in pieces if p[0] < p[1] and p[2] < p[3]], size,
                int(row.get('alignment') or 1), int(row.get('offset') or -1))
    return buffers


def load(buffers):
    """The largest sum of bytes taken at a time."""
    changes = {}
    for pieces, _, _, _ in buffers.values():
        for first, last, low, high in pieces:
            changes[first] = changes.get(first, 0) + high - low
            changes[last] = changes.get(last, 0) - high + low
    most = now = 0
    for time in sorted(changes):
        now += changes[time]
        most = max(most, now)
    return most


def judge(problem, answer):
    """The height of "answer", or Wrong."""
    if list(problem) != list(answer):
        raise Wrong('other buffers')
    height, taken = 0, []
    for name, (pieces, size, alignment, fixed) in problem.items():
        offset = answer[name][3]
        if answer[name][:3] != (pieces, size, alignment):
            raise Wrong('%s is another buffer' % name)
        if offset < 0 or offset % alignment or fixed not in (-1, offset):
            raise Wrong('%s lies at %d' % (name, offset))
        height = max(height, offset + size)
        for first, last, low, high in pieces:
            taken.append((first, last, offset + low, offset + high, name))
    taken.sort()
    alive = []
    for piece in taken:
        alive = [other for other in alive if other[1] > piece[0]]
        for other in alive:
            if piece[2] < other[3] and other[2] < piece[3]:
                raise Wrong('%s and %s collide' % (other[4], piece[4]))
        alive.append(piece)
    return height


def draw(rng):
    """A problem as CSV text, with columns in any order."""
    columns = ['id', rng.choice(STARTS), rng.choice(ENDS), 'size'] + [
        name for name in ('alignment', 'gaps', 'hint', 'offset')
        if rng.random() < 0.4]
    rng.shuffle(columns)
    lines, top = [','.join(columns)], 0
    for number in range(rng.choice((1, 3, 10, 40, 150))):
        lower = rng.randint(-50, 50)
        upper = lower + rng.choice((1, 2, 5, 30))
        size, alignment = rng.randint(0, 60), rng.choice((1, 1, 4, 6, 32))
        row = {'id': 'b%d' % number, 'size': size, 'alignment': alignment,
               'hint': rng.choice((-1, -1, 0, 7, '')), 'gaps': '',
               'offset': -1}
        if upper - lower > 3 and rng.random() < 0.5:
            row['gaps'] = '%d-%d' % (lower + 1, upper - 1)
            if rng.random() < 0.5:
                row['gaps'] += '@%d:%d' % (size // 3, size - size // 4)
        if 'offset' in columns and rng.random() < 0.1:
            row['offset'] = (top + 95) // 96 * 96
            top = row['offset'] + size
        for name in STARTS:
            row[name] = lower
        row.update(upper=upper, end=upper - 1)
        lines.append(','.join(str(row[name]) for name in columns))
    return '\n'.join(lines) + '\n'


def run(*arguments):
    return subprocess.run((LPLAN, 'solve') + arguments, capture_output=True,
                          text=True, check=False)


def try_one(rng, folder):
    """One problem, solved, judged, damaged; raises Wrong."""
    given = os.path.join(folder, 'given.csv')
    found = os.path.join(folder, 'found.csv')
    with open(given, 'w') as file:
        file.write(draw(rng))
    done = run('place', given, '-o', found, '--format', 'json',
               '--effort', '20000')
    if done.returncode:
        raise Wrong(done.stderr)
    figures, problem = json.loads(done.stdout), read(given)
    height = judge(problem, read(found))
    if height != figures['height_bytes']:
        raise Wrong('the height is %d, not %s' % (height, done.stdout))
    if not load(problem) <= figures['bound_bytes'] <= height:
        raise Wrong('the bound is wrong: %s' % done.stdout)
    with open(found) as file:
        lines = file.read().split('\n')
    victim = rng.randrange(1, len(lines) - 1)
    start, _, offset = lines[victim].rpartition(',')
    lines[victim] = '%s,%d' % (start, max(0, int(offset) +
                                          rng.randint(-40, 40)))
    with open(found, 'w') as file:
        file.write('\n'.join(lines))
    try:
        judge({name: b[:3] + (-1,) for name, b in problem.items()},
              read(found))
        right = True
    except Wrong:
        right = False
    graded = run('grade', found, '--effort', '1000')
    if (graded.returncode == 0) != right:
        raise Wrong('grade says otherwise of a damaged answer: ' +
                    graded.stdout + graded.stderr)
    return right


def main():
    if len(sys.argv) == 3:
        problem = read(sys.argv[1])
        try:
            height = judge(problem, read(sys.argv[2]))
        except Wrong as wrong:
            sys.exit('wrong: %s' % wrong)
        print('right: height %d, load %d' % (height, load(problem)))
        return
    problems = 20 if os.environ.get('LPLAN_SHORT') else 150
    rights, bad = 0, None
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(problems):
            try:
                rights += try_one(random.Random(seed), folder)
            except Wrong as wrong:
                bad = 'problem %d: %s' % (seed, wrong)
                break
    print('1..1\n%s 1 - %d placements judged, %d damaged ones right' % (
        'not ok' if bad else 'ok', problems, rights))
    if bad:
        print('# ' + bad.replace('\n', '\n# '))
        sys.exit(1)


if __name__ == '__main__':
    main()
