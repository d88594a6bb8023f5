#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

/* The result tells success from failure: the caller must not ignore it. */
#define must_check __attribute__((warn_unused_result))

#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* GCC has a macro for it, clang a feature test. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER
#endif

#endif
