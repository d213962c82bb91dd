#!/bin/sh
# operators.sh [--update]: the tables of lplan-operators(7) are the rows of the
# program and the list of cases that do not pass.  --update writes them anew.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
samples=${top_builddir:-.}/tests/ops/samples
samples=${SAMPLES:-$samples}
page=$root/man/lplan-operators.7
if [ ! -x "$samples" ]; then
    echo "1..0 # SKIP $samples is not built"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$samples" --list | LC_ALL=C sort -t "$(printf '\t')" -k 1,1 -k 2,2 |
    awk -F '\t' '
    $1 != domain {
        if (domain)
            print ".El"
        domain = $1
        print ".Ss " domain
        print ".Bl -column -compact BitwiseAndOrNotXorMore opset runs tiles"
        print ".It Sy operator Ta Sy opset Ta Sy runs Ta Sy tiles"
    }
    { print ".It " $2 " Ta " $3 " Ta " $4 " Ta " $5 }
    END { print ".El" }' >"$scratch/operators"

awk '
    /^#/ { reason = substr($0, 3); order[++n] = reason }
    /^[^#]/ { count[reason]++ }
    END {
        print ".Bl -column -compact 000"
        for (i = 1; i <= n; i++)
            print ".It " count[order[i]] " Ta " order[i]
        print ".El"
    }' "$root/tests/ops/node_cases.list" >"$scratch/left"

awk -v scratch="$scratch" '
    /^\.\\" END / { skips = 0 }
    !skips
    /^\.\\" BEGIN / {
        skips = 1
        file = scratch "/" tolower($3)
        while ((getline line <file) > 0)
            print line
    }' "$page" >"$scratch/page"
cmp -s "$scratch/page" "$page" && exit 0
if [ "${1:-}" = --update ]; then
    cat "$scratch/page" >"$page"
    exit 0
fi
echo "operators.sh: the tables of man/lplan-operators.7 are not the" \
    "program's; run tests/arch/operators.sh --update" >&2
exit 1
