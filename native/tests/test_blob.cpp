// Blobs: any wrong byte is AMP_E_BLOB naming the place, and has no other effect.
#include <cstring>
#include <functional>

#include "check.hpp"
#include "rig.hpp"

namespace {

using blob::Bytes;

amp_status compile(const Bytes& b, amp_error* error = nullptr) {
    amp_bytes plan{};
    const amp_status s = amp_plan_compile(b.data(), b.size(), &plan, error);
    CHECK((s == AMP_OK) == (plan.data != nullptr));
    amp_bytes_free(&plan);
    return s;
}

amp_status sample(const Bytes& b) {
    double out[4];
    return amp_history_sample(b.data(), b.size(), "gate", 48000, 0, 4, out, nullptr);
}

void header(const Bytes& good, const std::function<amp_status(const Bytes&)>& read) {
    CHECK(read(good) == AMP_OK);
    for (size_t i = 0; i < blob::kHeader; ++i) {
        Bytes b = good;
        b[i] ^= 1;
        CHECK(read(b) == AMP_E_BLOB);
    }
    Bytes damaged = good;
    damaged.back() ^= 1;
    CHECK(read(damaged) == AMP_E_BLOB);
    for (size_t n = 0; n < good.size(); ++n) CHECK(read({good.begin(), good.begin() + long(n)}) == AMP_E_BLOB);
}

// Truncated anywhere, with a valid checksum, the reader reports what is missing; extra bytes are refused, too.
void every_length(const Bytes& good, const std::function<amp_status(const Bytes&)>& read) {
    for (size_t n = blob::kHeader; n < good.size(); ++n) {
        Bytes b(good.begin(), good.begin() + long(n));
        blob::reseal(b);
        CHECK(read(b) == AMP_E_BLOB);
    }
    Bytes longer = good;
    longer.push_back(0);
    blob::reseal(longer);
    CHECK(read(longer) == AMP_E_BLOB);
}

void descriptors_say_where() {
    blob::Graph g = graphs::chain();
    g.nodes[1].params[0] = {"gain", 9};
    amp_error e = rig::empty_error();
    CHECK(compile(blob::descriptors(g), &e) == AMP_E_BLOB);
    CHECK(e.code == AMP_E_BLOB && std::strstr(e.message, "gain has unknown kind 9"));
    CHECK(!std::strcmp(e.stage, "load") && std::strstr(e.message, "at byte"));
    g = graphs::voice();
    g.modulations[0].mode = 2;
    CHECK(compile(blob::descriptors(g)) == AMP_E_BLOB);
    g = graphs::chain();
    g.nodes[0].name = std::string("to\0ne", 5);
    CHECK(compile(blob::descriptors(g)) == AMP_E_BLOB);
    for (const char* name : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "cut \xe2\x82"}) {  // not UTF-8
        g = graphs::chain();
        g.nodes[0].name = name;
        CHECK(compile(blob::descriptors(g)) == AMP_E_BLOB);
    }
    g = graphs::chain();  // only tokens and a channel may follow an edge
    g.edges[0].channel = 1;
    CHECK(compile(blob::descriptors(g)) == AMP_OK);
    g.edges[0].channel = -2;
    CHECK(compile(blob::descriptors(g)) == AMP_E_BLOB);
    g.edges[0].channel = -1;
    g.edges[0].parts = 4;
    CHECK(compile(blob::descriptors(g)) == AMP_E_BLOB);
    // shapes larger than the payload, some with products that overflow
    for (const blob::Tensor& t :
         {blob::Tensor{0, 1, 1, {}}, blob::Tensor{1, 1, 0, {}}, blob::Tensor{2, 1, 1, {1}},
          blob::Tensor{0xffffffffu, 0xffffffffu, 1, {1}}, blob::Tensor{1u << 31, 2, 1u << 31, {1}}}) {
        g = graphs::chain();
        g.nodes[1].params = {blob::tensor("gain", t)};
        CHECK(compile(blob::descriptors(g)) == AMP_E_BLOB);
    }
}

