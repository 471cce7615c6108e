// SPDX-License-Identifier: MIT
#pragma once
// Import of quantized ONNX graphs: QuantizeLinear and DequantizeLinear around an operator become its int8 form.

#include <mote/io/onnx/detail/import_state.hpp>
#include <mote/tensor/quantize.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

/// The nodes with QLinearConv and QLinearMatMul written as DequantizeLinear, Conv or MatMul, and QuantizeLinear.
inline std::vector<OnnxNode> without_fused_quantization(const std::vector<OnnxNode>& nodes) {
    std::vector<OnnxNode> result;
    for (const OnnxNode& node : nodes) {
        const bool conv = node.op_type == "QLinearConv";
        if (!node.domain.empty() || (!conv && node.op_type != "QLinearMatMul") || node.inputs.size() < 8 ||
            node.outputs.empty()) {
            result.push_back(node);
            continue;
        }
        const std::vector<std::string>& in = node.inputs;
        const std::string base = node.outputs[0];
        const auto put = [&](const char* op, std::vector<std::string> inputs, const std::string& output) -> OnnxNode& {
            result.push_back({.name = node.name, .op_type = op, .inputs = std::move(inputs), .outputs = {output}});
            return result.back();
        };
        const OnnxAttribute first_axis{"axis", OnnxAttributeType::integer, "", std::vector<std::int64_t>{0}};
        put("DequantizeLinear", {in[0], in[1], in[2]}, base + "/a");
        put("DequantizeLinear", {in[3], in[4], in[5]}, base + "/b").attributes = {first_axis};
        std::vector<std::string> inputs{base + "/a", base + "/b"};
        if (conv && in.size() > 8 && !in[8].empty()) {
            put("Mul", {in[1], in[4]}, base + "/scale");
            put("DequantizeLinear", {in[8], base + "/scale"}, base + "/bias").attributes = {first_axis};
            inputs.push_back(base + "/bias");
        }
        put(conv ? "Conv" : "MatMul", std::move(inputs), base + "/y").attributes = node.attributes;
        put("QuantizeLinear", {base + "/y", in[6], in[7]}, base);
    }
    return result;
}

/// The scale and zero point that a node states in inputs 1 and 2, and whether its bytes are unsigned.
struct Steps {
    const Constant& scale;
    const Constant* zero;
    OnnxElement element;

    int shift() const noexcept { return element == OnnxElement::uint8 ? 128 : 0; }
    std::int64_t zero_point(std::size_t index) const {
        return zero == nullptr ? 0 : zero->integer(zero->count() == 1 ? 0 : index);
    }
    /// Whether a value of the model can state them: one scale, of bytes.
    bool of_bytes() const {
        return scale.count() == 1 && (zero == nullptr || zero->count() == 1) && usable_scale(static_cast<float>(size(0))) &&
               (element == OnnxElement::int8 || element == OnnxElement::uint8);
    }
    double size(std::size_t index) const { return scale.real(scale.count() == 1 ? 0 : index); }
    /// Of one scale: as a value of the model has it. Unsigned bytes are shifted to signed ones.
    Quantization whole() const {
        if (scale.count() != 1 || (zero != nullptr && zero->count() != 1))
            fail("it has ", scale.count(), " scales; one is supported on a computed value");
        if (element != OnnxElement::int8 && element != OnnxElement::uint8) {
            fail("it quantizes to ", onnx_element_name(element), "; int8 and uint8 are supported");
        }
        return QuantizationParams{static_cast<float>(size(0)), static_cast<std::int32_t>(zero_point(0)) - shift()};
    }
};

class Quantized : protected ImportState {
  public:
    using ImportState::ImportState;

