// delay_line: y[n] = x[n - d], d a real number of frames that may change every frame.
// J. O. Smith, "Physical Audio Signal Processing" (delay-line interpolation); T. Laakso et al., "Splitting the Unit
// Delay", 1996.
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kInterpolation, kDelay, kMaxDelay };
enum Interpolation { kLinear, kLagrange3 };

uint32_t memory(const Step& s) {
    const double need = s.fixed[kMaxDelay] * s.env->sample_rate + (kChunk + 4.0);
    uint32_t frames = 1;
    while (frames < need) frames *= 2;
    return frames;
}

// A delay in frames, split into `whole` and `part`: the interpolation uses frames whole + {-1, 0, 1, 2}.
struct Place {
    f64x8 whole, part;
};

Place place(f64x8 frames, bool cubic) {
    const f64x8 whole = vmax(f64x8(cubic ? 1.0 : 0.0), vfloor(frames));
    return {whole, frames - whole};
}

f64x8 cubic(const f64x8* x, f64x8 t) {  // the cubic through (-1, x[0]), (0, x[1]), (1, x[2]), (2, x[3])
    const f64x8 half(0.5), sixth(1.0 / 6.0), a = t + f64x8(1.0), b = t - f64x8(1.0), c = t - f64x8(2.0);
    return (half * (a * b * c) * x[1] - half * (a * t * c) * x[2]) +
           (sixth * (a * t * b) * x[3] - sixth * (t * b * c) * x[0]);
}

// The memory of a row: a ring of logical frames, of one double (frame layout) or eight (lane layout) each.
struct Ring {
    double* data;
    int64_t mask;
    int width;

    void write(int64_t n, const double* x, int64_t step, uint32_t frames) const {
        for (uint32_t i = 0; i < frames; ++i)
            for (int j = 0; j < width; ++j) data[((n + i) & mask) * width + j] = x[i * step + j];
    }
    // Values back[j] frames before frame n (lane layout), or before frame n + j (frame layout). `same`: all back[j] are
    // equal.
    f64x8 read(int64_t n, const double* back, bool same) const {
        const int64_t first = (n - static_cast<int64_t>(back[0])) & mask;
        if (same && width == kLanes) return load(data + first * kLanes);
        if (same && first + kLanes - 1 <= mask) return load(data + first);
        double raw[kLanes];
        for (int j = 0; j < kLanes; ++j) {
            const int64_t at = n - static_cast<int64_t>(back[j]);
            raw[j] = width == kLanes ? data[(at & mask) * kLanes + j] : data[(at + j) & mask];
        }
        return load(raw);
    }
};

f64x8 delayed(const Ring& ring, int64_t n, const Place& p, bool smooth) {
    double back[kLanes];
    store(back, p.whole);
    const bool same = all(p.whole == f64x8(back[0]));
    const f64x8 x0 = ring.read(n, back, same), x1 = ring.read(n - 1, back, same);
    if (!smooth) return x0 + p.part * (x1 - x0);
    const f64x8 x[4] = {ring.read(n + 1, back, same), x0, x1, ring.read(n - 2, back, same)};
    return cubic(x, p.part);
}

uint32_t fire(Step& s, const Firing& f) {
    const Packs packs(s, f);
    const bool smooth = static_cast<int>(s.fixed[kInterpolation]) == kLagrange3;
    const f64x8 rate(s.env->sample_rate), longest(s.fixed[kMaxDelay] * s.env->sample_rate);
    const View& delay = s.par[kDelay];
    const int width = s.env->width;
    Watch watch, range;
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            const Ring ring{s.aux + int64_t{r} * s.aux_frames * width, int64_t{s.aux_frames} - 1, width};
            const double *x = row(s.in[0], c, g, f.offset), *d = row(delay, c, g, f.offset);
            double* out = row(s.out[0], c, g, f.offset);
            for (uint32_t i = 0; i < f.frames; i += packs.frames) {
                const uint32_t left = f.frames - i;
                if (i % kChunk == 0)
                    ring.write(f.frame + i, x + i * s.in[0].step, s.in[0].step, left < kChunk ? left : kChunk);
                const f64x8 asked = at<f64x8>(d, delay, i) * rate, frames = vmax(f64x8(0.0), vmin(longest, asked));
                const f64x8 y = delayed(ring, f.frame + i, place(frames, smooth), smooth);
                store_first(out + i * s.out[0].step, y, packs.valid(i));
                watch.see(y, packs.valid(i));
                range.see(select(asked == frames, f64x8(0.0), f64x8(__builtin_inf())), packs.valid(i));
            }
        }
    return watch.verdict() | (range.verdict() ? kOutOfRange : 0);
}

constexpr const char* kInterpolations[] = {"linear", "lagrange3"};
constexpr amp_param_contract kParams[] = {
    choice("interpolation", kInterpolations, kLagrange3,
           "Between frames: a straight line, or a cubic through four of them (flatter response)."),
    number("delay_s", "s", 0.0, 60.0, 0.1,
           "Delay, at most max_delay_s; its value at frame n places the read of frame n."),
    fixed("max_delay_s", "s", 1e-4, 60.0, 1.0, "Longest delay; sets the memory."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to delay.")};
constexpr amp_port_contract kOut[] = {output("out", "Delayed signal.")};
constexpr amp_case_contract kCases[] = {
    {"whole", "impulse", "interpolation=linear delay_s=0.001 max_delay_s=0.01", 1, 256, "exact", 0, kExactReason},
    {"linear", "noise", "interpolation=linear delay_s=0.00123 max_delay_s=0.01", 2, 1024, "exact", 0, kExactReason},
    {"lagrange3", "noise", "interpolation=lagrange3 delay_s=0.00123 max_delay_s=0.01", 2, 1024, "exact", 0,
     kExactReason},
    {"none", "ramp", "interpolation=lagrange3 delay_s=0 max_delay_s=0.001", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "delay_line",
     .group = "delay",
     .summary = "Delays a signal by any time, also between frames.",
     .doc = "y[n] = x[n - delay_s[n] * fs], silence before the first frame. linear: x0 + t (x1 - x0). lagrange3: the "
            "cubic through the four frames round the place; below one frame of delay the frame ahead does not exist "
            "yet, so the cubic of the newest four frames is used up to its end (exact at 0, less flat between). A "
            "delay above max_delay_s is an error. Modulating delay_s bends the pitch.\nThis delay is heard; it is not "
            "latency and is not compensated.\nReference: T. Laakso, V. Valimaki, M. Karjalainen, U. Laine, Splitting "
            "the Unit Delay, IEEE Signal Processing Magazine 13(1), 1996.",
     .params = kParams,
     .cases = kCases,
     .limited = "delay_s",
     .limit = "max_delay_s",
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

}  // namespace

extern const NodeType node_delay_line;
constexpr LayoutOps kOps{.fire = fire, .tick = ticking<fire>};
const NodeType node_delay_line{
    .kind = NodeKind::row, .contract = &kContract, .ops = {kOps, kOps}, .aux_frames = memory};

}  // namespace amp::AMP_KNS
