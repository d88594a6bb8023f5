/* From the certificates that a CA sent, in whatever order, to a chain. */

#include "pki/chain_build.h"
#include "chain_recipes.h"

static struct certificates from;

static void take(const struct blob *der)
{
	assert_ok(certificates_add_der(&from, der->data, der->len, e));
}

static int set_up_pool(void **state)
{
	set_up(state);
	make_chain(&fixture);
	return 0;
}

static int tear_down_pool(void **state)
{
	certificates_free(&from);
	return tear_down(state);
}

/* Leaf, intermediate, root, as the fixture has them. */
static void assert_in_order(size_t count)
{
	struct chain built = {0};

	assert_ok(chain_build(&from, &fixture.public_key, &built, e));
	assert_int_equal(built.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(blob_equal(&built.certificate[i], &fixture.chain.certificate[i]));
	chain_free(&built);
}

static void test_any_order(void **state)
{
	static const size_t orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		certificates_free(&from);
		for (size_t j = 0; j < 3; j++)
			take(&f->chain.certificate[orders[i][j]]);
		assert_in_order(3);
	}
}

static void test_as_far_as_it_goes(void **state)
{
	struct fixture *f = *state;

	take(&f->chain.certificate[0]);
	take(&f->chain.certificate[2]); /* not its issuer */
	assert_in_order(1);
	take(&f->chain.certificate[1]);
	take(&f->chain.certificate[1]); /* twice does no harm */
	assert_in_order(3);
}

/* A root issued itself; a second copy of it is not its issuer. */
static void test_root_twice(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++)
		take(&f->chain.certificate[i]);
	take(&f->chain.certificate[2]);
	assert_in_order(3);
}

/* From CA certificates in any order: that of the issuing CA and those above it. */
static void test_longest(void **state)
{
	struct fixture *f = *state;
	struct recipe other = f->root;
	struct authority lonely;
	struct chain more = {0}, built = {0};

	other.dn = "CN=Lonely";
	other.key = f->rsa_key;
	lonely = make(&other, NULL);
	append(&more, lonely.crt);
	take(&more.certificate[0]);
	take(&f->chain.certificate[2]);
	take(&f->chain.certificate[1]);
	take(&f->chain.certificate[2]);
	assert_ok(chain_longest(&from, &built, e));
	assert_int_equal(built.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(blob_equal(&built.certificate[i], &f->chain.certificate[i + 1]));
	chain_free(&built);
	certificates_free(&from);
	take(&f->chain.certificate[2]);
	take(&more.certificate[0]);
	assert_ok(chain_longest(&from, &built, e));
	assert_int_equal(built.count, 1);
	assert_true(blob_equal(&built.certificate[0], &f->chain.certificate[2])); /* the first */
	chain_free(&built);
	chain_free(&more);
	gnutls_x509_crt_deinit(lonely.crt);
}

static void test_no_certificate_for_us(void **state)
{
	struct fixture *f = *state;
	struct chain built = {.count = 7};

	take(&f->chain.certificate[1]);
	take(&f->chain.certificate[2]);
	assert_err(chain_build(&from, &f->public_key, &built, e), ERR_REFUSED,
		"no certificate for our key");
	assert_int_equal(built.count, 7);
}

/* The same name, another key: it did not sign. */
static void test_namesake(void **state)
{
	struct fixture *f = *state;
	struct recipe namesake = f->ca;
	struct authority root = make(&f->root, NULL), other;
	struct chain more = {0};

	namesake.key = f->rsa_key;
	other = make(&namesake, &root);
	append(&more, other.crt);
	take(&more.certificate[0]);
	for (size_t i = 0; i < 3; i++)
		take(&f->chain.certificate[i]);
	assert_in_order(3);
	chain_free(&more);
	gnutls_x509_crt_deinit(other.crt);
	gnutls_x509_crt_deinit(root.crt);
}

/* Two CAs that certified each other: the chain still ends. */
static void test_crossed(void **state)
{
	struct fixture *f = *state;
	struct authority root = make(&f->root, NULL), ca = make(&f->ca, &root), crossed;
	struct chain more = {0}, built = {0};

	crossed = make(&f->root, &ca);
	append(&more, crossed.crt);
	take(&more.certificate[0]);
	take(&f->chain.certificate[0]);
	take(&f->chain.certificate[1]);
	assert_ok(chain_build(&from, &f->public_key, &built, e));
	assert_int_equal(built.count, 3);
	chain_free(&built);
	chain_free(&more);
	gnutls_x509_crt_deinit(crossed.crt);
	gnutls_x509_crt_deinit(ca.crt);
	gnutls_x509_crt_deinit(root.crt);
}

/* Renewed for the same key: the later one counts. */
static void test_latest(void **state)
{
	struct fixture *f = *state;
	struct blob earlier = f->chain.certificate[0];

	f->chain.certificate[0] = (struct blob){NULL, 0};
	f->leaf.from += 100;
	make_chain(f);
	take(&f->chain.certificate[0]);
	take(&earlier);
	take(&f->chain.certificate[1]);
	take(&f->chain.certificate[2]);
	blob_free(&earlier);
	assert_in_order(3);
}

int main(void)
{
#define BUILT(test) cmocka_unit_test_setup_teardown(test, set_up_pool, tear_down_pool)
	const struct CMUnitTest tests[] = {
		BUILT(test_any_order),
		BUILT(test_as_far_as_it_goes),
		BUILT(test_root_twice),
		BUILT(test_longest),
		BUILT(test_no_certificate_for_us),
		BUILT(test_namesake),
		BUILT(test_crossed),
		BUILT(test_latest),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
