#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * A target feeds data to one parser and asserts what must hold of the result.
 * To add one: tests/fuzz/NAME.c with this function, a few small inputs in
 * tests/fuzz/corpus/NAME, and NAME's lines in Makefile.am. "make check"
 * replays the inputs with any compiler; "make fuzz", configured with
 * CC=clang --enable-fuzzing, looks for new ones. Returns 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
