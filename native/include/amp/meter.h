/* Meters: peak, mean, RMS, true peak (Rec. ITU-R BS.1770-4, annex 2) and loudness (BS.1770-4, EBU Tech 3341 and 3342) of signals that
 * are given in pieces. The bits of the readings depend neither on how the signals are divided nor on the number of threads.
 *
 * Life cycle: create -> [process, read]* -> destroy; the caller owns the meter. process allocates nothing.
 * Readings cover all frames so far; for the true peak the signal is zero before its first and after its last frame.
 * Failure: record in `error`. *meter is set to NULL first; other outputs stay unwritten. */
#ifndef AMP_METER_H
#define AMP_METER_H
#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
typedef struct amp_meter amp_meter;

#define AMP_METER_TRUE_PEAK 1u
#define AMP_METER_LOUDNESS 2u

/* Owned by the caller, read during amp_meter_create. */
typedef struct amp_meter_config {
    uint32_t      struct_size; /* sizeof(amp_meter_config) */
    uint32_t      flags;       /* AMP_METER_*; levels are always measured */
    uint32_t      batches;     /* >= 1 */
    uint32_t      channels;    /* >= 1 */
    uint32_t      threads;     /* at most AMP_MOST_THREADS; 0: as many as the process may use */
    uint32_t      reserved;    /* 0 */
    int64_t       frames;      /* most frames of all calls together: create allocates the memory for loudness */
    double        sample_rate; /* Hz; 8000 to 384000 with AMP_METER_LOUDNESS, otherwise not used */
    const double *weights;     /* one per channel: factor of its power in the loudness, finite and >= 0; copied; NULL: 1 each */
} amp_meter_config;

/* Levels of one channel of one batch, in the unit of the samples. Owned by the caller. */
typedef struct amp_levels {
    uint32_t struct_size;      /* sizeof(amp_levels) */
    uint32_t reserved;
    int64_t  left_out;         /* frames that are NaN or infinite: they are ignored */
    double   peak;             /* greatest magnitude of a frame; peak, mean and rms are NaN if all frames are ignored */
    double   mean;
    double   rms;
    double   true_peak;        /* greatest magnitude at and between frames; NaN without AMP_METER_TRUE_PEAK or if left_out is not 0 */
} amp_levels;

/* Loudness of one batch, in LUFS; -inf: silence; NaN: no value, because the signal is too short, or a frame or its square is not finite.
 * Owned by the caller. */
typedef struct amp_loudness {
    uint32_t struct_size;      /* sizeof(amp_loudness) */
    uint32_t reserved;
    double   integrated;       /* NaN below 400 ms */
    double   gate;             /* relative gate: 10 LU below the mean of the blocks above -70 LUFS */
    double   momentary_max;    /* of windows of 400 ms, one every 10 ms; NaN below 400 ms */
    double   short_term_max;   /* of windows of 3 s, one every 10 ms; NaN below 3 s */
    double   range_low;        /* percentiles 10 and 95 of short-term loudness by EBU Tech 3342, one value every 100 ms; */
    double   range_high;       /* their difference is the loudness range. NaN below 3 s, or if no value is at or above -70 LUFS */
    int64_t  blocks;           /* whole gating blocks of 400 ms, one every 100 ms */
    int64_t  blocks_above;     /* of these, blocks above both gates */
} amp_loudness;

#define AMP_SERIES_MOMENTARY 0 /* windows of 400 ms */
#define AMP_SERIES_SHORT_TERM 1 /* windows of 3 s */

/* [any] Creates a meter for signals of this shape. The caller owns it and frees it with amp_meter_destroy. */
AMP_API amp_status amp_meter_create(const amp_meter_config *config, amp_meter **meter, amp_error *error);
AMP_API void       amp_meter_destroy(amp_meter *meter);      /* [owner] NULL is allowed */
/* [owner] Measures the next frames of every signal, in the shape of the configuration. `samples` is only read, during the call. */
AMP_API amp_status amp_meter_process(amp_meter *meter, const amp_buffer *samples, amp_error *error);
/* [owner] Fills `count` records, one per signal: batch by batch, in each its channels. `count` must be batches * channels. */
AMP_API amp_status amp_meter_levels(const amp_meter *meter, amp_levels *levels, size_t count, amp_error *error);
/* [owner] Fills `count` records, one per batch. This call and the next are AMP_E_UNSUPPORTED without AMP_METER_LOUDNESS. */
AMP_API amp_status amp_meter_loudness(const amp_meter *meter, amp_loudness *loudness, size_t count, amp_error *error);
/* [owner] Loudness of one batch over time, in LUFS: value k is that of the window that begins k * 10 ms after the first frame. `*count`
 * receives the number of values; at most `capacity` are written. */
AMP_API amp_status amp_meter_series(const amp_meter *meter, uint32_t batch, int32_t series, double *values, size_t capacity,
                                    size_t *count, amp_error *error);
/* [any] Coefficients of the K-weighting at a rate from 8000 to 384000 Hz: b0 b1 b2 a1 a2 of the shelf, then of the highpass. */
AMP_API amp_status amp_k_weighting(double sample_rate, double coefficients[10], amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
