#include "meters/design.hpp"

#include "dsp/kaiser.hpp"

namespace amp {

using namespace AMP_KNS;

namespace {

constexpr double kPi = 0x1.921fb54442d18p+1;
constexpr double kStopbandDb = 80.0;

// Rec. ITU-R BS.1770-4, tables 1 and 2: the filters at 48 kHz.
constexpr double kTableRate = 48000.0;
constexpr KWeighting kTable{
    {1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585},
    {1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621}};
// atan(k) 48000 / pi for the k of `prototype` below: where 48 kHz and another rate shall agree.
constexpr double kShelfHz = 1681.9744509555323, kHighpassHz = 38.13547087611305;
constexpr double kReferenceHz = 997.0;  // the frequency of the standard's calibration: 0 dB of it reads -3.01

// The analog filter (n2 s^2 + n1 s + n0) / (s^2 + d1 s + 1) that the bilinear transform s = (1 - 1/z) / (1 + 1/z) / k
// makes into a digital one; k = tan(pi f / fs) for its corner f.
struct Analog {
    double n2, n1, n0, d1;
};

// The transform backwards. a(1), a(-1) and 1 - a2 give k and d1, the same sums of b give the numerator.
Analog prototype(const Biquad& d) {
    const double at_nyquist = 1.0 - d.a1 + d.a2, at_zero = 1.0 + d.a1 + d.a2, k = vsqrt(at_zero / at_nyquist);
    return {(d.b0 - d.b1 + d.b2) / at_nyquist, 2.0 * (d.b0 - d.b2) / (at_nyquist * k), (d.b0 + d.b1 + d.b2) / at_zero,
            2.0 * (1.0 - d.a2) / (at_nyquist * k)};
}

Biquad digital(const Analog& a, double k) {
    const double square = k * k, scale = 1.0 / (1.0 + a.d1 * k + square);
    return {(a.n2 + a.n1 * k + a.n0 * square) * scale, 2.0 * (a.n0 * square - a.n2) * scale,
            (a.n2 - a.n1 * k + a.n0 * square) * scale, 2.0 * (square - 1.0) * scale, (1.0 - a.d1 * k + square) * scale};
}

// |H|^2 at s = j t.
double power(const Analog& a, double t) {
    const double real = a.n0 - a.n2 * t * t, below = 1.0 - t * t;
    return (real * real + a.n1 * a.n1 * t * t) / (below * below + a.d1 * a.d1 * t * t);
}

struct Corners {
    double shelf, highpass, reference;  // tan(pi f / fs)
    explicit Corners(double sample_rate)
        : shelf(vtanpi(kShelfHz / sample_rate)),
          highpass(vtanpi(kHighpassHz / sample_rate)),
          reference(vtanpi(kReferenceHz / sample_rate)) {}
};

double reference_power(const Analog& shelf, const Analog& highpass, const Corners& c) {
    return power(shelf, c.reference / c.shelf) * power(highpass, c.reference / c.highpass);
}

}  // namespace

// The analog prototypes of the table, transformed for this rate with their corners in place. The gain makes 997 Hz
// read what it reads at 48 kHz: there the bilinear transform bends the shelf by up to 0.1 dB at the lowest rates.
KWeighting k_weighting(double sample_rate) {
    const Analog shelf = prototype(kTable.shelf), highpass = prototype(kTable.highpass);
    const Corners here(sample_rate), table(kTableRate);
    KWeighting k{digital(shelf, here.shelf), digital(highpass, here.highpass)};
    const double gain = vsqrt(reference_power(shelf, highpass, table) / reference_power(shelf, highpass, here));
    k.highpass.b0 *= gain;
    k.highpass.b1 *= gain;
    k.highpass.b2 *= gain;
    return k;
}

// A sinc of the sampling rate under a Kaiser window, and each place between two frames scaled to gain 1 at 0 Hz.
void design_true_peak(TruePeakDesign& design) {
    const double beta = kaiser_beta(kStopbandDb), top = bessel_i0(beta);
    design.most = 0.0;
    for (int p = 0; p < kPairs; ++p) {
        const double place = static_cast<double>(p + 1) / kOversampling;
        double total = 0.0, most = 0.0;
        for (int j = 0; j < kReach; ++j) {
            const double left = place + j, right = 1.0 - place + j;  // distances, in frames
            const auto value = [&](double t) { return vsin2pi(0.5 * t) / (kPi * t) * kaiser(t / kReach, beta, top); };
            design.even[p][j] = 0.5 * (value(left) + value(right));
            design.odd[p][j] = 0.5 * (value(left) - value(right));
            total += 2.0 * design.even[p][j];
            most += vabs(value(left)) + vabs(value(right));
        }
        for (int j = 0; j < kReach; ++j) design.even[p][j] /= total, design.odd[p][j] /= total;
        design.most = vmax(design.most, most / total * 1.000001);  // more than roundings can add
    }
}

}  // namespace amp
