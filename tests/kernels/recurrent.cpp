// SPDX-License-Identifier: MIT
// Recurrent layers of bytes: near what the real cell gives, and to the bit what their formulas say.

#include <mote/kernels/recurrent.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <cmath>

namespace recurrent_kernels_test {

using namespace mote;

double sigmoid(double x) {
    return 1.0 / (1.0 + std::exp(-x));
}

std::vector<std::int16_t> table() {
    std::vector<std::int16_t> result;
    for (int row = 0; row < 2; ++row) {
        for (int i = 0; i <= 1024; ++i) {
            const double x = i / 64.0 - 8.0, y = 32768.0 * (row == 0 ? sigmoid(x) : std::tanh(x));
            result.push_back(static_cast<std::int16_t>(std::fmin(32767.0, std::nearbyint(y))));
        }
    }
    return result;
}

std::int8_t byte(Random& random, int lo = -127) {
    return static_cast<std::int8_t>(lo + static_cast<int>(random.below(static_cast<std::size_t>(128 - lo))));
}

}  // namespace recurrent_kernels_test

TEST_CASE("recurrent kernels: between the table's entries a function is within two steps of 2^-15") {
    using namespace recurrent_kernels_test;
    const std::vector<std::int16_t> t = table();
    for (std::int32_t x = -32768; x <= 32767; ++x) {
        const double real = x / 4096.0;
        REQUIRE(std::fabs(kernels::reference::interpolate_i16(t.data(), x) - 32768.0 * sigmoid(real)) <= 2.0);
        REQUIRE(std::fabs(kernels::reference::interpolate_i16(t.data() + 1025, x) - 32768.0 * std::tanh(real)) <= 2.0);
    }
}

TEST_CASE("recurrent kernels: an integer LSTM follows the real one") {
    using namespace recurrent_kernels_test;
    const std::vector<std::int16_t> t = table();
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        INFO("seed " << seed);
        Random random(seed, 4);
        const int in = 1 + static_cast<int>(random.below(9)), hidden = 1 + static_cast<int>(random.below(7)), rows = 4 * hidden;
        const double in_scale = 0.02, weight_scale = 0.01, recurrent_scale = 0.012, out_scale = 1.0 / 128;
        const int in_zero = -7, out_zero = 3;
        LstmI8 p;
        p.in = in;
        p.hidden = hidden;
        std::vector<std::int8_t> w, r;
        std::vector<std::int32_t> plain, bias, recurrent_bias;
        for (int i = 0; i < rows * in; ++i) w.push_back(byte(random));
        for (int i = 0; i < rows * hidden; ++i) r.push_back(byte(random));
        p.gate_shift = 24;
        const std::vector<std::int32_t> m(static_cast<std::size_t>(rows),
                                          static_cast<std::int32_t>(std::ldexp(4096 * in_scale * weight_scale, 24) + 0.5));
        const std::vector<std::int32_t> n(static_cast<std::size_t>(rows),
                                          static_cast<std::int32_t>(std::ldexp(4096 * out_scale * recurrent_scale, 24) + 0.5));
        for (int row = 0; row < rows; ++row) {
            plain.push_back(static_cast<std::int32_t>(random.below(4000)) - 2000);
            std::int32_t a = plain.back(), b = 0;
            for (int k = 0; k < in; ++k) a -= in_zero * w[static_cast<std::size_t>(row * in + k)];
            for (int k = 0; k < hidden; ++k) b -= out_zero * r[static_cast<std::size_t>(row * hidden + k)];
            bias.push_back(a);
            recurrent_bias.push_back(b);
        }
        p.weight = w.data();
        p.recurrent = r.data();
        p.bias = bias.data();
        p.recurrent_bias = recurrent_bias.data();
        p.input_multiplier = m.data();
        p.recurrent_multiplier = n.data();
        p.table = t.data();
        p.cell_bits = seed % 2 == 0 ? 11 : 13;
        if (seed % 3 == 0) {
            p.cell_hi = static_cast<std::int32_t>(std::ldexp(0.5, p.cell_bits));
            p.cell_lo = -p.cell_hi;
        }
        p.hidden_shift = 50;
        p.hidden_multiplier = static_cast<std::int32_t>(std::ldexp(1.0, 20) / out_scale + 0.5);
        p.zero_point = out_zero;

        std::vector<std::int8_t> x(static_cast<std::size_t>(in)), h(static_cast<std::size_t>(hidden), std::int8_t{3});
        std::vector<std::int16_t> c(static_cast<std::size_t>(hidden), std::int16_t{0}), gates(static_cast<std::size_t>(rows));
        for (int step = 0; step < 10; ++step) {
            for (std::int8_t& q : x) q = byte(random, -128);
            std::vector<double> z, before;  // the real cell from the integer states
            for (const std::int16_t q : c) before.push_back(std::ldexp(q, -p.cell_bits));
            for (int row = 0; row < rows; ++row) {
                double sum = plain[static_cast<std::size_t>(row)] * in_scale * weight_scale;
                for (int k = 0; k < in; ++k)
                    sum += (x[static_cast<std::size_t>(k)] - in_zero) * w[static_cast<std::size_t>(row * in + k)] * in_scale *
                           weight_scale;
                for (int k = 0; k < hidden; ++k)
                    sum += (h[static_cast<std::size_t>(k)] - out_zero) * r[static_cast<std::size_t>(row * hidden + k)] *
                           out_scale * recurrent_scale;
                sum = std::fmax(-8.0, std::fmin(sum, 8.0));
                z.push_back(row / hidden == 2 ? std::tanh(sum) : sigmoid(sum));
            }
            kernels::reference::lstm_i8(p, x.data(), h.data(), c.data(), gates.data());
            for (int j = 0; j < hidden; ++j) {
                const auto at = [&](int gate) { return z[static_cast<std::size_t>(gate * hidden + j)]; };
                double cell = at(1) * before[static_cast<std::size_t>(j)] + at(0) * at(2);
                cell = std::fmax(std::ldexp(p.cell_lo, -p.cell_bits), std::fmin(cell, std::ldexp(p.cell_hi, -p.cell_bits)));
                const double got = std::ldexp(c[static_cast<std::size_t>(j)], -p.cell_bits);
                REQUIRE(std::fabs(got - cell) <= 1e-3);
                const double y = at(3) * std::tanh(got);
                REQUIRE(std::fabs((h[static_cast<std::size_t>(j)] - out_zero) * out_scale - y) <= 0.52 * out_scale + 1e-3);
            }
        }
    }
}

