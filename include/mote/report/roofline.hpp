// SPDX-License-Identifier: MIT
#pragma once
// Roofline: what each step of a plan computes and moves, beside what the machine can (Williams, Waterman and Patterson,
// Roofline: an insightful visual performance model for multicore architectures, 2009).

#include <mote/engine/print.hpp>

#include <map>

MOTE_BEGIN_NAMESPACE

/// A level of memory, and what all threads together read from it in a second.
struct MemoryLevel {
    std::string name{};
    double gigabytes_per_second = 0.0;
};

/// What some threads of this machine can do at most.
struct Roof {
    std::size_t threads = 1;
    double f32_gops = 0.0;              ///< billions of operations a second: a multiplication, an addition; 0: not known
    double i8_gops = 0.0;               ///< the same of products of bytes, summed exactly in 32 bits
    std::vector<MemoryLevel> levels{};  ///< from the nearest
};

/// A step of a plan: what it computes and moves, and how long it took.
struct RooflinePoint {
    std::string name{};  ///< of its nodes
    std::string kind{};  ///< of the layer that computes most of it
    std::string kernel{};
    std::string reason{};
    Element element = Element::f32;  ///< what its products are of: f32, f16, bf16, i8
    bool transformed = false;        ///< whether it multiplies less than its MACs say: Winograd's algorithms
    std::uint64_t macs = 0;
    std::uint64_t bytes = 0;  ///< of inputs, outputs, states and constants, each once
    double microseconds = 0.0;

    double operations() const noexcept { return 2.0 * static_cast<double>(macs); }
    double gops() const noexcept { return microseconds > 0.0 ? operations() / microseconds * 1e-3 : 0.0; }
    /// Operations a byte.
    double intensity() const noexcept { return bytes > 0 ? operations() / static_cast<double>(bytes) : 0.0; }
    double gigabytes_per_second() const noexcept {
        return microseconds > 0.0 ? static_cast<double>(bytes) / microseconds * 1e-3 : 0.0;
    }
    /// The roof's peak for such products, 0 where that is not known, as of 16 bits.
    double peak(const Roof& roof) const noexcept {
        return element == Element::f32 ? roof.f32_gops : element == Element::i8 ? roof.i8_gops : 0.0;
    }
    /// Its share of that, 0 where it is not known. It may exceed 1 where the step is transformed.
    double peak_share(const Roof& roof) const noexcept { return peak(roof) > 0.0 ? gops() / peak(roof) : 0.0; }
};

struct Roofline {
    std::string title{};
    std::string note{};  ///< how it was measured
    Roof roof{};
    std::vector<RooflinePoint> points{};  ///< by step
    double microseconds = 0.0;            ///< of a whole run

    /// The steps' sums; their times are those of a run that is looked at step by step.
    RooflinePoint sum() const {
        RooflinePoint all{.name = "sum"};
        for (const RooflinePoint& point : points) {
            all.macs += point.macs;
            all.bytes += point.bytes;
            all.microseconds += point.microseconds;
            all.transformed = all.transformed || point.transformed;
        }
        return all;
    }
    /// The same sums in the time of a whole run.
    RooflinePoint whole() const {
        RooflinePoint all = sum();
        all.name = "whole run";
        all.microseconds = microseconds;
        return all;
    }
    /// What a reader of the shares has to know, a sentence each: may be empty.
    std::vector<std::string> remarks() const {
        bool transformed = false, broken = false;
        for (const RooflinePoint& point : points) {
            transformed = transformed || point.transformed;
            broken = broken || (!point.transformed && point.peak_share(roof) > 1.0);
        }
        std::vector<std::string> result;
        if (transformed) {
            result.push_back(
                "* Winograd's algorithms multiply less than the convolution whose operations are counted: their "
                "share of the peak may exceed 100 %.");
        }
        if (broken) {
            result.push_back("A share without * exceeds 100 %: the peak was measured too low, the machine had other work.");
        }
        return result;
    }
    /// The share of `time` (in microseconds) in which the peaks, each for its own products, would do all operations; 0 where
    /// one is not known.
    double peak_share(double time) const {
        double least = 0.0;
        for (const RooflinePoint& point : points) {
            if (point.macs == 0) continue;
            const double peak = point.peak(roof);
            if (!(peak > 0.0)) return 0.0;
            least += point.operations() / peak * 1e-3;
        }
        return time > 0.0 ? least / time : 0.0;
    }
};

