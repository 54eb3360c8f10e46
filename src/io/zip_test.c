/* Archives: what an attacker may change in one (SAFETY.md, Z1 to Z13), and what must be read.
 *
 * A small builder makes a valid archive and remembers where its headers are; a test changes bytes
 * there. */
#include "io/zip.h"

#include "base/mem.h"
#include "base/obj.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

typedef struct {
    const char *name;
    const char *data;
    bool deflate, descriptor, zip64;
} member;

typedef struct {
    kt_str b;
    size_t local[4], central[4], end;
} archive;

static void put(kt_str *b, int size, uint64_t v) {
    for (int i = 0; i < size; i++, v >>= 8) kt_str_addn(b, (const char[]){(char)(v & 255)}, 1);
}

static size_t pack(const member *m, unsigned char *to, size_t room) {
    const size_t n = strlen(m->data);
    if (!m->deflate) return memcpy(to, m->data, n), n;
    z_stream z = {0};
    deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)m->data;
    z.avail_in = (uInt)n;
    z.next_out = to;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return room - z.avail_out;
}

/* What local and central header have in common, from "version needed" to the length of the name. */
static void put_fields(kt_str *b, const member *m, size_t packed, bool known) {
    const size_t n = strlen(m->data);
    put(b, 2, 20);
    put(b, 2, m->descriptor ? 8 : 0);
    put(b, 2, m->deflate ? 8 : 0);
    put(b, 4, 0x210000);
    put(b, 4, known ? crc32(0, (const Bytef *)m->data, (uInt)n) : 0);
    put(b, 4, known ? (m->zip64 ? UINT32_MAX : packed) : 0);
    put(b, 4, known ? (m->zip64 ? UINT32_MAX : n) : 0);
    put(b, 2, strlen(m->name));
    put(b, 2, m->zip64 ? 20 : 0);
}

static void put_extra(kt_str *b, const member *m, size_t packed) {
    if (!m->zip64) return;
    put(b, 2, 1);
    put(b, 2, 16);
    put(b, 8, strlen(m->data));
    put(b, 8, packed);
}

static void put_member(archive *a, int i, const member *m, size_t *packed) {
    unsigned char data[4096];
    *packed = pack(m, data, sizeof data);
    a->local[i] = a->b.n;
    put(&a->b, 4, 0x04034B50);
    put_fields(&a->b, m, *packed, !m->descriptor);
    kt_str_add(&a->b, m->name);
    put_extra(&a->b, m, *packed);
    kt_str_addn(&a->b, (char *)data, *packed);
    if (!m->descriptor) return;
    put(&a->b, 4, 0x08074B50);
    put(&a->b, 4, crc32(0, (const Bytef *)m->data, (uInt)strlen(m->data)));
    put(&a->b, 4, *packed);
    put(&a->b, 4, strlen(m->data));
}

static void put_end64(archive *a, int n, size_t start) {
    const size_t at = a->b.n;
    put(&a->b, 4, 0x06064B50);
    put(&a->b, 8, 44);
    put(&a->b, 4, 45 << 16 | 45);
    put(&a->b, 8, 0);
    put(&a->b, 8, n);
    put(&a->b, 8, n);
    put(&a->b, 8, at - start);
    put(&a->b, 8, start);
    put(&a->b, 4, 0x07064B50);
    put(&a->b, 4, 0);
    put(&a->b, 8, at);
    put(&a->b, 4, 1);
}