TEST_CASE("recurrent kernels: an integer SVDF sums what it remembers, and the f32 one does the same") {
    using namespace recurrent_kernels_test;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        Random random(seed, 6);
        SvdfI8 p;
        p.in = 1 + static_cast<std::int32_t>(random.below(6));
        p.units = 1 + static_cast<std::int32_t>(random.below(4));
        p.rank = 1 + static_cast<std::int32_t>(random.below(3));
        p.memory = 1 + static_cast<std::int32_t>(random.below(5));
        const int filters = p.units * p.rank;
        std::vector<std::int8_t> feature;
        std::vector<std::int16_t> time;
        std::vector<std::int32_t> bias;
        std::vector<float> feature_real, time_real, bias_real;
        for (int i = 0; i < filters * p.in; ++i) feature.push_back(byte(random)), feature_real.push_back(feature.back());
        for (int i = 0; i < filters * p.memory; ++i)
            time.push_back(static_cast<std::int16_t>(random.below(2001)) - 1000), time_real.push_back(time.back());
        for (int i = 0; i < p.units; ++i)
            bias.push_back(static_cast<std::int32_t>(random.below(2001)) - 1000),
                bias_real.push_back(static_cast<float>(bias.back()));
        p.feature = feature.data();
        p.time = time.data();
        p.bias = bias.data();
        p.input_zero_point = -5;
        p.zero_point = 2;
        p.multiplier[0] = 3;
        p.shift[0] = 3;
        p.multiplier[1] = 1;
        p.shift[1] = 14;
        p.state_lo = seed % 2 == 0 ? -32768 : -100;
        p.state_hi = seed % 2 == 0 ? 32767 : 90;
        std::vector<std::int16_t> states(static_cast<std::size_t>(filters * p.memory));
        std::vector<float> real_states(states.size());
        std::vector<std::vector<double>> history(static_cast<std::size_t>(filters),
                                                 std::vector<double>(static_cast<std::size_t>(p.memory)));
        std::vector<std::vector<double>> real_history = history;
        for (int step = 0; step < 8; ++step) {
            std::vector<std::int8_t> x, y(static_cast<std::size_t>(p.units));
            std::vector<float> x_real, y_real(y.size());
            for (int k = 0; k < p.in; ++k) x.push_back(byte(random, -128)), x_real.push_back(x.back());
            kernels::reference::svdf_i8(p, x.data(), states.data(), y.data());
            kernels::reference::svdf_f32(p, 1, feature_real.data(), time_real.data(), bias_real.data(), x_real.data(),
                                         real_states.data(), y_real.data());
            for (int unit = 0; unit < p.units; ++unit) {
                double sum = bias[static_cast<std::size_t>(unit)], real_sum = sum;
                for (int f = unit * p.rank; f < (unit + 1) * p.rank; ++f) {
                    double seen = 0, real_seen = 0;
                    for (int k = 0; k < p.in; ++k) {
                        const double weight = feature[static_cast<std::size_t>(f * p.in + k)];
                        seen += weight * (x[static_cast<std::size_t>(k)] + 5);
                        real_seen += weight * x[static_cast<std::size_t>(k)];
                    }
                    seen = std::fmax(p.state_lo, std::fmin(std::nearbyint(seen * 3 / 8), p.state_hi));
                    auto& past = history[static_cast<std::size_t>(f)];
                    auto& real_past = real_history[static_cast<std::size_t>(f)];
                    past.push_back(seen);
                    real_past.push_back(real_seen);
                    for (int m = 0; m < p.memory; ++m) {  // the last `memory` ones, the oldest first
                        const std::size_t at = past.size() - static_cast<std::size_t>(p.memory - m);
                        sum += time[static_cast<std::size_t>(f * p.memory + m)] * past[at];
                        real_sum += time[static_cast<std::size_t>(f * p.memory + m)] * real_past[at];
                    }
                }
                const double wanted = std::fmax(-128.0, std::fmin(2 + std::nearbyint(sum / 16384), 127.0));
                REQUIRE(y[static_cast<std::size_t>(unit)] == wanted);
                REQUIRE(y_real[static_cast<std::size_t>(unit)] == Approx(real_sum).epsilon(1e-5).margin(16.0));
            }
        }
    }
}
