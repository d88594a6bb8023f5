#ifndef FCGI_PAGES_EXPOSITION_H
#define FCGI_PAGES_EXPOSITION_H

#include <stdint.h>

#include "base/buf.h"

/*
 * The text format of Prometheus, version 0.0.4: families of metrics, each with its help and
 * its type, and below them a line a sample.
 */
#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct label {
	const char *name; /* NULL: the end of the list */
	const char *value;
};

/* LABELS({"route", path}, {"status", status}) */
#define LABELS(...) ((const struct label[]){__VA_ARGS__, {NULL, NULL}})
#define NO_LABELS ((const struct label[]){{NULL, NULL}})

/* type: "counter", "gauge", "histogram". help: one line without a backslash */
void exposition_family(struct buf *out, const char *name, const char *type, const char *help);

/* A value is escaped; what is not UTF-8 in it, which no scraper would take, becomes "?". */
void exposition_number(
	struct buf *out, const char *name, const struct label *labels, unsigned long long value);

/* The same of so many microseconds, in seconds: "0.0025". */
void exposition_seconds(struct buf *out, const char *name, const struct label *labels,
	unsigned long long microseconds);

#define EXPOSITION_SECONDS_SIZE 32
void exposition_seconds_text(unsigned long long microseconds, char out[EXPOSITION_SECONDS_SIZE]);

#endif
