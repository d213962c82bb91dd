#!/bin/bash
# header.sh: lplan.h stands alone, in C99 and in C++.
set -u
: "${top_srcdir:=.}" "${CC:=cc}"
count=0 failed=0
# CC may carry options: its words are wanted apart.
read -r -a cc <<<"$CC"

# compiles NAME COMPILER...: one test line.
compiles() {
    local name=$1 errors
    shift
    count=$((count + 1))
    if errors=$(printf '#include <lplan.h>\nint main(void) { return lp_version() == 0; }\n' |
        "$@" -Wall -Wextra -Werror -pedantic -fsyntax-only \
            -I"$top_srcdir/src/include" - 2>&1); then
        echo "ok $count - lplan.h compiles as $name"
    else
        echo "not ok $count - lplan.h compiles as $name"
        printf '%s\n' "$errors" | sed 's/^/# /'
        failed=1
    fi
}

compiles C99 "${cc[@]}" -std=c99 -x c
compiles C17 "${cc[@]}" -std=c17 -x c
if command -v c++ >/dev/null; then
    compiles C++11 c++ -std=c++11 -x c++
fi
echo "1..$count"
exit $failed
