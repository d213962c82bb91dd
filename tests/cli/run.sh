#!/bin/sh
# run.sh [FILE.test...]: run the tests of the command line.
#
# A test file is a list of
#   $ command      run by sh in a fresh folder that the file's tests share
#   > line         of stdout
#   ! line         of stderr
#   = number       the exit code (0 when not given)
#   ? command      skip the rest of the file when this command is missing
#   # comment
# A line "..." stands for any number of lines, "..." at the end or at the start
# of a line for any rest of it.  The program is $LPLAN; the folder $BIN has
# nothing but it, $EXAMPLES is examples/.  Prints TAP.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
LPLAN=${LPLAN:-./lplan}
LPLAN=$(cd "$(dirname "$LPLAN")" && pwd)/$(basename "$LPLAN")
if [ ! -x "$LPLAN" ]; then
    echo "run.sh: '$LPLAN' is no program; set LPLAN" >&2
    exit 99
fi
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM

BIN=$scratch/bin
EXAMPLES=$root/examples
PATH=$BIN:$PATH
LPLAN_PLOTS=$root/plots
TMPDIR=$scratch/tmp
LC_ALL=C
TERM=xterm
export BIN EXAMPLES PATH LPLAN_PLOTS TMPDIR LC_ALL TERM
unset NO_COLOR
mkdir "$BIN" "$TMPDIR"
printf '#!/bin/sh\nexec %s "$@"\n' "'$LPLAN'" >"$BIN/lplan"
chmod +x "$BIN/lplan"

# Succeed when the lines of file $2 are as the lines of file $1 say.
matches()
{
    awk -f "$root/tests/match.awk" "$1" "$2"
}

# Compare what came with what was wanted.
judge()
{
    bad=
    [ "$code" -eq "$wanted_code" ] ||
        bad="exit code $code, not $wanted_code"
    for stream in out err; do
        matches "$scratch/want.$stream" "$scratch/got.$stream" ||
            bad="${bad:+$bad; }std$stream differs"
    done
    tests=$((tests + 1))
    label="$tests - $short: $(printf %s "$command" | tr '#' ' ')"
    if [ -z "$bad" ]; then
        printf 'ok %s\n' "$label"
        return
    fi
    failures=$((failures + 1))
    printf 'not ok %s\n' "$label"
    echo "# $bad"
    sed 's/^/# > /' "$scratch/got.out" | head -40
    sed 's/^/# ! /' "$scratch/got.err" | head -20
}

# Run the command in $command, if there is one.
run_one()
{
    [ -n "$command" ] || return
    (cd "$folder" && exec sh -c "$command") <"/dev/null" \
        >"$scratch/got.out" 2>"$scratch/got.err"
    code=$?
    judge
    command=
}

# Run the file called $name.
run_file()
{
    folder=$scratch/$(basename "$name" .test)
    mkdir "$folder"
    short=$(basename "$name")
    command=
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '$ '*)
            run_one
            command=${line#'$ '}
            wanted_code=0
            : >"$scratch/want.out"
            : >"$scratch/want.err"
            ;;
        '>' | '> '*)
            line=${line#>}
            printf '%s\n' "${line# }" >>"$scratch/want.out" ;;
        '! '*) printf '%s\n' "${line#! }" >>"$scratch/want.err" ;;
        '= '*) wanted_code=${line#= } ;;
        '? '*)
            run_one
            if ! command -v "${line#'? '}" >"/dev/null"; then
                tests=$((tests + 1))
                echo "ok $tests - $short # SKIP no ${line#'? '}"
                return
            fi ;;
        '' | '#'*) ;;
        *)
            echo "run.sh: $name: what is '$line'?" >&2
            exit 99
            ;;
        esac
    done <"$name"
    run_one
}

tests=0
failures=0
[ $# -gt 0 ] || set -- "$here"/*.test
for file; do
    name=$file
    run_file
done
echo "1..$tests"
[ "$failures" -eq 0 ]
