#!/bin/sh
# man.sh: every example of the manual pages and the README runs, and prints
# what is shown.
#
# An example is a line "$ ...lplan ..." in a literal block, with lines that end
# in a backslash joined; the lines after it, up to the next "$" or the end of
# the block, are what it prints ("..." alone: any lines; at the end of a line:
# any rest).  Examples run in order in a copy of examples/ and must exit with
# 0.  Those that draw are left out without gnuplot.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
LPLAN=${LPLAN:-./lplan}
LPLAN=$(cd "$(dirname "$LPLAN")" && pwd)/$(basename "$LPLAN")
LPLAN_PLOTS=$root/plots
export LPLAN_PLOTS
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/work"
printf '#!/bin/sh\nexec %s "$@"\n' "'$LPLAN'" >"$scratch/bin/lplan"
chmod +x "$scratch/bin/lplan"
PATH=$scratch/bin:$PATH
export PATH
for file in "$root"/examples/*; do
    ln -s "$file" "$scratch/work/"
done
ln -s . "$scratch/work/examples"
number=0
failures=0

ok()
{
    number=$((number + 1))
    printf 'ok %d - %s\n' "$number" "$(printf %s "$1" | tr '#' ' ')$2"
}

not_ok()
{
    number=$((number + 1))
    failures=$((failures + 1))
    printf 'not ok %d - %s\n' "$number" "$(printf %s "$1" | tr '#' ' ')"
}

# Print the literal blocks of page or README "$1": "c COMMAND" and "o LINE" of
# its output.
examples()
{
    awk -v readme="${1##*.}" '
    readme == "md" && /^```/ { inside = !inside; run = 0; next }
    readme != "md" && /^\.Bd -literal/ { inside = 1; next }
    readme != "md" && /^\.Ed/ { inside = run = 0; next }
    !inside { next }
    {
        line = $0
        if (readme != "md") {
            gsub(/\\&/, "", line)
            gsub(/\\e/, "\\", line)
        }
        if (more) {
            line = command line
        } else if (line ~ /^ *\$ /) {
            sub(/^ *\$ /, "", line)
            run = line ~ /(^|[ (])lplan /
        } else {
            if (run)
                print "o " line
            next
        }
        more = sub(/\\$/, "", line)
        command = line
        if (!more && run)
            print "c " command
    }' "$1"
}

# Succeed when the lines of file $2 are as the lines of file $1 say.
matches()
{
    awk -v loose=1 -f "$root/tests/match.awk" "$1" "$2"
}

# Run the example in $command, whose output is wanted in the file "want".
run_one()
{
    [ -n "$command" ] || return
    label="${page##*/}: $command"
    case $command in
    *"lplan plot "*-o* | *--plot*)
        if ! command -v gnuplot >/dev/null; then
            ok "$label" " # SKIP no gnuplot"
            return
        fi ;;
    esac
    (cd "$scratch/work" && sh -c "$command") >"$scratch/got" 2>"$scratch/err" \
        </dev/null
    code=$?
    if [ "$code" -ne 0 ] || [ -s "$scratch/err" ]; then
        not_ok "$label"
        echo "# exit code $code"
        sed 's/^/# /' "$scratch/err"
    elif [ -s "$scratch/want" ] &&
        ! matches "$scratch/want" "$scratch/got"; then
        not_ok "$label"
        echo "# prints otherwise:"
        sed 's/^/# /' "$scratch/got"
    else
        ok "$label" ""
    fi
}

for page in "$root"/man/*.[15] "$root"/README.md "$root"/examples/README.md; do
    [ -f "$page" ] || continue
    examples "$page" >"$scratch/examples"
    command=
    while IFS= read -r line; do
        case $line in
        'c '*)
            run_one
            command=${line#c }
            : >"$scratch/want"
            ;;
        'o '*) printf '%s\n' "${line#o }" >>"$scratch/want" ;;
        esac
    done <"$scratch/examples"
    run_one
    # Examples come first, so the order of the sections is our own.
    if [ "${page##*.}" != md ] && command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$page" |
            grep -v 'conventional order' >"$scratch/got"
        if [ -s "$scratch/got" ]; then
            not_ok "${page##*/}: mandoc"
            sed 's/^/# /' "$scratch/got"
        else
            ok "${page##*/}: mandoc" ""
        fi
    fi
done
echo "1..$number"
[ "$failures" -eq 0 ]
