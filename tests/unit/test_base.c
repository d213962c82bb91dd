/* test_base.c: the base floor: arenas, texts, numbers, maps, errors. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/base.h"

#include <cmocka.h>

/* ---- arenas ------------------------------------------------------------ */

static void arena_aligns_and_clears(void **state)
{
    lpi_arena *arena = lpi_arena_new(1 << 20);
    size_t size;

    (void)state;
    assert_non_null(arena);
    for (size = 0; size < 100; size++) {
        unsigned char *bytes = lpi_arena_alloc(arena, size);
        size_t i;

        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % 16, 0);
        for (i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xff, size);
    }
    lpi_arena_free(arena);
}

static void arena_keeps_its_cap(void **state)
{
    enum { CAP = 300000, PIECE = 1000 };
    lpi_arena *arena = lpi_arena_new(CAP);
    int64_t taken = 0;

    (void)state;
    assert_int_equal(lpi_arena_cap(arena), CAP);
    while (lpi_arena_alloc(arena, PIECE)) {
        taken += PIECE;
        assert_true(lpi_arena_used(arena) <= CAP);
        assert_true(taken <= CAP);
    }
    assert_true(taken > CAP / 2);
    assert_null(lpi_arena_alloc(arena, CAP));
    assert_null(lpi_arena_alloc(arena, SIZE_MAX));
    assert_null(lpi_arena_alloc(arena, (size_t)INT64_MAX));
    lpi_arena_free(arena);
}

static void arena_checks_products(void **state)
{
    lpi_arena *arena = lpi_arena_new(1 << 20);

    (void)state;
    assert_null(lpi_arena_array(arena, -1, 8));
    assert_null(lpi_arena_array(arena, INT64_MAX, 8));
    assert_null(lpi_arena_array(arena, INT64_MAX / 4, 8));
    assert_non_null(lpi_arena_array(arena, 0, 8));
    assert_non_null(lpi_arena_array(arena, 10, 8));
    lpi_arena_free(arena);
}

static void arena_copies_texts(void **state)
{
    lpi_arena *arena = lpi_arena_new(1 << 20);

    (void)state;
    assert_string_equal(lpi_arena_strdup(arena, "abc"), "abc");
    assert_string_equal(lpi_arena_strndup(arena, "abc", 2), "ab");
    assert_string_equal(lpi_arena_strndup(arena, "", 0), "");
    assert_string_equal(lpi_arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    lpi_arena_free(arena);
}

static void arrays_grow(void **state)
{
    lpi_arena *arena = lpi_arena_new(1 << 24);
    int64_t count, room = 0, *items = NULL;

    (void)state;
    for (count = 0; count < 10000; count++) {
        assert_true(LPI_GROW(arena, items, count, room));
        items[count] = count * 3;
    }
    for (count = 0; count < 10000; count++)
        assert_int_equal(items[count], count * 3);
    assert_true(lpi_arena_used(arena) < 1 << 20);
    lpi_arena_free(arena);
}

/* ---- texts ------------------------------------------------------------- */

static void texts_grow(void **state)
{
    lpi_text text = {0};
    char *taken = NULL;
    size_t length = 0;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++)
        lpi_text_printf(&text, "%d,", i);
    lpi_text_put(&text, "end");
    lpi_text_append(&text, "12345", 2);
    assert_int_equal(lpi_text_take(&text, &taken, &length, NULL), LP_OK);
    assert_int_equal(length, strlen(taken));
    assert_string_equal(taken + length - 9, "999,end12");
    assert_null(text.bytes);
    lp_text_free(taken);
}

static void texts_may_be_empty(void **state)
{
    lpi_text text = {0};
    char *taken = NULL;
    size_t length = 1;

    (void)state;
    assert_int_equal(lpi_text_take(&text, &taken, &length, NULL), LP_OK);
    assert_int_equal(length, 0);
    assert_string_equal(taken, "");
    lp_text_free(taken);
}

