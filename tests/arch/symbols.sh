#!/bin/sh
# symbols.sh: what the library shows, and what it must never call.
#
# The shared library exports lp_* alone (and the one door by which tests fail
# allocations); its objects call nothing that prints, exits, or reads the
# environment or the locale, but for the report of a bug in error.c.
set -u
nm=${NM:-nm}
nm=${nm%% *}
libs=${top_builddir:-.}/.libs
count=0 failed=0

# check NAME OFFENDERS: one test line; fails when there are any.
check() {
    count=$((count + 1))
    if [ -z "$2" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
        failed=1
    fi
}

command -v "$nm" >/dev/null 2>&1 || { echo "1..0 # SKIP no nm"; exit 0; }

if [ -f "$libs/liblplan.so" ]; then
    exported=$("$nm" -D --defined-only "$libs/liblplan.so" | awk '{print $NF}')
    check "only lp_ symbols are exported" "$(printf '%s\n' "$exported" |
        grep -vE '^(lp_[a-z0-9_]+|lpi_alloc_fail_at|_init|_fini|_edata|_end|__[A-Za-z_0-9]*)$')"
    check "every function of lplan.h is exported" "$(
        sed -n 's/^LP_API.*[ *]\(lp_[a-z0-9_]*\)(.*/\1/p' \
            "${top_srcdir:-.}/src/include/lplan.h" | sort -u |
            while read -r name; do
                printf '%s\n' "$exported" | grep -qx "$name" || echo "$name"
            done)"
else
    count=$((count + 1))
    echo "ok $count # SKIP no shared library in this build"
fi

if [ -f "$libs/liblplan.a" ]; then
    never='_?_?(v?d?f?printf|put(s|char|c)|fput[sc]|perror|_?exit|_Exit|quick_exit|abort|(secure_)?getenv|setenv|putenv|setlocale|localeconv|nl_langinfo|system|popen|fork|exec[vl][a-z]*|posix_spawnp?|signal|sigaction|environ|stdout|stderr|stdin)(_chk)?'
    check "the library never prints, exits or reads the environment" "$(
        "$nm" -A --undefined-only "$libs/liblplan.a" |
            grep -E " U $never(@.*)?\$" |
            grep -vE '[:/]error\.o:.* (__)?(fprintf(_chk)?|stderr|abort)$')"
    check "the library has no state that can be written" "$(
        "$nm" -A --defined-only --format=sysv "$libs/liblplan.a" |
            tr -d ' ' | grep -E '\|(\.data|\.bss|\*COM\*)$' |
            grep -vE '[:/]alloc\.o:fail_at\||onnx\.pb-c\.o:|:(__|\.L)')"
else
    count=$((count + 1))
    echo "ok $count # SKIP no static library in this build"
fi
echo "1..$count"
exit $failed
