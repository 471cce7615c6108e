// SPDX-License-Identifier: MIT
// gradient: reductions, pooling and softmax against finite differences.

#include <mote/train/gradient/reduction.hpp>

#include "check.hpp"

TEST_CASE("gradient: MaxPool2d and AveragePool2d with overlap, strides, dilation and uneven padding") {
    using namespace gradient_check;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 5);
        const mote::Size2d kernel{2 + static_cast<std::size_t>(random.below(2)), 1 + static_cast<std::size_t>(random.below(3))};
        const mote::Size2d stride{1 + static_cast<std::size_t>(random.below(3)), 1 + static_cast<std::size_t>(random.below(2))};
        const mote::Padding2d padding{
            static_cast<std::size_t>(random.below(kernel.height)), static_cast<std::size_t>(random.below(kernel.height)),
            static_cast<std::size_t>(random.below(kernel.width)), static_cast<std::size_t>(random.below(kernel.width))};
        Builder b;
        const Handle x = offset_input(b, b.input("x", {1, 5, 4, 3}));
        const mote::Size2d dilation{1, kernel.width < 3 && seed % 3 == 0 ? std::size_t{2} : 1};
        const Handle largest = b.add(mote::MaxPool2d{kernel, stride, padding, dilation}, x);
        const Handle mean = b.add(mote::AveragePool2d{kernel, stride, padding, seed % 2 == 0, dilation}, x);
        b.output("y", b.add(mote::Concat{}, {largest, mean}));
        check(b.build(), 3, 2, seed);
    }
}

TEST_CASE("gradient: Resize2d, larger and smaller, by every interpolation and alignment, with what it leaves out and filters") {
    using namespace gradient_check;
    const auto check_layer = [](const mote::Resize2d& layer) {
        Builder b;
        const Handle x = offset_input(b, b.input("x", {1, 3, 4, 2}));
        b.output("y", b.add(mote::Tanh{}, b.add(layer, x)));
        check(b.build(), 3, 2, 1);
    };
    for (int i = 0; i < 3; ++i) {
        const auto interpolation = static_cast<mote::Interpolation>(i);
        for (const auto alignment : {mote::Alignment::asymmetric, mote::Alignment::corners, mote::Alignment::half_pixel}) {
            mote::Resize2d layer{.size = {5, 3}, .interpolation = interpolation, .alignment = alignment};
            layer.exclude_outside = alignment == mote::Alignment::half_pixel;
            check_layer(layer);
        }
        check_layer({.size = {1, 2}, .interpolation = interpolation, .antialias = true});
        mote::Resize2d crop{.size = {4, 3}, .interpolation = interpolation, .alignment = mote::Alignment::crop};
        crop.crop = mote::Tensor<mote::f32>(mote::Shape{4}, {-0.2f, 0.2f, 0.9f, 0.7f});
        crop.outside = 0.4f;
        check_layer(crop);
    }
}

TEST_CASE("gradient: GlobalAveragePool") {
    using namespace gradient_check;
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 2, 5}));
    b.output("y", b.add(mote::GlobalAveragePool{}, x));
    check(b.build(), 3, 2, 1);
}

TEST_CASE("gradient: Softmax inside a model") {
    using namespace gradient_check;
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 2, 5}));
    b.output("y", b.add(mote::Flatten{}, b.add(mote::Softmax{}, x)));
    check(b.build(), 3, 2, 1);
}

TEST_CASE("gradient: Reduce by every function, over one axis, several, none") {
    using namespace gradient_check;
    for (int i = 0; i < mote::reduction_count; ++i) {
        const auto function = static_cast<mote::Reduction>(i);
        for (const std::vector<std::size_t>& axes : {std::vector<std::size_t>{}, {2}, {1, 3}}) {
            CAPTURE(i, axes.size());
            Builder b;
            Handle x = offset_input(b, b.input("x", {1, 2, 3, 2}));
            if (function == mote::Reduction::log_sum || function == mote::Reduction::prod) {
                x = b.add(mote::Sigmoid{}, x);  // above zero, and products stay small
            }
            b.output("y", b.add(mote::Flatten{}, b.add(mote::Reduce{function, axes, i % 2 == 0}, x)));
            check(b.build(), 3, 2, 1);
        }
    }
}

TEST_CASE("gradient: a product with zeros goes to the one zero, or to nobody; equal largest ones share") {
    using namespace gradient_check;
    const auto gradient_of = [](mote::Reduction function, const std::vector<float>& x) {
        Builder b;
        const Handle in = b.input("x", {1, x.size()});
        b.output("y", b.add(mote::Reduce{function, {1}}, offset_input(b, in)));
        const auto model = b.build();
        mote::detail::TrainingSession session(
            mote::detail::make_training_network(model), [&](std::size_t n) { return mote::detail::batched_values(model, n); },
            1, 1, 1, false, mote::native_kernels());
        session.prepare(1);
        session.lower_all();
        session.forward([&](std::size_t, std::span<float> values) { std::copy(x.begin(), x.end(), values.begin()); });
        session.logits_gradient()[0] = 1.0f;
        session.backward();
        std::vector<float> gradient(x.size());
        session.reduce(session.network().parameters[0].offset, x.size(), gradient.data());
        return gradient;
    };
    CHECK(gradient_of(mote::Reduction::prod, {2, 0, 3}) == std::vector<float>{0, 6, 0});
    CHECK(gradient_of(mote::Reduction::prod, {2, 0, 0}) == std::vector<float>{0, 0, 0});
    CHECK(gradient_of(mote::Reduction::max, {2, 5, 5}) == std::vector<float>{0, 0.5f, 0.5f});
    CHECK(gradient_of(mote::Reduction::l2, {0, 0, 0}) == std::vector<float>{0, 0, 0});
}
