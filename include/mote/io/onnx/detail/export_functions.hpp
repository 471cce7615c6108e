// SPDX-License-Identifier: MIT
#pragma once
// to_onnx of functions: an operator where the opset has one, else the operators that it is made of.

#include <mote/io/onnx/detail/export_layers.hpp>
#include <mote/io/onnx/detail/functions.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_export {

/// The operators that a function without one is made of: each takes a tensor of the graph and gives another.
class Formula {
  public:
    explicit Formula(OnnxExportContext& node) : node_(node) {}

    std::string number(float value) { return node_.constant<f32>("number", {}, {&value, 1}); }
    std::string of(const char* op, const std::string& x) { return node_.emit(op, {x}); }
    std::string of(const char* op, const std::string& x, const std::string& y) { return node_.emit(op, {x, y}); }
    std::string scaled(const std::string& x, float by) { return of("Mul", x, number(by)); }
    std::string shifted(const std::string& x, float by) { return of("Add", x, number(by)); }

  private:
    OnnxExportContext& node_;
};

inline std::string function_tensor(const Unary& layer, const std::string& x, OnnxExportContext& node) {
    using F = UnaryFunction;
    Formula f(node);
    const bool has_gelu = node.opset() >= 20;
    switch (layer.function) {
        case F::celu:
            return node.emit("Celu", {x}, {real("alpha", layer.alpha)});
        case F::clip: {
            const auto limit = [&](float value) { return is_finite(value) ? f.number(value) : std::string(); };
            return node.emit("Clip", {x, limit(layer.alpha), limit(layer.beta)});
        }
        case F::elu:
            return node.emit("Elu", {x}, {real("alpha", layer.alpha)});
        case F::gelu:
            if (has_gelu) return f.of("Gelu", x);
            return f.of("Mul", f.scaled(x, 0.5f), f.shifted(f.of("Erf", f.scaled(x, 0.70710678f)), 1.0f));
        case F::gelu_tanh: {
            if (has_gelu) return node.emit("Gelu", {x}, {text("approximate", "tanh")});
            const std::string cubic = f.of("Mul", x, f.shifted(f.scaled(f.of("Mul", x, x), 0.044715f), 1.0f));
            return f.of("Mul", f.scaled(x, 0.5f), f.shifted(f.of("Tanh", f.scaled(cubic, 0.79788456f)), 1.0f));
        }
        case F::linear:
            return f.shifted(f.scaled(x, layer.alpha), layer.beta);
        case F::mish:
            return node.opset() >= 18 ? f.of("Mish", x) : f.of("Mul", x, f.of("Tanh", f.of("Softplus", x)));
        case F::rsqrt:
            return f.of("Reciprocal", f.of("Sqrt", x));
        case F::selu:
            return node.emit("Selu", {x}, {real("alpha", layer.alpha), real("gamma", layer.beta)});
        case F::shrink:
            return node.emit("Shrink", {x}, {real("lambd", layer.alpha), real("bias", layer.beta)});
        case F::square:
            return f.of("Mul", x, x);
        case F::thresholded_relu:
            return node.emit("ThresholdedRelu", {x}, {real("alpha", layer.alpha)});
        default:
            return node.emit(onnx_import::operator_of(layer.function), {x});
    }
}

inline std::string function_tensor(BinaryFunction function, const std::string& x, const std::string& y,
                                   OnnxExportContext& node) {
    using F = BinaryFunction;
    Formula f(node);
    switch (function) {
        case F::add:
            return f.of("Add", x, y);
        case F::sub:
            return f.of("Sub", x, y);
        case F::mul:
            return f.of("Mul", x, y);
        case F::div:
            return f.of("Div", x, y);
        case F::pow:
            return f.of("Pow", x, y);
        case F::max:
            return f.of("Max", x, y);
        case F::min:
            return f.of("Min", x, y);
        case F::fmod:
            return node.emit("Mod", {x, y}, {integer("fmod", 1)});
        case F::floor_mod:
            return f.of("Sub", x, f.of("Mul", y, f.of("Floor", f.of("Div", x, y))));
        case F::floor_div:
            return f.of("Floor", f.of("Div", x, y));
        case F::prelu:
            if (node.input(0).shape != node.output().shape)
                node.fail("its slope does not repeat along its input; PRelu has no other form");
            return f.of("PRelu", x, y);
        case F::squared_difference: {
            const std::string difference = f.of("Sub", x, y);
            return f.of("Mul", difference, difference);
        }
    }
    return x;
}

}  // namespace detail::onnx_export

inline void to_onnx(const Unary& layer, OnnxExportContext& node) {
    detail::onnx_export::expect_own_table(layer, node);
    const OnnxForm x = node.real(node.form(0));
    node.finish(detail::onnx_export::function_tensor(layer, x.tensor, node), x.layout, x.dims);
}

inline void to_onnx(const Binary& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const std::size_t rank = node.output().shape.rank();
    const to::Dims order = node.input(0).shape.rank() == rank ? node.common_order() : to::channels_first(rank);
    const auto tensor = [&](std::size_t place) {  // under as many axes as the output has
        const std::size_t lead = rank - node.input(place).shape.rank();
        to::Groups groups;
        for (const std::size_t axis : order) groups.push_back(axis < lead ? to::Dims() : to::Dims{axis - lead});
        return node.arranged(place, groups).tensor;
    };
    const std::string x = tensor(0), y = tensor(1);
    node.finish(to::function_tensor(layer.function, x, y, node), order);
}

MOTE_END_NAMESPACE
