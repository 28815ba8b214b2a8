#include "plan/contract_digest.hpp"

#include <cstring>
#include <span>
#include <string_view>

#include "core/bytes.hpp"

namespace amp {

namespace {

void put_text(Writer& w, const char* t) { w.str(t ? t : ""); }

bool is_reserved(const amp_param_contract& p) { return std::strchr(p.key, '.') != nullptr; }

void put_ports(Writer& w, std::span<const amp_port_contract> ports) {
    w.put(static_cast<uint32_t>(ports.size()));
    for (const auto& p : ports)
        put_text(w, p.key), w.put(p.channels), w.put(p.gather), w.put(p.optional), w.put(p.map), w.put(p.neutral);
}

void put_param(Writer& w, const amp_param_contract& p) {
    put_text(w, p.key), w.put(p.kind), w.put(p.rate), w.put(p.range), w.put(p.low), w.put(p.high), w.put(p.high_is_fs),
        w.put(p.value), w.put(p.n_choices);
    for (uint32_t k = 0; k < p.n_choices; ++k) put_text(w, p.choices[k]);
}

// Writes the roles of a node in its graph. Only the roles it has are written, so that a role added later does not
// change the digests of nodes without it.
void put_roles(Writer& w, const amp_node_contract& c) {
    const auto role = [&](const char* name, uint32_t place) {
        if (place) put_text(w, name), put_text(w, c.params[place - 1].key);
    };
    if (c.io) put_text(w, "io"), w.put(c.io);
    role("curve", c.curve_param), role("channels", c.channels_param);
    role("limited", c.limited_param), role("limit", c.limit_param);
}

// The digest of version 1. Must never change: stored plans contain its values.
uint64_t whole_contract(const amp_node_contract& c) {
    Writer w;
    put_text(w, c.id), w.put(c.revision), w.put(c.latency_frames), w.put(c.oversample_max), w.put(c.adjoint),
        w.put(c.laws), put_text(w, c.heat), w.put(c.has_channels);
    const auto port = [&](const amp_port_contract& p) {
        put_text(w, p.key), w.put(p.channels), w.put(p.gather), w.put(p.optional), w.put(p.neutral);
        if (p.map) w.put(p.map);
    };
    for (uint32_t i = 0; i < c.n_inputs; ++i) port(c.inputs[i]);
    for (uint32_t i = 0; i < c.n_outputs; ++i) port(c.outputs[i]);
    for (uint32_t i = 0; i < c.n_params; ++i) {
        const auto& p = c.params[i];
        put_text(w, p.key), put_text(w, p.unit), w.put(p.kind), w.put(p.rate), w.put(p.range), w.put(p.low),
            w.put(p.high), w.put(p.high_is_fs), w.put(p.value);
        for (uint32_t k = 0; k < p.n_choices; ++k) put_text(w, p.choices[k]);
    }
    return fnv1a(w.payload().data(), w.payload().size());
}

// Contracts of the last library version whose plans contain digests of version 1.
struct Stored {
    std::string_view id;
    uint64_t version_1, version_2;
};
constexpr Stored kStored[] = {
    {"average", 0x7c1b04b25c5ab44fu, 0x46f34fea663b8fe9u},
    {"batch_mix", 0x786679b073ca3d6eu, 0xb35e3596d08bbf2eu},
    {"biquad", 0xd5c72250fe6dc7b8u, 0x7e36b9eacba9e79eu},
    {"constant", 0x1d540876b09a4888u, 0xa536a1a432bd6da4u},
    {"controller", 0x81638b68f94636bbu, 0x831dda850b5ecbe5u},
    {"delay_line", 0xb1ba0bbf9fe21523u, 0xbc5ab6e3eb12f0ffu},
    {"envelope", 0xbaa368b83d74f374u, 0xc55fda0a4b7ae4f6u},
    {"fir", 0xc8ef44e0a96dae79u, 0x5cec309aaf0c8c03u},
    {"first", 0x49df75180ae8c439u, 0x99adc52118bb91d7u},
    {"gain", 0x9a505adc8f0cf8cau, 0x74272592df6798dbu},
    {"hold", 0xe61d2d9115d53e63u, 0x542acae2e244d3e1u},
    {"input", 0x992a7c9633c9ec5bu, 0x05cdb090a637a9e4u},
    {"lfo", 0xb56676fed8bba778u, 0xc14d9d92caea7f89u},
    {"lookahead_limiter", 0x9ab2dc29b74d85ceu, 0xb9a581f9500721cbu},
    {"matrix_mix", 0x1d4efcaa04909662u, 0x238a05d19630be50u},
    {"mix", 0xae6aaf6b360e347bu, 0x79bc0a8dd8c261ddu},
    {"noise", 0xb19bc47dd18877eau, 0x6a60821e057aa124u},
    {"one_pole", 0x07326b85b8a8f32cu, 0xffd045f1b11740c8u},
    {"oscillator", 0x12d6723172679f98u, 0x95ada407f99f3a52u},
    {"output", 0x445a845cfb698d01u, 0xbc2c842462f7c4f7u},
    {"pan", 0xd29e93cf5ce57442u, 0xb26f3a317a356028u},
    {"safety", 0x9fa6851d8855789du, 0x878ab47428d8f6a3u},
    {"sine", 0x34e8b903c94d297du, 0xa847c133858eefaeu},
    {"split", 0x4e7c1f10d7d9b3ceu, 0x7d84b3985c26b368u},
    {"stack", 0xb5261214cefaa3c1u, 0x803810a3a829e913u},
    {"svf", 0x689f93602a027e96u, 0xd614580c12a13e70u},
};

}  // namespace

uint64_t digest_version_2(const amp_node_contract& c) {
    Writer w;
    put_text(w, c.id), w.put(c.revision), w.put(c.latency_frames);
    put_ports(w, {c.inputs, c.n_inputs});
    put_ports(w, {c.outputs, c.n_outputs});
    for (const auto& p : std::span(c.params, c.n_params))
        if (!is_reserved(p)) put_param(w, p);
    put_roles(w, c);
    return fnv1a(w.payload().data(), w.payload().size());
}

uint64_t digest_version_1(const amp_node_contract& c) {
    const uint64_t now = digest_version_2(c);
    for (const Stored& s : kStored)
        if (s.id == c.id && s.version_2 == now) return s.version_1;
    return whole_contract(c);
}

}  // namespace amp
