/* Violations: everything that a failed call found wrong, one record each, none cut.
 *
 * A call that returns amp_status leaves its violations with the thread that made it: one or more where it failed, none where it
 * succeeded. They stay until that thread makes the next such call, or ends; the library frees them then, and the caller never. Read
 * them from the thread that got the status, before its next call. A call that fails with AMP_E_SHAPE, AMP_E_DRIFT, ... for one reason
 * leaves one record; a check that goes on after the first reason (descriptors, schedules, histories) leaves one for each.
 * At most AMP_MOST_VIOLATIONS are kept, with 64 MiB of text; those beyond are counted. Reading them allocates nothing. Since 1.4.
 * Failure: no call here can fail. */
#ifndef AMP_VIOLATION_H
#define AMP_VIOLATION_H
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_MOST_VIOLATIONS 131072

/* Owned by the library. All texts are UTF-8, whole, and "" where there is nothing to say. Names stand as they were given: a program
 * that shows them escapes what cannot be printed. */
typedef struct amp_violation {
    uint32_t    struct_size;   /* sizeof(amp_violation), set by the library */
    int32_t     code;          /* amp_status of this one; the call returned that of the first */
    const char *node;          /* its name */
    const char *port;          /* key of its port or parameter, name of a curve */
    const char *sentence;      /* where: what (got X, allowed Y). */
    const char *cure;          /* What to do. "" where the sentence ends with it */
    const char *src;           /* of a link that is at fault, which leads to `node`: the node it comes from */
    int64_t     frames;        /* of delay that the link lacks; 0: none */
} amp_violation;

/* [any] How many records the calling thread has. `found` (may be NULL) receives how many there were, kept or not. */
AMP_API size_t               amp_violation_count(size_t *found);
AMP_API const amp_violation *amp_violation_at(size_t index);   /* [any] in the order they were found; NULL past the end */
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
