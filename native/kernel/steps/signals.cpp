// Steps for ports where several edges meet, for lanes of cohorts and for denormals in loops, and the kernel table of
// one ISA level.
#include "dsp/far.hpp"
#include "kernel/steps/steps.hpp"

namespace amp::AMP_KNS {
namespace {

// Runs one row of a port where kCount edges meet (0: any number), in slot order.
template <int kCount, uint32_t kStep, class T, bool kMean>
void gather_row(const Step& s, int c, int g, const Firing& f, Watch& seen) {
    Watch watch = seen;
    constexpr int kRows = kCount ? kCount : 1;
    const double* in[kRows];
    int64_t step[kRows];
    for (int k = 0; k < kCount; ++k) in[k] = row(s.in[k], c, g, f.offset), step[k] = s.in[k].step;
    [[maybe_unused]] const T share(1.0 / s.n_in);
    double* y = row(s.out[0], c, g, f.offset);
    const int64_t y_step = s.out[0].step;
    for (uint32_t i = 0; i < f.frames; i += kStep) {
        T sum;
        if constexpr (kCount) {
            sum = load_as<T>(in[0] + i * step[0]);
            for (int k = 1; k < kCount; ++k) sum = sum + load_as<T>(in[k] + i * step[k]);
        } else {
            sum = load_as<T>(row(s.in[0], c, g, f.offset) + i * s.in[0].step);
            for (int k = 1; k < s.n_in; ++k) sum = sum + load_as<T>(row(s.in[k], c, g, f.offset) + i * s.in[k].step);
        }
        if constexpr (kMean) sum = sum * share;
        store_as(y + i * y_step, sum);
        if constexpr (kStep == kLanes)
            watch.see(sum, f.frames - i);
        else
            watch.see(sum);
    }
    seen = watch;
}

// Runs one frame, for feedback loops.
template <bool kMean> Carried gather_tick(Step& s, int64_t frame, int64_t, Carried) {
    const auto i = static_cast<uint32_t>(frame);
    double sum = 0.0;
    bool finite = true;
    for (int c = s.channels; c-- > 0;)
        for (int g = s.env->groups; g-- > 0;) {  // the first row comes last: its value is passed to the next tick
            sum = *row(s.in[0], c, g, i);
            for (int k = 1; k < s.n_in; ++k) sum = sum + *row(s.in[k], c, g, i);
            if constexpr (kMean) sum = sum * (1.0 / s.n_in);
            *row(s.out[0], c, g, i) = sum;
            finite = finite && sum - sum == 0.0;
        }
    return carry(sum, finite);
}

// Adds edge k to y, or eight edges from k on if they are the lanes of one group (transposed while loading). Returns the
// next edge.
int add_edges(const Step& s, int k, int c, int g, const Firing& f, double* y) {
    const View& v = s.in[k];
    const double* x = row(v, c, g, f.offset);
    const bool lanes = v.step == kLanes;  // edge k is the first of eight lanes
    for (uint32_t i = 0; i < f.frames; i += kLanes) {
        f64x8 r[kLanes];
        if (lanes) {
            load_transposed(x + i * kLanes, kLanes, r);
        } else {
            r[0] = load_as<f64x8>(x + i * v.step);
        }
        f64x8 sum = k == 0 ? r[0] : load(y + i) + r[0];
        for (int j = 1; lanes && j < kLanes; ++j) sum = sum + r[j];
        store(y + i, sum);
    }
    return k + (lanes ? kLanes : 1);
}

// Sums many edges in the frame layout: one pass over the sum per edge, or per eight edges that are lanes of a cohort.
template <bool kMean> uint32_t gather_many(Step& s, const Firing& f) {
    const f64x8 share(1.0 / s.n_in);
    Watch watch;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g) {
            double* y = row(s.out[0], c, g, f.offset);
            for (int k = 0; k < s.n_in;) k = add_edges(s, k, c, g, f, y);
            for (uint32_t i = 0; i < f.frames; i += kLanes) {
                const f64x8 sum = load(y + i);
                if constexpr (kMean) store(y + i, sum * share);
                watch.see(kMean ? sum * share : sum, f.frames - i);
            }
        }
    return watch.verdict();
}

template <int W, class T, bool kMean> uint32_t gather(Step& s, const Firing& f) {
    if (W == 1 && s.n_in > kMostAdded) return gather_many<kMean>(s, f);
    constexpr uint32_t kStep = W == 1 && std::is_same_v<T, f64x8> ? kLanes : 1;
    constexpr decltype(&gather_row<0, kStep, T, kMean>) rows[] = {
        gather_row<0, kStep, T, kMean>, gather_row<1, kStep, T, kMean>, gather_row<2, kStep, T, kMean>,
        gather_row<3, kStep, T, kMean>, gather_row<4, kStep, T, kMean>};
    const auto run = rows[s.n_in <= 4 ? s.n_in : 0];
    Watch watch;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g) run(s, c, g, f, watch);
    return watch.verdict();
}

