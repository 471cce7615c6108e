// SPDX-License-Identifier: MIT
#pragma once
// Constants of a TensorFlow Lite file as tensors: sparse ones made dense, half precision and quantized ones made real.

#include <mote/io/detail/budget.hpp>
#include <mote/io/tflite/file.hpp>
#include <mote/tensor/quantize.hpp>

#include <array>
#include <unordered_set>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_import {

/// The constants of the file's first subgraph, by tensor. Errors name the tensor.
class Constants {
  public:
    /// Tensors that do not borrow from the file may take `max_bytes` more than it holds of them.
    Constants(const TfliteFile& file, std::size_t max_bytes)
        : file_(file),
          graph_(file.subgraphs.front()),
          stands_for_(graph_.tensors.size()),
          budget_(max_bytes + held_bytes(graph_)) {
        for (std::size_t i = 0; i < stands_for_.size(); ++i) stands_for_[i] = i;
    }

    bool known(std::size_t tensor) const {
        const TfliteTensor& t = graph_.tensors[stands_for_[tensor]];
        return !t.is_variable && (!t.bytes.empty() || t.sparsity);
    }
    /// From now on `tensor` is what `constant` is (DEQUANTIZE and DENSIFY of constants).
    void alias(std::size_t tensor, std::size_t constant) { stands_for_[tensor] = stands_for_[constant]; }

    /// Real values, whatever they are stored as. f32 values are borrowed.
    Tensor<f32> reals(std::size_t tensor) const {
        const TfliteTensor& t = at(tensor);
        const std::string_view type = t.type_info().name;
        if (t.sparsity) {
            if (type == "FLOAT32") return dense<f32, float>(t, [](float v) { return v; });
            if (type == "FLOAT16") return dense<f32, half>(t, [](half v) { return to_float(v); });
            if (type == "INT8") return scaled(dense<i8, std::int8_t>(t, [](std::int8_t v) { return v; }), t);
        } else {
            if (type == "FLOAT32") return Tensor<f32>::borrow(t.shape, values<float>(t).data(), file_.owner);
            if (type == "FLOAT16") {
                auto result = fresh<f32>(t.shape);
                const std::span<const half> from = values<half>(t);
                for (std::size_t i = 0; i < from.size(); ++i) result[i] = to_float(from[i]);
                return result;
            }
            if (type == "INT8") return scaled(Tensor<i8>::borrow(t.shape, values<std::int8_t>(t).data(), file_.owner), t);
        }
        fail("constant '", t.name, "' is of ", type, "; FLOAT32, FLOAT16 and INT8 are supported here");
    }

