// The meters' loops over samples, compiled once per instruction set.
#include "meters/kernels.hpp"

#include <cstring>

#include "dsp/lanes.hpp"

namespace amp::AMP_KNS {
namespace {

AMP_INLINE void add(Compensated& t, double x) {
    const double sum = t.sum + x;
    t.lost += vabs(t.sum) >= vabs(x) ? (t.sum - sum) + x : (x - sum) + t.sum;
    t.sum = sum;
}

AMP_INLINE double across(const double* lanes) {
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

void close_block(LevelState& s) {
    add(s.total, across(s.sum));
    add(s.squares, across(s.square));
    add(s.bigs, across(s.big));
    add(s.tinies, across(s.tiny));
    std::memset(s.sum, 0, sizeof s.sum);
    std::memset(s.square, 0, sizeof s.square);
    std::memset(s.big, 0, sizeof s.big);
    std::memset(s.tiny, 0, sizeof s.tiny);
}

template <class T> struct Lanes {
    T peak, left_out, sum, square, big, tiny;
    AMP_INLINE Lanes(const LevelState& s, int k)
        : peak(load_as<T>(s.peak + k)),
          left_out(load_as<T>(s.left_out + k)),
          sum(load_as<T>(s.sum + k)),
          square(load_as<T>(s.square + k)),
          big(load_as<T>(s.big + k)),
          tiny(load_as<T>(s.tiny + k)) {}
    AMP_INLINE void keep(LevelState& s, int k) const {
        store_as(s.peak + k, peak);
        store_as(s.left_out + k, left_out);
        store_as(s.sum + k, sum);
        store_as(s.square + k, square);
        store_as(s.big + k, big);
        store_as(s.tiny + k, tiny);
    }
    // A value of another kind adds zero to a sum, which changes no bit of it.
    AMP_INLINE void see(T x) {
        const auto finite = vabs(x) < __builtin_inf();
        x = select(finite, x, T(0.0));
        const T m = vabs(x);
        const auto is_big = m > kBig, is_tiny = m < kTiny;
        peak = vmax(peak, m);
        sum += x * kSumScale;
        const T usual = select(is_big, T(0.0), select(is_tiny, T(0.0), m));
        square += usual * usual;
        if (any(is_big)) {
            const T v = select(is_big, m * kShrink, T(0.0));
            big += v * v;
        }
        if (any(is_tiny)) {
            const T v = select(is_tiny, m * kStretch, T(0.0));
            tiny += v * v;
        }
        if (!all(finite)) left_out += select(finite, T(0.0), T(1.0));
    }
};

void levels(LevelState& s, const double* x, int64_t first, int64_t frames) {
    for (int64_t n = first, last = first + frames; n < last;) {
        const int64_t end = (n / kLevelBlock + 1) * kLevelBlock, stop = end < last ? end : last;
        for (; n < stop && (n & 7) != 0; ++n) {
            Lanes<double> one(s, static_cast<int>(n & 7));
            one.see(x[n - first]);
            one.keep(s, static_cast<int>(n & 7));
        }
        if (n + 8 <= stop) {
            Lanes<f64x8> eight(s, 0);
            for (; n + 8 <= stop; n += 8) eight.see(load(x + (n - first)));
            eight.keep(s, 0);
        }
        for (; n < stop; ++n) {
            Lanes<double> one(s, static_cast<int>(n & 7));
            one.see(x[n - first]);
            one.keep(s, static_cast<int>(n & 7));
        }
        if (n == end) close_block(s);
    }
}

constexpr int kPast = 2 * kReach - 1, kWindow = 256;

// The greatest magnitude between frames n and n + 1, at the oversampled places, for eight n; x points to frame n of the
// first.
AMP_INLINE f64x8 between(const TruePeakDesign& d, const double* x) {
    f64x8 even[kPairs], odd[kPairs - 1];
    for (int p = 0; p < kPairs; ++p) even[p] = f64x8(0.0);
    for (int p = 0; p < kPairs - 1; ++p) odd[p] = f64x8(0.0);
    for (int j = 0; j < kReach; ++j) {
        const f64x8 left = load(x - j), right = load(x + 1 + j), sum = left + right, difference = left - right;
        for (int p = 0; p < kPairs; ++p) even[p] += f64x8(d.even[p][j]) * sum;
        for (int p = 0; p < kPairs - 1; ++p) odd[p] += f64x8(d.odd[p][j]) * difference;
    }
    f64x8 peak = vabs(even[kPairs - 1]);
    for (int p = 0; p < kPairs - 1; ++p) peak = vmax(peak, vabs(even[p]) + vabs(odd[p]));
    return peak;
}

// Works on a quarter of each sample, so that no sum of two overflows. A window is skipped if its samples are too small
// for their interpolation to exceed the peak found so far.
void true_peak(const TruePeakDesign& d, TruePeakState& s, const double* x, int64_t frames) {
    double w[kPast + kWindow + 8];
    std::memcpy(w, s.past, sizeof s.past);
    for (int64_t done = 0; done < frames;) {
        const int n = static_cast<int>(frames - done < kWindow ? frames - done : kWindow);
        for (int i = 0; i < n; ++i) w[kPast + i] = 0.25 * x[done + i];
        for (int i = 0; i < 8; ++i) w[kPast + n + i] = 0.0;
        double most = 0.0;
        for (int i = 0; i < kPast + n; ++i) most = vmax(most, vabs(w[i]));
        if (most * d.most > s.peak) {
            f64x8 peak(s.peak);
            for (int i = 0; i < n; i += 8) {
                const f64x8 here = between(d, w + kReach - 1 + i);
                peak = vmax(peak,
                            n - i >= 8 ? here : select(iota() < f64x8(static_cast<double>(n - i)), here, f64x8(0.0)));
            }
            for (int k = 0; k < 8; ++k) s.peak = vmax(s.peak, lane(peak, k));
        }
        std::memmove(w, w + n, sizeof s.past);
        done += n;
    }
    std::memcpy(s.past, w, sizeof s.past);
}

// Both filters, for one signal (double) or eight (f64x8): the same operations, so the same bits.
template <class T> struct Weighted {
    KWeighting k;
    T z0, z1, z2, z3, energy;
    static AMP_INLINE T filtered(const Biquad& f, T& z1, T& z2, T x) {
        const T y = f.b0 * x + z1;
        z1 = f.b1 * x - f.a1 * y + z2;
        z2 = f.b2 * x - f.a2 * y;
        return y;
    }
    AMP_INLINE void see(T x) {
        const T y = filtered(k.highpass, z2, z3, filtered(k.shelf, z0, z1, x));
        energy += y * y;
    }
};

void one_signal(const KWeighting& k, LoudnessState& s, const double* x, int64_t frames) {
    Weighted<double> w{k, s.z[0], s.z[1], s.z[2], s.z[3], s.energy};
    for (int64_t n = 0; n < frames; ++n) w.see(x[n]);
    s = {{w.z0, w.z1, w.z2, w.z3}, w.energy};
}

// Lanes without a signal filter silence. Rows are copied, so that the eight signals are at a constant stride.
void in_lanes(const KWeighting& k, LoudnessState* s, const double* const* x, int count, int64_t frames) {
    constexpr int kCopied = 64;
    double rows[8][kCopied] = {}, z[5][8] = {};
    for (int j = 0; j < count; ++j) {
        for (int i = 0; i < 4; ++i) z[i][j] = s[j].z[i];
        z[4][j] = s[j].energy;
    }
    Weighted<f64x8> w{k, load(z[0]), load(z[1]), load(z[2]), load(z[3]), load(z[4])};
    for (int64_t done = 0; done < frames; done += kCopied) {
        const int64_t n = frames - done < kCopied ? frames - done : kCopied;
        for (int j = 0; j < count; ++j) std::memcpy(rows[j], x[j] + done, static_cast<size_t>(n) * sizeof(double));
        for (int64_t i = 0; i < n; i += 8) {
            f64x8 eight[8];
            load_transposed(rows[0] + i, kCopied, eight);
            for (int64_t m = 0; m < 8 && i + m < n; ++m) w.see(eight[m]);
        }
    }
    store(z[0], w.z0), store(z[1], w.z1), store(z[2], w.z2), store(z[3], w.z3), store(z[4], w.energy);
    for (int j = 0; j < count; ++j) s[j] = {{z[0][j], z[1][j], z[2][j], z[3][j]}, z[4][j]};
}

void loudness(const KWeighting& k, LoudnessState* s, const double* const* x, int count, int64_t frames) {
    constexpr int kWorthLanes = 3;
    if (count >= kWorthLanes) return in_lanes(k, s, x, count, frames);
    for (int j = 0; j < count; ++j) one_signal(k, s[j], x[j], frames);
}

}  // namespace

extern const MeterKernels meter_kernels;
const MeterKernels meter_kernels{levels, true_peak, loudness};

}  // namespace amp::AMP_KNS