// Copies one view per channel to consecutive rows. The values were checked where they were made.
template <int W, class T> uint32_t stack(Step& s, const Firing& f) {
    constexpr uint32_t stride = W == 1 && std::is_same_v<T, f64x8> ? kLanes : 1;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g) {
            const double* x = row(s.in[c], 0, g, f.offset);
            double* y = row(s.out[0], c, g, f.offset);
            for (uint32_t i = 0; i < f.frames; i += stride)
                store_as(y + i * s.out[0].step, load_as<T>(x + i * s.in[c].step));
        }
    return kFired;
}

// Transposes eight frames of eight batches to eight rows.
template <bool kFar>
[[gnu::always_inline]] inline void turn(const double* x, int64_t step, double* y, int64_t stride, uint32_t ahead) {
    f64x8 r[kLanes];
    load_transposed(x, step, r);
    for (int j = 0; j < kLanes; ++j)
        if constexpr (kFar) {
            store_far(y + j * stride, r[j]);
        } else {
            store(y + j * stride, r[j]);
            __builtin_prefetch(y + j * stride + ahead, 0, 2);  // where the next block will be written
        }
}

// Copies one row of contiguous frames with stores that bypass the caches.
void copy_far(const double* x, uint32_t frames, double* y) {
    const uint32_t head = values_to_line(y);
    uint32_t i = head;
    std::memcpy(y, x, head * sizeof(double));
    for (; i + kLanes <= frames; i += kLanes) store_far(y + i, load(x + i));
    std::memcpy(y + i, x + i, (frames - i) * sizeof(double));
}

// KernelTable::scatter, from the frame layout (one lane, step 1) or the lane layout.
void scatter(const double* x, int64_t step, uint32_t frames, uint32_t lanes, double* y, int64_t stride, bool far) {
    constexpr uint32_t kFewest = 64;  // frames: below, too many of the lines are written in parts
    const auto singly = [&](uint32_t i, uint32_t end) {
        for (; i < end; ++i)
            for (uint32_t j = 0; j < lanes; ++j) y[j * stride + i] = x[i * step + j];
    };
    far = far && frames >= kFewest && reinterpret_cast<uintptr_t>(y) % sizeof(double) == 0;
    if (lanes == 1 && step == 1) {
        far ? copy_far(x, frames, y) : void(std::memcpy(y, x, frames * sizeof(double)));
        return;
    }
    if (lanes != kLanes) return singly(0, frames);
    const bool lines = frames >= kFewest && stride % kLanes == 0;  // whole cache lines can be written in all rows
    far = far && lines;
    uint32_t i = lines ? values_to_line(y) : 0;
    singly(0, i);
    for (; far && i + kLanes <= frames; i += kLanes) turn<true>(x + i * step, step, y + i, stride, frames);
    for (; i + kLanes <= frames; i += kLanes) turn<false>(x + i * step, step, y + i, stride, frames);
    singly(i, frames);
}