static void texts_remember_failure(void **state)
{
    lpi_text text = {0};
    char *taken = (char *)"untouched";
    lp_error error;

    (void)state;
    lpi_alloc_fail_at(1);
    lpi_text_put(&text, "lost");
    lpi_alloc_fail_at(0);
    lpi_text_put(&text, "more");
    assert_int_equal(lpi_text_take(&text, &taken, NULL, &error), LP_ENOMEM);
    assert_int_equal(error.status, LP_ENOMEM);
    assert_string_equal(taken, "untouched");
}

static void escapes(void **state)
{
    static const struct {
        const char *plain, *escaped;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"tab\there", "tab\\there"},
        {"line\nline", "line\\nline"},
        {"back\\slash", "back\\\\slash"},
        {"\x01\x1b[31m\x7f", "\\x01\\x1b[31m\\x7f"},
        {"\xc3\xa9", "\xc3\xa9"}, /* e acute */
        {"\xf0\x9f\x99\x82", "\xf0\x9f\x99\x82"},
        {"\xc3(", "\\xc3("},                 /* cut short */
        {"\xc0\xaf", "\\xc0\\xaf"},          /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
    };
    int32_t i;

    (void)state;
    for (i = 0; i < LPI_COUNT(cases); i++) {
        lpi_text text = {0};

        lpi_text_put(&text, "");
        lpi_text_escape(&text, cases[i].plain);
        assert_string_equal(text.bytes, cases[i].escaped);
        lpi_text_drop(&text);
    }
}

static void utf8_lengths(void **state)
{
    (void)state;
    assert_int_equal(lpi_utf8_length("", 0), 0);
    assert_int_equal(lpi_utf8_length("a", 1), 1);
    assert_int_equal(lpi_utf8_length("\xc3\xa9", 2), 2);
    assert_int_equal(lpi_utf8_length("\xc3\xa9", 1), 0);
    assert_int_equal(lpi_utf8_length("\xe2\x82\xac", 3), 3);
    assert_int_equal(lpi_utf8_length("\xe2\x82\xac", 2), 0);
    assert_int_equal(lpi_utf8_length("\xf4\x8f\xbf\xbf", 4), 4);
    assert_int_equal(lpi_utf8_length("\xf4\x90\x80\x80", 4), 0);
    assert_int_equal(lpi_utf8_length("\x80", 1), 0);
}

/* ---- numbers ------------------------------------------------------------ */