  protected:
    /// The steps of a QuantizeLinear or DequantizeLinear node; none where they are not known yet.
    std::optional<Steps> steps_of(const OnnxNode& node, OnnxElement otherwise) const {
        const auto find = [&](std::size_t place) -> const Constant* {
            if (place >= node.inputs.size()) return nullptr;
            const auto found = items_.find(node.inputs[place]);
            return found == items_.end() || !found->second.constant ? nullptr : &*found->second.constant;
        };
        const Constant *scale = find(1), *zero = find(2);
        const bool stated = node.inputs.size() > 2 && !node.inputs[2].empty();
        if (scale == nullptr || !scale->is_real() || (stated && zero == nullptr)) return std::nullopt;
        if (scale->count() == 0 || (stated && zero->count() != 1 && zero->count() != scale->count())) return std::nullopt;
        const std::int64_t type = integer_attribute(node, "output_dtype", 0);
        if (zero == nullptr && type > 0 && type < static_cast<std::int64_t>(onnx::element_infos.size()))
            otherwise = static_cast<OnnxElement>(type);
        return Steps{*scale, zero, zero == nullptr ? otherwise : zero->element};
    }
    Steps steps(OnnxElement otherwise) {
        constant(1, "scale");
        if (has_input(2)) constant(2, "zero point");
        if (integer_attribute(*node_, "block_size", 0) != 0)
            fail("it has a scale a block; one for all, or one an index of an axis, are supported");
        const std::optional<Steps> found = steps_of(*node_, otherwise);
        if (!found) fail("its scales are not of floats, or not as many as its zero points");
        return *found;
    }

    /// How a value will be quantized: all that use it are QuantizeLinear with one scale, or one that clamps stands between.
    std::optional<Quantization> next_quantization(const std::string& value, bool through_clamp = true) const {
        const auto users = users_.find(value);
        if (users == users_.end() || outputs_.count(value) != 0) return std::nullopt;
        std::optional<Quantization> result;
        for (const OnnxNode* user : users->second) {
            if (user->op_type == "Shape" || user->op_type == "Size") continue;
            if (through_clamp && users->second.size() == 1 && !user->outputs.empty() &&
                (user->op_type == "Relu" || user->op_type == "Clip")) {
                return next_quantization(user->outputs[0], false);
            }
            if (user->op_type != "QuantizeLinear" || user->inputs[0] != value) return std::nullopt;
            const std::optional<Steps> s = steps_of(*user, OnnxElement::uint8);
            if (!s || s->scale.count() != 1 || (s->element != OnnxElement::int8 && s->element != OnnxElement::uint8))
                return std::nullopt;
            const Quantization q = s->whole();
            if (result && *result != q) return std::nullopt;
            result = q;
        }
        return result;
    }
    std::optional<Quantization> next_quantization() const { return next_quantization(node_->outputs.at(0)); }

    /// The input as bytes, where it is a dequantized value, known or computed.
    std::optional<Item> bytes_of(std::size_t place) {
        Item& x = item(place);
        if (x.bytes.empty() && x.origin) make_bytes(x);
        if (x.bytes.empty()) return std::nullopt;
        Item result;
        result.element = x.element;
        result.forms = x.bytes;
        return result;
    }
    /// Adds the layer that makes a known value's bytes, where they are of one scale.
    void make_bytes(Item& x) {
        const Origin& o = *x.origin;
        const bool is_unsigned = o.bytes.element == OnnxElement::uint8;
        if ((!is_unsigned && o.bytes.element != OnnxElement::int8) || o.scales.size() != 1 || !usable_scale(o.scales[0]) ||
            x.rank() > Shape::max_rank)
            return;
        const int shift = is_unsigned ? 128 : 0;
        budget_.take(o.bytes.count());
        Tensor<i8> bytes(make_shape(o.bytes.dims));
        for (std::size_t i = 0; i < bytes.elements(); ++i) bytes[i] = static_cast<std::int8_t>(o.bytes.integer(i) - shift);
        bytes.set_quantization(QuantizationParams{o.scales[0], static_cast<std::int32_t>(o.zero_points[0]) - shift});
        arranging_ = true;
        x.bytes.push_back({add(constant_of(std::move(bytes)), {}), Layout(o.bytes.dims)});
        arranging_ = false;
    }
    const Quantization& quantization_of(const Item& x) const { return graph_.values[x.forms.front().id].quantization; }

