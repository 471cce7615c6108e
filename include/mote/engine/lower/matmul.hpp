// SPDX-License-Identifier: MIT
#pragma once
// lower: MatMul, alone or as the attention that it leads.

#include <mote/engine/lower/elementwise.hpp>
#include <mote/kernels/share.hpp>

MOTE_BEGIN_NAMESPACE

/// MatMul as products of [m, k] and [k, n]: one a position of `matrices`, whose strides count matrices; the products lie one
/// behind the other.
struct MatMulGeometry {
    std::int32_t m = 0, n = 0, k = 0;
    std::int32_t count = 1;
    BroadcastGeometry matrices{};

    /// Where the matrices of product i begin, in elements.
    void find(std::int32_t i, std::ptrdiff_t& a, std::ptrdiff_t& b) const noexcept {
        a = b = 0;
        for (std::int32_t axis = matrices.rank; axis-- > 0; i /= matrices.extent[axis]) {
            a += std::ptrdiff_t{i % matrices.extent[axis]} * matrices.a_stride[axis];
            b += std::ptrdiff_t{i % matrices.extent[axis]} * matrices.b_stride[axis];
        }
        a *= std::ptrdiff_t{m} * k;
        b *= std::ptrdiff_t{k} * n;
    }
};

/// A single product where all matrices of a meet one b that stands behind their rows.
template <class Lazy = void>
MatMulGeometry geometry(const MatMul& layer, const Shape& a, const Shape& b, const Shape& out) {
    MatMulGeometry g;
    const Shape products = matrices_before(out);
    g.count = narrow<std::int32_t>(products.elements());
    g.m = narrow<std::int32_t>(out[out.rank() - 2]);
    g.n = narrow<std::int32_t>(out.back());
    g.k = narrow<std::int32_t>(a[a.rank() - (layer.transpose_a ? 2 : 1)]);
    g.matrices = detail::broadcast_geometry(matrices_before(a), matrices_before(b), products);
    if (!layer.transpose_a && g.matrices.rank == 1 && g.matrices.a_stride[0] == 1 && g.matrices.b_stride[0] == 0) {
        g.m *= g.count;
        g.count = 1;
    }
    return g;
}

/// Operands: a, b, output, scratch. A part is some of the matrices; where they are fewer than parts, some of each one's rows
/// or, where these are more, columns.
struct MatMulStep {
    static constexpr const char* name = "matmul_f32";
    MatMulGeometry geometry{};
    bool transpose_a = false;
    bool transpose_b = false;
    std::size_t scratch_bytes = 0;  ///< of a part

    GemmF32 gemm() const noexcept {
        GemmF32 g;
        g.m = geometry.m;
        g.n = geometry.n;
        g.k = geometry.k;
        g.transpose_a = transpose_a;
        g.transpose_b = transpose_b;
        g.lda = transpose_a ? g.m : g.k;
        g.ldb = transpose_b ? g.k : g.n;
        g.ldc = g.n;
        return g;
    }
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        GemmF32 g = gemm();
        g.scratch = operands[3] + static_cast<std::size_t>(part.index) * scratch_bytes;
        const bool whole = geometry.count >= part.count, by_rows = g.m >= g.n;
        const IndexRange matrices = kernels::share(geometry.count, whole ? part : Part{}),
                         rows = kernels::share(g.m, !whole && by_rows ? part : Part{}),
                         columns = kernels::share(g.n, !whole && !by_rows ? part : Part{});
        g.m = static_cast<std::int32_t>(rows.end - rows.begin);
        g.n = static_cast<std::int32_t>(columns.end - columns.begin);
        if (g.m == 0 || g.n == 0) return;
        for (std::ptrdiff_t i = matrices.begin; i < matrices.end; ++i) {
            std::ptrdiff_t a = 0, b = 0;
            geometry.find(static_cast<std::int32_t>(i), a, b);
            g.a = operand<const float>(operands, 0) + a + rows.begin * (transpose_a ? 1 : g.lda);
            g.b = operand<const float>(operands, 1) + b + columns.begin * (transpose_b ? g.ldb : 1);
            g.c = operand<float>(operands, 2) + (i * geometry.m + rows.begin) * g.ldc + columns.begin;
            kernels.gemm_f32(g);
        }
    }
};

/// softmax(scale Q K^T + bias) V for `count` matrices of queries, whose scores have rank - 2 axes before the last two. A part
/// is some of all queries. Operands: Q, K, V, bias if it has one, output, scratch.
struct AttentionStep {
    static constexpr const char* name = "attention_f32";
    AttentionF32 shape{};  ///< without pointers
    std::int32_t count = 1, rank = 2;
    bool biased = false;
    std::int32_t extent[8] = {};
    std::int32_t stride[4][8] = {};  ///< of Q, K, V and the bias, in elements
    std::size_t scratch_bytes = 0;   ///< of a part

