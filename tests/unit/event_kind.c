#include "uem/event_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static enum event_kind kind_of(int64_t id, const char *type, bool *unmatched)
{
	enum event_kind kind = EVENT_KIND_COUNT;
	struct error e = {.code = ERR_OK};

	if (event_kind_find(id, type, &kind, unmatched, &e))
		fail_msg("%s: %s", type, e.text);
	return kind;
}

/* Names of each kind; for those that are ignored also whether that deserves a warning. */
static void check(const char *const names[], enum event_kind kind, bool warns)
{
	static const int64_t ids[] = {0, 9001};

	for (; *names; names++) {
		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			bool unmatched = !warns;
			enum event_kind found = kind_of(ids[i], *names, &unmatched);

			if (found != kind || unmatched != warns)
				fail_msg("%s: %s%s", *names, event_kinds[found].name,
					unmatched ? ", unmatched" : "");
		}
	}
}

static void ends_are_known_by_their_parts(void **state)
{
	static const char *const names[] = {"Delete", "DeleteDeviceRequested", "Device Delete",
		"Device Deleted", "DEVICE_DELETED", "device deletion", "deletedevice",
		"DeviceWipeRequested", "Device Wipe Requested", "Device wipe", "Wipe", "Wiped",
		"Device Wipe Pending", "Device Wipe Confirmed", "Apple Device Wipe",
		"UnenrolledEnterpriseWipe", "Device Enterprise Wipe Requested",
		"Device Enterprise Wipe by Compliance Policy", "Enterprise Wipe Requested by User",
		"Unenrolled", "Un-enrolled", "Unenrollment Complete", "Device Unenrolled",
		"User Unenrolled Device", "Device unenrolment", "BreakMDMRequested",
		"Break MDM Confirmed", "Break-MDM requested", "breakmdm", "MDM Break Confirmed",
		"Device Deleted By Admin", "Device Deleted from Organization Group",
		"Device\xc2\xa0Wipe\xef\xbf\xbd", NULL};

	(void)state;
	check(names, EVENT_UNENROLLED, false);
}

static void changes_of_address_are_known_by_their_parts(void **state)
{
	static const char *const names[] = {"User Email Address", "User Email Address Changed",
		"UserEmailAddressChange", "useremail address CHANGED", "User E-mail Address",
		"Device User Email Address Changed", "DeviceAttributeUserEmailAddressModified",
		"User Email Address Deleted", "Email Address of User Changed", NULL};

	(void)state;
	check(names, EVENT_ADDRESS_CHANGED, false);
}

static void enrollments_are_known_by_their_whole_name(void **state)
{
	static const char *const names[] = {"MDM Enrollment Complete", "mdmenrollmentCOMPLETE",
		"EnrollmentComplete", "  Enrollment  Complete ", "Enrollment-Complete", NULL};

	(void)state;
	check(names, EVENT_ENROLLED, false);
}

static void what_looks_like_one_is_counted(void **state)
{
	static const char *const names[] = {"Device Wipe Cancelled", "DeviceWipeCanceled",
		"Device Wipe Failed", "Device Enterprise Wipe Denied", "Wipe Rejected",
		"Device Wipe Aborted", "Device Delete Failed", "Undelete Device",
		"Device Not Wiped", "Wipe Protection Enabled", "Unenrollment Blocked",
		"Break MDM Failed", "Profile Deleted", "DeviceProfileDeleteRequested",
		"Certificate Deleted", "Application Delete Requested", "Delete User",
		"App Wipe Requested", "Smart Group Deleted", "Tag Deleted", "Admin Account Deleted",
		"User Email Address Change Failed", "User Email Changed", "Email Address Changed",
		"Enrollment", "Enrollment Completed", "Not Enrollment Complete", "Device Enrolled",
		"Enrollment Complete\xe4\xb8\xad", NULL};

	(void)state;
	check(names, EVENT_OTHER, true);
}

static void others_are_ignored(void **state)
{
	static const char *const names[] = {"Compromised Status Changed", "Device MCC",
		"Compliance Status Changed", "Device Operating System Changed", "Security Break",
		"MDM Check-in", "Friendly Name Changed", "Email Profile Installed", "x", "\xff",
		"---", NULL};

	(void)state;
	check(names, EVENT_OTHER, false);
}

static void a_known_id_decides(void **state)
{
	static const struct {
		int64_t id;
		const char *type;
		enum event_kind kind;
		bool unmatched;
	} rows[] = {
		{148, "", EVENT_ENROLLED, false},
		{148, "Einschreibung", EVENT_ENROLLED, false},
		{170, "MDM Enrollment Complete", EVENT_ENROLLED, false},
		{25, "Device Wipe Completed", EVENT_UNENROLLED, false},
		{39, "", EVENT_UNENROLLED, false},
		{641, "Asset Number Deleted", EVENT_OTHER, true},
		{9001, "", EVENT_OTHER, false},
	};
	static const struct {
		int64_t id;
		const char *type;
	} wrong[] = {{148, "Device Wipe Requested"}, {148, "Break MDM Confirmed"},
		{25, "Enrollment Complete"}, {178, "Enrollment Complete"},
		{39, "User Email Address Changed"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool unmatched = !rows[i].unmatched;

		assert_int_equal(kind_of(rows[i].id, rows[i].type, &unmatched), rows[i].kind);
		assert_int_equal(unmatched, rows[i].unmatched);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		enum event_kind kind = EVENT_KIND_COUNT;
		bool unmatched = false;
		struct error e = {.code = ERR_OK};

		assert_int_equal(event_kind_find(wrong[i].id, wrong[i].type, &kind, &unmatched, &e),
			ERR_MALFORMED);
		assert_string_equal(e.field, "EventType");
		assert_int_equal(kind, EVENT_KIND_COUNT);
	}
}

static void the_longest_names_fit(void **state)
{
	char type[EVENT_TYPE_MAX + 1];
	bool unmatched = true;

	(void)state;
	for (size_t i = 0; i < EVENT_TYPE_MAX; i++)
		type[i] = i % 2 ? 'a' : 'A';
	type[EVENT_TYPE_MAX] = '\0';
	assert_int_equal(kind_of(0, type, &unmatched), EVENT_OTHER);
	memset(type, 'A', EVENT_TYPE_MAX);
	memcpy(type + EVENT_TYPE_MAX - 4, "Wipe", 4);
	assert_int_equal(kind_of(0, type, &unmatched), EVENT_UNENROLLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_known_by_their_parts),
		cmocka_unit_test(changes_of_address_are_known_by_their_parts),
		cmocka_unit_test(enrollments_are_known_by_their_whole_name),
		cmocka_unit_test(what_looks_like_one_is_counted),
		cmocka_unit_test(others_are_ignored),
		cmocka_unit_test(a_known_id_decides),
		cmocka_unit_test(the_longest_names_fit),
	};

	return cmocka_run_group_tests_name("event_kind", tests, NULL, NULL);
}
