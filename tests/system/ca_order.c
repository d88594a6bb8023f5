/*
 * Orders from a CA as the product does, for the tests of CAs:
 *
 *   ca_order [--output=PREFIX] CONFIG USAGE MAIL [DEVICE-UUID USER-UUID]
 *   ca_order [--output=PREFIX] --again CONFIG USAGE MAIL [DEVICE-UUID USER-UUID]
 *   ca_order [--output=PREFIX] --each CONFIG USAGE MAIL [DEVICE-UUID USER-UUID]
 *   ca_order [--output=PREFIX] CONFIG chain
 *   ca_order CONFIG probe
 *   ca_order CONFIG revoke SERIAL ISSUER REASON
 *
 * Prints a line: "issued SERIAL ISSUER COUNT" with the chain in PREFIX.pem; "pending HANDLE
 * RETRY-AFTER", HANDLE "-" if it is empty; "refused: TEXT"; "unavailable RETRY-AFTER: TEXT";
 * "config: TEXT"; else "chain SUBJECT COUNT", "ok", or "failed: TEXT". Exits as certprov does.
 * --again: with the key, request and handle that are in PREFIX.key, .csr and .handle.
 * --each: an order for each line of standard input, from one CA that stays open.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca/ca.h"
#include "config/config.h"
#include "pki/request.h"

#define PATH_SIZE 4096
#define PEM_SIZE (256 * 1024)

static const char *prefix = "ca_order";
static int again, each;

/* --- files */

static const char *path_of(const char *suffix, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s.%s", prefix, suffix);
	return path;
}

static enum err put(const char *suffix, const void *data, size_t len, struct error *e)
{
	char path[PATH_SIZE];

	return file_replace(path_of(suffix, path), 0600, data, len, e);
}

static enum err get(const char *suffix, struct blob *out, struct error *e)
{
	char path[PATH_SIZE];

	return file_read(path_of(suffix, path), out, e);
}

static enum err put_chain(const struct chain *chain, struct error *e)
{
	struct buf all = BUF_INIT(PEM_SIZE);
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < chain->count; i++) {
		struct blob pem = {NULL, 0};

		err = certificate_to_pem(&chain->certificate[i], &pem, e);
		if (!err)
			buf_append(&all, pem.data, pem.len);
		blob_free(&pem);
	}
	if (!err)
		err = buf_check(&all, e);
	if (!err)
		err = put("pem", all.data, all.len, e);
	buf_free(&all);
	return err;
}

/* --- one order */

struct work {
	struct key *key;
	struct blob request;
	struct blob handle; /* data NULL: none */
};

static void work_fini(struct work *work)
{
	key_free(work->key);
	blob_free(&work->request);
	blob_free(&work->handle);
}

static enum err work_load(struct work *work, struct error *e)
{
	struct blob pem = {NULL, 0}, text = {NULL, 0};
	enum err err = get("key", &pem, e);

	if (!err)
		err = key_import_pem(&pem, &work->key, e);
	if (!err)
		err = get("csr", &work->request, e);
	if (!err)
		err = get("handle", &text, e);
	if (!err) /* and a NUL behind it */
		err = blob_copy(
			text.len ? (const char *)text.data : "", text.len, &work->handle, e);
	blob_free(&pem);
	blob_free(&text);
	return err;
}

static enum err work_make(struct work *work, const struct config *config,
	const struct ca_order *order, struct error *e)
{
	struct blob pem = {NULL, 0};
	enum err err = key_generate(config->certificates.key[order->usage], &work->key, e);

	if (!err)
		err = request_make(
			work->key, order->usage, order->subject, order->address, &work->request, e);
	if (!err)
		err = key_export_pem(work->key, &pem, e);
	if (!err)
		err = put("key", pem.data, pem.len, e);
	if (!err)
		err = put("csr", work->request.data, work->request.len, e);
	if (!err)
		err = put("handle", "", 0, e);
	blob_free(&pem);
	return err;
}

static enum err show_issued(const struct chain *chain, struct error *e)
{
	struct certificate_info info;
	enum err err = certificate_info(&chain->certificate[0], &info, e);

	if (!err)
		err = put_chain(chain, e);
	if (!err)
		printf("issued %s %s %zu\n", info.serial, info.issuer, chain->count);
	return err;
}

static enum err show_pending(const struct ca_answer *answer, const struct error *why)
{
	struct error e = {.code = ERR_OK};

	printf("pending %s %d\n", *answer->handle ? answer->handle : "-", why->retry_after);
	return put("handle", answer->handle, strlen(answer->handle), &e) ? ERR_INTERNAL
									 : ERR_PENDING;
}

static void show_failure(enum err err, const struct error *e)
{
	if (err == ERR_UNAVAILABLE)
		printf("unavailable %d: %s\n", e->retry_after, e->text);
	else
		printf("%s: %s\n",
			err == ERR_REFUSED   ? "refused"
			: err == ERR_BARRED  ? "barred"
			: err == ERR_GARBLED ? "garbled"
			: err == ERR_CONFIG  ? "config"
					     : "failed",
			e->text);
}