static archive build(int n, const member *m, bool end64) {
    archive a = {0};
    size_t packed[4];
    for (int i = 0; i < n; i++) put_member(&a, i, &m[i], &packed[i]);
    const size_t start = a.b.n;
    for (int i = 0; i < n; i++) {
        a.central[i] = a.b.n;
        put(&a.b, 4, 0x02014B50);
        put(&a.b, 2, 3 << 8 | 20);
        put_fields(&a.b, &m[i], packed[i], true);
        put(&a.b, 4, 0);
        put(&a.b, 4, 0);
        put(&a.b, 2, 0100644);
        put(&a.b, 4, a.local[i]);
        kt_str_add(&a.b, m[i].name);
        put_extra(&a.b, &m[i], packed[i]);
    }
    const size_t size = a.b.n - start;
    if (end64) put_end64(&a, n, start);
    a.end = a.b.n;
    put(&a.b, 4, 0x06054B50);
    put(&a.b, 4, 0);
    put(&a.b, 2, end64 ? UINT16_MAX : n);
    put(&a.b, 2, end64 ? UINT16_MAX : n);
    put(&a.b, 4, end64 ? UINT32_MAX : size);
    put(&a.b, 4, end64 ? UINT32_MAX : start);
    put(&a.b, 2, 0);
    return a;
}

#define LOREM "lorem ipsum dolor sit amet, lorem ipsum dolor sit amet, lorem ipsum"
static const member two[] = {
    {.name = "config.json", .data = "{}"}, {.name = "a/b.txt", .data = LOREM}};
static const member packed_two[] = {
    {.name = "config.json", .data = "{}", .deflate = true},
    {.name = "a/b.txt", .data = LOREM, .deflate = true}};

/* Opens the bytes and reads every member; what is read must be what was put in. */
static kt_status read_all(const char *bytes, size_t size, const kt_zip_options *o) {
    kt_zip *z;
    kt_status st = kt_zip_open_memory(&z, bytes, size, o);
    assert_true((st == KT_OK) == (z != NULL));
    for (int i = 0; !st && i < kt_zip_count(z); i++) {
        const kt_zip_entry *e = kt_zip_entry_at(z, i);
        if (e->name[strlen(e->name) - 1] == '/') continue;
        char *data = kt_alloc((size_t)e->size + 1);
        assert_non_null(data);
        st = kt_zip_read(z, i, data);
        if (!st && strcmp(data, "{}") != 0) kt_check_str(data, LOREM);
        kt_mem_free(data);
    }
    kt_zip_close(z);
    return st;
}

static kt_status read_archive(archive *a, const kt_zip_options *o) {
    const kt_status st = read_all(a->b.s, a->b.n, o);
    kt_str_free(&a->b);
    return st;
}

KT_TEST(zip, reads_what_is_legal) {
    member m[] = {two[0], two[1]};
    for (int bits = 0; bits < 16; bits++) {
        m[0].deflate = m[1].deflate = bits & 1;
        m[1].descriptor = (bits & 2) && (bits & 1);
        m[1].zip64 = (bits & 4) && !m[1].descriptor;
        archive a = build(2, m, bits & 8);
        kt_check_status(read_archive(&a, NULL), KT_OK);
    }
    archive none = build(0, NULL, false);
    kt_check_status(read_archive(&none, NULL), KT_OK);
    archive commented = build(2, two, false);
    commented.b.s[commented.end + 20] = 5;
    kt_str_add(&commented.b, "hello");
    kt_check_status(read_archive(&commented, NULL), KT_OK);
}

/* Python writes zip64 fields that repeat sizes which stand in the header too. */
KT_TEST(zip, reads_repeated_sizes) {
    archive a = build(1, &(member){.name = "x", .data = "{}", .zip64 = true}, false);
    memcpy(a.b.s + a.local[0] + 18, "\2\0\0\0\2\0\0\0", 8);
    kt_check_status(read_all(a.b.s, a.b.n, NULL), KT_OK);
    a.b.s[a.local[0] + 30 + 1 + 4] ^= 1;
    kt_check_status(read_archive(&a, NULL), KT_EFORMAT);
    kt_check_message_has("a zip64 field contradicts its header");
}

typedef struct {
    char where; /* 'l'ocal header, 'c'entral header, 'e'nd record; 0 ends */
    int member, at, size;
    uint64_t value;
} patch;

static void apply(archive *a, const patch *p) {
    const size_t base = p->where == 'l'   ? a->local[p->member]
                        : p->where == 'c' ? a->central[p->member]
                                          : a->end;
    for (int i = 0; i < p->size; i++)
        a->b.s[base + (size_t)p->at + (size_t)i] = (char)(p->value >> 8 * i);
}

