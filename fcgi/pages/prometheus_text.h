#ifndef FCGI_PAGES_PROMETHEUS_TEXT_H
#define FCGI_PAGES_PROMETHEUS_TEXT_H

#include <stdint.h>

#include "base/buf.h"

/*
 * The text format of Prometheus, version 0.0.4: families of metrics, each with its help and
 * its type, and below them a line a sample.
 */
#define PROMETHEUS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct label {
	const char *name; /* NULL: the end of the list */
	const char *value;
};

/* LABELS({"route", path}, {"status", status}) */
#define LABELS(...) ((const struct label[]){__VA_ARGS__, {NULL, NULL}})
#define NO_LABELS ((const struct label[]){{NULL, NULL}})

/* type: "counter", "gauge", "histogram". help: one line without a backslash */
void prometheus_text_family(struct buf *out, const char *name, const char *type, const char *help);

/* A value is escaped; what is not UTF-8 in it, which no scraper would take, becomes "?". */
void prometheus_text_number(
	struct buf *out, const char *name, const struct label *labels, unsigned long long value);

/* The same of so many microseconds, in seconds: "0.0025". */
void prometheus_text_seconds(struct buf *out, const char *name, const struct label *labels,
	unsigned long long microseconds);

#define PROMETHEUS_TEXT_SECONDS_SIZE 32
void prometheus_text_format_seconds(
	unsigned long long microseconds, char out[PROMETHEUS_TEXT_SECONDS_SIZE]);

#endif
