#include "meters/design.hpp"

#include "dsp/kaiser.hpp"

namespace amp {

using namespace AMP_KNS;

namespace {

constexpr double kPi = 0x1.921fb54442d18p+1;
constexpr double kStopbandDb = 80.0;

// Rec. ITU-R BS.1770-4, tables 1 and 2: the filters at 48 kHz. Filters at other rates are designed for the same
// frequency response.
constexpr double kTableRate = 48000.0;
constexpr KWeighting kTable{
    {1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585},
    {1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621}};
// the standard's calibration frequency: the response is exact there at every rate
constexpr double kReferenceHz = 997.0;
constexpr double kTopHz = 24000.0;  // upper end of the standard's response

// The pole pair exp((decay +- 2 pi i hz) / fs): decay in 1/s, natural frequency in Hz. From the tables: decay = 24000
// log(a2), hz = 24000 / pi acos(-a1 / (2 sqrt(a2))).
struct Poles {
    double decay, hz;
};
constexpr Poles kShelfPoles{-7471.6364457520420, 1199.1046892268203},
    kHighpassPoles{-239.45660036485069, 1.3786321662997848};

// The squared magnitude of b0 + b1 / z + b2 / z^2 at f / fs cycles per frame, as a sum over sin^2 and cos^2 of half the
// angle (M. Vicanek, "Matched second order digital filters", 2016).
struct Squared {
    double at_zero, at_nyquist, middle;
    Squared(double b0, double b1, double b2)
        : at_zero((b0 + b1 + b2) * (b0 + b1 + b2)),
          at_nyquist((b0 - b1 + b2) * (b0 - b1 + b2)),
          middle(-4.0 * b0 * b2) {}
    static double sine(double f) { return vsin2pi(0.5 * f) * vsin2pi(0.5 * f); }
    double operator()(double f) const {
        const double s = sine(f), c = 1.0 - s;
        return at_zero * c + at_nyquist * s + middle * 4.0 * c * s;
    }
};

double power(const Biquad& k, double f) { return Squared(k.b0, k.b1, k.b2)(f) / Squared(1.0, k.a1, k.a2)(f); }

Biquad poles_at(const Poles& p, double sample_rate) {
    const double r = vexp(p.decay / sample_rate);
    return {1.0, -2.0, 1.0, -2.0 * r * vcos2pi(p.hz / sample_rate), r * r};
}

// The zeros are chosen so that the magnitude equals the table's at 0 Hz, 997 Hz and 24 kHz (or half the rate, if that
// is lower).
Biquad shelf_at(double sample_rate) {
    Biquad k = poles_at(kShelfPoles, sample_rate);
    const Squared below(1.0, k.a1, k.a2);
    const double top = vmin(kTopHz, 0.5 * sample_rate);
    const auto wanted = [&](double hz) { return power(kTable.shelf, hz / kTableRate) * below(hz / sample_rate); };
    const double s1 = Squared::sine(kReferenceHz / sample_rate), s2 = Squared::sine(top / sample_rate);
    const double zero = wanted(0.0), left1 = (wanted(kReferenceHz) - zero * (1.0 - s1)) / s1,
                 left2 = (wanted(top) - zero * (1.0 - s2)) / s2;  // = nyquist + 4 (1 - s) middle
    const double middle = (left1 - left2) / (4.0 * (s2 - s1)), nyquist = left1 - 4.0 * (1.0 - s1) * middle;
    const double half = 0.5 * (vsqrt(zero) + vsqrt(nyquist));
    k.b0 = 0.5 * (half + vsqrt(half * half + middle));
    k.b1 = 0.5 * (vsqrt(zero) - vsqrt(nyquist));
    k.b2 = -0.25 * middle / k.b0;
    return k;
}

// Both zeros are at 0 Hz.
Biquad highpass_at(double sample_rate) {
    Biquad k = poles_at(kHighpassPoles, sample_rate);
    const double gain = vsqrt(power(kTable.highpass, kReferenceHz / kTableRate) / power(k, kReferenceHz / sample_rate));
    k.b0 = k.b2 = gain;
    k.b1 = -2.0 * gain;
    return k;
}

}  // namespace

// Deviation from the response of the tables, up to 20 kHz or 0.47 of the rate: 0.047 dB at 8 kHz, 0.014 dB at 11.025
// kHz, 0.003 dB at 16 kHz, 0.0007 dB from 22.05 kHz up. A bilinear transform would deviate by 0.5 dB at 8 kHz.
KWeighting k_weighting(double sample_rate) { return {shelf_at(sample_rate), highpass_at(sample_rate)}; }

// A sinc at the sampling rate with a Kaiser window; the coefficients of each place are scaled to gain 1 at 0 Hz.
void design_true_peak(TruePeakDesign& design) {
    const double beta = kaiser_beta(kStopbandDb), top = bessel_i0(beta);
    design.most = 0.0;
    for (int p = 0; p < kPairs; ++p) {
        const double place = static_cast<double>(p + 1) / kOversampling;
        double total = 0.0, most = 0.0;
        for (int j = 0; j < kReach; ++j) {
            // distances from the two frames around the place, in frames
            const double left = place + j, right = 1.0 - place + j;
            const auto value = [&](double t) { return vsin2pi(0.5 * t) / (kPi * t) * kaiser(t / kReach, beta, top); };
            design.even[p][j] = 0.5 * (value(left) + value(right));
            design.odd[p][j] = 0.5 * (value(left) - value(right));
            total += 2.0 * design.even[p][j];
            most += vabs(value(left)) + vabs(value(right));
        }
        for (int j = 0; j < kReach; ++j) design.even[p][j] /= total, design.odd[p][j] /= total;
        design.most = vmax(design.most, most / total * 1.000001);  // with a margin above all rounding errors
    }
}

}  // namespace amp
