#!/bin/sh
# options.sh [--update]: the OPTIONS of every manual page are those of the
# program, and completion knows every option and command.  --update writes
# the pages anew.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
LPLAN=${LPLAN:-./lplan}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

fail()
{
    echo "options.sh: $*" >&2
    status=1
}

"$LPLAN" completion bash >"$scratch/completion"
bash -n "$scratch/completion" || fail "the completion script is no bash"

# The commands that the help lists.
"$LPLAN" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' \
    >"$scratch/commands"
[ -s "$scratch/commands" ] || fail "the help lists no commands"

while read -r command; do
    grep -q "^    $command,-\*)" "$scratch/completion" ||
        fail "completion does not know the command '$command'"
    "$LPLAN" help --mdoc "$command" >"$scratch/options"
    sed -n 's/^\.It.* Fl -\([a-z-]*\).*/\1/p' "$scratch/options" |
        while read -r option; do
            sed -n "/^    $command,-\*)/{n;p;}" "$scratch/completion" |
                grep -q -- "[' ]--$option " || echo "$option"
        done >"$scratch/missing"
    [ ! -s "$scratch/missing" ] ||
        fail "completion of $command lacks:" "$(tr '\n' ' ' \
            <"$scratch/missing")"
    page=$root/man/lplan-$command.1
    case $command in
    help | completion) continue ;;
    esac
    if [ ! -f "$page" ]; then
        fail "man/lplan-$command.1 is missing"
        continue
    fi
    {
        sed '/^\.\\" BEGIN OPTIONS/q' "$page"
        cat "$scratch/options"
        sed -n '/^\.\\" END OPTIONS/,$p' "$page"
    } >"$scratch/page"
    cmp -s "$scratch/page" "$page" && continue
    if [ "${1:-}" = --update ]; then
        cat "$scratch/page" >"$page"
    else
        fail "the options in man/lplan-$command.1 are not the program's;" \
            "run tests/arch/options.sh --update"
    fi
    grep -q "lplan-$command" "$root/man/lplan.1" ||
        fail "man/lplan.1 does not name lplan-$command(1)"
done <"$scratch/commands"
exit $status
