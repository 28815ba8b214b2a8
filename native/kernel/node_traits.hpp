// What the struct of a node of the frame kind must have (concept Kernel, below) and may have. Its maths is written
// once, as a struct template over the number type T.
//
//   template <class T> struct Node {
//     enum Param { ... , kParams };                 // in the order of the contract
//     static constexpr int kInputs, kOutputs;
//     static constexpr int kNumbers[] = {...};      // parameters that are signals (not fixed)
//     struct Coef;  struct State;  struct Mid;      // members of type T or u64_of<T> only; may be empty
//     static Coef coef(const T* p, const Setup&);                       // what depends on parameters only
//     static Mid tick(const T* x, const Coef&, State&);                 // the recursion: as little as possible
//     static void shape(const Mid&, const T* x, const Coef&, T* y, const Setup&);   // the rest of the frame
//     static T heat(const T* x, const T* y, const T* p);                // optional: own power in watts
//   };
//
// tick may take the Setup too, as its last argument, for values that depend on fixed parameters.
//
// Optional members:
//   static constexpr int kFast = <parameter>; static void recoef(T value, const Setup&, Coef&)
//       For a node with one parameter that is usually modulated. recoef updates the coefficients that depend on it; the
//       others are computed once per firing while no other parameter changes per frame. coef must give what recoef
//       gives. If one modulator changes a value that is otherwise constant, the engine lets the node compute the
//       parameter itself and does not run the parameter's step.
//   static constexpr bool kAdds = true       The node has one input port, which sums its edges; x is their sum.
//   static constexpr bool kPasses = true     The output is the one input, bit for bit.
//   static constexpr bool kFinite = true     Finite parameters give finite outputs.
//   static constexpr bool kHolds = true      The output is constant over frames while the parameters are.
//   static constexpr Nothing kNumbers        The node has no signal parameters.
//   static constexpr bool kPhase = true
//       State is {U phase}, Mid is {U phase}, and Coef has members `U inc` and `U offset`. tick must only return the
//       phase and add inc: the frame layout replaces it by a running sum over eight packs. shape adds offset to the
//       phase; while offset is constant, the lane layout adds it once per firing.
// Used by the lane layout only:
//   static constexpr int kChoice = <fixed parameter>, kChoices = <number of its values>
//       A separate loop is compiled for each value.
//   struct Half; static Half half(T value, const Setup&); static void rest(const Half&, Coef&)
//       recoef(v, u, c) is rest(half(v, u), c): for coefficients that take longer to compute than the recursion.
//   static mask_of<T> fast_path(const Mid&, const Coef&, T* y, const Setup&)
//       For a node without inputs: a shorter formula that is exact in most frames. It returns the lanes in which it is
//       not, for which shape is called.
#pragma once
#include <iterator>

#include "kernel/rows.hpp"