static const struct {
    const char *what;
    patch patches[4];
    kt_status want;
} cases[] = {
    {"another name in the local header", {{'l', 0, 30, 1, 'x'}}, KT_EFORMAT},
    {"another size in the local header", {{'l', 1, 22, 4, 5}}, KT_EFORMAT},
    {"another crc in the local header", {{'l', 1, 14, 4, 5}}, KT_EFORMAT},
    {"another method in the local header", {{'l', 1, 8, 2, 8}}, KT_EFORMAT},
    {"other flags in the local header", {{'l', 1, 6, 2, 2}}, KT_EFORMAT},
    {"an offset behind the end", {{'c', 1, 42, 4, 100000}}, KT_EFORMAT},
    {"an offset into another member", {{'c', 1, 42, 4, 1}}, KT_EFORMAT},
    {"two entries for one member", {{'c', 1, 42, 4, 0}}, KT_EFORMAT},
    {"a zip64 offset without its field", {{'c', 1, 42, 4, UINT32_MAX}}, KT_EFORMAT},
    {"an encrypted member", {{'l', 1, 6, 2, 1}, {'c', 1, 8, 2, 1}}, KT_EUNSUPPORTED},
    {"a strongly encrypted member", {{'l', 1, 6, 2, 65}, {'c', 1, 8, 2, 65}}, KT_EUNSUPPORTED},
    {"another disk", {{'c', 1, 34, 2, 1}}, KT_EUNSUPPORTED},
    {"several disks", {{'e', 0, 4, 2, 1}}, KT_EUNSUPPORTED},
    {"bzip2", {{'l', 1, 8, 2, 12}, {'c', 1, 10, 2, 12}}, KT_EUNSUPPORTED},
    {"a descriptor and stored", {{'l', 1, 6, 2, 8}, {'c', 1, 8, 2, 8}}, KT_EUNSUPPORTED},
    {"a symbolic link", {{'c', 1, 40, 2, 0120777}}, KT_EREFUSED},
    {"a device", {{'c', 1, 40, 2, 0060644}}, KT_EREFUSED},
    {"a folder where a file is", {{'c', 1, 40, 2, 0040755}}, KT_EREFUSED},
    {"a DOS folder", {{'c', 1, 38, 1, 0x10}}, KT_EREFUSED},
    {"stored with two sizes", {{'l', 1, 22, 4, 5}, {'c', 1, 24, 4, 5}}, KT_EFORMAT},
    {"a wrong crc", {{'l', 1, 14, 4, 5}, {'c', 1, 16, 4, 5}}, KT_EFORMAT},
    {"fewer members than entries", {{'e', 0, 8, 4, 1 << 16 | 1}}, KT_EFORMAT},
    {"more members than entries", {{'e', 0, 8, 4, 3 << 16 | 3}}, KT_EFORMAT},
    {"far more members than entries", {{'e', 0, 8, 4, 9999 << 16 | 9999}}, KT_EFORMAT},
    {"a directory elsewhere", {{'e', 0, 16, 4, 3}}, KT_EREFUSED},
    {"a directory behind the end", {{'e', 0, 16, 4, 1 << 20}}, KT_EFORMAT},
    {"a directory of zip64 size", {{'e', 0, 12, 4, UINT32_MAX}}, KT_EFORMAT},
    {"a name length beyond the directory", {{'c', 1, 28, 2, 60000}}, KT_EFORMAT},
    {"an empty name", {{'c', 1, 28, 2, 0}}, KT_EREFUSED},
    {"no entry signature", {{'c', 0, 0, 1, 0}}, KT_EFORMAT},
    {"no local signature", {{'l', 0, 0, 1, 0}}, KT_EFORMAT},
    {"NUL in a name", {{'l', 1, 31, 1, 0}, {'c', 1, 47, 1, 0}}, KT_EREFUSED},
};

