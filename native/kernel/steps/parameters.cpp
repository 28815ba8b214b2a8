// Steps that compute a parameter frame by frame: base value, modulations, range.
#include "kernel/steps/steps.hpp"

namespace amp::AMP_KNS {
namespace {

// Frames in one pack: eight in frame layout, one (of eight batches) in lane layout.
template <int W> inline constexpr uint32_t kStride = W == 1 ? kLanes : 1;

// Writes frames first .. first + n - 1 of a tensor (b, c, n) into one row; frames past its end have its last value.
template <int W> void tensor_base(const Step& s, int c, int g, int64_t first, uint32_t n, double* y) {
    const ParameterStep& p = s.of_parameter;
    for (uint32_t i = 0; i < n; ++i) {
        const int64_t at = first + i < p.tensor_frames ? first + i : p.tensor_frames - 1;
        const double* x = p.tensor->data + c * p.tensor->channel_stride + at;
        for (int j = 0; j < W; ++j) {
            const int64_t b = g * int64_t{W} + j, last = s.env->batches - 1;
            y[i * W + static_cast<uint32_t>(j)] = x[(b < last ? b : last) * p.tensor->group_stride];
        }
    }
}

template <int W> void curve_base(const Step& s, int64_t first, uint32_t n, double* y) {
    if constexpr (W == 1) {
        s.env->sample(*s.of_parameter.curve, s.env->sample_rate, first, n, y);
    } else {
        const double* x = s.of_parameter.scratch;
        s.env->sample(*s.of_parameter.curve, s.env->sample_rate, first, n, s.of_parameter.scratch);
        for (uint32_t i = 0; i < n; ++i) store(y + i * W, f64x8(x[i]));
    }
}

struct Source {
    const double* row;
    int64_t step;
    double scale, offset;
    bool multiply;
};

// Lists the modulators of channel c. A modulator with one channel modulates all channels; one with fewer channels than
// the parameter leaves the others unmodulated.
int sources(const Step& s, int c, int g, uint32_t offset, Source* out) {
    int n = 0;
    for (int k = 0; k < s.of_parameter.n_mods; ++k) {
        const Modulation& m = s.of_parameter.mods[k];
        const int from = m.channel >= 0 ? m.channel : m.channels == 1 ? 0 : c;
        if (from < m.channels)
            out[n++] = {row(m.source, from, g, offset), m.source.step, m.scale, m.offset, m.multiply != 0};
    }
    return n;
}

// Checks packs of values against the range; values that are not finite are outside it. Only lanes below `live` count.
struct Bounds {
    f64x8 low, high, clamped = f64x8(0.0);
    bool clamp, bad = false, nonfinite = false;
    [[gnu::always_inline]] m8 outside(f64x8 v) const { return !((v >= low) & (v <= high)); }
    [[gnu::always_inline]] f64x8 check(f64x8 v) {
        const m8 out = outside(v);
        return __builtin_expect(any(out), 0) ? mend(v, out) : v;
    }
    [[gnu::always_inline]] f64x8 check(f64x8 v, double live) {
        const m8 out = outside(v) & (lane_numbers() < f64x8(live));
        return any(out) ? mend(v, out) : v;
    }
    f64x8 mend(f64x8 v, const m8& out) {
        nonfinite = nonfinite || any(out & !(v - v == f64x8(0.0)));
        if (!clamp) {
            bad = true;
            return v;
        }
        clamped += select(out, f64x8(1.0), f64x8(0.0));
        return vmin(vmax(v, low), high);
    }
};

template <int W, class T> [[gnu::always_inline]] inline T modulated(T v, const Source* src, int n, uint32_t i) {
    for (int k = 0; k < n; ++k)
        if (src[k].multiply) v = v * (T(src[k].offset) + T(src[k].scale) * load_as<T>(src[k].row + i * src[k].step));
    for (int k = 0; k < n; ++k)
        if (!src[k].multiply) v = v + T(src[k].scale) * load_as<T>(src[k].row + i * src[k].step);
    return v;
}

// Computes one row: base value, modulations, range. In the common cases (a constant base with one or two modulators)
// the base stays in a register; kCount < 0: any number of modulators.
template <int W, int kCount>
[[gnu::flatten]] void parameter_row(const Source* src, int count, const double* base, double* y, uint32_t frames,
                                    double lanes, Bounds& bounds) {
    const int n = kCount < 0 ? count : kCount;
    const f64x8 held = base ? load(base) : f64x8(0.0);
    uint32_t i = 0;
    if (W == 1 || lanes >= kLanes)
        for (; i + kStride<W> <= frames; i += kStride<W>)
            store(y + i * W, bounds.check(modulated<W>(base ? held : load(y + i * W), src, n, i)));
    for (; i < frames; i += kStride<W>)
        store(y + i * W, bounds.check(modulated<W>(base ? held : load(y + i * W), src, n, i),
                                      W == 1 ? static_cast<double>(frames - i) : lanes));
}

template <int W> uint32_t all_of_parameter(Step& s, const Firing& f) {
    ParameterStep& p = s.of_parameter;
    Bounds bounds{f64x8(p.low), f64x8(p.high)};
    bounds.clamp = p.clamps;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.groups; ++g) {
            Source src[kMostModulations];
            const int n = sources(s, c, g, f.offset, src);
            double* y = row(s.out[0], c, g, f.offset);
            const double* base = !p.curve && !p.tensor ? row(p.base, c, g, 0) : nullptr;
            if (p.curve)
                curve_base<W>(s, f.frame, f.frames, y);
            else if (p.tensor)
                tensor_base<W>(s, c, g, f.frame, f.frames, y);
            const double lanes = static_cast<double>(s.env->batches) - W * static_cast<double>(g);
            const auto run = n == 1 ? parameter_row<W, 1> : n == 2 ? parameter_row<W, 2> : parameter_row<W, -1>;
            run(src, n, base, y, f.frames, lanes, bounds);
        }
    if (p.clamps) {
        double add[kLanes];
        store(add, bounds.clamped);
        for (double a : add) p.clamped += static_cast<int64_t>(a);
    }
    return (bounds.bad ? kOutOfRange : 0) | (bounds.nonfinite ? kNonfinite : 0);
}

// Handles a value outside its range: clamps it, or records a verdict.
void outside(Step& s, double& y) {
    if (!(y - y == 0.0)) s.verdict |= kNonfinite;
    if (ParameterStep& p = s.of_parameter; p.clamps)
        y = vmin(vmax(y, p.low), p.high), ++p.clamped;
    else
        s.verdict |= kOutOfRange;
}

}  // namespace

