/* Files: what cannot be opened says why, and a save that fails at any call leaves the old file. */
#include "base/fs.h"

#include "base/mem.h"
#include "testing/kt_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT 1000

static char folder[64], file[96];

static void make_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/kt_fs_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/data.bin", folder);
}

static int entries(void) {
    int n = 0;
    DIR *d = opendir(folder);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2; /* . and .. */
}

static void remove_folder(void) {
    unlink(file);
    rmdir(folder);
}

static void check_content(const char *want) {
    unsigned char *data;
    size_t size;
    kt_check_status(kt_fs_load(&data, &size, file, LIMIT), KT_OK);
    kt_check_str((const char *)data, want);
    assert_int_equal(size, strlen(want));
    kt_mem_free(data);
}

KT_TEST(fs, saves_and_loads) {
    make_folder();
    kt_check_status(kt_fs_save(file, "one", 3), KT_OK);
    check_content("one");
    kt_check_status(kt_fs_save(file, "", 0), KT_OK);
    check_content("");
    assert_int_equal(entries(), 1);
    remove_folder();
}

KT_TEST(fs, keeps_mode_and_link_of_the_old_file) {
    struct stat st;
    char link[96];
    make_folder();
    snprintf(link, sizeof link, "%s/link", folder);
    kt_check_status(kt_fs_save(file, "one", 3), KT_OK);
    assert_int_equal(chmod(file, 0600), 0);
    assert_int_equal(symlink("data.bin", link), 0);
    kt_check_status(kt_fs_save(link, "two", 3), KT_OK);
    check_content("two");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unlink(link);
    remove_folder();
}

KT_TEST(fs, says_why_a_file_cannot_be_read) {
    unsigned char *data;
    size_t size;
    make_folder();
    kt_check_status(kt_fs_load(&data, &size, file, LIMIT), KT_ENOTFOUND);
    kt_check_message_has("data.bin\": no such file or directory");
    kt_check_status(kt_fs_load(&data, &size, folder, LIMIT), KT_EREFUSED);
    kt_check_message_has("it is a directory, not a regular file");
    kt_check_status(kt_fs_load(&data, &size, "/dev/zero", LIMIT), KT_EREFUSED);
    kt_check_status(kt_fs_load(&data, &size, "", LIMIT), KT_EINVAL);
    kt_check_status(kt_fs_load(&data, &size, NULL, LIMIT), KT_EINVAL);
    assert_null(data);
    kt_check_status(kt_fs_save(file, "12345", 5), KT_OK);
    kt_check_status(kt_fs_load(&data, &size, file, 4), KT_ELIMIT);
    kt_check_message_has("has 5 bytes, over the limit of 4");
    remove_folder();
}

KT_TEST(fs, says_why_a_file_cannot_be_written) {
    make_folder();
    kt_check_status(kt_fs_save(folder, "x", 1), KT_EREFUSED);
    kt_check_status(kt_fs_save("/nonexistent/folder/x", "x", 1), KT_ENOTFOUND);
    kt_check_status(kt_fs_save("", "x", 1), KT_EINVAL);
    kt_check_status(kt_fs_save("/dev/full", "x", 1), KT_EIO);
    kt_check_message_has("no space left");
    kt_check_status(kt_fs_save("/dev/null", "x", 1), KT_OK);
    remove_folder();
}

KT_TEST(fs, reads_only_what_exists) {
    kt_fs_file f;
    char buf[8];
    make_folder();
    kt_check_status(kt_fs_save(file, "12345", 5), KT_OK);
    kt_check_status(kt_fs_open(&f, file), KT_OK);
    assert_int_equal(f.size, 5);
    kt_check_status(kt_fs_read_at(&f, 3, buf, 2), KT_OK);
    assert_memory_equal(buf, "45", 2);
    kt_check_status(kt_fs_read_at(&f, 3, buf, 3), KT_EFORMAT);
    kt_check_status(kt_fs_read_at(&f, UINT64_MAX, buf, 3), KT_EFORMAT);
    kt_check_status(kt_fs_read_at(&f, 2, buf, SIZE_MAX), KT_EFORMAT);
    kt_fs_close(&f);
    kt_fs_close(&f);
    remove_folder();
}

/* Each system call of a save fails in turn; the n-th run in which none is left to fail succeeds. */
KT_TEST(fs, a_save_that_fails_leaves_the_old_file) {
    make_folder();
    kt_check_status(kt_fs_save(file, "old", 3), KT_OK);
    int n = 1;
    for (; n < 20; n++) {
        kt_fs_fail_after(n);
        const kt_status st = kt_fs_save(file, "new", 3);
        kt_fs_fail_after(0);
        assert_int_equal(entries(), 1);
        if (st == KT_OK) break;
        kt_check_message_has("input/output error");
        /* behind the rename only the folder is left to be synchronised */
        check_content(strstr(kt_error_message(), "folder") || n > 4 ? "new" : "old");
    }
    assert_in_range(n, 5, 8);
    check_content("new");
    remove_folder();
}