namespace amp::AMP_KNS {

// A struct whose members are all of type T or u64_of<T>: it can be stored in lanes, and saved and restored as bytes.
template <class S, class T>
concept Fields = std::is_trivially_copyable_v<S> && (std::is_empty_v<S> || sizeof(S) % sizeof(T) == 0);

// What a node of the frame kind must have, for a number type T.
template <template <class> class N, class T>
concept Kernel = Fields<typename N<T>::Coef, T> && Fields<typename N<T>::State, T> && Fields<typename N<T>::Mid, T> &&
                 requires(const T* x, T* y, const typename N<T>::Coef& c, typename N<T>::State& s,
                          const typename N<T>::Mid& m, const Setup& u) {
                     requires N<T>::kInputs >= 0 && N<T>::kOutputs >= 1 && N<T>::kParams >= 0;
                     { *std::begin(N<T>::kNumbers) } -> std::convertible_to<int>;
                     { N<T>::coef(x, u) } -> std::same_as<typename N<T>::Coef>;
                     requires requires {
                         { N<T>::tick(x, c, s) } -> std::same_as<typename N<T>::Mid>;
                     } || requires {
                         { N<T>::tick(x, c, s, u) } -> std::same_as<typename N<T>::Mid>;
                     };
                     { N<T>::shape(m, x, c, y, u) } -> std::same_as<void>;
                 };

// Optional members that are only valid together: kFast and recoef; Half, half and rest; kChoice and kChoices; kPhase, a
// phase, its increment and its offset.
template <template <class> class N, class T>
concept ConsistentOptions =
    (!requires { N<T>::kFast; } || requires(T v, const Setup& u, typename N<T>::Coef& c) { N<T>::recoef(v, u, c); }) &&
    (!requires { typename N<T>::Half; } ||
     requires(T v, const Setup& u, typename N<T>::Coef& c) { N<T>::rest(N<T>::half(v, u), c); }) &&
    (requires { N<T>::kChoice; } == requires { N<T>::kChoices; }) &&
    (!requires { N<T>::kPhase; } || requires(typename N<T>::State& s, typename N<T>::Coef& c, typename N<T>::Mid& m) {
        m.phase = s.phase;
        s.phase += c.inc;
        s.phase += c.offset;
    });

template <template <class> class N> struct Traits {
    using D = N<double>;
    using P = N<f64x8>;
    static constexpr int NI = D::kInputs, NO = D::kOutputs;
    static constexpr bool kAdds = requires { D::kAdds; };
    using Row = Line<NI, NO, D::kParams, kAdds>;
    static constexpr int kIn = Row::kIn, kPar = Row::kPar;
    static constexpr bool kRunsPhase = requires { D::kPhase; };
    static constexpr bool kHasFast = requires { D::kFast; };
    static constexpr bool kHalves = requires { typename D::Half; };
    static constexpr bool kFinite = requires { D::kFinite; };
    static constexpr bool kHasFastPath =
        requires(typename P::Mid m, typename P::Coef c, f64x8* y, Setup u) { P::fast_path(m, c, y, u); };
    static constexpr int kChoices = [] {
        if constexpr (requires { D::kChoices; }) return D::kChoices;
        return 1;
    }();
    static constexpr bool kRecursive = !std::is_empty_v<typename D::State> && !kRunsPhase;

    enum Motion { kConstant, kFastOnly, kMoving };  // which parameters change per frame: none, only kFast, any

    static Row* rows(const Step& s) { return static_cast<Row*>(s.rows); }
    static void bind_rows(Step& s) {
        for (int c = 0, r = 0; c < s.channels; ++c)
            for (int g = 0; g < s.env->groups; ++g, ++r) rows(s)[r].bind(s, c, g);
    }

    template <Motion kMotion> static FastRow fast_row(const Step& s, int c, int g) {
        if constexpr (kMotion == kFastOnly) return FastRow(s, D::kFast, c, g);
        return {};
    }

    static Motion motion(const Step& s) {
        if (!s.varying) return kConstant;
        if constexpr (kHasFast) {
            for (int k : D::kNumbers)
                if (k != D::kFast && s.par[k].step != 0) return kMoving;
            return kFastOnly;
        }
        return kMoving;
    }

    // Calls `run` compiled for one Motion.
    template <class Run> [[gnu::always_inline]] static void by_motion(Motion moves, const Run& run) {
        if (moves == kConstant)
            run.template operator()<kConstant>();
        else if (moves == kMoving)
            run.template operator()<kMoving>();
        else if constexpr (kHasFast)
            run.template operator()<kFastOnly>();
    }

    template <class T>
    [[gnu::always_inline]] static typename N<T>::Mid tick(const T* x, const typename N<T>::Coef& c,
                                                          typename N<T>::State& s, const Setup& u) {
        if constexpr (requires { N<T>::tick(x, c, s, u); })
            return N<T>::tick(x, c, s, u);
        else
            return N<T>::tick(x, c, s);
    }
    template <class T>
    [[gnu::always_inline]] static typename N<T>::Coef coef(const Row& row, const Setup& u, int64_t i) {
        T p[kPar];
        for (int k : D::kNumbers) p[k] = load_as<T>(row.par[k] + i * row.par_step[k]);
        return N<T>::coef(p, u);
    }
    template <class T> static typename N<T>::Coef* constant_coef(Step& s, int index) {
        return reinterpret_cast<typename N<T>::Coef*>(s.coef) + index;
    }
    template <class T> static typename N<T>::State* state(Step& s, int index) {
        return reinterpret_cast<typename N<T>::State*>(s.state) + index;
    }

    template <class T> static void prepare(Step& s) {
        const Setup u{*s.env, s.fixed, s.key};
        if (s.varying) return;
        for (int r = 0; r < s.channels * s.env->groups; ++r) *constant_coef<T>(s, r) = coef<T>(rows(s)[r], u, 0);
    }

    template <class T> static void reset(Step& s) {
        for (int r = 0; r < s.channels * s.env->groups; ++r) *state<T>(s, r) = typename N<T>::State{};
    }
};

}  // namespace amp::AMP_KNS
