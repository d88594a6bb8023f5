/* The password of the PKCS#12 files that we hand out. */

#include "provider/pkcs12_password.h"

#include "base/file.h"
#include "pki/pkcs12.h"

enum err pkcs12_password_read(const char *file, struct blob *out, struct error *e)
{
	struct blob password = {NULL, 0};
	enum err err = file_read_password(file, &password, e);

	if (err)
		return err;
	if (pkcs12_check_password((const char *)password.data, e)) {
		blob_free(&password);
		return error_context(e, "%s", file);
	}
	*out = password;
	return ERR_OK;
}