KT_TEST(zip, refuses_contradictions) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        archive a = build(2, two, false);
        for (int p = 0; cases[i].patches[p].where; p++) apply(&a, &cases[i].patches[p]);
        const kt_status st = read_archive(&a, NULL);
        if (st != cases[i].want)
            fail_msg("%s: %s, %s", cases[i].what, kt_status_name(st), kt_error_message());
    }
}

KT_TEST(zip, refuses_wrong_sizes_of_deflated_members) {
    static const struct {
        uint32_t size;
        kt_status want;
    } lies[] = {
        {5, KT_EFORMAT},
        {66, KT_EFORMAT},
        {68, KT_EFORMAT},
        {5000, KT_EFORMAT},
        {1 << 30, KT_EFORMAT},
        {0, KT_EFORMAT}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        archive a = build(2, packed_two, false);
        apply(&a, &(patch){'l', 1, 22, 4, lies[i].size});
        apply(&a, &(patch){'c', 1, 24, 4, lies[i].size});
        kt_check_status(read_archive(&a, NULL), lies[i].want);
    }
}

KT_TEST(zip, has_limits) {
    archive a = build(2, packed_two, false), b = build(2, packed_two, false);
    kt_check_status(read_archive(&a, &(kt_zip_options){.inflated_max = 50}), KT_ELIMIT);
    kt_check_message_has("declares 67 bytes, over the limit of 50");
    kt_check_status(read_archive(&b, &(kt_zip_options){.members_max = 1}), KT_ELIMIT);
}

KT_TEST(zip, refuses_bytes_of_no_member) {
    archive a = build(2, two, false), b = {0}, c = build(2, two, false);
    kt_str_add(&b.b, "#!/bin/sh\n");
    kt_str_addn(&b.b, a.b.s, a.b.n);
    kt_str_free(&a.b);
    kt_check_status(read_archive(&b, NULL), KT_EREFUSED); /* in front */
    kt_str_add(&c.b, "x");
    kt_check_status(read_archive(&c, NULL), KT_EFORMAT); /* behind */
    /* between: drop the second member from the directory, which a hidden payload would do */
    archive d = build(2, two, false), e = {0};
    kt_str_addn(&e.b, d.b.s, d.central[1]);
    e.end = e.b.n;
    kt_str_addn(&e.b, d.b.s + d.end, 22);
    apply(&e, &(patch){'e', 0, 8, 4, 1 << 16 | 1});
    apply(&e, &(patch){'e', 0, 12, 4, d.central[1] - d.central[0]});
    kt_str_free(&d.b);
    kt_check_status(read_archive(&e, NULL), KT_EREFUSED);
    kt_check_message_has("belong to no member");
}

KT_TEST(zip, refuses_hidden_end_records) {
    archive a = build(2, two, false);
    const size_t n = a.b.n;
    apply(&a, &(patch){'e', 0, 20, 2, 22});
    char copy[22];
    memcpy(copy, a.b.s + a.end, 22);
    copy[20] = 0;
    kt_str_addn(&a.b, copy, 22);
    kt_check_status(read_all(a.b.s, a.b.n, NULL), KT_EFORMAT);
    kt_check_message_has("more than one end record");
    a.b.s[n + 21] = 1; /* a signature in the comment that cannot be meant */
    kt_check_status(read_archive(&a, NULL), KT_EFORMAT);
}

KT_TEST(zip, refuses_contradicting_zip64_records) {
    for (size_t at = 0; at < 76; at++) {
        archive a = build(2, two, true);
        a.b.s[a.end - 76 + at] ^= 4;
        const kt_status st = read_all(a.b.s, a.b.n, NULL);
        const bool version = at >= 12 && at < 16; /* nothing depends on these */
        if (!version) assert_int_not_equal(st, KT_OK);
        kt_str_free(&a.b);
    }
}