    // ----------------------------------------------------------------------------------------------- int8 contractions

    /// What makes a contraction of input 0 with weights in input 1 one of bytes.
    struct ByteContraction {
        Item x;
        Constant weight;
        std::vector<float> scales;
        int shift = 0;
        Quantization output;

        Tensor<i8> tensor(const Constant& arranged, const Shape& shape) const {
            Tensor<i8> result(shape);
            for (std::size_t i = 0; i < result.elements(); ++i)
                result[i] = static_cast<std::int8_t>(arranged.integer(i) - shift);
            result.set_quantization(Quantization(scales, 0));
            return result;
        }
        /// Real numbers in steps of the products.
        Tensor<i32> bias(const Tensor<f32>& reals, const Quantization& in) const {
            if (reals.empty()) return {};
            Tensor<i32> result(reals.shape());
            for (std::size_t c = 0; c < reals.elements(); ++c) {
                const double step =
                    static_cast<double>(in.params().scale) * static_cast<double>(scales[scales.size() == 1 ? 0 : c]);
                if (!is_finite(reals[c])) fail("a bias is not finite");
                const double q = round_half_even(std::clamp(static_cast<double>(reals[c]) / step, -2147483647.0, 2147483647.0));
                result[c] = static_cast<std::int32_t>(q);
            }
            return result;
        }
    };
    /// None where a part is of real numbers, or where the weights are no symmetric int8 with scales along `out_axis`.
    std::optional<ByteContraction> byte_contraction(std::size_t out_axis) {
        std::optional<Item> x = bytes_of(0);
        const Item& w = item(1);
        const std::optional<Quantization> output = next_quantization();
        if (!x || !w.origin || !output) return std::nullopt;
        const Origin& o = *w.origin;
        const bool is_unsigned = o.bytes.element == OnnxElement::uint8;
        if ((!is_unsigned && o.bytes.element != OnnxElement::int8) || (o.scales.size() > 1 && o.axis != out_axis))
            return std::nullopt;
        const int shift = is_unsigned ? 128 : 0;
        for (const std::int64_t zero : o.zero_points) {
            if (zero != shift) return std::nullopt;
        }
        for (std::size_t i = 0; i < o.bytes.count(); ++i) {
            if (o.bytes.integer(i) - shift == -128) return std::nullopt;
        }
        for (const float scale : o.scales) {
            if (!usable_scale(scale)) return std::nullopt;
        }
        budget_.take(o.bytes.count());
        return ByteContraction{std::move(*x), o.bytes, o.scales, shift, *output};
    }

    /// The bias in input `place`: as it was made, where it counts in steps of the products; else real numbers in such steps.
    Tensor<i32> byte_bias(const ByteContraction& b, std::size_t place, const Tensor<f32>& reals) {
        const Quantization& in = quantization_of(b.x);
        if (reals.empty() || item(place).origin == nullptr) return b.bias(reals, in);
        const Origin& o = *item(place).origin;
        bool same =
            o.bytes.element == OnnxElement::int32 && o.bytes.count() == reals.elements() && o.scales.size() == b.scales.size();
        for (std::size_t c = 0; same && c < o.scales.size(); ++c) {
            const double step = static_cast<double>(in.params().scale) * static_cast<double>(b.scales[c]);
            same = o.scales[c] == static_cast<float>(step) && o.zero_points[c] == 0;
        }
        if (!same) return b.bias(reals, in);
        Tensor<i32> result(reals.shape());
        for (std::size_t c = 0; c < result.elements(); ++c) result[c] = static_cast<std::int32_t>(o.bytes.integer(c));
        return result;
    }

