/* Violations: everything that a failed call found wrong, one record each, with whole texts.
 *
 * A call that returns amp_status stores its violations per calling thread: one or more if it failed, none if it succeeded. The library owns
 * them and frees them when that thread makes its next such call, or ends; the caller never frees them. Read them from the thread that
 * got the status, before its next call. A call that fails for one reason (AMP_E_SHAPE, AMP_E_DRIFT, ...) stores one record; a check
 * that continues after the first reason (descriptors, schedules, histories) stores one for each.
 * At most AMP_MOST_VIOLATIONS records with 64 MiB of text are kept; further ones are only counted. Reading them allocates nothing.
 * Since 1.4.
 * Failure: no call here can fail. */
#ifndef AMP_VIOLATION_H
#define AMP_VIOLATION_H
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_MOST_VIOLATIONS 131072

/* Owned by the library, texts included. All texts are UTF-8, complete, and "" if they do not apply. Names are as the caller gave them:
 * a program that shows them must escape characters that cannot be printed. */
typedef struct amp_violation {
    uint32_t    struct_size;   /* sizeof(amp_violation), set by the library */
    int32_t     code;          /* amp_status of this violation; the call returned that of the first */
    const char *node;          /* name of the node */
    const char *port;          /* key of the node's port or parameter, or name of a curve */
    const char *sentence;      /* where: what (got X, allowed Y). */
    const char *cure;          /* What to do. "" if the sentence ends with it */
    const char *src;           /* if a link to `node` is at fault: the node it comes from */
    int64_t     frames;        /* delay that the link lacks; 0: none */
} amp_violation;

/* [any] Number of records of the calling thread. `found` (may be NULL) receives the number of violations, kept or not. */
AMP_API size_t               amp_violation_count(size_t *found);
AMP_API const amp_violation *amp_violation_at(size_t index);   /* [any] in the order they were found; NULL past the end */
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
