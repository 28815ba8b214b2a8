// What a meter remembers of one signal (one channel of one batch) between calls, and the kernels that advance it.
// Their results do not depend on where a signal is cut: every sum has an order that the frame numbers alone decide.
#pragma once
#include <cstdint>

namespace amp {

// A sum and what its roundings lost (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
// Summen", ZAMM 54, 1974): its error does not grow with the number of terms.
struct Compensated {
    double sum = 0.0, lost = 0.0;
};

// Frame n adds to lane n mod 8; every kLevelBlock frames the lanes are added up into the totals. Squares of values
// beyond 2^480 or below 2^-480 are scaled so that none overflows or vanishes (J. Blue, "A portable Fortran program to
// find the Euclidean norm of a vector", ACM TOMS 4, 1978).
inline constexpr int64_t kLevelBlock = 1024;
inline constexpr double kBig = 0x1p480, kTiny = 0x1p-480;        // magnitudes from and up to which squares are scaled
inline constexpr double kShrink = 0x1p-560, kStretch = 0x1p560;  // by what the value is multiplied before
inline constexpr double kSumScale = 0x1p-64;                     // of the sum, so that 2^64 huge values do not overflow
struct LevelState {
    double peak[8] = {}, left_out[8] = {};  // greatest magnitude; number of values that are not finite
    double sum[8] = {}, square[8] = {}, big[8] = {}, tiny[8] = {};
    Compensated total, squares, bigs, tinies;
};

// Values between frames n and n + 1 come from 2 kReach frames: n - kReach + 1 .. n + kReach, at kOversampling - 1
// places.
inline constexpr int kReach = 32, kOversampling = 8, kPairs = kOversampling / 2;
// Frames n - j and n + 1 + j enter as their sum and their difference, so a signal and its reverse give the same bits.
// The values at p and kOversampling - p are even + odd and even - odd: the greater magnitude is |even| + |odd|.
struct TruePeakDesign {
    double even[kPairs][kReach], odd[kPairs][kReach];  // of place p + 1; the middle has no odd part
    double most;                                       // greatest value between samples that are all within -1 .. 1
};
struct TruePeakState {
    double past[2 * kReach - 1] = {};  // the newest frames, oldest first
    double peak = 0.0;                 // between frames; times 4
};

// BS.1770: shelf, then highpass. y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2].
struct Biquad {
    double b0, b1, b2, a1, a2;
};
struct KWeighting {
    Biquad shelf, highpass;
};
struct LoudnessState {
    double z[4] = {};     // both filters, transposed direct form II
    double energy = 0.0;  // sum of squares behind them since the hop began
};

inline constexpr int kLoudnessSignals = 8;

struct MeterKernels {
    void (*levels)(LevelState& s, const double* x, int64_t first, int64_t frames);
    void (*true_peak)(const TruePeakDesign& d, TruePeakState& s, const double* x, int64_t frames);
    // Of `count` signals, 1 to kLoudnessSignals, whose states stand side by side.
    void (*loudness)(const KWeighting& k, LoudnessState* s, const double* const* x, int count, int64_t frames);
};

}  // namespace amp
