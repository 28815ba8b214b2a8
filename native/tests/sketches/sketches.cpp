// Compiles the planned interfaces (docs/design/next.md) against the contracts they extend. The program is never run.
#include "backward.hpp"
#include "flight_ring.hpp"
#include "foreign_node.hpp"
#include "oversampled.hpp"
#include "window.hpp"

namespace amp::AMP_KNS {

// A node of the frame kind with its adjoint: y[n] = keep * y[n - 1] + take * x[n].
template <class T> struct Smoother {
    enum Param { kCutoff, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kCutoff};
    struct Coef {
        T keep, take;
    };
    struct State {
        T y;
    };
    struct Mid {
        T y;
    };
    static Coef coef(const T* p, const Setup& u);
    static Mid tick(const T* x, const Coef& c, State& s);
    static void shape(const Mid& m, const T* x, const Coef& c, T* y, const Setup& u);
    static void shape_back(Mid& m_bar, T* x_bar, Coef& c_bar, const T* y_bar, const Mid& m, const T* x, const Coef& c,
                           const Setup& u);
    static void tick_back(State& s_bar, T* x_bar, Coef& c_bar, const Mid& m_bar, const State& before, const T* x,
                          const Coef& c, const Setup& u);
    static void coef_back(T* p_bar, const Coef& c_bar, const T* p, const Setup& u);
};
static_assert(HasAdjoint<Smoother, double> && HasAdjoint<Smoother, f64x8>);
static_assert(std::is_same_v<ReverseDriver<Smoother>::Row, Traits<Smoother>::Row>);

// A node of the window kind: the spectrum of each window times a gain.
template <class T> struct SpectralGain {
    enum Param { kWindow, kGain, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kGain};
    struct State {};
    using Frames = Window<T, kInputs, kOutputs>;
    static WindowFacts facts(const double* fixed, double sample_rate);
    static void transform(const Frames& w, const WindowFacts& facts, State& s, const Setup& u);
    static void invert(const Frames& w, const WindowFacts& facts, State& s, const Setup& u);
    static void transform_back(const Frames& w, const T* const* y_bar, T* const* x_bar, T* p_bar,
                               const WindowFacts& facts, State& s_bar, const Setup& u);
};
static_assert(WindowKernel<SpectralGain, double> && WindowKernel<SpectralGain, f64x8>);
static_assert(InvertsWindow<SpectralGain, f64x8> && HasWindowAdjoint<SpectralGain, f64x8>);
static_assert(std::is_same_v<decltype(&WindowDriver<SpectralGain>::latency), decltype(NodeType::latency)>);
static_assert(window_latency({.window = 1024, .hop = 256}) == 1023);

// It is declared like other nodes.
constexpr amp_param_contract kParameters[] = {
    integer("window_size", 64, 65536, 1024, "Frames of a window."),
    number("gain", "1", -1e6, 1e6, 1.0, "Factor of the spectrum."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal.")};
constexpr amp_port_contract kOut[] = {output("out", "The same, scaled.")};
constexpr amp_node_contract kSpectralGain = contract({.id = "spectral_gain",
                                                      .group = "filter",
                                                      .summary = "A spectrum times a factor.",
                                                      .doc = "",
                                                      .params = kParameters,
                                                      .latency_frames = 1023,
                                                      .adjoint = AMP_ADJOINT_EXACT},
                                                     kIn, kOut);
constexpr NodeType kWindowType = WindowDriver<SpectralGain>::type(kSpectralGain);
static_assert(kWindowType.kind == NodeKind::window && kWindowType.contract == &kSpectralGain);

}  // namespace amp::AMP_KNS

namespace amp {

// Assumptions of the sketches about the records they extend.
static_assert(std::is_same_v<decltype(ReverseViews::d_in), decltype(Step::in)>);
static_assert(std::is_same_v<decltype(inner_firing({}, Group{}).frame), int64_t>);
static_assert(std::is_same_v<decltype(inner_delay(PlanEdge{}, Group{})), decltype(PlanEdge::delay)>);
static_assert(std::is_same_v<decltype(RateSteps::up), decltype(KernelTable::pack)[2]>);
static_assert(std::is_same_v<decltype(Inserted::node), uint32_t> && std::is_pointer_v<decltype(PlanNode::descriptor)>);
static_assert(sizeof(amp_flight_record::node) == sizeof(amp_flight::node));
static_assert(std::is_same_v<decltype(amp_flight_record::first_frame), decltype(Firing::frame)>);

constexpr amp_node_contract kForeign{};
static_assert(foreign_type(kForeign, false, nullptr).kind == NodeKind::foreign);
static_assert(foreign_type(kForeign, false, nullptr).ops[0].fire == fire_v1);

}  // namespace amp