static enum err order_one(
	struct ca *ca, const struct config *config, struct ca_order *order, struct error *e)
{
	struct work work = {.key = NULL};
	struct ca_answer answer = {.handle = ""};
	enum err err = again ? work_load(&work, e) : work_make(&work, config, order, e);
	char handle[CA_HANDLE_SIZE] = "";

	if (work.handle.data)
		snprintf(handle, sizeof(handle), "%.*s", (int)work.handle.len,
			(char *)work.handle.data);
	order->key = work.key;
	order->request = &work.request;
	order->handle = handle;
	order->now = clock_now();
	order->deadline = ca_deadline(ca);
	if (!err)
		err = ca_issue(ca, order, &answer, e);
	if (!err)
		err = show_issued(&answer.chain, e);
	if (err == ERR_PENDING)
		err = show_pending(&answer, e);
	else if (err)
		show_failure(err, e);
	chain_free(&answer.chain);
	work_fini(&work);
	fflush(stdout);
	return err;
}

static enum err order(
	struct ca *ca, const struct config *config, enum usage usage, char **args, struct error *e)
{
	struct address address;
	struct name subject;
	struct ca_order order = {
		.usage = usage,
		.subject = &subject,
		.address = &address,
		.device_uuid = args[0] && args[1] ? args[1] : "",
		.user_uuid = args[0] && args[1] && args[2] ? args[2] : "",
	};
	char line[16];
	enum err err = address_parse(args[0] ? args[0] : "", &address, e);

	if (!err)
		err = name_build("CN=Test Person,O=Example", NULL, NULL, &subject, e);
	if (err) {
		show_failure(err, e);
		return err;
	}
	if (!each)
		return order_one(ca, config, &order, e);
	while (fgets(line, sizeof(line), stdin))
		err = order_one(ca, config, &order, e);
	return err;
}

/* --- the other operations */

static enum err show_chain(struct ca *ca, struct error *e)
{
	struct certificate_info info;
	struct chain chain = {0};
	enum err err = ca_chain(ca, ca_deadline(ca), &chain, e);

	if (!err)
		err = certificate_info(&chain.certificate[0], &info, e);
	if (!err)
		err = put_chain(&chain, e);
	if (!err)
		printf("chain %s %zu\n", info.subject, chain.count);
	chain_free(&chain);
	return err;
}

static enum err revoke(struct ca *ca, char **args, struct error *e)
{
	struct ca_revocation revocation = {
		.serial = args[0],
		.issuer = args[0] ? args[1] : NULL,
		.deadline = ca_deadline(ca),
	};
	int reason = revocation.issuer && args[2] ? vocabulary_find(revocation_reason_names,
							    REVOCATION_REASON_COUNT, args[2])
						  : -1;

	if (reason < 0)
		return error_set(e, ERR_USAGE, "revoke SERIAL ISSUER REASON");
	revocation.reason = (enum revocation_reason)reason;
	return ca_revoke(ca, &revocation, e);
}

static enum err act(struct ca *ca, char **args, struct error *e)
{
	enum err err;

	if (strcmp(args[0], "chain") == 0) {
		err = show_chain(ca, e);
	} else {
		err = strcmp(args[0], "revoke") == 0  ? revoke(ca, args + 1, e)
		      : strcmp(args[0], "probe") == 0 ? ca_probe(ca, ca_deadline(ca), e)
						      : error_set(e, ERR_USAGE, "%s?", args[0]);
		if (!err)
			puts("ok");
	}
	if (err)
		show_failure(err, e);
	return err;
}

static enum err run(char **args, struct error *e)
{
	struct config *config = NULL;
	struct ca *ca = NULL;
	int usage = vocabulary_find(usage_names, USAGE_COUNT, args[1]);
	enum err err = config_load(args[0], &config, e);

	if (!err)
		err = ca_open(config,
			config_ca(config, usage < 0 ? USAGE_SIGNING : (enum usage)usage), &ca, e);
	if (err)
		show_failure(err, e);
	else
		err = usage < 0 ? act(ca, args + 1, e)
				: order(ca, config, (enum usage)usage, args + 2, e);
	ca_close(ca);
	config_free(config);
	return err;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"again", no_argument, &again, 1},
		{"each", no_argument, &each, 1},
		{"output", required_argument, NULL, 'o'},
		{NULL, 0, NULL, 0},
	};
	static const struct log_settings errors_alone = {.level = LOG_LEVEL_ERROR};
	struct error e = {.code = ERR_OK};
	int option;

	log_open("ca_order", &errors_alone); /* what is printed is a line */

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			prefix = optarg;
		else if (option != 0)
			return 2;
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: ca_order [--again|--each] [--output=PREFIX] CONFIG "
				"USAGE MAIL [DEVICE USER] | chain | probe | "
				"revoke SERIAL ISSUER REASON\n");
		return 2;
	}
	return error_meaning(run(argv + optind, &e))->exit_status;
}
