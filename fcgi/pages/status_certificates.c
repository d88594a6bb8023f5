/* The section of certificates: nothing is listed before somebody asks for it. */
#include "fcgi/pages/status_certificates.h"

#include "fcgi/pages/status_rows.h"

#define SHOWN_MAX 100

#define VALUE(name) status_rows_value(columns, count, name)

static void put_certificate(
	struct status_rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	status_rows_put_named(rows, VALUE("mail"), VALUE("subject"));
	html_cell(out, &rows->table, VALUE("usage"));
	status_rows_put_state(rows, *VALUE("revoked_at") ? "revoked" : VALUE("state"));
	status_rows_put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("device_uuid"));
	html_cell(out, &rows->table, VALUE("serial"));
	html_cell_time(out, &rows->table, VALUE("not_before"));
	html_cell_time(out, &rows->table, VALUE("not_after"));
}

static void put_form(const struct status_data *status)
{
	buf_puts(status->out,
		"<form role=\"search\" method=\"get\" action=\"#certificates\">\n"
		"<label for=\"q\">Find by user, device, mail address or serial number</label>\n"
		"<div><input id=\"q\" name=\"q\" type=\"search\" maxlength=\"256\" "
		"autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" "
		"aria-describedby=\"how\" value=\"");
	html_escape(status->out, status->query);
	buf_puts(status->out,
		"\"><button>Find</button></div>\n<p id=\"how\">The whole name, UUID, address or number; "
		"case does not matter.</p></form>\n");
}

static void put_found(const struct status_data *status)
{
	static const char *const columns[] = {"Address", "Usage", "State", "User", "Device",
		"Serial number", "Valid from", "Valid until"};
	struct status_rows rows = {
		.status = status,
		.table = {.caption = "Certificates found, newest first",
			.columns = columns,
			.count = ARRAY_LEN(columns)},
		.max = SHOWN_MAX,
		.put = put_certificate,
	};

	status_rows_put(&rows, STORE_CERTIFICATES, &(struct store_filter){.any = status->query});
	if (!rows.count)
		buf_puts(status->out, "<p class=\"none\" role=\"status\">No certificate was found "
				      "for that user, device, address or number.</p>\n");
	if (rows.count > rows.max)
		buf_puts(status->out, "<p class=\"more\">There are more: <code>certprov list "
				      "certificates</code></p>\n");
}

void status_certificates_put(const struct status_data *status)
{
	buf_puts(status->out, "<section aria-labelledby=\"certificates\">"
			      "<h2 id=\"certificates\">Certificates</h2>\n");
	put_form(status);
	if (*status->query)
		put_found(status);
	buf_puts(status->out, "</section>\n");
}