// Packs rows into the lane layout: where all eight rows are contiguous, eight frames at a time are transposed; a row
// that all lanes share is broadcast.
void pack_group(const View* const (&in)[kLanes], int c, const Firing& f, double* y) {
    const double* x[kLanes];
    bool dense = true, same = true;
    for (int j = 0; j < kLanes; ++j) {
        x[j] = in[j]->data + c * in[j]->channel_stride + f.offset * in[j]->step;
        dense = dense && in[j]->step == 1;
        same = same && x[j] == x[0] && in[j]->step == in[0]->step;
    }
    uint32_t i = 0;
    if (same) {
        for (; i < f.frames; ++i) store(y + i * kLanes, f64x8(x[0][i * in[0]->step]));
        return;
    }
    for (; dense && i + kLanes <= f.frames; i += kLanes) {
        f64x8 r[kLanes];
        for (int j = 0; j < kLanes; ++j) r[j] = load(x[j] + i);
        transpose(r);
        for (int k = 0; k < kLanes; ++k) store(y + (i + static_cast<uint32_t>(k)) * kLanes, r[k]);
    }
    for (; i < f.frames; ++i)
        for (int j = 0; j < kLanes; ++j) y[i * kLanes + static_cast<uint32_t>(j)] = x[j][i * in[j]->step];
}

uint32_t pack(Step& s, const Firing& f) {
    for (int g = 0; g < s.groups; ++g) {
        const View* in[kLanes];
        for (int j = 0; j < kLanes; ++j) in[j] = &s.in[g * kLanes + j < s.n_in ? g * kLanes + j : s.n_in - 1];
        for (int c = 0; c < s.channels; ++c) pack_group(in, c, f, row(s.out[0], c, g, f.offset));
    }
    return kFired;
}

uint32_t unpack(Step& s, const Firing& f) {
    const auto lanes = static_cast<int>(s.env->batches);
    const View& out = s.out[0];
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.groups; ++g)
            scatter(row(s.in[0], c, g, f.offset), s.in[0].step, f.frames,
                    static_cast<uint32_t>(lanes - g * kLanes < kLanes ? lanes - g * kLanes : kLanes),
                    row(out, c, g * kLanes, f.offset), out.group_stride, false);
    return kFired;
}

bool finite(const View& written, int channels, int rows, const Firing& f) {
    Watch watch;
    const uint32_t n = f.frames * static_cast<uint32_t>(written.step);
    for (int c = 0; c < channels; ++c)
        for (int g = 0; g < rows; ++g) {
            const double* x = row(written, c, g, f.offset);
            uint32_t i = 0;
            for (; i + kLanes <= n; i += kLanes) watch.see(load(x + i));
            if (i < n) watch.see(load(x + i), n - i);
        }
    return watch.verdict() == kFired;
}

// Flushes an output that closes a feedback cycle: it is recursive state, as in a kernel.
template <int W> uint32_t flush_denormals(Step& s, const Firing& f) {
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.groups; ++g) {
            double* y = row(s.out[0], c, g, f.offset);
            for (uint32_t i = 0; i < f.frames * W; ++i) flush(y[i]);
        }
    return kFired;
}

}  // namespace

extern const NodeType* const node_types[];
extern const uint32_t node_type_count;
extern const MeterKernels meter_kernels;
extern const KernelTable kernel_table;
const KernelTable kernel_table{
    .isa = AMP_ISA_NAME,
    .types = node_types,
    .n_types = 0,
    .parameter = {{parameter<1>, parameter_tick<1>}, {parameter<8>, parameter_tick<8>}},
    .gather = {{{gather<1, f64x8, false>, gather_tick<false>},
                {gather<8, f64x8, false>, ticking<gather<8, f64x8, false>>}},
               {{gather<1, f64x8, true>, gather_tick<true>}, {gather<8, f64x8, true>, ticking<gather<8, f64x8, true>>}},
               {{stack<1, f64x8>, ticking<stack<1, double>>}, {stack<8, f64x8>, ticking<stack<8, f64x8>>}}},
    .flush = {{flush_denormals<1>, ticking<flush_denormals<1>>}, {flush_denormals<8>, ticking<flush_denormals<8>>}},
    .pack = {pack, ticking<pack>},
    .unpack = {unpack, ticking<unpack>},
    .finite = finite,
    .scatter = scatter,
    .publish = end_of_far_stores,
    .curve_segment = curve_segment,
    .meters = &meter_kernels};

}  // namespace amp::AMP_KNS