static void sums_saturate(void **state)
{
    (void)state;
    assert_int_equal(lpi_add(2, 3), 5);
    assert_int_equal(lpi_add(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(lpi_mul(6, 7), 42);
    assert_int_equal(lpi_mul(INT64_MAX / 2, 3), INT64_MAX);
    assert_int_equal(lpi_mul(0, INT64_MAX), 0);
    assert_int_equal(lpi_ceil_div(7, 2), 4);
    assert_int_equal(lpi_ceil_div(8, 2), 4);
    assert_int_equal(lpi_ceil_div(INT64_MAX, 2), INT64_MAX / 2 + 1);
}

static void products_saturate(void **state)
{
    const int64_t small[] = {2, 3, 4};
    const int64_t large[] = {INT64_C(1) << 40, INT64_C(1) << 40};
    const int64_t zero[] = {INT64_C(1) << 40, INT64_C(1) << 40, 0};

    (void)state;
    assert_int_equal(lpi_product(NULL, 0), 1);
    assert_int_equal(lpi_product(small, 3), 24);
    assert_int_equal(lpi_product(large, 2), INT64_MAX);
    assert_int_equal(lpi_product(zero, 3), 0);
}

/* A text, whether it parses, and to what. */
typedef struct parse_case {
    const char *text;
    bool good;
    int64_t value;
} parse_case;

static void check_parse(bool (*parse)(const char *, int64_t *),
                        const parse_case *cases, int32_t count)
{
    int32_t i;

    for (i = 0; i < count; i++) {
        int64_t value = -77;
        bool good = parse(cases[i].text, &value);

        if (good != cases[i].good || (good && value != cases[i].value))
            fail_msg("'%s' gives %d, %lld", cases[i].text, good,
                     (long long)value);
    }
}

static void integers_parse(void **state)
{
    static const parse_case cases[] = {
        {"0", true, 0},
        {"-12", true, -12},
        {"+5", true, 5},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1x", false, 0},
        {"-", false, 0},
        {"0x10", false, 0},
        {"1.0", false, 0},
    };

    (void)state;
    check_parse(lpi_parse_int, cases, LPI_COUNT(cases));
}

static void counts_parse(void **state)
{
    static const parse_case cases[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"7B", true, 7},
        {"2k", true, 2000},
        {"2KiB", true, 2048},
        {"2GiB", true, INT64_C(2) << 30},
        {"1.5M", true, 1500000},
        {"0.5Ki", true, 512},
        {"9223372036854775807", false, 0},
        {"99999999999Gi", false, 0},
        {"9999999T", false, 0},
        {"9000000T", true, INT64_C(9000000000000000000)},
        {"9999999.5T", false, 0},
        {"-1", false, 0},
        {"", false, 0},
        {"k", false, 0},
        {"1..5", false, 0},
        {"1Q", false, 0},
        {"1 k", false, 0},
        {"1kk", false, 0},
        {"inf", false, 0},
        {"0x10", false, 0},
    };

    (void)state;
    check_parse(lp_parse_count, cases, LPI_COUNT(cases));
}

/* ---- maps --------------------------------------------------------------- */

static void maps_hold_many(void **state)
{
    enum { MANY = 20000 };
    lpi_arena *arena = lpi_arena_new(1 << 26);
    lpi_map *map = lpi_map_new(arena);
    int64_t i;

    (void)state;
    assert_int_equal(lpi_map_get(map, "absent"), -1);
    for (i = 0; i < MANY; i++)
        assert_true(
            lpi_map_set(map, lpi_arena_printf(arena, "key%d", (int)i), i));
    assert_true(lpi_map_set(map, "key7", 70));
    for (i = 0; i < MANY; i++) {
        char key[32];

        snprintf(key, sizeof(key), "key%d", (int)i);
        assert_int_equal(lpi_map_get(map, key), i == 7 ? 70 : i);
    }
    assert_int_equal(lpi_map_get(map, "key20000"), -1);
    assert_int_equal(lpi_map_get(map, ""), -1);
    lpi_arena_free(arena);
}

/* ---- errors ------------------------------------------------------------- */

static void errors_say_where(void **state)
{
    lp_error error;

    (void)state;
    assert_int_equal(lpi_fail(&error, LP_EINPUT, "file", "bad %d", 7),
                     LP_EINPUT);
    assert_string_equal(error.where, "file");
    assert_string_equal(error.message, "bad 7");
    assert_int_equal(lpi_fail_within(&error, LP_EINPUT, "outer"), LP_EINPUT);
    assert_string_equal(error.where, "outer: file");
    assert_int_equal(lpi_fail(NULL, LP_EIO, NULL, "unheard"), LP_EIO);
    assert_int_equal(lpi_fail_memory(&error), LP_ENOMEM);
    assert_string_equal(error.where, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_aligns_and_clears),
        cmocka_unit_test(arena_keeps_its_cap),
        cmocka_unit_test(arena_checks_products),
        cmocka_unit_test(arena_copies_texts),
        cmocka_unit_test(arrays_grow),
        cmocka_unit_test(texts_grow),
        cmocka_unit_test(texts_may_be_empty),
        cmocka_unit_test(texts_remember_failure),
        cmocka_unit_test(escapes),
        cmocka_unit_test(utf8_lengths),
        cmocka_unit_test(sums_saturate),
        cmocka_unit_test(products_saturate),
        cmocka_unit_test(integers_parse),
        cmocka_unit_test(counts_parse),
        cmocka_unit_test(maps_hold_many),
        cmocka_unit_test(errors_say_where),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