void histories_say_where() {
    using blob::Curve;
    const auto read = [](std::vector<Curve> curves) { return sample(blob::history(curves)); };
    CHECK(read({{"gate", 0, {{0, 1}}}}) == AMP_OK);
    CHECK(read({{"gate", 4, {{0, 1}}}}) == AMP_E_BLOB);
    CHECK(read({{"gate", 0, {}}}) == AMP_E_BLOB);
    CHECK(read({{"gate", 0, {{0, 1}}}, {"gate", 0, {{0, 1}}}}) == AMP_E_BLOB);
    CHECK(read({{"other", 0, {{0, 1}}}}) == AMP_E_INVALID_ARG);
    CHECK(read({{"gate", 1, {{1, 1}, {0, 1}}}}) == AMP_E_INVALID_ARG);
    CHECK(read({{"gate", 1, {{0, NAN}}}}) == AMP_E_INVALID_ARG);
    CHECK(read({{"gate", 1, {{INFINITY, 0}}}}) == AMP_E_INVALID_ARG);
    CHECK(read({{"gate", 3, {{0, 1}, {1, -1}}}}) == AMP_E_INVALID_ARG);
    CHECK(read({{"gate", 3, {{0, 0}, {1, 1}}}}) == AMP_E_INVALID_ARG);
}

// Of two points at one time the later one counts from that time on; before and after the points the end values hold;
// HOLD keeps a value until the next point.
void histories_have_the_documented_values() {
    const Bytes b = blob::history(
        {{"step", AMP_CURVE_LINEAR, {{1, 10}, {2, 20}, {2, 50}, {4, 60}}}, {"hold", AMP_CURVE_HOLD, {{0, 1}, {2, 3}}}});
    double y[6];
    CHECK(amp_history_sample(b.data(), b.size(), "step", 1, 0, 6, y, nullptr) == AMP_OK);
    CHECK(y[0] == 10 && y[1] == 10 && y[2] == 50 && y[3] == 55 && y[4] == 60 && y[5] == 60);
    CHECK(amp_history_sample(b.data(), b.size(), "hold", 1, -1, 4, y, nullptr) == AMP_OK);
    CHECK(y[0] == 1 && y[1] == 1 && y[2] == 1 && y[3] == 3);
    const auto bad = [&](const char* curve, double rate, int64_t first, int64_t frames, double* out) {
        return amp_history_sample(b.data(), b.size(), curve, rate, first, frames, out, nullptr) == AMP_E_INVALID_ARG;
    };
    CHECK(bad(nullptr, 1, 0, 1, y) && bad("step", 0, 0, 1, y) && bad("step", NAN, 0, 1, y));
    CHECK(bad("step", 1, 0, 1, nullptr) && bad("step", 1, 0, -1, y) && bad("step", 1, INT64_MAX, 2, y));
    CHECK(bad("step", 1, INT64_MIN, 2, y) && bad("step", INFINITY, 0, 1, y));
    CHECK(amp_history_sample(nullptr, 5, "step", 1, 0, 1, y, nullptr) == AMP_E_BLOB);
    CHECK(amp_history_sample(b.data(), b.size(), "step", 1e9, int64_t{1} << 61, 3, y, nullptr) == AMP_OK && y[2] == 60);
}

// Extreme points and frame numbers: no sum of frame numbers overflows (checked by the sanitizers).
void histories_reach_far() {
    const double far = 1e300;
    const Bytes b = blob::history({{"far", AMP_CURVE_HOLD, {{-far, 1}, {-1e18, 2}, {0, 3}, {1e18, 4}, {far, 5}}}});
    constexpr int64_t edge = int64_t{1} << 61;
    const auto at = [&](double rate, int64_t first) {
        double y[3] = {};
        CHECK(amp_history_sample(b.data(), b.size(), "far", rate, first, 3, y, nullptr) == AMP_OK);
        CHECK(y[0] == y[1] && y[1] == y[2]);
        return y[0];
    };
    CHECK(at(1, -edge) == 1 && at(1, edge) == 4 && at(1e7, -edge) == 2 && at(1e7, edge) == 3 && at(48000, 5) == 3);
    CHECK(at(1e-300, edge) == 5 && at(1e-300, -edge) == 1 && at(1e300, edge) == 3);
}

void bytes_and_checksums() {
    amp_bytes_free(nullptr);
    amp_bytes empty{};
    amp_bytes_free(&empty);
    CHECK(amp_checksum("", 0) == 0xcbf29ce484222325u && amp_checksum(nullptr, 0) == 0xcbf29ce484222325u);
    CHECK(amp_checksum("a", 1) == 0xaf63dc4c8601ec8cu);  // FNV-1a test vector
}

}  // namespace

int main() {
    for (const blob::Graph& g : {graphs::chain(), graphs::voice(), graphs::long_loop()}) {
        const auto read = [](const Bytes& b) { return compile(b); };
        header(blob::descriptors(g), read);
        every_length(blob::descriptors(g), read);
    }
    header(blob::history(graphs::voice_curves()), sample);
    every_length(blob::history(graphs::voice_curves()), sample);
    descriptors_say_where();
    histories_say_where();
    histories_have_the_documented_values();
    histories_reach_far();
    bytes_and_checksums();
    return check::finish("blob");
}
