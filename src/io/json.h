/* JSON as Python writes and reads it, over jansson.
 *
 * Reading is strict: UTF-8 without a byte order mark, no duplicate keys, no NUL in strings,
 * integers within 64 bits, one document; depth, size and number of values are limited before
 * anything is built. NaN, Infinity and -Infinity are numbers, as in Python. Objects keep their
 * order. Writing is ours: Python's separators, ASCII, and the shortest digits of a double that read
 * back the same. */
#ifndef KT_IO_JSON_H
#define KT_IO_JSON_H

#include "base/str.h"

/** A value. References are counted: kt_json_free gives one up, containers own what is in them. */
typedef struct json_t kt_json;

typedef enum kt_json_type {
    KT_JSON_NULL,
    KT_JSON_BOOL,
    KT_JSON_INT,
    KT_JSON_REAL, ///< NaN and infinities too
    KT_JSON_STR,
    KT_JSON_LIST,
    KT_JSON_DICT
} kt_json_type;

/** Limits; 0 means the default. */
typedef struct kt_json_limits {
    size_t bytes_max;   ///< default 64 MiB
    int depth_max;      ///< default 128
    int64_t values_max; ///< commas, colons and brackets, default 1 million
} kt_json_limits;

/** *out is NULL when it fails: KT_EFORMAT with line and column, KT_ELIMIT, KT_ENOMEM. */
kt_status kt_json_parse(kt_json **out, const char *text, size_t size, const kt_json_limits *limits);
void kt_json_free(kt_json *v);
kt_json *kt_json_ref(kt_json *v);

/** NULL reads as KT_JSON_NULL. */
kt_json_type kt_json_kind(const kt_json *v);
static inline bool kt_json_is(const kt_json *v, kt_json_type t) { return kt_json_kind(v) == t; }
/** "a list", "null", … for messages. */
const char *kt_json_kind_name(const kt_json *v);
/** Borrowed parts; NULL where there is none, also for values of other types. */
kt_json *kt_json_get(const kt_json *dict, const char *key);
kt_json *kt_json_at(const kt_json *list, int i);
const char *kt_json_text(const kt_json *str);
/** The text of a member, NULL if it is none. */
const char *kt_json_get_text(const kt_json *dict, const char *key);
/** Members of a dict, elements of a list; 0 for others. */
int kt_json_len(const kt_json *v);
/** 0, false for others. */
int64_t kt_json_int(const kt_json *v);
bool kt_json_bool(const kt_json *v);
/** Any number as a double; NaN for others. */
double kt_json_number(const kt_json *v);
bool kt_json_is_number(const kt_json *v);

/** for (void *it = kt_json_iter(d); it; it = kt_json_next(d, it)) */
void *kt_json_iter(const kt_json *dict);
void *kt_json_next(const kt_json *dict, void *it);
const char *kt_json_iter_key(void *it);
kt_json *kt_json_iter_value(void *it);

/** New values; NULL when out of memory, which kt_json_put and kt_json_add take and report. */
kt_json *kt_json_new_dict(void);
kt_json *kt_json_new_list(void);
kt_json *kt_json_new_null(void);
kt_json *kt_json_new_bool(bool v);
kt_json *kt_json_new_int(int64_t v);
kt_json *kt_json_new_real(double v);
kt_json *kt_json_new_str(const char *v);
/** Both take over `value` in every case. */
kt_status kt_json_put(kt_json *dict, const char *key, kt_json *value);
kt_status kt_json_add(kt_json *list, kt_json *value);

/** Appends the text; indent KT_NONE or a number of blanks, as json.dumps. */
void kt_json_write(kt_str *out, const kt_json *v, int64_t indent);

#endif
