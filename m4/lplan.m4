dnl lplan.m4: the few macros of lplan's configure.ac.

dnl LP_FLAG(FLAG): add FLAG to LP_CFLAGS when the compiler knows it.
AC_DEFUN([LP_FLAG], [
    lp_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    AC_MSG_CHECKING([whether $CC accepts $1])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
        [AC_MSG_RESULT([yes])
         AS_VAR_APPEND([LP_CFLAGS], [" $1"])],
        [AC_MSG_RESULT([no])])
    CFLAGS=$lp_save_CFLAGS
])

dnl LP_SANITIZER(FLAG): compile and link with FLAG, or stop.
AC_DEFUN([LP_SANITIZER], [
    lp_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $1"
    AC_MSG_CHECKING([whether $CC can link with $1])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([$CC cannot link with $1])])
    CFLAGS=$lp_save_CFLAGS
    AS_VAR_APPEND([LP_CFLAGS], [" $1 -fno-omit-frame-pointer"])
    AS_VAR_APPEND([LP_LDFLAGS], [" $1"])
])

dnl LP_SWITCH(NAME, HELP, ACTION): --enable-NAME runs ACTION.
AC_DEFUN([LP_SWITCH], [
    AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2])])
    AS_IF([test "x$enable_$1" = xyes], [$3])
])

dnl LP_REQUIRE_PROG(VARIABLE, PROGRAM, HINT): the path of PROGRAM, or stop.
AC_DEFUN([LP_REQUIRE_PROG], [
    AC_PATH_PROG([$1], [$2])
    AS_IF([test -z "$$1"], [AC_MSG_ERROR([$2 not found ($3)])])
])