    /// int8 weights, the axis of output channels first, with their scales; unsigned ones are shifted.
    Tensor<i8> weight(std::size_t tensor, std::size_t axis) const {
        const TfliteTensor& t = at(tensor);
        const std::string_view type = t.type_info().name;
        std::int64_t shift = 0;
        Tensor<i8> result;
        if (type == "INT8") {
            result = t.sparsity ? dense<i8, std::int8_t>(t, [](std::int8_t v) { return v; })
                                : Tensor<i8>::borrow(t.shape, values<std::int8_t>(t).data(), file_.owner);
        } else if (type == "UINT8" && !t.sparsity) {
            result = fresh<i8>(t.shape);
            const std::span<const std::uint8_t> from = values<std::uint8_t>(t);
            for (std::size_t i = 0; i < from.size(); ++i) result[i] = static_cast<std::int8_t>(from[i] - 128);
            shift = 128;
        } else {
            fail("constant '", t.name, "' is of ", type, "; INT8 and UINT8 are supported as weights of int8 values");
        }
        const TfliteQuantization& q = t.quantization;
        if (q.scale.empty()) fail("constant '", t.name, "' has no scale; weights of int8 values need one");
        if (q.scale.size() > 1 && q.axis != axis) {
            fail("constant '", t.name, "' has scales along axis ", q.axis, "; axis ", axis, " is supported");
        }
        for (const std::int64_t zero : q.zero_point) {
            if (zero != shift) {
                fail("constant '", t.name, "' has zero point ", zero, "; weights with zero point ", shift, " are supported");
            }
        }
        result = front(std::move(result), axis);
        result.set_quantization(Quantization(std::vector<float>(q.scale.begin(), q.scale.end()), 0));
        return result;
    }
    /// The bytes of a value of one scale; unsigned ones are shifted.
    Tensor<i8> bytes(std::size_t tensor, const Quantization& quantization) const {
        const TfliteTensor& t = at(tensor);
        if (t.sparsity) fail("constant '", t.name, "' is sparse; dense ones are supported here");
        const int shift = std::string_view(t.type_info().name) == "UINT8" ? 128 : 0;
        auto result = fresh<i8>(t.shape);
        const std::span<const std::uint8_t> from = values<std::uint8_t>(t);
        for (std::size_t i = 0; i < from.size(); ++i) result[i] = static_cast<std::int8_t>(from[i] ^ shift);
        result.set_quantization(quantization);
        return result;
    }
    /// INT16 with one scale; INT8 ones are widened.
    Tensor<i16> shorts(std::size_t tensor) const {
        const TfliteTensor& t = at(tensor);
        const std::string_view type = t.type_info().name;
        if (t.sparsity || t.quantization.scale.size() != 1 || (type != "INT16" && type != "INT8")) {
            fail("constant '", t.name, "' is of ", type, "; INT16 and INT8 with one scale are supported here");
        }
        auto result = fresh<i16>(t.shape);
        for (std::size_t i = 0; i < result.elements(); ++i) {
            result[i] = type == "INT8" ? values<std::int8_t>(t)[i] : values<std::int16_t>(t)[i];
        }
        result.set_quantization(QuantizationParams{t.quantization.scale[0], 0});
        return result;
    }
    Tensor<i32> bias(std::size_t tensor) const {
        const TfliteTensor& t = at(tensor);
        if (std::string_view(t.type_info().name) != "INT32" || t.sparsity) {
            fail("constant '", t.name, "' is of ", t.type_info().name, "; INT32 is supported as a bias of int8 values");
        }
        return Tensor<i32>::borrow(t.shape, values<std::int32_t>(t).data(), file_.owner);
    }
    std::vector<std::int64_t> integers(std::size_t tensor) const {
        const TfliteTensor& t = at(tensor);
        const std::string_view type = t.type_info().name;
        std::vector<std::int64_t> result;
        if (type == "INT32" && !t.sparsity) {
            for (const std::int32_t v : values<std::int32_t>(t)) result.push_back(v);
        } else if (type == "INT64" && !t.sparsity) {
            for (const std::int64_t v : values<std::int64_t>(t)) result.push_back(v);
        } else {
            fail("constant '", t.name, "' is of ", type, "; INT32 and INT64 are supported here");
        }
        return result;
    }
    float real_number(std::size_t tensor) const {
        const Tensor<f32> value = reals(tensor);
        if (value.elements() != 1) fail("constant '", at(tensor).name, "' has ", value.elements(), " values; one is expected");
        return value[0];
    }

