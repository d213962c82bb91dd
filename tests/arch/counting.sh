#!/bin/sh
# counting.sh: each file with loops that count their multiplies (LPI_MACS) is
# compiled into tests/unit/test_counting, where they do.
set -u
cd "${top_srcdir:-.}" || exit 99

compiled=$(sed -n '/^tests_unit_test_counting_SOURCES/,/[^\\]$/p' tests/local.mk)
absent=
for file in src/*/*.c src/*/*/*.c; do
    grep -q 'LPI_MACS(' "$file" || continue
    case $compiled in
    *"	$file"*) ;;
    *) absent="$absent $file" ;;
    esac
done
echo 1..1
if [ -n "$absent" ]; then
    echo "not ok 1 - what counts is compiled for counting"
    echo "# not in tests/local.mk:$absent"
    exit 1
fi
echo "ok 1 - what counts is compiled for counting"
