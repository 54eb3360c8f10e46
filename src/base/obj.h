/* Every object of the library: reference count, floating references, failed objects.
 *
 * `owners` counts adopters, `users` counts kt_retain(). A floating object has neither and sits in
 * the list that kt_clear_session() empties. kt_free() by somebody who holds nothing does nothing,
 * so freeing an object that a model adopted is harmless. */
#ifndef KT_BASE_OBJ_H
#define KT_BASE_OBJ_H

#include <keratin/error.h>

#include <stdatomic.h>

#define KT_MAGIC 0xFE /* no UTF-8 text starts with this byte: tells an object from a name */

typedef enum kt_kind {
    KT_KIND_FAILED = 0,
    KT_KIND_LIST,
    KT_KIND_TENSOR,
    KT_KIND_SYM,
    KT_KIND_LAYER, /* models too */
    KT_KIND_VAR,
    KT_KIND_ACTIVATION,
    KT_KIND_INITIALIZER,
    KT_KIND_REGULARIZER,
    KT_KIND_CONSTRAINT,
    KT_KIND_LOSS,
    KT_KIND_METRIC,
    KT_KIND_OPTIMIZER,
    KT_KIND_SCHEDULE,
    KT_KIND_QUANTIZER,
    KT_KIND_CALLBACK,
    KT_KIND_HISTORY,
    KT_KIND_GENERATOR,
    KT_KIND_SEQUENCES,
    KT_KIND_OTHER,
    KT_KIND_COUNT
} kt_kind;

typedef struct kt_obj kt_obj;
struct kt_obj {
    unsigned char magic, kind;
    signed char status;     /* why this object is unusable; KT_OK otherwise */
    bool floating, adopted; ///< adopted: was ever owned
    atomic_int owners, users, shares;
    void (*destroy)(void *self); /* frees everything but the block itself */
    kt_obj *prev, *next;         /* the floating list */
};

/** A new floating object of `size` bytes, zeroed; its first member is a kt_obj. NULL when out of
 * memory. */
void *kt_obj_new(size_t size, kt_kind kind, void (*destroy)(void *self));
/** Takes ownership (un-floats, or counts one owner more); returns its argument. NULL and names
 * pass. */
void *kt_adopt(const void *object);
/** Keeps an object alive without owning it: a slice needs the memory of its base, but must not take
 * the base from its user, who may still free it, adopt it or leave it to kt_clear_session().
 * Returns its argument. Pair with kt_obj_unshare(). */
void *kt_obj_share(const void *object);
void kt_obj_unshare(const void *object);
/** Gives an adopted reference back; NULL and names pass. */
void kt_release(const void *object);
/** The opposite of kt_adopt for a constructor that failed: an object that nobody holds any more
 * floats again instead of dying, so what the user still points to stays good until
 * kt_clear_session(). */
void kt_unadopt(const void *object);
/** Frees a floating object (a temporary such as a list); leaves owned ones alone. The items of a
 * list that nobody adopted float again; of the list a shell stays for a while, which kt_check()
 * finds used up. */
void kt_drop(const void *object);
/** Is this reference an object (not a name, not NULL)? Of that kind? */
bool kt_is_obj(kt_ref ref);
bool kt_is(kt_ref ref, kt_kind kind);
/** "a layer", "an optimizer", … for messages; a name is `"adam"`. */
const char *kt_ref_describe(kt_ref ref, char *buf, size_t size);
const char *kt_kind_name(kt_kind kind);
/** Marks an object as unusable. */
void kt_obj_fail(void *object, kt_status status);
/** Number of living objects, for leak tests. */
int64_t kt_obj_count(void);
/** Called by kt_clear_session() after the floating objects are gone (name counters). */
void kt_on_clear_session(void (*hook)(void));

/** The items go with the list, as nobody else knows them (weights read out, outputs). */
kt_list_t *kt_list_own(kt_list_t *list);
/** Was this list made by kt_dict()? Its even items are then names. */
bool kt_list_is_dict(const kt_list_t *list);

#endif