    /// The tensor with one axis moved to the front, and for a depthwise weight [1, height, width, channels] the 1 to the end.
    template <class P>
    Tensor<P> front(Tensor<P> tensor, std::size_t axis) const {
        if (axis == 0) return tensor;
        const std::size_t inner = tensor.elements() / std::max<std::size_t>(1, tensor.shape()[axis]);
        Shape shape = tensor.shape();
        shape[0] = tensor.shape()[axis];
        shape[axis] = tensor.shape()[0];
        auto result = fresh<P>(shape);
        const std::size_t channels = shape[0];
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t i = 0; i < inner; ++i) result[c * inner + i] = std::as_const(tensor)[i * channels + c];
        }
        return result;
    }

  private:
    /// A buffer that several tensors share counts once.
    static std::size_t held_bytes(const TfliteSubgraph& graph) {
        std::unordered_set<const std::byte*> counted;
        std::size_t sum = 0;
        for (const TfliteTensor& t : graph.tensors) sum += counted.insert(t.bytes.data()).second ? t.bytes.size() : 0;
        return sum;
    }
    /// A tensor of its own, which the budget allows.
    template <class P>
    Tensor<P> fresh(const Shape& shape) const {
        budget_.take(std::min(shape.elements(), Shape::absurd / sizeof(typename P::value_type)) *
                     sizeof(typename P::value_type));
        return Tensor<P>(shape);
    }
    const TfliteTensor& at(std::size_t tensor) const {
        if (!known(tensor)) fail("'", graph_.tensors[tensor].name, "' is computed; a constant is expected");
        return graph_.tensors[stands_for_[tensor]];
    }
    template <class V>
    static std::span<const V> values(const TfliteTensor& t) {
        return {reinterpret_cast<const V*>(t.bytes.data()), t.bytes.size() / sizeof(V)};
    }

    /// The real values of integers with a scale, or a scale an index of an axis.
    Tensor<f32> scaled(const Tensor<i8>& from, const TfliteTensor& t) const {
        const TfliteQuantization& q = t.quantization;
        if (q.scale.empty()) fail("constant '", t.name, "' has no scale; integers that stand for reals need one");
        auto result = fresh<f32>(t.shape);
        const std::size_t stride = t.shape.stride(q.axis);
        for (std::size_t i = 0; i < from.size(); ++i) {
            const std::size_t at = q.scale.size() == 1 ? 0 : i / stride % t.shape[q.axis];
            const std::int64_t zero = q.zero_point.empty() ? 0 : q.zero_point[at];
            result[i] = q.scale[at] * static_cast<float>(from[i] - zero);
        }
        return result;
    }

    /// A sparse constant with its zeros.
    template <class P, class V, class Real>
    Tensor<P> dense(const TfliteTensor& t, const Real& real) const {
        auto result = fresh<P>(t.shape);
        const TfliteSparsity& s = *t.sparsity;
        const std::span<const V> stored = values<V>(t);
        std::vector<std::size_t> index(s.order.size());
        const auto place = [&] {
            std::array<std::size_t, Shape::max_rank> at{};
            for (std::size_t level = 0; level < s.order.size(); ++level) {
                if (s.order[level] < t.shape.rank()) at[s.order[level]] += index[level];
            }
            for (std::size_t b = 0; b < s.block_map.size(); ++b) {
                for (std::size_t level = 0; level < s.order.size(); ++level) {
                    if (s.order[level] != t.shape.rank() + b) continue;
                    at[s.block_map[b]] = at[s.block_map[b]] * s.levels[level].extent + index[level];
                }
            }
            std::size_t flat = 0;
            for (std::size_t axis = 0; axis < t.shape.rank(); ++axis) flat = flat * t.shape[axis] + at[axis];
            return flat;
        };
        // `entry` is the position in the level above.
        const auto walk = [&](const auto& self, std::size_t level, std::size_t entry) -> void {
            if (level == s.levels.size()) {
                result[place()] = real(stored[entry]);
                return;
            }
            const TfliteSparseLevel& l = s.levels[level];
            const std::size_t first = l.dense ? 0 : l.segments[entry];
            const std::size_t last = l.dense ? l.extent : l.segments[entry + 1];
            for (std::size_t i = first; i < last; ++i) {
                index[level] = l.dense ? i : l.indices[i];
                self(self, level + 1, l.dense ? entry * l.extent + i : i);
            }
        };
        if (t.shape.elements() != 0) walk(walk, 0, 0);
        return result;
    }

    const TfliteFile& file_;
    const TfliteSubgraph& graph_;
    std::vector<std::size_t> stands_for_;
    mutable Budget budget_;
};

}  // namespace detail::tflite_import

MOTE_END_NAMESPACE
