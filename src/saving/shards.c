/* See shards.h. */
#include "saving/shards.h"

#include "base/error.h"
#include "base/fs.h"
#include "base/mem.h"
#include "io/json.h"
#include "runtime/var.h"

#include <stdio.h>
#include <string.h>

#define SHARDS_MAX 10000
#define MAP_MAX ((uint64_t)64 << 20)

bool kt_is_shards(const char *path) {
    static const char end[] = ".weights.json";
    const size_t n = strlen(path), k = sizeof end - 1;
    return n >= k && !strcmp(path + n - k, end);
}

/* "folder/name" beside `path`. */
static kt_status beside(kt_str *out, const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    *out = (kt_str){0};
    if (slash) kt_str_addn(out, path, (size_t)(slash - path) + 1);
    kt_str_add(out, name);
    return out->status;
}

/* Writing -------------------------------------------------------------------------------------- */

typedef struct {
    const kt_weight_tree *t;
    const char *path;
    double bytes_max, bytes, total;
    int n;          ///< files finished
    char name[256]; ///< of the file being written
    kt_hdf5_writer *w;
    kt_json *map; ///< weight_map
} saving;

static kt_status begin_shard(saving *s) {
    const char *slash = strrchr(s->path, '/'), *base = slash ? slash + 1 : s->path;
    const int n = (int)(strlen(base) - strlen(".weights.json"));
    if (n > 200) return KT_FAIL(KT_EINVAL, "the name of the map is too long");
    if (s->n >= SHARDS_MAX)
        return KT_FAIL(KT_ELIMIT, "max_shard_size gives more than %d files", SHARDS_MAX);
    snprintf(s->name, sizeof s->name, "%.*s_%05d.weights.h5", n, base, s->n);
    s->bytes = 0;
    s->w = kt_hdf5_writer_new();
    return s->w ? KT_OK : KT_ENOMEM;
}

static kt_status end_shard(saving *s) {
    kt_str path;
    kt_status st = beside(&path, s->path, s->name);
    if (st == KT_OK) st = kt_hdf5_save(s->w, path.s);
    kt_str_free(&path);
    kt_hdf5_writer_free(s->w);
    s->w = NULL;
    s->n++;
    return st;
}

/* One name, or a list of them where a group goes on in the next file. */
static kt_status note(saving *s, const kt_weight_group *g) {
    kt_str key = {0};
    kt_str_addf(&key, "/%s%svars", g->path, *g->path ? "/" : "");
    kt_status st = key.status;
    kt_json *have = st ? NULL : kt_json_get(s->map, key.s), *list = NULL;
    if (st == KT_OK && !have) st = kt_json_put(s->map, key.s, kt_json_new_str(s->name));
    if (have && kt_json_is(have, KT_JSON_STR)) {
        list = kt_json_new_list();
        st = kt_json_add(list, kt_json_ref(have));
        if (st == KT_OK) st = kt_json_add(list, kt_json_new_str(s->name));
        if (st == KT_OK)
            st = kt_json_put(s->map, key.s, list);
        else
            kt_json_free(list);
    } else if (have) {
        st = kt_json_add(have, kt_json_new_str(s->name));
    }
    kt_str_free(&key);
    return st;
}

static kt_status save_group(saving *s, const kt_weight_group *g) {
    kt_status st = KT_OK;
    int from = 0;
    for (int k = 0; k < g->n && st == KT_OK; k++) {
        const kt_var *v = s->t->vars.v[g->first + k];
        const double bytes = (double)kt_spec_bytes(&v->spec);
        if (bytes > s->bytes_max)
            return KT_FAIL(
                KT_EINVAL,
                "max_shard_size: weight %d of \"%.60s\" has %.0f bytes, a file %.0f at most",
                k,
                g->name,
                bytes,
                s->bytes_max);
        if (s->bytes + bytes > s->bytes_max) {
            if (k > from) {
                st = kt_weights_h5_put_group(s->w, s->t, g, from, k);
                if (st == KT_OK) st = note(s, g);
            }
            if (st == KT_OK) st = end_shard(s);
            if (st == KT_OK) st = begin_shard(s);
            from = k;
        }
        s->bytes += bytes;
        s->total += bytes;
    }
    if (st == KT_OK) st = kt_weights_h5_put_group(s->w, s->t, g, from, g->n);
    return st == KT_OK && g->n ? note(s, g) : st;
}

static kt_status save_map(saving *s) {
    kt_json *o = kt_json_new_dict(), *metadata = kt_json_new_dict();
    kt_str text = {0};
    kt_status st = kt_json_put(metadata, "total_size", kt_json_new_real(s->total));
    if (st == KT_OK)
        st = kt_json_put(o, "metadata", metadata);
    else
        kt_json_free(metadata);
    if (st == KT_OK) st = kt_json_put(o, "weight_map", kt_json_ref(s->map));
    if (st == KT_OK) kt_json_write(&text, o, 4);
    if (st == KT_OK) st = text.status;
    if (st == KT_OK) st = kt_fs_save(s->path, text.s, text.n);
    kt_str_free(&text);
    kt_json_free(o);
    return st;
}