KT_TEST(zip, refuses_names_that_could_be_paths) {
    static const struct {
        const char *name;
        kt_status want;
    } names[] = {
        {"../x", KT_EREFUSED},
        {"a/../x", KT_EREFUSED},
        {"/etc/passwd", KT_EREFUSED},
        {"a//b", KT_EREFUSED},
        {"C:x", KT_EREFUSED},
        {"a\\b", KT_EREFUSED},
        {"a/./b", KT_EREFUSED},
        {"..", KT_EREFUSED},
        {".", KT_EREFUSED},
        {"a.", KT_EREFUSED},
        {"a /b", KT_EREFUSED},
        {"a\nb", KT_EREFUSED},
        {"a\x1b[2Jb", KT_EREFUSED},
        {"a\x7f", KT_EREFUSED},
        {"\xff", KT_EREFUSED},
        {"\xc0\xaf", KT_EREFUSED},
        {"\xed\xa0\x80", KT_EREFUSED},
        {"\xe2\x82", KT_EREFUSED},
        {"\xf4\x90\x80\x80", KT_EREFUSED},
        {"b/..", KT_EREFUSED},
        {"..a", KT_OK},
        {"a..b", KT_OK},
        {".hidden", KT_OK},
        {"\xc3\xa9", KT_OK},
        {"\xf0\x9f\x98\x80", KT_OK},
        {"a b", KT_OK},
        {"ab:c", KT_OK},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        archive a = build(1, &(member){.name = names[i].name, .data = "{}"}, false);
        const kt_status st = read_archive(&a, NULL);
        if (st != names[i].want) fail_msg("%s: %s", names[i].name, kt_status_name(st));
        for (const char *p = kt_error_message(); *p; p++) assert_true(*p == '\n' || *p >= 32);
    }
    char name[1100];
    memset(name, 'n', sizeof name);
    name[1024] = 0;
    archive a = build(1, &(member){.name = name, .data = "{}"}, false);
    kt_check_status(read_archive(&a, NULL), KT_OK);
    name[1024] = 'n';
    name[1025] = 0;
    a = build(1, &(member){.name = name, .data = "{}"}, false);
    kt_check_status(read_archive(&a, NULL), KT_EREFUSED);
    archive folder = build(1, &(member){.name = "assets/", .data = ""}, false);
    kt_check_status(read_archive(&folder, NULL), KT_OK);
    folder = build(1, &(member){.name = "assets/", .data = "{}"}, false);
    kt_check_status(read_archive(&folder, NULL), KT_EREFUSED);
}

KT_TEST(zip, refuses_equal_names) {
    const member same[] = {two[0], two[1], two[0]};
    const member folded[] = {two[0], {.name = "Config.JSON", .data = "{}"}};
    const kt_zip_options exact = {.case_matters = true};
    archive a = build(3, same, false), b = build(3, same, false);
    archive c = build(2, folded, false), d = build(2, folded, false);
    kt_check_status(read_archive(&a, NULL), KT_EFORMAT);
    kt_check_message_has("more than one member is named \"config.json\"");
    kt_check_status(read_archive(&b, &exact), KT_EFORMAT);
    kt_check_status(read_archive(&c, NULL), KT_EFORMAT);
    kt_check_status(read_archive(&d, &exact), KT_OK);
}

KT_TEST(zip, refuses_every_truncation) {
    for (int deflated = 0; deflated < 2; deflated++) {
        archive a = build(2, deflated ? packed_two : two, false);
        for (size_t n = 0; n < a.b.n; n++) {
            char *cut = kt_alloc(n); /* exactly so long: the sanitizer watches the end */
            memcpy(cut, a.b.s, n);
            assert_int_not_equal(read_all(cut, n, NULL), KT_OK);
            kt_mem_free(cut);
        }
        kt_str_free(&a.b);
    }
}

/* Any change of one byte is refused or does not matter; read_all compares the contents. */
KT_TEST(zip, survives_every_changed_byte) {
    for (int kind = 0; kind < 3; kind++) {
        archive a = build(2, kind == 1 ? packed_two : two, kind == 2);
        for (size_t i = 0; i < a.b.n; i++) {
            const char old = a.b.s[i];
            for (int bit = 0; bit < 8; bit++) {
                a.b.s[i] = (char)(old ^ 1 << bit);
                read_all(a.b.s, a.b.n, NULL);
            }
            a.b.s[i] = old;
        }
        kt_str_free(&a.b);
    }
}

