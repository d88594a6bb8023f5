/* The doctor: the two ways to go through its subjects; their rows are in subject.h. */

#include "check/check.h"

#include "check/subject.h"
#include "store/store.h"

static const struct check_subject *const subjects[] = {
#define ADDRESS(name) &subject_##name,
	SUBJECTS(ADDRESS)
#undef ADDRESS
};

enum err check_all(
	const struct config *config, const char *web_server, check_report *report, void *ctx)
{
	struct check c = {
		.config = config,
		.database = store_describe(config),
		.web_server = web_server,
		.report = report,
		.ctx = ctx,
	};

	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		subjects[i]->check(&c);
	store_close(c.store);
	return c.worst;
}

enum err check_before_start(const struct config *config, check_report *report, void *ctx)
{
	struct check c = {.config = config, .report = report, .ctx = ctx};

	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		if (subjects[i]->check_start)
			subjects[i]->check_start(&c);
	return c.worst;
}