KT_TEST(fs, a_load_that_fails_leaves_nothing) {
    unsigned char *data;
    size_t size;
    make_folder();
    kt_check_status(kt_fs_save(file, "old", 3), KT_OK);
    int n = 1;
    for (; n < 10; n++) {
        kt_fs_fail_after(n);
        const kt_status st = kt_fs_load(&data, &size, file, LIMIT);
        kt_fs_fail_after(0);
        if (st == KT_OK) break;
        kt_check_status(st, KT_EIO);
        assert_null(data);
    }
    assert_in_range(n, 3, 6);
    kt_mem_free(data);
    remove_folder();
}

KT_TEST(fs, an_abandoned_file_is_removed) {
    kt_fs_writer w;
    make_folder();
    kt_check_status(kt_fs_begin(&w, file), KT_OK);
    kt_check_status(kt_fs_put(&w, "abc", 3), KT_OK);
    assert_int_equal(entries(), 1);
    kt_fs_abort(&w);
    kt_fs_abort(&w);
    assert_int_equal(entries(), 0);
    remove_folder();
}

/* What a killed process left goes with the next save of the same file, and nothing else does. */
KT_TEST(fs, what_a_killed_save_left_is_removed) {
    static const char *const others[] = {
        "/.data.bin.0123456789abcdeg.tmp",
        "/.data.bin.0123456789abcdef",
        "/.data.bin.0123456789abcdef.tmp2",
        "/.other.bin.0123456789abcdef.tmp",
        "/data.bin.0123456789abcdef.tmp"};
    char path[5][128], link[128];
    kt_fs_writer w, second;
    make_folder();
    for (int i = 0; i < 3; i++) {
        const pid_t child = fork();
        if (child == 0) _exit(kt_fs_begin(&w, file) || kt_fs_put(&w, "half", 4));
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(entries(), 1); /* its own; that of the one before is gone */
    }
    for (int i = 0; i < 5; i++) {
        snprintf(path[i], sizeof path[i], "%s%s", folder, others[i]);
        kt_check_status(kt_fs_save(path[i], "x", 1), KT_OK);
    }
    snprintf(link, sizeof link, "%s/.data.bin.fedcba9876543210.tmp", folder);
    assert_int_equal(symlink(path[0], link), 0);
    assert_int_equal(entries(), 7);
    kt_check_status(kt_fs_begin(&w, file), KT_OK);
    assert_int_equal(entries(), 7); /* the stale one went, its own came */
    kt_check_status(kt_fs_begin(&second, file), KT_OK);
    assert_int_equal(entries(), 8); /* two saves at once leave each other alone */
    kt_check_status(kt_fs_put(&w, "one", 3), KT_OK);
    kt_check_status(kt_fs_put(&second, "two", 3), KT_OK);
    kt_check_status(kt_fs_commit(&w), KT_OK);
    kt_check_status(kt_fs_commit(&second), KT_OK);
    check_content("two");
    for (int i = 0; i < 5; i++) assert_int_equal(unlink(path[i]), 0);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(entries(), 1);
    remove_folder();
}

KT_TEST(fs, finds_the_keras_folder) {
    kt_str path = {0};
    const char *keras = getenv("KERAS_HOME"), *home = getenv("HOME");
    char *old_keras = keras ? kt_strdup(keras) : NULL, *old_home = home ? kt_strdup(home) : NULL;
    setenv("KERAS_HOME", "/k", 1);
    kt_check_status(kt_fs_keras_path(&path, "datasets/x"), KT_OK);
    kt_check_str(path.s, "/k/datasets/x");
    kt_str_free(&path);
    unsetenv("KERAS_HOME");
    setenv("HOME", "/h", 1);
    kt_check_status(kt_fs_keras_path(&path, "datasets/x"), KT_OK);
    kt_check_str(path.s, "/h/.keras/datasets/x");
    kt_str_free(&path);
    unsetenv("HOME");
    kt_check_status(kt_fs_keras_path(&path, "datasets/x"), KT_ENOTFOUND);
    if (old_keras) setenv("KERAS_HOME", old_keras, 1);
    if (old_home) setenv("HOME", old_home, 1);
    kt_mem_free(old_keras);
    kt_mem_free(old_home);
}
