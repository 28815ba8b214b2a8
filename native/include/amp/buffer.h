/* Tensors in calls of the library: (batch, channel, frame), float64, frames contiguous.
 * Failure: no call here can fail. */
#ifndef AMP_BUFFER_H
#define AMP_BUFFER_H
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
/* A view: the caller owns `data`, the library never frees it. Strides are counted in doubles; frame n of (b, c) is
 * data[b * batch_stride + c * channel_stride + n]. */
typedef struct amp_buffer {
    uint32_t struct_size;      /* sizeof(amp_buffer) */
    uint32_t batches;
    uint32_t channels;
    uint32_t reserved;         /* 0 */
    int64_t  frames;
    int64_t  batch_stride;
    int64_t  channel_stride;
    double  *data;
} amp_buffer;

/* Bytes that the library allocates and the caller owns; free them with amp_bytes_free. */
typedef struct amp_bytes {
    uint8_t *data;
    size_t   size;
} amp_bytes;

AMP_API void amp_bytes_free(amp_bytes *bytes);          /* [any] sets data NULL, size 0; accepts an empty or NULL record */

AMP_API uint64_t amp_checksum(const void *data, size_t size); /* [any] FNV-1a-64, the checksum of every blob (graph.h) */
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
