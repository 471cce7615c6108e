// SPDX-License-Identifier: MIT
#pragma once
// What the movement layers mean, and what a reference computes on.

#include <mote/mote.hpp>

#include <algorithm>
#include <cmath>

namespace reference {

using namespace mote;

/// A value with its numbers: reals for f32, quantized steps for i8.
struct Data {
    const Value* value = nullptr;
    std::vector<double> x{};

    const Shape& shape() const { return value->shape; }
    bool is_i8() const { return value->element == Element::i8; }
    QuantizationParams params() const { return value->quantization.params(); }
    double real(std::size_t i) const {
        return is_i8() ? static_cast<double>(params().scale) * (x[i] - params().zero_point) : x[i];
    }
};

inline double clamped(double x, double lo, double hi) {
    return x < lo ? lo : x > hi ? hi : x;
}

/// A real number in steps of the output, unrounded for i8.
inline double steps(double real, const Value& out) {
    if (out.element != Element::i8) return real;
    const QuantizationParams q = out.quantization.params();
    return clamped(real / static_cast<double>(q.scale) + q.zero_point, -128, 127);
}

/// The offset of a row-major index.
inline std::size_t offset_of(const std::vector<std::size_t>& index, const Shape& shape) {
    std::size_t offset = 0;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) offset = offset * shape[axis] + index[axis];
    return offset;
}
template <class Visit>
void each_index(const Shape& shape, Visit visit_index) {
    std::vector<std::size_t> index(shape.rank(), 0);
    for (std::size_t i = 0; i < shape.elements(); ++i) {
        std::size_t rest = i;
        for (std::size_t axis = shape.rank(); axis-- > 0;) {
            index[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        visit_index(i, index);
    }
}

inline std::vector<double> expected(const Reshape&, const std::vector<Data>& in, const Value&) {
    return in[0].x;
}
inline std::vector<double> expected(const Flatten&, const std::vector<Data>& in, const Value&) {
    return in[0].x;
}
inline std::vector<double> expected(const Transpose& layer, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result(in[0].x.size());
    each_index(out.shape, [&](std::size_t i, const std::vector<std::size_t>& index) {
        std::vector<std::size_t> from(index.size());
        for (std::size_t axis = 0; axis < index.size(); ++axis) from[layer.order[axis]] = index[axis];
        result[i] = in[0].x[offset_of(from, in[0].shape())];
    });
    return result;
}
inline std::vector<double> expected(const Concat& layer, const std::vector<Data>& in, const Value& out) {
    const auto rank = static_cast<std::int32_t>(out.shape.rank());
    const auto axis = static_cast<std::size_t>(layer.axis < 0 ? layer.axis + rank : layer.axis);
    std::vector<double> result(out.shape.elements());
    each_index(out.shape, [&](std::size_t i, std::vector<std::size_t> index) {
        std::size_t part = 0;
        while (index[axis] >= in[part].shape()[axis]) index[axis] -= in[part++].shape()[axis];
        result[i] = in[part].x[offset_of(index, in[part].shape())];
    });
    return result;
}
inline std::vector<double> expected(const Pad& layer, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result(out.shape.elements());
    each_index(out.shape, [&](std::size_t i, std::vector<std::size_t> index) {
        bool inside = true;
        for (std::size_t axis = 0; axis < index.size(); ++axis) {
            inside = inside && index[axis] >= layer.before[axis] && index[axis] < layer.before[axis] + in[0].shape()[axis];
            index[axis] -= layer.before[axis];
        }
        result[i] =
            inside ? in[0].x[offset_of(index, in[0].shape())] : std::nearbyint(steps(static_cast<double>(layer.value), out));
        if (!inside && out.element == Element::f32) result[i] = static_cast<double>(layer.value);
    });
    return result;
}

inline std::vector<double> expected(const Slice& layer, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result(out.shape.elements());
    each_index(out.shape, [&](std::size_t i, std::vector<std::size_t> index) {
        for (std::size_t axis = 0; axis < index.size(); ++axis) {
            const auto at =
                static_cast<std::int64_t>(layer.begin[axis]) + layer.stride[axis] * static_cast<std::int64_t>(index[axis]);
            index[axis] = static_cast<std::size_t>(at);
        }
        result[i] = in[0].x[offset_of(index, in[0].shape())];
    });
    return result;
}
inline std::vector<double> expected(const Gather& layer, const std::vector<Data>& in, const Value& out) {
    const auto rank = static_cast<std::int32_t>(in[0].shape().rank());
    const auto axis = static_cast<std::ptrdiff_t>(layer.axis < 0 ? layer.axis + rank : layer.axis);
    const auto chosen = static_cast<std::ptrdiff_t>(layer.indices.shape().rank());
    std::vector<double> result(out.shape.elements());
    each_index(out.shape, [&](std::size_t i, std::vector<std::size_t> index) {
        const std::vector<std::size_t> at(index.begin() + axis, index.begin() + axis + chosen);
        index.erase(index.begin() + axis, index.begin() + axis + chosen);
        index.insert(index.begin() + axis, static_cast<std::size_t>(layer.indices[offset_of(at, layer.indices.shape())]));
        result[i] = in[0].x[offset_of(index, in[0].shape())];
    });
    return result;
}
inline std::vector<double> expected(const Tile&, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result(out.shape.elements());
    each_index(out.shape, [&](std::size_t i, std::vector<std::size_t> index) {
        for (std::size_t axis = 0; axis < index.size(); ++axis) index[axis] %= in[0].shape()[axis];
        result[i] = in[0].x[offset_of(index, in[0].shape())];
    });
    return result;
}
inline std::vector<double> expected(const Constant& layer, const std::vector<Data>&, const Value& out) {
    std::vector<double> result;
    for (std::size_t i = 0; i < out.shape.elements(); ++i) {
        if (layer.element == Element::i8) {
            result.push_back(static_cast<std::int8_t>(layer.bytes[i]));
        } else {
            float real;
            std::memcpy(&real, layer.bytes.data() + i * sizeof real, sizeof real);
            result.push_back(static_cast<double>(real));
        }
    }
    return result;
}

}  // namespace reference
