#include "plan/parameters.hpp"

#include <algorithm>
#include <cmath>

namespace amp {

Range range_of(const amp_param_contract& p, double fs) { return {p.low, p.high_is_fs ? p.high * fs : p.high}; }

std::string out_of_range(const std::string& node, const amp_param_contract& p, double got, const Range& r,
                         const char* whose) {
    const std::string high = p.high_is_fs ? text("%g fs", p.high) : text("%g", r.high);
    const std::string unit = std::string_view(p.unit) == "1" || !*p.unit ? "" : std::string(" ") + p.unit;
    return text("%s.%s: out of range (got %s%g%s, allowed %g to %s).", node.c_str(), p.key, whose, got, unit.c_str(),
                r.low, high.c_str());
}

namespace {

int32_t find(const amp_node_contract& c, const std::string& key) {
    for (uint32_t i = 0; i < c.n_params; ++i)
        if (key == c.params[i].key) return static_cast<int32_t>(i);
    return -1;
}

std::string names(const amp_node_contract& c) {
    std::string s;
    for (uint32_t i = 0; i < c.n_params; ++i) s += (i ? ", " : "") + std::string(c.params[i].key);
    return s.empty() ? "none" : s;
}

void check_choice(const NodeDescriptor& n, const amp_param_contract& c, const Parameter& p, Violations& v) {
    std::string all;
    for (uint32_t i = 0; i < c.n_choices; ++i) {
        if (p.kind == Parameter::kText && p.text == c.choices[i]) return;
        all += (i ? ", " : "") + std::string(c.choices[i]);
    }
    v.add(text("%s.%s: unknown choice (got \"%s\", allowed %s).", n.name.c_str(), c.key, p.text.c_str(), all.c_str()),
          "Use one of these names.", n.name, c.key);
}

bool fits(const amp_param_contract& c, double x, const Range& r) {
    const bool whole = c.kind != AMP_PARAM_INTEGER || x == std::floor(x);
    const bool clamps = c.range == AMP_RANGE_CLAMP && c.rate == AMP_RATE_FRAME;
    return std::isfinite(x) && whole && ((x >= r.low && x <= r.high) || clamps);
}

// Checks a default: where the upper limit is a fraction of the sample rate, a low rate can put the default out of
// range.
void check_default(const NodeDescriptor& n, const amp_param_contract& c, double fs, Violations& v) {
    const Range r = range_of(c, fs);
    if (!fits(c, c.value, r)) v.add(out_of_range(n.name, c, c.value, r, "the default, "), kChooseInside, n.name, c.key);
}

void check_number(const NodeDescriptor& n, const amp_param_contract& c, const Parameter& p, double fs, Violations& v) {
    const bool per_frame = c.rate == AMP_RATE_FRAME;
    if (p.kind == Parameter::kCurve) {
        if (!per_frame || p.text.empty())
            v.add(text("%s.%s: cannot follow a control curve.", n.name.c_str(), c.key), "Give it a number.", n.name,
                  c.key);
        return;
    }
    if (p.kind == Parameter::kText) {
        v.add(text("%s.%s: needs a number (got the text \"%s\").", n.name.c_str(), c.key, p.text.c_str()),
              "Give it a number.", n.name, c.key);
        return;
    }
    const Tensor& t = p.tensor;
    if ((c.rate == AMP_RATE_FIXED && t.data.size() != 1) || (!per_frame && t.frames != 1))
        v.add(text("%s.%s: shape (got (%u, %u, %llu), allowed %s).", n.name.c_str(), c.key, t.batches, t.channels,
                   static_cast<unsigned long long>(t.frames),
                   c.rate == AMP_RATE_FIXED ? "one number" : "(B|1, C|1, 1)"),
              c.rate == AMP_RATE_FIXED ? "Give a single number." : "Give no frame axis.", n.name, c.key, AMP_E_SHAPE);
    const Range r = range_of(c, fs);
    for (double x : t.data) {
        if (fits(c, x, r)) continue;
        v.add(out_of_range(n.name, c, x, r), kChooseInside, n.name, c.key);
        return;
    }
}

void check_matrix(const NodeDescriptor& n, const amp_param_contract& c, const Parameter& p, Violations& v) {
    const Tensor& t = p.tensor;
    if (p.kind == Parameter::kCurve || p.kind == Parameter::kText) {
        v.add(text("%s.%s: needs a matrix of numbers (got the text \"%s\").", n.name.c_str(), c.key, p.text.c_str()),
              "Give rows of numbers.", n.name, c.key);
        return;
    }
    if (t.data.empty() || t.channels > kMostChannels || t.frames > kMostChannels) {
        v.add(text("%s.%s: shape (got (%u, %u, %llu), allowed (B|1, rows, columns) with 1 to %d of both).",
                   n.name.c_str(), c.key, t.batches, t.channels, static_cast<unsigned long long>(t.frames),
                   kMostChannels),
              "Give rows for the channels that go out, columns for those that come in.", n.name, c.key, AMP_E_SHAPE);
        return;
    }
    for (double x : t.data)
        if (!(x >= c.low && x <= c.high)) {
            v.add(out_of_range(n.name, c, x, {c.low, c.high}), kChooseInside, n.name, c.key);
            return;
        }
}

}  // namespace

void check_parameters(const NodeDescriptor& n, const amp_node_contract& c, double fs, std::vector<int32_t>& index,
                      Violations& v) {
    index.assign(c.n_params, -1);
    for (size_t i = 0; i < n.parameters.size(); ++i) {
        const Parameter& p = n.parameters[i];
        const int32_t k = find(c, p.key);
        if (k < 0) {
            v.add(text("%s.%s: no such parameter of %s (allowed %s).", n.name.c_str(), p.key.c_str(), c.id,
                       names(c).c_str()),
                  c.n_params ? "Use one of these." : "Leave it out.", n.name, p.key);
            continue;
        }
        if (index[k] >= 0)
            v.add(text("%s.%s: given twice.", n.name.c_str(), p.key.c_str()), "Keep one.", n.name, p.key);
        index[k] = static_cast<int32_t>(i);
        const amp_param_contract& pc = c.params[k];
        if (pc.kind == AMP_PARAM_ENUM)
            check_choice(n, pc, p, v);
        else if (pc.kind == AMP_PARAM_TEXT) {
            if (p.kind != Parameter::kText)
                v.add(text("%s.%s: needs a text.", n.name.c_str(), pc.key), "Give it a text.", n.name, pc.key);
        } else if (pc.kind == AMP_PARAM_MATRIX)
            check_matrix(n, pc, p, v);
        else
            check_number(n, pc, p, fs, v);
    }
    for (uint32_t k = 0; k < c.n_params; ++k) {
        const bool number = c.params[k].kind == AMP_PARAM_NUMBER || c.params[k].kind == AMP_PARAM_INTEGER;
        if (number && index[k] < 0) check_default(n, c.params[k], fs, v);
    }
}

MatrixShape matrix_shape(const PlanNode& node) {
    const amp_node_contract& c = *node.type->contract;
    for (uint32_t k = 0; k < c.n_params; ++k) {
        if (c.params[k].kind != AMP_PARAM_MATRIX || !node.given(k)) continue;
        const Tensor& t = node.given(k)->tensor;
        return {t.channels, static_cast<uint32_t>(t.frames)};
    }
    return {};
}

double fixed_value(const PlanNode& node, uint32_t param) {
    const amp_param_contract& c = node.type->contract->params[param];
    if (c.kind == AMP_PARAM_MATRIX) return matrix_shape(node).rows;
    if (!node.given(param)) return c.value;
    const Parameter& p = *node.given(param);
    if (c.kind == AMP_PARAM_TEXT || p.kind == Parameter::kCurve) return 0.0;
    if (c.kind != AMP_PARAM_ENUM) return p.tensor.data.front();
    for (uint32_t k = 0; k < c.n_choices; ++k)
        if (p.text == c.choices[k]) return k;
    return c.value;
}

}  // namespace amp
