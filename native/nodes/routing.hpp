// Kernels shared by nodes whose ports do most of the work: y = x, and y = gain * x.
#pragma once
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {

template <class T> struct Passing {
    enum Param { kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr Nothing kNumbers{};
    struct Coef {};
    struct State {};
    struct Mid {};

    static Coef coef(const T*, const Setup&) { return {}; }
    static Mid tick(const T*, const Coef&, State&) { return {}; }
    static void shape(const Mid&, const T* x, const Coef&, T* y, const Setup&) { y[0] = x[0]; }
};

template <class T> struct Scaling {
    enum Param { kGain, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kGain};
    struct Coef {
        T gain;
    };
    struct State {};
    struct Mid {};

    static Coef coef(const T* p, const Setup&) { return {p[kGain]}; }
    static Mid tick(const T*, const Coef&, State&) { return {}; }
    static void shape(const Mid&, const T* x, const Coef& c, T* y, const Setup&) { y[0] = c.gain * x[0]; }
};

template <class T> struct Modulated : Scaling<T> {  // for nodes whose gain is usually modulated
    static constexpr int kFast = Scaling<T>::kGain;

    static void recoef(T gain, const Setup&, typename Scaling<T>::Coef& c) { c.gain = gain; }
};

}  // namespace amp::AMP_KNS
