// The Kaiser window. J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", Proc. IEEE
// Int. Symp. Circuits and Systems, 1974; A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", 3rd
// ed., 7.5.
#pragma once
#include "dsp/math.hpp"

namespace amp::AMP_KNS {

// Modified Bessel function of the first kind, order 0, by its series.
inline double bessel_i0(double x) {
    double sum = 1.0, term = 1.0;
    for (double k = 1.0; term > 1e-18 * sum; k += 1.0) {
        const double factor = x / (2.0 * k);
        term *= factor * factor;
        sum += term;
    }
    return sum;
}

// The shape parameter beta for a stop band this many dB down.
inline double kaiser_beta(double stopband_db) {
    if (stopband_db > 50.0) return 0.1102 * (stopband_db - 8.7);
    const double over = vmax(0.0, stopband_db - 21.0);
    return 0.5842 * vpow(over, 0.4) + 0.07886 * over;
}

// The window's value at `place`: 0 is the middle, 1 an end. `top` is bessel_i0(beta).
inline double kaiser(double place, double beta, double top) {
    return bessel_i0(beta * vsqrt(vmax(0.0, 1.0 - place * place))) / top;
}

}  // namespace amp::AMP_KNS
