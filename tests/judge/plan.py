"""plan.py: reads the YAML that lplan-schedule(5) describes, and no other.

Block mappings and lists at two depths, flow mappings and lists inside a line;
whatever else YAML knows is refused."""
import re

SECTIONS = {
    'lplan-schedule': None, 'model': ('name', 'hash'), 'dims': None,
    'device': None, 'weights': None, 'planners': None, 'seed': None, 'effort': None,
    'memories': ('name', 'capacity_bytes', 'alignment'),
    'precision': ('tensor', 'dtype', 'axis', 'scales', 'zero_points', 'file',
                  'assume'),
    'groups': ('name', 'layers', 'tiles', 'overlap'),
    'runs': None,
    'home': ('tensor', 'memory'),
    'move': ('tensor', 'to', 'after', 'before'),
    'pin': ('weight', 'from', 'to'),
    'alias': ('tensor', 'of', 'kind'),
    'place': ('tensor', 'kind', 'layer', 'memory', 'from', 'to', 'offset'),
    'predictions': ('live_peak_bytes', 'arena_bytes', 'fast_peak_bytes',
                    'traffic_bytes', 'macs', 'latency_ns'),
    'bounds': ('quantity', 'value', 'proof', 'given'),
}
NEEDED = ('lplan-schedule', 'model', 'memories', 'runs')

TOKEN = re.compile(r'\s*([\[\]{},]|:(?=\s|$)|"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\''
                   r'|(?:[^\s\[\]{},:#"\']|:(?!\s|$)|(?<=\S)#|(?<=\S)[\'"]'
                   r'|(?<=\S)[ ]+(?=[^\s\[\]{},:#]))+)')
ESCAPES = {'n': '\n', 't': '\t', '0': '\0', '\\': '\\', '"': '"', 'r': '\r',
           'e': '\x1b', 'a': '\a', 'b': '\b', 'v': '\v', 'f': '\f', '/': '/',
           ' ': ' ', 'N': '\x85', '_': '\xa0', 'L': '\u2028', 'P': '\u2029'}


class Unreadable(Exception):
    """The text is no schedule."""


def escape(match):
    text = match.group(1)
    if text[0] in 'xuU':
        return chr(int(text[1:], 16))
    if text not in ESCAPES:
        raise Unreadable('unknown escape')
    return ESCAPES[text]


def scalar(text):
    if text.startswith('"'):
        return re.sub(r'\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)',
                      escape, text[1:-1])
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text[0] in '&*!|>%@`':
        raise Unreadable('anchors, aliases and tags are not read')
    return text


class Flow:
    """One line's value."""

    def __init__(self, text):
        self.tokens, at = [], 0
        while text[at:].strip() and not re.match(r'\s+#', text[at:]):
            found = TOKEN.match(text, at)
            if not found:
                raise Unreadable('cannot read ' + text[at:at + 40])
            self.tokens.append(found.group(1).strip())
            at = found.end()

    def peek(self):
        return self.tokens[0] if self.tokens else ''

    def take(self, wanted=None):
        if not self.tokens or (wanted and self.tokens[0] != wanted):
            raise Unreadable('a value is cut short')
        return self.tokens.pop(0)

    def value(self):
        token = self.take()
        if token == '[':
            items = []
            while self.peek() != ']':
                items.append(self.value())
                if self.peek() != ']':
                    self.take(',')
            self.take(']')
            return items
        if token == '{':
            items = {}
            while self.peek() != '}':
                key = scalar(self.take())
                if key in items:
                    raise Unreadable('twice: ' + key)
                self.take(':')
                items[key] = self.value()
                if self.peek() != '}':
                    self.take(',')
            self.take('}')
            return items
        if token in ('}', ']', ',', ':'):
            raise Unreadable('out of place: ' + token)
        return scalar(token)

    def end(self):
        if self.tokens:
            raise Unreadable('more than a value: ' + self.tokens[0])


def flow(text):
    reader = Flow(text)
    value = reader.value()
    reader.end()
    return value


def key_of(text):
    """"key: rest" split, or None."""
    found = re.match(r'("(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^\s:#\[{"\']'
                     r'(?:[^:]|:(?!\s|$))*?):(?:\s+(.*))?$', text)
    return found and (scalar(found.group(1)), (found.group(2) or '').strip())


def read(text):
    """The sections of a schedule, all scalars as text."""
    plan, section = {}, None
    for number, line in enumerate(text.split('\n'), 1):
        bare = line.strip()
        if not bare or bare.startswith('#'):
            continue
        try:
            if line[0] != ' ' and not line.startswith('- '):
                pair = key_of(line.rstrip())
                if not pair or pair[0] in plan or pair[0] not in SECTIONS:
                    raise Unreadable('unknown key or twice: ' + bare)
                section = pair[0]
                plan[section] = flow(pair[1]) if pair[1] else None
            elif section is None:
                raise Unreadable('no section')
            elif bare.startswith('- '):
                if plan[section] is None:
                    plan[section] = []
                if not isinstance(plan[section], list):
                    raise Unreadable('a list in no list')
                plan[section].append(flow(bare[2:]))
            else:
                pair = key_of(bare)
                if plan[section] is None:
                    plan[section] = {}
                if not pair or not isinstance(plan[section], dict) or \
                        pair[0] in plan[section]:
                    raise Unreadable('no entry: ' + bare)
                plan[section][pair[0]] = flow(pair[1])
        except (Unreadable, ValueError) as problem:
            raise Unreadable('%d: %s' % (number, problem)) from None
    check_keys(plan)
    return plan


def check_keys(plan):
    for name in NEEDED:
        if name not in plan:
            raise Unreadable('no section ' + name)
    if plan['lplan-schedule'] != '1':
        raise Unreadable('another version')
    for name, keys in SECTIONS.items():
        if not keys or plan.get(name) is None:
            continue
        entries = plan[name]
        if name in ('model', 'predictions'):
            entries = [entries]
        if not isinstance(entries, list):
            raise Unreadable('no list: ' + name)
        for entry in entries:
            if not isinstance(entry, dict):
                raise Unreadable('no mapping in ' + name)
            for key in entry:
                if key not in keys:
                    raise Unreadable("unknown key '%s' in %s" % (key, name))