KT_TEST(zip, reads_members_one_at_a_time) {
    archive a = build(2, two, false);
    kt_zip *z;
    kt_source s, t;
    char data[4] = {0};
    kt_check_status(kt_zip_open_memory(&z, a.b.s, a.b.n, NULL), KT_OK);
    assert_int_equal(kt_zip_find(z, "a/b.txt"), 1);
    assert_int_equal(kt_zip_find(z, "a"), -1);
    assert_null(kt_zip_entry_at(z, 2));
    kt_check_status(kt_zip_member_open(z, 2, &s), KT_ENOTFOUND);
    kt_check_status(kt_zip_member_open(z, 1, &s), KT_OK);
    kt_check_status(kt_zip_member_open(z, 0, &t), KT_ESTATE);
    kt_check_status(kt_source_read(&s, data, 3), KT_OK);
    kt_check_str(data, "lor");
    kt_check_status(kt_zip_member_close(z), KT_EFORMAT);
    kt_check_message_has("64 bytes of a member were not expected");
    kt_check_status(kt_zip_member_close(z), KT_OK);
    kt_zip_close(z);
    kt_zip_close(NULL);
    kt_str_free(&a.b);
}

/* Writing -----------------------------------------------------------------------------------------
 */

static kt_status write_two(const char *path) {
    kt_zip_writer w;
    kt_status st = kt_zip_begin(&w, path);
    if (st) return st;
    st = kt_zip_add(&w, "config.json", (kt_zip_part[]){{"{}", 2}}, 1);
    const kt_zip_part parts[] = {{LOREM, 10}, {&LOREM[10], strlen(LOREM) - 10}, {"", 0}};
    if (!st) st = kt_zip_add(&w, "a/b.txt", parts, 3);
    if (!st) return kt_zip_commit(&w);
    kt_zip_abort(&w);
    return st;
}

KT_TEST(zip, writes_what_it_reads) {
    char path[] = "/tmp/kt_zip_XXXXXX";
    close(mkstemp(path));
    unsigned char *first, *second;
    size_t n_first, n_second;
    kt_check_status(write_two(path), KT_OK);
    kt_check_status(kt_fs_load(&first, &n_first, path, 1 << 20), KT_OK);
    kt_check_status(read_all((char *)first, n_first, NULL), KT_OK);
    kt_check_status(write_two(path), KT_OK);
    kt_check_status(kt_fs_load(&second, &n_second, path, 1 << 20), KT_OK);
    assert_int_equal(n_first, n_second);
    assert_memory_equal(first, second, n_first);
    kt_mem_free(first);
    kt_mem_free(second);
    kt_zip_writer w;
    kt_check_status(kt_zip_begin(&w, path), KT_OK);
    kt_check_status(kt_zip_add(&w, "../x", NULL, 0), KT_EREFUSED);
    kt_zip_abort(&w);
    unlink(path);
}

KT_TEST(zip, out_of_memory_is_an_error) {
    char path[] = "/tmp/kt_zip_XXXXXX";
    close(mkstemp(path));
    archive a = build(2, packed_two, true);
    bool done = false;
    for (int n = 1; n < 100 && !done; n++) {
        kt_zip *z;
        char data[128];
        kt_mem_fail_after(n);
        kt_status st = write_two(path);
        if (!st) st = kt_zip_open_memory(&z, a.b.s, a.b.n, NULL);
        if (!st) {
            st = kt_zip_read(z, 1, data);
            kt_zip_close(z);
        }
        kt_mem_fail_after(0);
        done = st == KT_OK;
        if (!done) kt_check_status(st, KT_ENOMEM);
    }
    assert_true(done);
    kt_str_free(&a.b);
    unlink(path);
}
