// The state of one signal (one channel of one batch) between calls of a meter, and the kernels that advance it. Results
// do not depend on where a signal is cut: the frame numbers alone determine the order of every sum.
#pragma once
#include <cstdint>

namespace amp {

// A sum and its accumulated rounding error (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation
// endlicher Summen", ZAMM 54, 1974): the error of sum + lost does not grow with the number of terms.
struct Compensated {
    double sum = 0.0, lost = 0.0;
};

// Frame n is added to lane n mod 8; after every kLevelBlock frames the lanes are added to the totals. Squares of values
// beyond 2^480 or below 2^-480 are scaled, so that none overflows or vanishes (J. Blue, "A portable Fortran program to
// find the Euclidean norm of a vector", ACM TOMS 4, 1978).
inline constexpr int64_t kLevelBlock = 1024;
inline constexpr double kBig = 0x1p480, kTiny = 0x1p-480;        // magnitudes above and below which squares are scaled
inline constexpr double kShrink = 0x1p-560, kStretch = 0x1p560;  // factors applied to such values before squaring
inline constexpr double kSumScale = 0x1p-64;  // factor of the plain sum, so that 2^64 huge values do not overflow
struct LevelState {
    double peak[8] = {}, left_out[8] = {};  // greatest magnitude; number of values that are not finite
    double sum[8] = {}, square[8] = {}, big[8] = {}, tiny[8] = {};
    Compensated total, squares, bigs, tinies;
};

// A value between frames n and n + 1 is interpolated from 2 kReach frames, n - kReach + 1 .. n + kReach, at
// kOversampling - 1 places.
inline constexpr int kReach = 32, kOversampling = 8, kPairs = kOversampling / 2;
// Frames n - j and n + 1 + j enter as their sum and their difference, so that a reversed signal gives the same bits.
// The values at places p and kOversampling - p are even + odd and even - odd: the greater magnitude is |even| + |odd|.
struct TruePeakDesign {
    double even[kPairs][kReach], odd[kPairs][kReach];  // coefficients of place p + 1; the middle place has no odd part
    double most;                                       // greatest interpolated value for samples within -1 .. 1
};
struct TruePeakState {
    double past[2 * kReach - 1] = {};  // the newest frames, oldest first
    double peak = 0.0;                 // greatest magnitude between frames, in quarters of the signal's unit
};

// One filter of BS.1770 (shelf or highpass): y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2].
struct Biquad {
    double b0, b1, b2, a1, a2;
};
struct KWeighting {
    Biquad shelf, highpass;
};
struct LoudnessState {
    double z[4] = {};     // states of both filters, transposed direct form II
    double energy = 0.0;  // sum of squares of the filtered signal since the hop began
};

inline constexpr int kLoudnessSignals = 8;

struct MeterKernels {
    void (*levels)(LevelState& s, const double* x, int64_t first, int64_t frames);
    void (*true_peak)(const TruePeakDesign& d, TruePeakState& s, const double* x, int64_t frames);
    // Processes `count` signals (1 to kLoudnessSignals) whose states are contiguous.
    void (*loudness)(const KWeighting& k, LoudnessState* s, const double* const* x, int count, int64_t frames);
};

}  // namespace amp
