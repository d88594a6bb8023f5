# CP_FLAG(VARIABLE, FLAG, [EXTRA-FLAGS])
# Adds FLAG to VARIABLE when the compiler and the linker take it without a
# warning. EXTRA-FLAGS are used for the probe alone.
AC_DEFUN([CP_FLAG], [
	AS_VAR_PUSHDEF([cache], [cp_cv_flag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		cp_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $3 $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$cp_saved_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])

# CP_FLAGS(VARIABLE, FLAGS, [EXTRA-FLAGS])
# Probes each of FLAGS by itself.
AC_DEFUN([CP_FLAGS], [m4_foreach_w([flag], [$2], [CP_FLAG([$1], m4_quote(flag), [$3])])])