namespace detail {

/// Adds the MACs of each node to the steps that compute it: where there are several, by their packed constants, which hold its
/// weights. A step that reads weights as they are in the layer moves these.
inline void add_costs(const std::vector<Step>& steps, const std::map<std::string_view, Cost>& costs,
                      std::vector<RooflinePoint>& points) {
    std::map<std::string_view, std::vector<std::size_t>> steps_of;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        for (const std::string& node : steps[s].nodes) steps_of[node].push_back(s);
    }
    for (const auto& [node, of_node] : steps_of) {
        double constants = 0.0;
        std::size_t last = of_node.front();
        for (const std::size_t s : of_node) {
            constants += static_cast<double>(steps[s].constant_bytes);
            if (steps[s].constant_bytes > 0) last = s;
        }
        const Cost& cost = costs.at(node);
        if (of_node.size() == 1 && cost.weight_bytes > steps[last].constant_bytes) {
            points[last].bytes += cost.weight_bytes - steps[last].constant_bytes;
        }
        std::uint64_t left = cost.macs;
        const double all = static_cast<double>(left);
        for (const std::size_t s : of_node) {
            const double share = s == last || constants == 0.0 ? 0.0 : static_cast<double>(steps[s].constant_bytes) / constants;
            const auto part = static_cast<std::uint64_t>(all * share);
            points[s].macs += part;
            left -= part;
        }
        points[last].macs += left;
    }
}

inline std::uint64_t moved_bytes(const Plan& plan, const Step& step) {
    std::uint64_t bytes = step.constant_bytes;
    for (std::size_t i = 0; i + (step.has_scratch ? 1 : 0) < step.operands.size(); ++i) {
        const BufferId id = step.operands[i];
        bytes += id < plan.values().size() ? plan.values()[id].bytes() : plan.buffers()[id].bytes;
    }
    return bytes;
}

}  // namespace detail

/// What the steps of the model's plan compute and move; how long they take is for the caller to measure.
template <class List>
std::vector<RooflinePoint> roofline_points(const BasicModel<List>& model, const Plan& plan) {
    std::map<std::string_view, std::size_t> index;
    std::map<std::string_view, Cost> costs;
    for (std::size_t i = 0; i < model.nodes().size(); ++i) {
        index[model.nodes()[i].name] = i;
        costs[model.nodes()[i].name] = model.cost(i);
    }
    std::vector<RooflinePoint> points;
    for (const Step& step : plan.steps()) {
        RooflinePoint point{.kernel = step.kernel, .reason = detail::why(step), .transformed = step.transformed};
        std::size_t lead = model.nodes().size();
        for (const std::string& name : step.nodes) {
            if (!index.contains(name))
                fail("roofline_points: node '", name, "' of the plan is not in the model; its own plan is expected");
            point.name += (point.name.empty() ? "" : " + ") + name;
            if (lead == model.nodes().size() || costs[name].macs > costs[model.nodes()[lead].name].macs) lead = index[name];
        }
        const Node& node = model.nodes()[lead];
        point.kind = kind_name<List>(node);
        for (const ValueId id : node.inputs) {
            const Element element = model.value(id).element;
            if (element == Element::i8 || element == Element::u8) point.element = Element::i8;
            if (detail::is_half(element)) point.element = element;
        }
        point.bytes = detail::moved_bytes(plan, step);
        points.push_back(std::move(point));
    }
    detail::add_costs(plan.steps(), costs, points);
    return points;
}

MOTE_END_NAMESPACE
