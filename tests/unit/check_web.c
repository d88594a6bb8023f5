/* What the doctor reads in the files of web servers: settings, and where requests are passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/web_apache.h"
#include "check/web_nginx.h"
#include "check/web_settings.h"

static char dir[] = "/tmp/certprov-web.XXXXXX";

static void put(const char *name, const char *content)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/certprov-web.XXXXXX");
	assert_non_null(mkdtemp(dir));
	make_folder("sites-enabled");
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = {
		"nginx.conf", "envvars", "sites-enabled/site", "sites-enabled", "."};
	char path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(strcmp(names[i], ".") == 0 ? dir : path);
	}
	return 0;
}

struct places {
	size_t count;
	struct web_place last;
};

static void take(void *ctx, const struct web_place *place)
{
	struct places *places = ctx;

	places->count++;
	places->last = *place;
}

static void settings_of_our_blocks_alone(void **state)
{
	struct web_settings settings;

	(void)state;
	put("nginx.conf", "user www-data;\n");
	put("sites-enabled/site", "server {\n"
				  "	listen unix:/run/other.sock;\n"
				  "	location /shop {\n"
				  "		client_max_body_size 1k;\n"
				  "		fastcgi_read_timeout 5s;\n"
				  "	}\n"
				  "	location /hooks {\n"
				  "		client_max_body_size 1m; # enough\n"
				  "		fastcgi_read_timeout 2m;\n"
				  "		fastcgi_pass unix:/run/certprov/certprov.sock;\n"
				  "	}\n"
				  "}\n");
	web_settings_read(dir, &settings);
	assert_true(settings.found);
	assert_true(settings.used);
	assert_int_equal(settings.values.timeout, 120);
	assert_int_equal(settings.values.body_max, 1024 * 1024);
	assert_string_equal(settings.values.socket, "/run/certprov/certprov.sock");
	assert_string_equal(settings.user, "www-data");
}

static void nothing_about_us(void **state)
{
	struct web_settings settings;
	struct places places = {0};

	(void)state;
	put("sites-enabled/site", "server { listen 80; location / { fastcgi_pass php; } }\n");
	web_settings_read(dir, &settings);
	assert_false(settings.found);
	assert_false(settings.used);
	assert_int_equal(settings.values.timeout, -1);
	web_nginx_places(dir, take, &places);
	assert_int_equal(places.count, 0);
}

/* Inner blocks inherit; a fastcgi_param of their own takes the place of the outer ones. */
static void nginx_inherits(void **state)
{
	struct places places = {0};

	(void)state;
	put("sites-enabled/site", "server {\n"
				  "	listen 8443 ssl;\n"
				  "	auth_basic UEM;\n"
				  "	fastcgi_param REMOTE_USER $remote_user;\n"
				  "	location /events { fastcgi_pass certprov; }\n"
				  "}\n");
	web_nginx_places(dir, take, &places);
	assert_int_equal(places.count, 1);
	assert_true(places.last.tls);
	assert_true(places.last.verifies);
	assert_true(places.last.user);
	assert_true(places.last.events);
	assert_int_equal(places.last.port, 8443);
	assert_int_equal(places.last.line, 5);
	put("sites-enabled/site", "server {\n"
				  "	listen unix:/run/front.sock;\n"
				  "	fastcgi_param REMOTE_USER $remote_user;\n"
				  "	location /metrics {\n"
				  "		auth_basic off;\n"
				  "		fastcgi_param A b;\n"
				  "		fastcgi_pass certprov;\n"
				  "	}\n"
				  "}\n");
	web_nginx_places(dir, take, &places);
	assert_int_equal(places.count, 2);
	assert_true(places.last.local);
	assert_false(places.last.verifies);
	assert_false(places.last.user);
	assert_false(places.last.events);
}

static void apache_has_virtual_hosts(void **state)
{
	struct places places = {0};

	(void)state;
	put("sites-enabled/site", "<VirtualHost *:443>\n"
				  "	sslengine on\n"
				  "	SSLCertificateFile /etc/ssl/site.pem\n"
				  "	Use CertprovProxy /certprov certprov\n"
				  "</VirtualHost>\n"
				  "<VirtualHost *:80>\n"
				  "	DocumentRoot /srv\n"
				  "</VirtualHost>\n");
	web_apache_places(dir, take, &places);
	assert_int_equal(places.count, 1);
	assert_true(places.last.tls);
	assert_false(places.last.verifies);
	assert_int_equal(places.last.port, 443);
	assert_string_equal(places.last.certificate, "/etc/ssl/site.pem");
}

/* Files come from anyone: what is not closed, or nested too deep, ends all the same. */
static void broken_files_end(void **state)
{
	static char deep[4096];
	struct web_settings settings;
	struct places places = {0};

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(deep); i += 2)
		memcpy(deep + i, "a{", 2);
	put("sites-enabled/site", deep);
	web_nginx_places(dir, take, &places);
	web_apache_places(dir, take, &places);
	web_settings_read(dir, &settings);
	put("sites-enabled/site", "server { location \"certprov\\");
	web_nginx_places(dir, take, &places);
	put("nginx.conf", "include nginx.conf; http { include nginx.conf; }\n");
	web_nginx_places(dir, take, &places);
	assert_int_equal(places.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(settings_of_our_blocks_alone, begin, end),
		cmocka_unit_test_setup_teardown(nothing_about_us, begin, end),
		cmocka_unit_test_setup_teardown(nginx_inherits, begin, end),
		cmocka_unit_test_setup_teardown(apache_has_virtual_hosts, begin, end),
		cmocka_unit_test_setup_teardown(broken_files_end, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