template <int W> uint32_t parameter(Step& s, const Firing& f) {
    return stays_fused(s) ? kFired : all_of_parameter<W>(s, f);
}

// Computes one frame; writes exactly one value per row, so that later frames of the block stay unchanged.
template <int W> Carried parameter_tick(Step& s, int64_t i, int64_t time, Carried before) {
    if constexpr (W == kLanes) {
        return ticking<all_of_parameter<W>>(s, i, time, before);
    } else {
        const auto at = static_cast<uint32_t>(i);
        const ParameterStep& p = s.of_parameter;
        for (int c = 0; c < s.channels; ++c)
            for (int g = 0; g < s.groups; ++g) {
                Source src[kMostModulations];
                const int n = sources(s, c, g, at, src);
                double* y = row(s.out[0], c, g, at);
                if (p.curve)
                    curve_base<W>(s, time - s.arrival, 1, y);
                else if (p.tensor)
                    tensor_base<W>(s, c, g, time - s.arrival, 1, y);
                else
                    *y = *row(p.base, c, g, 0);
                *y = modulated<W>(*y, src, n, 0);
                if (__builtin_expect(!(*y >= p.low && *y <= p.high), 0)) outside(s, *y);
            }
        return carry(s.out[0].data[i * s.out[0].step], s.verdict == kFired);
    }
}

template uint32_t parameter<1>(Step&, const Firing&);
template uint32_t parameter<8>(Step&, const Firing&);
template Carried parameter_tick<1>(Step&, int64_t, int64_t, Carried);
template Carried parameter_tick<8>(Step&, int64_t, int64_t, Carried);

}  // namespace amp::AMP_KNS
