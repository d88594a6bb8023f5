/*
 * Posts enrollment events, several at a time, each for a device (and user) of its own, and
 * prints what it took. Loopback only, bounded in count.
 *
 *   load URL CA-FILE USER:PASSWORD COUNT CONCURRENCY USERS
 *
 * Prints: count=… ok=… seconds=… per_second=… p50_ms=… p99_ms=…
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define COUNT_MAX 100000
#define CONCURRENCY_MAX 64
#define REQUEST_TIMEOUT 120L

/* Shared by the posting processes; each writes its own slots. */
struct shared {
	int64_t us[COUNT_MAX];
	char accepted[COUNT_MAX];
};

struct load {
	const char *url, *ca_file, *credentials;
	long count, concurrency, users;
	unsigned run; /* makes UUIDs of one run differ from another's */
	struct shared *shared;
};

static size_t discard(char *data, size_t size, size_t count, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * count;
}

static void post(const struct load *load, CURL *curl, long n)
{
	char event[512];
	int64_t start = clock_monotonic_us();
	long status = 0;

	snprintf(event, sizeof(event),
		"{\"EventId\":148,\"EventType\":\"MDM Enrollment Complete\","
		"\"EnrollmentUserName\":\"user%ld\",\"DeviceFriendlyName\":\"bench %ld\","
		"\"DeviceUUID\":\"%08x-0000-4000-8000-%012lx\","
		"\"EnrollmentUserUUID\":\"%08x-0000-4000-9000-%012lx\"}",
		n % load->users, n, load->run, n, load->run, n % load->users);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, event);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	load->shared->us[n] = clock_monotonic_us() - start;
	load->shared->accepted[n] = status == 202;
}

static void post_share(const struct load *load, long first)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURL *curl = curl_easy_init();

	curl_easy_setopt(curl, CURLOPT_URL, load->url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, load->ca_file);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_USERPWD, load->credentials);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, REQUEST_TIMEOUT);
	for (long n = first; n < load->count; n += load->concurrency)
		post(load, curl, n);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
}

static int by_time(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int report(const struct load *load, int64_t us)
{
	struct shared *s = load->shared;
	long accepted = 0;

	for (long n = 0; n < load->count; n++)
		accepted += s->accepted[n];
	qsort(s->us, (size_t)load->count, sizeof(s->us[0]), by_time);
	printf("count=%ld ok=%ld seconds=%.2f per_second=%.1f p50_ms=%.1f p99_ms=%.1f\n",
		load->count, accepted, (double)us / 1e6, (double)load->count * 1e6 / (double)us,
		(double)s->us[load->count / 2] / 1e3, (double)s->us[load->count * 99 / 100] / 1e3);
	return accepted == load->count ? 0 : 1;
}

static long number(const char *s, long max)
{
	char *end = NULL;
	long n = strtol(s, &end, 10);

	return *s && !*end && n >= 1 && n <= max ? n : 0;
}

int main(int argc, char **argv)
{
	struct load load = {.run = (unsigned)getpid()};
	int64_t start;

	if (argc == 7) {
		load.url = argv[1];
		load.ca_file = argv[2];
		load.credentials = argv[3];
		load.count = number(argv[4], COUNT_MAX);
		load.concurrency = number(argv[5], CONCURRENCY_MAX);
		load.users = number(argv[6], COUNT_MAX);
	}
	if (!load.count || !load.concurrency || !load.users ||
		strncmp(load.url, "https://localhost:", 18) != 0) {
		fputs("usage: load https://localhost:… CA-FILE USER:PASSWORD COUNT CONCURRENCY "
		      "USERS\n",
			stderr);
		return 2;
	}
	load.shared = mmap(NULL, sizeof(*load.shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load.shared == MAP_FAILED)
		return 1;
	start = clock_monotonic_us();
	for (long i = 0; i < load.concurrency; i++) {
		if (fork() == 0) {
			post_share(&load, i);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return report(&load, clock_monotonic_us() - start);
}