    /// Where matrix i of an operand begins, in elements.
    std::ptrdiff_t find(std::ptrdiff_t i, int of) const noexcept {
        std::ptrdiff_t at = 0;
        for (std::int32_t axis = rank - 2; axis-- > 0; i /= extent[axis]) at += i % extent[axis] * stride[of][axis];
        return at;
    }
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        AttentionF32 a = shape;
        a.scratch = operands[biased ? 5 : 4] + static_cast<std::size_t>(part.index) * scratch_bytes;
        auto [row, end] = kernels::share(std::ptrdiff_t{count} * shape.queries, part);
        for (; row < end; row += a.queries) {
            const std::ptrdiff_t i = row / shape.queries, first = row % shape.queries;
            const std::ptrdiff_t some = shape.queries - first < end - row ? shape.queries - first : end - row;
            a.queries = static_cast<std::int32_t>(some);
            a.q = operand<const float>(operands, 0) + find(i, 0) + first * a.size;
            a.k = operand<const float>(operands, 1) + find(i, 1);
            a.v = operand<const float>(operands, 2) + find(i, 2);
            if (biased) a.bias = operand<const float>(operands, 3) + find(i, 3) + first * a.bias_stride;
            a.output = operand<float>(operands, biased ? 4 : 3) + row * a.width;
            kernels.attention_f32(a);
        }
    }
};

/// Operands: a, b, output.
struct MatMulNumbersStep {
    static constexpr const char* name = "multiply_numbers";
    MatMulGeometry geometry{};
    bool transpose_a = false;
    bool transpose_b = false;
    Element element = Element::i32;

    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        for (std::int32_t i = 0; i < geometry.count; ++i) {
            std::ptrdiff_t a = 0, b = 0;
            geometry.find(i, a, b);
            kernels::reference::multiply_numbers(element, geometry.m, geometry.n, geometry.k, transpose_a, transpose_b, a,
                                                 operands[0], b, operands[1], std::ptrdiff_t{i} * geometry.m * geometry.n,
                                                 operands[2]);
        }
    }
};

namespace detail {

/// What a core multiplies while a call and its answer pass from core to core.
inline constexpr std::uint64_t macs_of_a_product_part = std::uint64_t{1} << 15;

template <class Lazy = void>
void lower_attention(const MatMul& layer, LowerContext& node) {
    const AttentionPattern& pattern = node.group().attention;
    const Shape &to = node.output().shape, &keys = node.input(1).shape;
    const std::size_t rank = to.rank();
    AttentionStep step;
    step.biased = pattern.biased;
    step.rank = narrow<std::int32_t>(rank);
    step.count = narrow<std::int32_t>(matrices_before(to).elements());
    for (std::size_t axis = 0; axis < rank; ++axis) step.extent[axis] = narrow<std::int32_t>(to[axis]);
    for (std::size_t i = 0; i < node.inputs(); ++i) repeating_strides(node.input(i).shape, to, step.stride[i]);
    AttentionF32& a = step.shape;
    a.queries = step.extent[rank - 2];
    a.width = step.extent[rank - 1];
    a.size = narrow<std::int32_t>(node.input(0).shape.back());
    a.keys = narrow<std::int32_t>(keys[keys.rank() - (layer.transpose_b ? 2 : 1)]);
    a.transposed_keys = !layer.transpose_b;
    a.scale = pattern.scale;
    a.bias_stride = step.stride[3][rank - 2];
    step.scratch_bytes = align_up(node.kernels().attention_f32_scratch_bytes(a));
    const auto macs = to.elements() / to.back() * narrow<std::uint64_t>(a.keys) * narrow<std::uint64_t>(a.size + a.width);
    StepOptions options{.reason = "the scores of some queries at a time"};
    options.parts = node.parts(macs, macs_of_a_product_part);
    options.scratch_bytes = step.scratch_bytes * static_cast<std::size_t>(options.parts);
    node.emit(step, std::move(options));
}

}  // namespace detail

template <class Context>
void lower(const MatMul& layer, Context& node) {
    if (node.group().attention.found) return detail::lower_attention(layer, node);
    const MatMulGeometry g = geometry(layer, node.input(0).shape, node.input(1).shape, node.output().shape);
    const Element element = node.output().element;
    if (element != Element::f32) return node.emit(MatMulNumbersStep{g, layer.transpose_a, layer.transpose_b, element});
    StepOptions options;
    options.reason = g.count == 1 ? "one product" : "a product a matrix";
    options.parts = node.parts(node.output().shape.elements() * narrow<std::uint64_t>(g.k), detail::macs_of_a_product_part);
    const std::size_t scratch_bytes = align_up(node.kernels().gemm_f32_scratch_bytes(g.m, g.n, g.k));
    options.scratch_bytes = scratch_bytes * static_cast<std::size_t>(options.parts);
    node.emit(MatMulStep{g, layer.transpose_a, layer.transpose_b, scratch_bytes}, std::move(options));
}

MOTE_END_NAMESPACE
