/* Replays a target's corpus where there is no libFuzzer. One test a file. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "fuzz.h"

static int is_input(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static bool replay(const char *folder, const char *name)
{
	struct buf path = BUF_INIT(4096);
	struct blob input = {NULL, 0};
	struct error e;
	enum err err;

	buf_printf(&path, "%s/%s", folder, name);
	err = file_read(path.data, &input, &e);
	if (err)
		fprintf(stderr, "%s\n", e.text);
	else
		LLVMFuzzerTestOneInput(input.data, input.len);
	blob_free(&input);
	buf_free(&path);
	return !err;
}

int main(void)
{
	const char *srcdir = getenv("srcdir");
	struct dirent **inputs = NULL;
	struct buf folder = BUF_INIT(4096);
	int count, failed = 0;

	buf_printf(&folder, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		program_invocation_short_name);
	count = scandir(folder.data, &inputs, is_input, alphasort);
	if (count <= 0) {
		printf("Bail out! no inputs in %s\n", folder.data);
		return EXIT_FAILURE;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		bool done = replay(folder.data, inputs[i]->d_name);

		printf("%sok %d - %s\n", done ? "" : "not ", i + 1, inputs[i]->d_name);
		fflush(stdout); /* so that a crash shows which one it was */
		failed += !done;
		free(inputs[i]);
	}
	free(inputs);
	buf_free(&folder);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