kt_status kt_shards_save(const kt_weight_tree *t, const char *path, double gigabytes) {
    saving s = {.t = t, .path = path, .bytes_max = gigabytes * 1073741824, .map = NULL};
    if (!(gigabytes > 0)) return KT_FAIL(KT_EINVAL, "max_shard_size: expected a positive number");
    s.map = kt_json_new_dict();
    kt_status st = s.map ? begin_shard(&s) : KT_ENOMEM;
    for (int i = 0; i < t->groups.n && st == KT_OK; i++) st = save_group(&s, &t->groups.v[i]);
    if (st == KT_OK) st = end_shard(&s);
    if (st == KT_OK) st = save_map(&s);
    if (s.w) kt_hdf5_writer_free(s.w);
    kt_json_free(s.map);
    return st;
}

/* Reading -------------------------------------------------------------------------------------- */

typedef struct {
    kt_weight_files *f;
    const char *path;
    KT_VEC(const char *) names; ///< borrowed from the map
} opening;

/* Is the group where the map says? */
static kt_status check_shard(const opening *o, const char *key, int at) {
    char quoted[KT_QUOTE_SIZE];
    const char *path = key + strspn(key, "/");
    if (!*path || kt_hdf5_find(kt_hdf5_root(o->f->h[at]), path)) return KT_OK;
    kt_quote(key, strlen(key), quoted, sizeof quoted);
    return KT_FAIL(KT_EFORMAT, "weight_map: \"%s\" is not in the file it names", quoted);
}

static kt_status open_shard(opening *o, const char *key, const kt_json *v) {
    char quoted[KT_QUOTE_SIZE];
    const char *name = kt_json_text(v), *end;
    if (!name) return KT_FAIL(KT_EFORMAT, "weight_map: expected names of files");
    for (int i = 0; i < o->names.n; i++)
        if (!strcmp(o->names.v[i], name)) return check_shard(o, key, i);
    const size_t n = strlen(name);
    end = n > 11 ? name + n - 11 : "";
    kt_quote(name, n, quoted, sizeof quoted);
    if (*name == '.' || strpbrk(name, "/\\") || strcmp(end, ".weights.h5") != 0)
        return KT_FAIL(KT_EREFUSED, "weight_map names \"%s\", not a file of weights", quoted);
    if (o->names.n >= SHARDS_MAX)
        return KT_FAIL(KT_ELIMIT, "weight_map: more than %d files", SHARDS_MAX);
    kt_hdf5 **more = kt_alloc_array(o->names.n + 1, sizeof(kt_hdf5 *));
    if (!more || kt_vec_push(&o->names, name)) {
        kt_mem_free(more);
        return KT_ENOMEM;
    }
    for (int i = 0; i < o->f->n; i++) more[i] = o->f->h[i];
    kt_mem_free(o->f->h);
    o->f->h = more;
    kt_str path;
    kt_status st = beside(&path, o->path, name);
    if (st == KT_OK) st = kt_hdf5_open(&more[o->f->n], path.s, NULL);
    if (st == KT_OK) o->f->n++;
    if (st == KT_ENOTFOUND) {
        kt_error_clear();
        st = KT_FAIL(KT_EFORMAT, "weight_map names \"%s\", which is not there", quoted);
    } else if (st && st == kt_error_last()) {
        kt_error_context("in \"%s\"", quoted);
    }
    kt_str_free(&path);
    return st ? st : check_shard(o, key, o->f->n - 1);
}

/* The files that a group's variables lie in: one name, or a list without doubles. */
static kt_status open_group(opening *o, const char *key, const kt_json *v) {
    kt_status st = KT_OK;
    if (!kt_json_is(v, KT_JSON_LIST)) return open_shard(o, key, v);
    for (int i = 0; i < kt_json_len(v) && st == KT_OK; i++) {
        const char *name = kt_json_text(kt_json_at(v, i));
        const char *before = i ? kt_json_text(kt_json_at(v, i - 1)) : NULL;
        if (name && before && !strcmp(name, before))
            return KT_FAIL(KT_EFORMAT, "weight_map: a file is listed twice for one group");
        st = open_shard(o, key, kt_json_at(v, i));
    }
    return st;
}

kt_status kt_shards_open(kt_weight_files *f, const char *path) {
    unsigned char *text = NULL;
    size_t size = 0;
    kt_json *map = NULL;
    opening o = {.f = f, .path = path};
    *f = (kt_weight_files){0, NULL};
    kt_status st = kt_fs_load(&text, &size, path, MAP_MAX);
    if (st == KT_OK) st = kt_json_parse(&map, (const char *)text, size, NULL);
    const kt_json *files = kt_json_get(map, "weight_map");
    if (st == KT_OK && !kt_json_is(files, KT_JSON_DICT))
        st = KT_FAIL(KT_EFORMAT, "there is no weight_map in it");
    for (void *it = kt_json_iter(files); it && st == KT_OK; it = kt_json_next(files, it))
        st = open_group(&o, kt_json_iter_key(it), kt_json_iter_value(it));
    kt_vec_free(&o.names);
    kt_json_free(map);
    kt_mem_free(text);
    return st;
}

void kt_shards_close(kt_weight_files *f) {
    for (int i = 0; i < f->n; i++) kt_hdf5_close(f->h[i]);
    kt_mem_free(f->h);
    *f = (kt_weight_files){0, NULL};
}