    // ------------------------------------------------------------------------------------------------------ operators

    void quantize_linear() {
        const Steps s = steps(OnnxElement::uint8);
        if (known(0)) return quantize_constant(s);
        const Quantization q = s.whole();
        Item result, &x = computed(0);
        result.element = s.element;
        if (!x.bytes.empty() && graph_.values[x.bytes.front().id].quantization == q) {
            result.forms = x.bytes;
        } else {
            const Form from = x.bytes.empty() ? x.forms.front() : x.bytes.front();
            const ValueId id = add(Convert{Element::i8}, {from.id}, q);
            result.forms.push_back({id, from.layout});
            if (has_output(0)) wanted_names_.emplace(id, node_->outputs[0]);
        }
        set_item(0, std::move(result));
    }
    void dequantize_linear() {
        const Steps s = steps(item(0).element);
        if (known(0)) return dequantize_constant(s);
        const Quantization q = s.whole();
        Item result, &x = computed(0);
        result.element = OnnxElement::float32;
        if (x.element != s.element || graph_.values[x.forms.front().id].quantization != q) {
            fail("it reads its bytes by another scale or zero point than they were made by; the same are supported");
        }
        result.bytes = x.forms;
        set_item(0, std::move(result));
    }

  private:
    /// The index of an element's scale.
    static std::size_t scale_index(const Constant& x, std::size_t axis, std::size_t scales, std::size_t i) {
        if (scales == 1) return 0;
        std::size_t stride = 1;
        for (std::size_t a = axis + 1; a < x.dims.size(); ++a) stride *= x.dims[a];
        return i / stride % x.dims[axis];
    }
    std::size_t scale_axis(const Steps& s, const Constant& x) const {
        if (s.scale.count() == 1) return 0;
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", 1), x.dims.size());
        if (x.dims[axis] != s.scale.count())
            fail("it has ", s.scale.count(), " scales for [", dims_text(x.dims), "] along axis ", axis);
        return axis;
    }
    void quantize_constant(const Steps& s) {
        const Constant& x = *item(0).constant;
        if (s.element != OnnxElement::int8 && s.element != OnnxElement::uint8)
            fail("it quantizes to ", onnx_element_name(s.element), "; int8 and uint8 are supported");
        const std::size_t axis = scale_axis(s, x);
        const double lo = s.shift() - 128, hi = lo + 255.0;
        budget_.take(8 * x.count());
        std::vector<double> values;
        for (std::size_t i = 0; i < x.count(); ++i) {
            const std::size_t at = scale_index(x, axis, s.scale.count(), i);
            const double steps_away = std::clamp(x.real(i) / s.size(at), -1e9, 1e9);
            values.push_back(std::clamp(round_half_even(steps_away) + static_cast<double>(s.zero_point(at)), lo, hi));
        }
        Item result;
        result.constant = Constant::of(s.element, x.dims, values, budget_);
        set_item(0, std::move(result));
    }
    /// Real numbers, and the bytes that they were made of.
    void dequantize_constant(const Steps& s) {
        const Constant& x = *item(0).constant;
        const std::size_t axis = scale_axis(s, x), count = s.scale.count();
        budget_.take(8 * x.count());
        std::vector<double> values;
        for (std::size_t i = 0; i < x.count(); ++i) {
            const std::size_t at = scale_index(x, axis, count, i);
            values.push_back(static_cast<double>(x.integer(i) - s.zero_point(at)) * s.size(at));
        }
        Item result;
        const auto origin = std::make_shared<Origin>(Origin{x, {}, {}, axis});
        for (std::size_t i = 0; i < count; ++i) {
            origin->scales.push_back(static_cast<float>(s.size(i)));
            origin->zero_points.push_back(s.zero_point(i));
        }
        result.constant = Constant::of(OnnxElement::float32, x.dims, values, budget_);
        result.origin = origin;
        set_item(0, std::move(result));
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
