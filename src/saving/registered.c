/* Classes and objects that the program made known to files. Keras:
 * keras.saving.register_keras_serializable and custom_objects. */
#include "base/error.h"
#include "base/mem.h"
#include "base/vec.h"
#include "saving/configs.h"

#include <keratin/saving.h>

#include <pthread.h>
#include <string.h>

typedef struct {
    char *name;
    const kt_layer_class *cls; ///< or
    const void *object;        ///< adopted
} registration;

static pthread_mutex_t registered_lock = PTHREAD_MUTEX_INITIALIZER;
static KT_VEC(registration) registered; /* under the lock */

static int find(const char *name) {
    for (int i = 0; i < registered.n; i++)
        if (!strcmp(registered.v[i].name, name)) return i;
    return -1;
}

const kt_layer_class *kt_registered_layer(const char *name) {
    pthread_mutex_lock(&registered_lock);
    const int i = find(name);
    const kt_layer_class *cls = i < 0 ? NULL : registered.v[i].cls;
    pthread_mutex_unlock(&registered_lock);
    return cls;
}

const void *kt_registered_object(const char *name) {
    pthread_mutex_lock(&registered_lock);
    const int i = find(name);
    const void *object = i < 0 ? NULL : registered.v[i].object;
    pthread_mutex_unlock(&registered_lock);
    return object;
}

const char *kt_registered_name_of(const void *object) {
    const char *name = NULL;
    pthread_mutex_lock(&registered_lock);
    for (int i = 0; i < registered.n; i++)
        if (registered.v[i].object == object) name = registered.v[i].name;
    pthread_mutex_unlock(&registered_lock);
    return name;
}

/* Registering the same thing again is no error. */
static kt_status add(const char *name, const kt_layer_class *cls, const void *object) {
    kt_status st = KT_OK;
    registration r = {kt_strdup(name), cls, object};
    if (!r.name) return KT_ENOMEM;
    pthread_mutex_lock(&registered_lock);
    const int i = find(name);
    if (i < 0)
        st = kt_vec_push(&registered, r);
    else if (registered.v[i].cls != cls || registered.v[i].object != object)
        st = KT_FAIL(KT_EINVAL, "\"%.80s\" is registered already", name);
    pthread_mutex_unlock(&registered_lock);
    if (st || i >= 0) kt_mem_free(r.name);
    if (st == KT_OK && i < 0) kt_adopt(object);
    return st;
}

kt_status kt_register_layer(const kt_layer_class *cls) {
    kt_str name = {0};
    if (!cls || !cls->name || !cls->package || !*cls->package)
        return KT_FAIL(KT_EINVAL, "kt_register_layer: the class needs a name and a package");
    kt_str_addf(&name, "%s>%s", cls->package, cls->name);
    const kt_status st = name.status ? name.status : add(name.s, cls, NULL);
    kt_str_free(&name);
    return st;
}

static bool is_builtin(const char *name) {
    for (int kind = 0; kind < KT_KIND_COUNT; kind++) {
        const kt_class *const *all = kt_kind_registry((kt_kind)kind);
        for (int i = 0; all && all[i]; i++)
            if (kt_class_has_name(all[i], name)) return true;
    }
    return kt_layer_find(name) != NULL || kt_config_form_find(NULL, name) != NULL;
}

/* kt_clear_session() lets objects go; classes are the program's own and stay. */
static void forget_objects(void) {
    pthread_mutex_lock(&registered_lock);
    for (int i = registered.n; i-- > 0;) {
        if (registered.v[i].cls) continue;
        kt_release(registered.v[i].object);
        kt_mem_free(registered.v[i].name);
        registered.v[i] = registered.v[--registered.n];
    }
    if (!registered.n) kt_vec_free(&registered);
    pthread_mutex_unlock(&registered_lock);
}

kt_status kt_register_object(const char *name, kt_ref object) {
    char got[96];
    if (!name || !*name) return KT_FAIL(KT_EINVAL, "kt_register_object: the name is missing");
    if (kt_is_obj(object) && kt_failed(object)) return kt_check(object);
    if (!kt_is_obj(object) || !kt_kind_module(((const kt_obj *)object)->kind))
        return KT_FAIL(
            KT_EINVAL,
            "kt_register_object: expected a loss, metric, activation …, got %s",
            kt_ref_describe(object, got, sizeof got));
    if (is_builtin(name))
        return KT_FAIL(KT_EINVAL, "kt_register_object: \"%.80s\" is a name of Keras' own", name);
    kt_on_clear_session(forget_objects);
    return add(name, NULL, object);
}
