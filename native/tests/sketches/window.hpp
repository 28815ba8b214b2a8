// Sketch: nodes that work on windows. Declarations only; docs/design/next.md says where each part will be.
#pragma once
#include "kernel/contract.hpp"
#include "kernel/node_traits.hpp"

// ---- kernel/step.hpp: next to NodeType::latency, for nodes of the kind `window` ----
namespace amp {

// A function of the fixed parameters and the sample rate. The plan calls it once, for latency, cost and texts.
struct WindowFacts {
    uint32_t window = 0;   // frames per window
    uint32_t hop = 0;      // frames from the start of one window to the next; divides `window`
    uint32_t scratch = 0;  // doubles that a transform needs in addition to its frames, per pack of rows
    double cost = 0;       // additions and multiplications per frame and row, for schedules and block sizes
    bool undone = false;   // `invert` restores the input: hop == window, rectangular
};

using WindowFactsFn = WindowFacts (*)(const double* fixed, double sample_rate);

// Window k covers the logical frames k * hop to k * hop + window - 1, however time is divided into blocks. The first
// window is the first one that includes frame 0; frames before 0 are zeros. A window is transformed when its last frame
// is fired, so the output lags by window - 1 frames: that is the declared latency.
constexpr int64_t window_latency(const WindowFacts& facts) { return int64_t{facts.window} - 1; }

}  // namespace amp

// ---- kernel/window/traits.hpp ----
namespace amp::AMP_KNS {

// One window of one pack of rows: T is one row (frame layout) or eight (lane layout). Rows are independent.
template <class T, int kInputs, int kOutputs> struct Window {
    const T* x[kInputs > 0 ? kInputs : 1];  // `window` frames, oldest first, without a window function
    T* y[kOutputs];                         // `window` frames, which the driver adds to those of earlier windows
    const T* p;  // the parameters at the middle frame, k * hop + window / 2, or at frame 0 if the middle is earlier
    T* scratch;
    int64_t first;  // logical frame of x[.][0]
};

// A node in one file, as for the frame kind; transform replaces coef, tick and shape.
template <template <class> class N, class T>
concept WindowKernel =
    requires(const double* fixed, double sample_rate, typename N<T>::State& state,
             const Window<T, N<T>::kInputs, N<T>::kOutputs>& w, const WindowFacts& facts, const Setup& u) {
        { N<T>::facts(fixed, sample_rate) } -> std::same_as<WindowFacts>;
        { N<T>::transform(w, facts, state, u) } -> std::same_as<void>;
        requires std::is_trivially_copyable_v<typename N<T>::State>;  // saved by snapshots; may be empty
        requires sizeof(N<T>::kNumbers) > 0;
    };

// Optional: the inverse (AMP_LAW_REVERSIBLE), and the adjoint, for which the driver visits windows from last to first.
template <template <class> class N, class T>
concept InvertsWindow = requires(const Window<T, N<T>::kOutputs, N<T>::kInputs>& w, const WindowFacts& facts,
                                 typename N<T>::State& state, const Setup& u) { N<T>::invert(w, facts, state, u); };
template <template <class> class N, class T>
concept HasWindowAdjoint =
    requires(const Window<T, N<T>::kInputs, N<T>::kOutputs>& w, const T* const* y_bar, T* const* x_bar, T* p_bar,
             const WindowFacts& facts, typename N<T>::State& state_bar,
             const Setup& u) { N<T>::transform_back(w, y_bar, x_bar, p_bar, facts, state_bar, u); };

// ---- kernel/window/driver.hpp ----
// Fills the same LayoutOps as the frame kind, so the engine fires a window node like any other: whole blocks, or single
// frames in a loop. Memory between firings is Step::aux, (kInputs + kOutputs) rows of `window` frames. The place of a
// frame in it follows from its logical number, so snapshots store no position and `possible` is NULL.
template <template <class> class N> struct WindowDriver {
    static_assert(WindowKernel<N, double> && WindowKernel<N, f64x8>);
    template <class T> static uint32_t fire(Step& s, const Firing& f);
    template <class T> static Carried tick(Step& s, int64_t i, int64_t time, Carried before);
    static uint32_t aux_frames(const Step& s);
    static int64_t latency(const double* fixed, double sample_rate);
    template <class T> static constexpr LayoutOps ops() {
        return {.fire = fire<T>, .tick = tick<T>, .state_bytes = sizeof(typename N<T>::State)};
    }
    static constexpr NodeType type(const amp_node_contract& contract) {
        return {.kind = NodeKind::window,
                .contract = &contract,
                .ops = {ops<double>(), ops<f64x8>()},
                .aux_frames = aux_frames,
                .latency = latency};
    }
};

// ---- dsp/fft.hpp ----
// In place; n is a power of two from 64 to 65536; the same bits on every instruction set. T is one signal, or eight in
// lanes.
template <class T> void fft(T* re, T* im, uint32_t n);
template <class T> void inverse_fft(T* re, T* im, uint32_t n);
uint32_t fft_scratch(uint32_t n);

}  // namespace amp::AMP_KNS
